"""The bytes of a model file: safetensors, whose metadata have a description and a hash.

    volr.version   the layout, "2"
    volr.model     the description, a text (``volr.model_files.description``)
    volr.sha256    64 hexadecimal digits: the SHA-256 of the file with zeros in their place

So a file with any damaged byte is refused. Files of layout 1, from Volr 0.1.0, have no hash. The
header is sorted, so that equal contents give equal files.
"""

from __future__ import annotations

import hashlib
import json
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import safetensors
import safetensors.numpy

from volr.checks.json_values import read_json
from volr.errors import ModelFileError
from volr.system.incoming import Format, check_ordinary, format_of, nearest
from volr.system.memory import check_room

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from volr.checks.arrays import Floats

WITH_HASH, WITHOUT_HASH = "2", "1"
_VERSION, _MODEL, _HASH = "volr.version", "volr.model", "volr.sha256"
_BLANK = "0" * 64
_AROUND = f'"{_HASH}":"'.encode()
# safetensors itself refuses longer headers.
_LONGEST_HEADER = 100_000_000
_CHUNK = 1 << 20
_AGAIN = "copy it again from where it was made, or make it again"


@dataclass(frozen=True)
class Contents:
    """The contents of a file; ``checked`` is whether it had a hash, and the right one."""

    description: str
    arrays: Mapping[str, Floats]
    checked: bool


def packed(arrays: Mapping[str, Floats], description: str) -> bytes:
    """A file with these contents. Raises ``ModelFileError`` if the header is too long."""
    metadata = {_VERSION: WITH_HASH, _MODEL: description, _HASH: _BLANK}
    body = safetensors.numpy.save(dict(arrays), metadata)
    (length,) = struct.unpack("<Q", body[:8])
    header = json.loads(body[8 : 8 + length])
    text = json.dumps(header, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()
    # The arrays begin at a multiple of eight bytes.
    text += b" " * (-len(text) % 8)
    if len(text) > _LONGEST_HEADER:
        raise ModelFileError(
            f"the program and the origin of this model are too long for a file: {len(text):,} bytes"
        )
    start = struct.pack("<Q", len(text)) + text
    rest = memoryview(body)[8 + length :]
    hashed = hashlib.sha256(start)
    hashed.update(rest)
    place = start.rindex(_AROUND + _BLANK.encode()) + len(_AROUND)
    digits = hashed.hexdigest().encode()
    return b"".join((start[:place], digits, start[place + len(digits) :], rest))


def unpack(path: Path) -> Contents:
    """The contents of a file.

    Raises ``ModelFileError`` if it cannot be read, is cut short, damaged or of another format, and
    ``ModelError`` if the memory does not suffice.
    """
    header = check_whole(path)
    if header.is_foreign:
        raise ModelFileError(f"{path} is a safetensors file, but not a model of Volr's")
    check_room(header.sizes, f"to read {path}")
    try:
        with safetensors.safe_open(path, framework="numpy") as file:
            arrays: dict[str, Floats] = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no mapping)
    except (safetensors.SafetensorError, ValueError, TypeError) as error:
        raise ModelFileError(f"{path} is damaged: {error}", help=_AGAIN) from error
    return Contents(header.metadata[_MODEL], arrays, header.metadata[_VERSION] != WITHOUT_HASH)


@dataclass(frozen=True)
class Header:
    """The part before the arrays: their ``sizes`` in bytes, and the metadata.

    A safetensors file that is no model of Volr ``is_foreign``, and its metadata are left out.
    """

    sizes: Mapping[str, int]
    metadata: Mapping[str, str]
    is_foreign: bool = False


