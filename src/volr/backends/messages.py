"""What goes through the pipe between this process and one that runs a simulator's kernel.

A message is its length, eight bytes little-endian, and then that many bytes of safetensors: the
arrays, and the settings as JSON in one more array. Nothing is ever unpickled.
"""

from __future__ import annotations

import json
import struct
from typing import IO, Any, TypeAlias

import numpy as np
import safetensors.numpy
from numpy.typing import NDArray

Arrays: TypeAlias = dict[str, NDArray[Any]]
Settings: TypeAlias = dict[str, Any]
Request: TypeAlias = tuple[Arrays, Settings]

_LENGTH = struct.Struct("<Q")
_SETTINGS = "__settings__"


def text_array(text: str) -> NDArray[np.uint8]:
    """A text as an array: the arrays of a message hold nothing else."""
    return np.frombuffer(text.encode(), dtype=np.uint8)


def text_of(array: NDArray[Any]) -> str:
    """The inverse of ``text_array``."""
    return array.tobytes().decode()


def write(pipe: IO[bytes], request: Request) -> None:
    """Send arrays and settings."""
    arrays, settings = request
    text = text_array(json.dumps(settings))
    contiguous = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    body = safetensors.numpy.save({**contiguous, _SETTINGS: text})
    pipe.write(_LENGTH.pack(len(body)))
    pipe.write(body)
    pipe.flush()


def read(pipe: IO[bytes]) -> Request | None:
    """The next message; None where the pipe ends before it does."""
    head = pipe.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack(head)
    body = pipe.read(length)
    if len(body) < length:
        return None
    arrays = safetensors.numpy.load(body)
    settings: Settings = json.loads(text_of(arrays.pop(_SETTINGS)))
    return arrays, settings
