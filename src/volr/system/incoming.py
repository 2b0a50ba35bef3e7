"""Files that somebody else wrote: read up to a limit, and named for what they are.

Whatever is wrong is an ``OSError`` whose words go after "cannot read FILE:", as the system's own
do.
"""

from __future__ import annotations

import errno
import os
import stat
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

MOST_BYTES = 1 << 26
"""Text of more bytes is not read."""
_LOOKED_AT = 1_000
"""The most files of a folder that the name of a missing one is compared with."""


def read_whole(path: str | Path, most: int = MOST_BYTES, *, pipes: bool = False) -> bytes:
    """The bytes of an ordinary file.

    A device may have no end, and a pipe may have no writer, so they are refused; ``pipes`` takes a
    pipe all the same, for what a user names. Raises ``OSError``, also for more than ``most`` bytes.
    """
    try:
        if not (pipes and stat.S_ISFIFO(Path(path).stat().st_mode)):
            check_ordinary(path)
        with Path(path).open("rb") as file:
            data = file.read(most + 1)
    except ValueError as error:  # a name with a zero in it
        raise OSError(errno.EINVAL, str(error)) from error
    if len(data) > most:
        raise OSError(errno.EFBIG, f"it has more than {most:,} bytes")
    return data


def check_ordinary(path: str | Path) -> int:
    """The size of an ordinary file, in bytes; ``OSError`` for everything else."""
    try:
        status = Path(path).stat()
    except ValueError as error:
        raise OSError(errno.EINVAL, str(error)) from error
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if not stat.S_ISREG(status.st_mode):
        what = "a pipe" if stat.S_ISFIFO(status.st_mode) else "a device or a socket"
        raise OSError(errno.EINVAL, f"it is {what}, not an ordinary file")
    return status.st_size


def nearest(path: Path, suffix: str, others: Iterable[str] = ()) -> str | None:
    """What may be meant instead of a file that is not there, as a question or in words.

    Either one of the files beside it, that with this ``suffix`` first, or one of the ``others``.
    """
    if not path.parent.is_dir():
        return f"the folder {str(path.parent)!r} is not there"
    try:
        there = [each.name for each in islice(path.parent.iterdir(), _LOOKED_AT)]
    except OSError:
        there = []
    near = get_close_matches(path.name, [*others, *there], n=1)
    if (whole := f"{path.name}{suffix}") in there:
        near = [whole]
    return f"did you mean {str(path.with_name(near[0]))!r}?" if near else None


@dataclass(frozen=True)
class Format:
    """What a file is: ``name`` goes after "it is"; ``help`` says what can be done with it here."""

    name: str
    help: str | None = None


def format_of(data: bytes, name: str = "FILE") -> Format | None:
    """What is known of a file by its first bytes; None where it may be text.

    ``name`` is the file's, for the commands in ``help``, and its suffix decides where the bytes
    do not.
    """
    for start, found in _BEGINNINGS.items():
        if data.startswith(start):
            return _with_name(found, name)
    if is_model(data):
        return _with_name(_MODEL, name)
    if data.startswith(b"PK\x03\x04"):
        return _zip(data, name)
    if data[:1] == b"\x80" and data[1:2] in {b"\x02", b"\x03", b"\x04", b"\x05"}:
        return _with_name(_PICKLE, name)
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return _IMAGE
    if name.endswith(".onnx") or _is_onnx(data):
        return _with_name(_ONNX, name)
    return None


def is_model(head: bytes) -> bool:
    """Whether a file begins as a model does: eight bytes of length, then JSON."""
    # No program of less than 2^40 bytes has a zero among its first eight.
    return head[8:9] == b"{" and head[7:8] == b"\x00"


def _is_onnx(data: bytes) -> bool:
    # Field 1 is the version, a small number; then comes the name of what wrote it, or the graph.
    return data[:1] == b"\x08" and data[1:2] < b"\x40" and data[2:3] in {b"\x12", b"\x1a", b"\x3a"}


def _zip(data: bytes, name: str) -> Format:
    names = data[:400]
    if b"data.pkl" in names or name.endswith((".pt", ".pth", ".ckpt")):
        return _with_name(_TORCH, name)
    if b".npy" in names:
        return _with_name(_ARRAYS, name)
    return Format("a zip archive", "unpack it first")


def _with_name(found: Format, name: str) -> Format:
    return Format(found.name, None if found.help is None else found.help.replace("FILE", name))


_IN_PYTHON = (
    "in Python, hand the arrays to volr.ArtificialModel by the names of the network's parameters, "
    "and write that with volr.save_model"
)
_MODEL = Format(
    "a model file",
    "name a program; `volr evaluate`, `volr transfer`, `volr explain`, `volr verify` and "
    "`volr compile` take models",
)
_PICKLE = Format(
    "a pickle, which may run code when it is opened, and Volr opens none",
    f"open it where you trust it; {_IN_PYTHON}",
)
_TORCH = Format(
    "a PyTorch checkpoint, which is a pickle, and Volr opens none",
    f"read it with torch.load(…, weights_only=True); {_IN_PYTHON}",
)
_ARRAYS = Format("a NumPy archive", f"read it with numpy.load; {_IN_PYTHON}")
_ONNX = Format(
    "an ONNX file",
    "make a model of it with `volr import FILE --out MODEL`, and name that",
)
_IMAGE = Format("an image")
_BEGINNINGS = {
    b"\x89HDF\r\n\x1a\n": Format(
        "an HDF5 file, as NIR files are",
        "make a model of a NIR file with `volr import FILE --out MODEL`, and name that; "
        "`volr lint FILE` tells what other programs make of it",
    ),
    b"\x93NUMPY": Format("a NumPy array", f"read it with numpy.load; {_IN_PYTHON}"),
    b"\x1f\x8b": Format("compressed by gzip", "unpack it first: gzip -d FILE"),
    b"BZh": Format("compressed by bzip2", "unpack it first: bzip2 -d FILE"),
    b"\xfd7zXZ\x00": Format("compressed by xz", "unpack it first: xz -d FILE"),
    b"\x28\xb5\x2f\xfd": Format("compressed by zstd", "unpack it first: zstd -d FILE"),
    b"%PDF-": Format("a PDF document"),
    b"\x89PNG\r\n\x1a\n": _IMAGE,
    b"\xff\xd8\xff": _IMAGE,
    b"GIF8": _IMAGE,
    b"\x7fELF": Format("a program of the machine's, not one of Volr's"),
    b"SQLite format 3\x00": Format("an SQLite database"),
}
