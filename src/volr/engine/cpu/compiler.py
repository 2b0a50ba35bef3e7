"""Numba, which compiles the engine's kernels. It is imported in this file only.

Numba reads ``.numba_config.yaml`` in the current folder, when it is imported and at each
compilation. That file could name a cache, and a cache is a pickle, which can run any code when it
is read. So the file is not read. Numba's variables (``NUMBA_…``) are the user's own and hold,
except those of the cache.

Kernels are kept beside their source, as Python's own bytecode is, or in ``$NUMBA_CACHE_DIR``, or
else in Volr's cache; never where other users can write. What is beside the source is trusted as
much as the source. Where a kernel cannot be kept, each process compiles it.
"""

from __future__ import annotations

import logging
import os
import sys
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from volr.errors import BackendError
from volr.system.caches import cache_for, close_to_others, foreign_hands, make_private, own_folder
from volr.system.current_folder import elsewhere

# A user who imported it before has decided what it reads.
_is_first = "numba" not in sys.modules
with elsewhere():
    import numba
    from numba.core import cgutils, config, types
    from numba.core.caching import FunctionCache, UserProvidedCacheLocator
    from numba.extending import intrinsic
    from numba.np.arrayobj import make_array

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["cgutils", "intrinsic", "make_array", "njit", "types"]

logger = logging.getLogger("volr")
T = TypeVar("T", bound="Callable[..., Any]")

VARIABLE = "NUMBA_CACHE_DIR"
_SWITCH = "NUMBA_DISABLE_JIT"
# The folder that Numba makes in a cache for the modules beside this one.
_PART: str = UserProvidedCacheLocator.get_suitable_cache_subpath(__file__)

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
    configured = os.environ.get(VARIABLE, "")
    if configured:
        fault = _fault(configured)
        if fault is None:
            return configured
        logger.warning("%s is not used: %s", VARIABLE, fault)
        return _volrs_folder()
    beside = Path(__file__).parent / "__pycache__"
    try:
        beside.mkdir(exist_ok=True)
    except OSError:
        return _volrs_folder()
    return "" if os.access(beside, os.W_OK) else _volrs_folder()


def _fault(configured: str) -> str | None:
    folder = Path(configured)
    if not folder.is_absolute():
        return f"{configured} is a relative path, another folder wherever Volr is used"
    try:
        make_private(folder)
        found = foreign_hands(folder, _PART)
        if found is None:
            make_private(folder / _PART)
            return None
    except OSError as error:
        return f"{configured}: {error.strerror or error}"
    return f"{found.what}, and compiled code would be run from there ({found.way_out(VARIABLE)})"


def _volrs_folder() -> str:
    folder = cache_for("numba", _PART)
    try:
        make_private(folder / _PART)
    except OSError as error:
        logger.debug("no kernels can be kept in %s: %s", folder, error)
        folder = own_folder("numba")
    return str(folder)


_FOLDER = _cache_folder()


class _Kept(FunctionCache):
    """What is kept of one kernel. A cache that fails costs time, and does not end a command."""

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        try:
            return super().load_overload(sig, target_context)
        # A damaged file makes the unpickler raise almost anything. It is as good as none.
        except Exception as error:  # noqa: BLE001
            logger.debug("a kernel in %s cannot be read: %s", self.cache_path, error)
            with suppress(OSError):
                self.flush()
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        try:
            super().save_overload(sig, data)
            if _FOLDER:
                close_to_others(Path(self.cache_path))
        # A full disk; or a damaged file that could not be replaced.
        except Exception as error:  # noqa: BLE001
            reason = error.strerror if isinstance(error, OSError) else None
            _tell(self.cache_path, reason or str(error))


@cache
def _tell(folder: str, reason: str) -> None:
    logger.warning(
        "the engine's compiled kernels cannot be kept in %s, so each run compiles them anew: %s",
        folder,
        reason,
    )


def njit(*, cache: bool = False, **options: Any) -> Callable[[T], T]:
    """``numba.njit``; with ``cache``, what it makes is kept in the right folder."""

    def compiled(function: T) -> T:
        kernel: Any = numba.njit(**options)(function)
        if cache:
            _keep(kernel)
        return kernel

    return compiled


def _keep(kernel: Any) -> None:
    # Numba asks now where to keep it, and would go on to places of its own.
    locator = "UserProvidedCacheLocator" if _FOLDER else "InTreeCacheLocator"
    ours = {"CACHE_DIR": _FOLDER, "CACHE_LOCATOR_CLASSES": locator}
    before = {name: getattr(config, name, "") for name in ours}
    for name, value in ours.items():
        setattr(config, name, value)
    try:
        kernel._cache = _Kept(kernel.py_func)
    except RuntimeError as error:
        _tell(_FOLDER or str(Path(__file__).parent), str(error))
    finally:
        for name, value in before.items():
            setattr(config, name, value)
