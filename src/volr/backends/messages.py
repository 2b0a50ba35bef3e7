"""What goes through the pipe between this process and one that runs a simulator's kernel.

A message is its length, eight bytes little-endian, and then that many bytes of safetensors: the
arrays, and the settings as JSON in one more array. Nothing is ever unpickled. An array that is
read-only goes through the pipe once (``Held``).
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
_HELD = "__held__"


def text_array(text: str) -> NDArray[np.uint8]:
    """A text as an array: the arrays of a message hold nothing else."""
    return np.frombuffer(text.encode(), dtype=np.uint8)


def text_of(array: NDArray[Any]) -> str:
    """The inverse of ``text_array``."""
    return array.tobytes().decode()


def spike_list(neurons: NDArray[Any], steps: NDArray[Any]) -> NDArray[np.int64]:
    """The neuron and the step of each spike, ``[2, spike]``, by neuron and then by step."""
    order = np.lexsort((steps, neurons))
    return np.stack([neurons, steps])[:, order].astype(np.int64)


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


class Held:
    """The read-only arrays of the last message, which both ends of a pipe keep for the next one.

    So a process gets the synapses of a network once, and not with every batch of stimuli. The near
    end takes an array for the same if it is the same object; so it is at the far end, too.
    """

    def __init__(self) -> None:
        self._arrays: Arrays = {}

    def left_out(self, request: Request) -> Request:
        """At the near end: the request without the arrays that the far end holds."""
        arrays, settings = request
        lasting = {name: each for name, each in arrays.items() if not each.flags.writeable}
        sent = {
            name: each
            for name, each in arrays.items()
            if name not in lasting or self._arrays.get(name) is not each
        }
        self._arrays = lasting
        return sent, {**settings, _HELD: [*lasting]}

    def put_back(self, request: Request) -> Request:
        """At the far end: the whole request."""
        arrays, settings = request
        names: list[str] = settings.pop(_HELD)
        self._arrays = {
            name: arrays[name] if name in arrays else self._arrays[name] for name in names
        }
        return {**arrays, **self._arrays}, settings
