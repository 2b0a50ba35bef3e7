"""Libraries that cannot be imported, because of a variable that they read, say.

What a library raises then is of any type and says nothing of where it comes from. So whatever comes
from the import of somebody else's module becomes one error that names the library.
"""

from __future__ import annotations

import os
import sys
import traceback
from typing import TYPE_CHECKING

from volr.errors import BackendError
from volr.source import visible

if TYPE_CHECKING:
    from collections.abc import Mapping

# How the names of their variables begin, where not with their own name.
_PREFIXES = {
    "dask": ("DASK_",),
    "distributed": ("DASK_",),
    "h5py": ("H5PY", "HDF5"),
    "matplotlib": ("MPL", "MATPLOTLIB"),
    # Its f2py, which Numba imports with its first kernel.
    "numpy": ("NUMPY", "NPY", "SOURCE_DATE_EPOCH"),
    "sklearn": ("SKLEARN", "SCIPY", "JOBLIB"),
    "torch": ("TORCH", "PYTORCH"),
}
_OTHERS = frozenset({"volr", "__main__"}) | sys.stdlib_module_names
# Characters of what a library says; PyTorch lists all that it would have taken.
_LONGEST = 300


def failed_import(error: BaseException) -> BackendError | None:
    """The error to tell instead, where ``error`` comes from the import of a library; else None."""
    library = _imported(error)
    if library is None:
        return None
    reason = visible(" ".join(str(error).split()))
    if len(reason) > _LONGEST:
        reason = f"{reason[:_LONGEST]}…"
    return BackendError(
        f"{library} cannot be imported: {type(error).__name__}{reason and f': {reason}'}",
        help=_way_out(library, os.environ),
    )


def _imported(error: BaseException) -> str | None:
    """The library whose module was being imported when ``error`` was raised.

    Libraries import each other: it is the last one on the way, which read what it does not take.
    """
    found = None
    for frame, _ in traceback.walk_tb(error.__traceback__):
        library = str(frame.f_globals.get("__name__", "")).partition(".")[0]
        if frame.f_code.co_name == "<module>" and library not in _OTHERS:
            found = library
    return found


def _way_out(library: str, environment: Mapping[str, str]) -> str:
    prefixes = _PREFIXES.get(library, (library.upper(),))
    found = sorted(name for name in environment if name.upper().startswith(prefixes))
    if found:
        return f"unset the environment variables that it reads, or mend them: {', '.join(found)}"
    return "look at its settings and at the environment variables that it reads, or reinstall it"
