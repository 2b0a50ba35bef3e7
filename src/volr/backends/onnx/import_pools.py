"""Pools of ONNX's: the largest and the means of windows, or of all places."""

from __future__ import annotations

from typing import TYPE_CHECKING

from volr.affine import layers, maps, values
from volr.affine.values import InexpressibleError

if TYPE_CHECKING:
    from collections.abc import Callable

    from volr.affine.values import Pads, Value
    from volr.backends.onnx.import_step import Step
    from volr.network.connectors import Shape


def _windows(step: Step) -> tuple[Shape, Shape, Pads]:
    """The window, the stride and the padding of a pool."""
    places = step.value().shape[1:]
    axes = len(places)
    window, stride = step.whole("kernel_shape", axes, 0), step.whole("strides", axes, 1)
    if min(window, default=0) < 1:
        raise InexpressibleError(f"its window is {list(window)}, on {axes} axes")
    dilation = step.whole("dilations", axes, 1)
    if set(dilation) != {1}:
        raise InexpressibleError("its windows have holes (dilations)", "use dilation=1")
    pads = step.pads(places, window, stride, dilation)
    if step.attributes.get("ceil_mode"):
        layers.check_within(places, window, stride, pads)
    return window, stride, pads


def largest(step: Step) -> Value:
    window, stride, pads = _windows(step)
    return step.builder.maximum(step.value(), window, stride, pads, step.name)


def averaged(step: Step) -> Value:
    window, stride, pads = _windows(step)
    counted = step.attributes.get("count_include_pad")
    means = maps.averaged if counted else layers.averaged_inside
    return means(step.value(), window, stride, pads, step.room)


def of_all_places(kind: str) -> Callable[[Step], Value]:
    def pooled(step: Step) -> Value:
        return _of_axes(step, [*range(1, len(step.value().shape))], kind)

    return pooled


def reduced(kind: str) -> Callable[[Step], Value]:
    """A mean or a maximum along axes."""

    def pooled(step: Step) -> Value:
        value = step.value()
        given = step.axes() or []
        if not given and step.attributes.get("noop_with_empty_axes"):
            return value
        axes = [step.axis(each) for each in given or range(len(value.shape) + 1)]
        found = _of_axes(step, axes, kind)
        if step.attributes.get("keepdims", 1):
            return found
        return values.reshaped(
            found, tuple(n for axis, n in enumerate(found.shape) if axis not in axes)
        )

    return pooled


def _of_axes(step: Step, axes: list[int], kind: str) -> Value:
    value = step.value()
    if kind == "mean":
        return layers.averaged_over(value, axes, step.room)
    turned = layers.channels_first(value, axes)
    window = turned.shape[1:]
    found = step.builder.maximum(turned, window, window, ((0, 0),) * len(window), step.name)
    shape = tuple(1 if axis in axes else n for axis, n in enumerate(value.shape))
    return values.reshaped(found, shape)
