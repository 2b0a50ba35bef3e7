"""What the scripts for PyNN and Brian2 share.

A script begins with tables, which are Python literals. Large arrays are in a NumPy archive beside
it. Reading back parses the script and never runs it, so it is safe for files from anywhere.
"""

from __future__ import annotations

import io
import re
import zipfile
from typing import TYPE_CHECKING, Any

import numpy as np

from volr.backends.readback import Told

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from volr.backends.base import Files

_MARK = re.compile(r"^([1n])\|", re.MULTILINE)

DAMAGED = (
    AttributeError,
    IndexError,
    KeyError,
    MemoryError,
    OSError,
    RecursionError,
    SyntaxError,
    TypeError,
    ValueError,
    zipfile.BadZipFile,
)
"""The errors that another script, or another archive beside it, can raise."""

AS_TEXT = Told("its numbers are text, and Python reads them as float64")
"""The precision of a script without an archive."""


def program_for(text: str, *, several: bool) -> str:
    """The program of a script whose populations all have the same neurons, or ``several`` kinds.

    A line of ``text`` that begins with ``1|`` is only in the former, one with ``n|`` in the latter.
    """
    left_out = "1|" if several else "n|"
    lines = text.splitlines(keepends=True)
    return _MARK.sub("", "".join(line for line in lines if not line.startswith(left_out)))


def packed(arrays: Mapping[str, Any]) -> bytes:
    """The bytes of an archive with these arrays."""
    body = io.BytesIO()
    np.savez(body, **arrays)
    return body.getvalue()


def arrays_beside(files: Files) -> dict[str, NDArray[Any]]:
    """The arrays of the archive beside a script; ``KeyError`` where there is none."""
    with np.load(io.BytesIO(files[".npz"]), allow_pickle=False) as beside:
        return {name: beside[name] for name in beside.files}