def check_whole(path: Path) -> Header:
    """The header of a file, after a check of the file's length and hash.

    Raises ``ModelFileError`` if it cannot be read, or is cut short, damaged or of another format.
    Only the header and a block of the rest are in memory at a time.
    """
    try:
        size = check_ordinary(path)
        with path.open("rb") as file:
            length = _header_length(path, file.read(400), size)
            file.seek(0)
            start = file.read(8 + length)
            header = _header(path, start[8:], size - 8 - length)
            if not header.is_foreign:
                _check_layout(path, header.metadata)
                hashed = hashlib.sha256(_blanked(start, header.metadata))
                while chunk := file.read(_CHUNK):
                    hashed.update(chunk)
                if header.metadata.get(_HASH, hashed.hexdigest()) != hashed.hexdigest():
                    raise ModelFileError(
                        f"{path} is damaged: it is not what was written, as its hash shows",
                        help=_AGAIN,
                    )
    except FileNotFoundError as error:
        help = nearest(path, ".safetensors") or "`volr train` makes a model of a program"
        raise ModelFileError(f"cannot read {path}: {error.strerror}", help=help) from error
    except OSError as error:
        raise ModelFileError(f"cannot read {path}: {error.strerror or error}") from error
    return header


def _header_length(path: Path, head: bytes, size: int) -> int:
    """The length of the header. ``ModelFileError`` names the format of a file of another one."""
    # The length of the header comes first, and may look like the start of another format.
    if head[8:9] != b"{" and (found := format_of(head, str(path))) is not None:
        raise ModelFileError(f"{path} is no model of Volr's: it is {found.name}", help=_help(found))
    if size < 9:
        raise ModelFileError(f"{path} is cut short: it has {size} bytes", help=_AGAIN)
    (length,) = struct.unpack("<Q", head[:8])
    if length > _LONGEST_HEADER or head[8:9] != b"{":
        raise ModelFileError(
            f"{path} is not a model of Volr's: it is no safetensors file",
            help="`volr train` makes a model of a program",
        )
    if 8 + length > size:
        raise ModelFileError(
            f"{path} is cut short: its header alone has {length} bytes", help=_AGAIN
        )
    return length


def _help(found: Format) -> str:
    return found.help or "models of Volr's are written by `volr train` and `volr transfer`"


def _header(path: Path, text: bytes, rest: int) -> Header:
    """A header, read; ``rest`` is the number of bytes behind it."""
    try:
        entries = cast("dict[str, Any]", read_json(text))
        metadata = cast("dict[str, Any]", entries.pop("__metadata__", {}))
        offsets = {name: tuple(map(int, each["data_offsets"])) for name, each in entries.items()}
        kinds = {name: str(each["dtype"]) for name, each in entries.items()}
        sizes = {name: last - first for name, (first, last) in offsets.items()}
        end = max((last for _, last in offsets.values()), default=0)
        strange = not all(isinstance(each, str) for each in metadata.values())
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError) as error:
        raise ModelFileError(
            f"{path} is damaged: its header cannot be read", help=_AGAIN
        ) from error
    if end > rest:
        raise ModelFileError(
            f"{path} is cut short: {rest} bytes of parameters are there, and {end} are due",
            help=_AGAIN,
        )
    if strange or _VERSION not in metadata or _MODEL not in metadata:
        return Header(sizes, {}, is_foreign=True)
    for name, kind in kinds.items():
        if kind != "F64":
            raise ModelFileError(
                f"{path} has numbers of a type that Volr does not write: {name} is {kind}, "
                "and a model's parameters are F64",
                help="write it with volr.save_model",
            )
    return Header(sizes, metadata)


def _check_layout(path: Path, metadata: Mapping[str, str]) -> None:
    version = metadata[_VERSION]
    if version not in (WITH_HASH, WITHOUT_HASH):
        raise ModelFileError(
            f"{path} has the layout {version!r}, expected {WITH_HASH!r}",
            help="update Volr: pip install --upgrade volr",
        )
    if (version == WITH_HASH) != (_HASH in metadata):
        has = "a hash" if _HASH in metadata else "no hash"
        raise ModelFileError(
            f"{path} is damaged: it has {has}, and the layout {version!r}", help=_AGAIN
        )


def _blanked(start: bytes, metadata: Mapping[str, str]) -> bytes:
    """The header with zeros for the hash's digits, if it has a hash."""
    digits = metadata.get(_HASH, "").encode(errors="replace")
    place = start.rfind(_AROUND + digits + b'"')
    if not digits or place < 0 or len(digits) != len(_BLANK):
        return start
    place += len(_AROUND)
    return start[:place] + _BLANK.encode() + start[place + len(digits) :]
