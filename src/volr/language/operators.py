"""Programs spelled in Python, with the same operators and the same precedence.

    conv([1, 28, 28], 6, 5) >> maxpool(..., 2) >> (dense(..., 20) | dense(..., 10))

The functions and operators build nodes of the syntax tree, so every function that takes a tree
takes them. A shape is a whole number, or a sequence or an array of them. ``...`` is `_`, the shape
of what comes before. Shapes that do not fit, and sizes below 1, are reported when the network is
made.
"""

from __future__ import annotations

import contextlib
import operator
from collections.abc import Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING, SupportsIndex, TypeAlias, cast

from volr.language.layers import REPEAT
from volr.language.syntax import Argument, Blank, Call, Expression, Integer, Name, Node, Shape

if TYPE_CHECKING:
    from types import EllipsisType

Sizes: TypeAlias = "SupportsIndex | Sequence[SupportsIndex]"
"""A whole number, also NumPy's, or a shape: a list, a tuple or an array of them."""


_NO_SHAPES = (str, bytes, Mapping, AbstractSet)


def dense(inputs: Sizes | EllipsisType, outputs: Sizes) -> Expression:
    """A fully connected layer from ``inputs`` to ``outputs`` neurons.

    Raises ``TypeError`` for what is no whole number or shape.
    """
    return _call("dense", _input("dense", "inputs", inputs), _sizes("dense", "outputs", outputs))


def conv(
    inputs: Sizes | EllipsisType,
    channels: SupportsIndex,
    window: Sizes,
    *,
    stride: Sizes | None = None,
    pad: Sizes | None = None,
    groups: SupportsIndex | None = None,
) -> Expression:
    """A convolution of ``[channels, length]`` or ``[channels, height, width]``.

    ``window``, ``stride`` and ``pad`` are one number for all axes, or one for each. Raises
    ``TypeError`` for what is no whole number or shape.
    """
    return _call(
        "conv",
        _input("conv", "inputs", inputs),
        _size("conv", "channels", channels),
        _sizes("conv", "window", window),
        stride=None if stride is None else _sizes("conv", "stride", stride),
        pad=None if pad is None else _sizes("conv", "pad", pad),
        groups=None if groups is None else _size("conv", "groups", groups),
    )


def avgpool(
    inputs: Sizes | EllipsisType, window: Sizes, *, stride: Sizes | None = None
) -> Expression:
    """The mean of each window; ``stride`` is the window unless told. It has no neurons.

    Raises ``TypeError`` for what is no whole number or shape.
    """
    return _pool("avgpool", inputs, window, stride)


def maxpool(
    inputs: Sizes | EllipsisType, window: Sizes, *, stride: Sizes | None = None
) -> Expression:
    """The largest of each window; ``stride`` is the window unless told.

    Raises ``TypeError`` for what is no whole number or shape.
    """
    return _pool("maxpool", inputs, window, stride)


def identity(shape: Sizes | EllipsisType) -> Expression:
    """The identity, `id`: the other side of a residual block. It has no neurons.

    Raises ``TypeError`` for what is no whole number or shape.
    """
    return _call("id", _input("identity", "shape", shape))


def repeat(count: SupportsIndex, network: Expression) -> Expression:
    """A network ``count`` times in sequence, with new weights each time.

    Raises ``TypeError`` if ``count`` is no whole number or ``network`` no network.
    """
    if not isinstance(network, Node):  # pyright: ignore[reportUnnecessaryIsInstance]
        kind = type(network).__name__
        raise TypeError(f"repeat: `network` must be an expression of layers, found {kind}")
    return _call(REPEAT, _size("repeat", "count", count), network)


def _pool(name: str, inputs: object, window: object, stride: object) -> Expression:
    return _call(
        name,
        _input(name, "inputs", inputs),
        _sizes(name, "window", window),
        stride=None if stride is None else _sizes(name, "stride", stride),
    )


def _call(name: str, *arguments: Expression, **labelled: Expression | None) -> Call:
    given = [Argument(each) for each in arguments]
    given += [Argument(each, label) for label, each in labelled.items() if each is not None]
    return Call(Name(name), tuple(given))


def _input(layer: str, name: str, value: object) -> Expression:
    return Blank() if value is ... else _sizes(layer, name, value)


def _sizes(layer: str, name: str, value: object) -> Expression:
    axes = [_size(layer, name, each) for each in _listed(value)]
    return Shape(tuple(axes)) if axes else _size(layer, name, value)


def _listed(value: object) -> list[object]:
    """The axes of a sequence or of an array; none for what is neither."""
    if not isinstance(value, Collection) or isinstance(value, _NO_SHAPES):
        return []
    try:
        return list(cast("Collection[object]", value))
    except TypeError:
        return []  # NumPy's arrays without axes look like collections.


def _size(layer: str, name: str, value: object) -> Integer:
    number = None
    if not isinstance(value, bool) and isinstance(value, SupportsIndex):
        # NumPy's arrays have an index, but only those of one whole number give it.
        with contextlib.suppress(TypeError):
            number = operator.index(value)
    if number is None:
        kind = type(value).__name__
        raise TypeError(f"{layer}: `{name}` must be a whole number, found {value!r} ({kind})")
    if abs(number) >= 10**100:
        raise ValueError(f"{layer}: `{name}` has more than 100 digits")
    return Integer(str(number))
