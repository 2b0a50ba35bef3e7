"""Pools of PyTorch's: the largest and the means of windows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from volr.affine import layers, maps, values
from volr.affine.values import InexpressibleError

if TYPE_CHECKING:
    from collections.abc import Callable

    from volr.affine.values import Pads, Value
    from volr.backends.torch.import_step import Step
    from volr.network.connectors import Shape


def _windows(step: Step, axes: int) -> tuple[Shape, Shape, Pads]:
    """The window, the stride and the padding of a pool."""
    window = step.sizes("kernel_size", axes)
    stride = step.sizes("stride", axes) if step.given.get("stride") else window
    pads = tuple((each, each) for each in step.sizes("padding", axes))
    shape = step.first.shape[-axes:]
    if step.given.get("ceil_mode"):
        layers.check_within(shape, window, stride, pads)
    return window, stride, pads


def largest(axes: int) -> Callable[[Step], Value]:
    def pooled(step: Step) -> Value:
        window, stride, pads = _windows(step, axes)
        if set(step.sizes("dilation", axes)) != {1}:
            raise InexpressibleError("its windows have holes (dilation)", "use dilation=1")
        value = step.value("self")
        return step.builder.maximum(value, window, stride, pads, step.name)

    return pooled


def averaged(axes: int) -> Callable[[Step], Value]:
    def pooled(step: Step) -> Value:
        window, stride, pads = _windows(step, axes)
        if step.given.get("divisor_override"):
            raise InexpressibleError("it divides by another number", "leave out divisor_override")
        means = (
            maps.averaged if step.given.get("count_include_pad", True) else layers.averaged_inside
        )
        return means(step.value("self"), window, stride, pads, step.builder.room)

    return pooled


def _adapted(step: Step, axes: int) -> Shape:
    """The window that makes as many means as an adaptive pool asks for."""
    before, after = step.value("self").shape[-axes:], step.wanted[-axes:]
    for n, m in zip(before, after, strict=True):
        if n % m:
            raise InexpressibleError(
                f"its windows differ in size: {n} values for {m}",
                f"let {m} divide {n}, or use a pool with a window and a stride",
            )
    return tuple(n // m for n, m in zip(before, after, strict=True))


def adaptive(axes: int, kind: str) -> Callable[[Step], Value]:
    def pooled(step: Step) -> Value:
        window, value = _adapted(step, axes), step.value("self")
        none = ((0, 0),) * axes
        if kind == "max":
            return step.builder.maximum(value, window, window, none, step.name)
        return maps.averaged(value, window, window, none, step.builder.room)

    return pooled


def mean(step: Step) -> Value:
    found = layers.averaged_over(step.value("self"), step.axes("dim"), step.builder.room)
    return values.reshaped(found, step.wanted)
