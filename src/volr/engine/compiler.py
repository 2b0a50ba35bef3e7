"""Numba, which compiles the engine's kernels: imported here alone, and with no say for the folder
that Volr happens to be used in.

Numba reads ``.numba_config.yaml`` in the current folder, when it is imported and at each
compilation. It could name a cache, and a cache is a pickle, which may run anything when it is read.
So the file is not read. Numba's variables (``NUMBA_…``) are the user's word and hold, but for a
cache that others can write to.

Kernels are kept beside their source, as Python's own bytecode is, or in ``$NUMBA_CACHE_DIR``, or
else in Volr's cache.
"""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from volr.caches import cache_for, foreign_hands
from volr.errors import BackendError
from volr.surroundings import elsewhere

# A user who imported it before has decided what it reads.
_is_first = "numba" not in sys.modules
with elsewhere():
    import numba
    from numba.core import cgutils, config, types
    from numba.extending import intrinsic
    from numba.np.arrayobj import make_array

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["cgutils", "intrinsic", "make_array", "njit", "types"]

logger = logging.getLogger("volr")
T = TypeVar("T", bound="Callable[..., Any]")

VARIABLE = "NUMBA_CACHE_DIR"
_SWITCH = "NUMBA_DISABLE_JIT"

if _is_first:
    # What Numba looks for at each compilation: no ordinary file has this name.
    config._config_fname = os.devnull
if config.DISABLE_JIT:
    raise BackendError(
        f"Numba's compiler is switched off ({_SWITCH}), and the engine's kernels do not run "
        "without it",
        help=f"unset {_SWITCH}, or take another back end: --on nest",
    )


def _cache_folder() -> str:
    """Where kernels are kept; an empty text is Numba's word for beside their source."""
    said = os.environ.get(VARIABLE, "")
    if said:
        fault = _fault(said)
        if fault is None:
            return said
        logger.warning(
            "%s is not used: %s, and compiled code would be run from there", VARIABLE, fault
        )
        return str(cache_for("numba"))
    beside = Path(__file__).parent / "__pycache__"
    try:
        beside.mkdir(exist_ok=True)
    except OSError:
        return str(cache_for("numba"))
    return "" if os.access(beside, os.W_OK) else str(cache_for("numba"))


def _fault(said: str) -> str | None:
    folder = Path(said)
    if not folder.is_absolute():
        return f"{said} is a relative path, another folder wherever Volr is used"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return foreign_hands(folder)
    except OSError as error:
        return f"{said}: {error.strerror or error}"


_FOLDER = _cache_folder()


def njit(**options: Any) -> Callable[[T], T]:
    """``numba.njit``, with what it makes in the right folder, which Numba asks for now."""

    def compiled(function: T) -> T:
        said, config.CACHE_DIR = config.CACHE_DIR, _FOLDER
        try:
            kernel: T = numba.njit(**options)(function)
        finally:
            config.CACHE_DIR = said
        return kernel

    return compiled
