"""Libraries that cannot be imported, for example because of an environment variable.

A library may raise any type of error then, without its name. So every error from the import of a
library becomes one that names the library.
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

# The prefixes of their variables, if these do not begin with the name of the library.
_PREFIXES = {
    "dask": ("DASK_",),
    "distributed": ("DASK_",),
    "h5py": ("H5PY", "HDF5"),
    "matplotlib": ("MPL", "MATPLOTLIB"),
    # Its f2py reads them, and Numba imports it with its first kernel.
    "numpy": ("NUMPY", "NPY", "SOURCE_DATE_EPOCH"),
    "sklearn": ("SKLEARN", "SCIPY", "JOBLIB"),
    "torch": ("TORCH", "PYTORCH"),
}
_OTHERS = frozenset({"volr", "__main__"}) | sys.stdlib_module_names
# The most characters of a library's message that are shown: PyTorch lists all valid values.
_LONGEST = 300


def failed_import(error: BaseException) -> BackendError | None:
    """The error to show instead if ``error`` comes from the import of a library; else None."""
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

    Libraries import each other. The last one read the value that it refuses.
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
        return f"unset the environment variables that it reads, or correct them: {', '.join(found)}"
    return "look at its settings and at the environment variables that it reads, or reinstall it"
