"""All parameters as one vector, as the programs take them, and Futhark's file format for it.

A file is the letter b, a version, the number of axes, the type in four letters, the length of each
axis (eight bytes, little-endian), and the numbers.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from volr.backends.refusals import elsewhere
from volr.errors import BackendError, UnsupportedError
from volr.models.parameters import parameter_shapes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from volr.checks.arrays import Floats
    from volr.network import Network

Singles: TypeAlias = NDArray[np.float32]

_HEAD = struct.Struct("<cBB4sq")
_VECTOR = (b"b", 2, 1, b" f32")


def flattened(network: Network, values: Mapping[str, Floats]) -> Singles:
    """The parameters in the order of ``parameter_shapes``, float32 ``[parameter]``.

    Raises ``UnsupportedError`` for one that float32 has no number for.
    """
    most = float(np.finfo(np.float32).max)
    for name, value in values.items():
        if np.abs(value).max() > most:
            raise UnsupportedError(
                f"futhark computes in float32, which ends at {most:g}, and {name} goes beyond it",
                help=elsewhere("reference"),
            )
    parts = [values[name].ravel() for name in parameter_shapes(network)]
    return np.concatenate([np.empty(0), *parts]).astype(np.float32)


def unflattened(network: Network, vector: NDArray[np.floating]) -> dict[str, Floats]:
    """The inverse, in float64."""
    values: dict[str, Floats] = {}
    first = 0
    for name, shape in parameter_shapes(network).items():
        last = first + int(np.prod(shape))
        values[name] = vector[first:last].reshape(shape).astype(np.float64)
        first = last
    return values


def to_bytes(vector: Singles) -> bytes:
    """The vector as a file of binary data that Futhark's programs read."""
    return _HEAD.pack(*_VECTOR, len(vector)) + vector.astype("<f4").tobytes()


def from_bytes(data: bytes) -> Singles:
    """The inverse; ``BackendError`` where it is not such a file."""
    size = _HEAD.size
    if len(data) < size or data[:size] != _HEAD.pack(*_VECTOR, (len(data) - size) // 4):
        raise BackendError("this is not a vector of f32 in Futhark's binary format")
    return np.frombuffer(data, "<f4", offset=size).astype(np.float32)
