"""What NIR's nodes between populations do with their parameters: a form of what arrives.

Each function takes a node's parameters, and raises ``SizeError`` for numbers that do not fit or
that no connector of Volr's has, ``ModelError`` without memory.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from volr.affine import forms, maps, windows
from volr.affine.forms import Form, SizeError
from volr.affine.windows import without_batch
from volr.network.connectors import AveragePool, Convolution

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from volr.affine.terms import Room
    from volr.affine.values import Pads
    from volr.backends.nir.graph import Values
    from volr.checks.arrays import Floats
    from volr.network.connectors import Shape

_MOST = 2**31


def weighted(values: Values, form: Form, room: Room) -> Form:
    """A form after an Affine or Linear."""
    bias = values["bias"].ravel() if "bias" in values else None
    return forms.weighted(form, values["weight"], bias, room)


def scaled(values: Values, form: Form, room: Room) -> Form:
    """A form after a Scale."""
    scale = values["scale"].ravel()
    if scale.size not in {1, form.size}:
        raise SizeError(f"it scales {scale.size} values and gets {form.size}")
    return forms.scaled(form, np.broadcast_to(scale, (form.size,)), room)


def flattened(values: Values, form: Form, room: Room) -> Form:
    """A form after a Flatten: the same values in a row."""
    del room
    # An end of a graph within the graph hands on what it gets.
    return Form((form.size,), form.terms, form.bias) if "start_dim" in values else form


def delayed(values: Values, form: Form, room: Room) -> Form:
    """A form after a Delay: each value comes later, by a time in the graph's unit."""
    delay = values["delay"].ravel()
    if delay.size not in {1, form.size}:
        raise SizeError(f"it delays {delay.size} values and gets {form.size}")
    wrong = delay[~((delay >= 0.0) & (delay < math.inf))]
    if wrong.size:
        raise SizeError(f"its delay is {wrong[0]:g}")
    return forms.delayed(form, np.broadcast_to(delay, (form.size,)), room)


def convolved(axes: int, values: Values, form: Form, room: Room) -> Form:
    """A form after a convolution over one or two axes."""
    weight = values["weight"]
    if weight.ndim != axes + 2:
        raise SizeError(f"its weight has {weight.ndim} axes, not {axes + 2}")
    if not weight.size:
        raise SizeError(f"its weight has the shape {list(weight.shape)}")
    stride, dilation = (whole(values, key, axes, 1) for key in ("stride", "dilation"))
    pads = _pads(values, dilation, axes)
    (groups,) = whole(values, "groups", 1, 1)
    shape = _maps(values, form, groups * weight.shape[1], axes)
    weight, pad = maps.spread(weight, shape[1:], dilation, pads, room)
    connector = Convolution(weight.shape[2:], stride, pad, groups)
    # NIR has no pools over one axis.
    return windows.convolved(
        form, connector, weight, values["bias"].ravel(), shape, room, means=axes == 1
    )


def averaged(values: Values, form: Form, room: Room) -> Form:
    """A form after an AvgPool2d."""
    return _pooled(values, form, room, 1)


def summed(values: Values, form: Form, room: Room) -> Form:
    """A form after a SumPool2d: means times the size of a window."""
    return _pooled(values, form, room, math.prod(whole(values, "kernel_size", 2, 1)))


def _pooled(values: Values, form: Form, room: Room, times: int) -> Form:
    pool = AveragePool(whole(values, "kernel_size", 2, 1), whole(values, "stride", 2, 1))
    if any(pad := whole(values, "padding", 2, 0)):
        raise SizeError(f"its padding is {list(pad)}, and Volr's pools have none")
    return windows.pooled(form, pool, without_batch(form.shape, 2), room, times=times)


def whole(values: Values, key: str, axes: int, least: int) -> tuple[int, ...]:
    """Whole numbers by axis, of which a file may have one for all.

    Raises ``SizeError`` for other numbers, and for any below ``least``.
    """
    if key not in values:
        raise SizeError(f"it lacks its {key}")
    each = values[key].ravel()
    if each.size not in {1, axes}:
        raise SizeError(f"its {key} has {each.size} numbers for {axes} axes")
    if not ((each >= least) & (each < _MOST) & (each == np.floor(each))).all():
        raise SizeError(f"its {key} is {each.tolist()}")
    return tuple(int(one) for one in np.broadcast_to(each, (axes,)))


def _pads(values: Values, dilation: Shape, axes: int) -> Pads:
    """The padding before and after each axis, of which ``same`` may make the second one larger."""
    if "padding" not in values:
        raise SizeError("it lacks its padding")
    each = values["padding"].ravel()
    if np.isnan(each).any():
        raise SizeError("its padding is 'same', which is unclear with a stride")
    window = np.array(values["weight"].shape[2:], dtype=np.float64)
    if each.shape == (axes,) and (each == _around(window, np.array(dilation))).all():
        return tuple((math.floor(one), math.ceil(one)) for one in each.tolist())
    return tuple((one, one) for one in whole(values, "padding", axes, 0))


def _around(window: Floats, dilation: Floats) -> Floats:
    """Half of what a window has more than one place, by axis."""
    return dilation * (window - 1.0) / 2.0


def _same(values: Values) -> Floats:
    """The padding of ``same``: half of what a window has more than one place.

    It is no whole number where the end of an axis gets one more than its beginning, as in PyTorch,
    and none at all with a stride.
    """
    window = np.array(values["weight"].shape[2:], dtype=np.float64)
    strided = "stride" not in values or bool((values["stride"] != 1.0).any())
    dilation = values.get("dilation", np.ones(1)).ravel()
    if strided or dilation.size not in {1, window.size}:
        return np.full(window.shape, np.nan)
    return _around(window, dilation)


def _valid(values: Values) -> Floats:
    """The padding of ``valid``: none."""
    return np.zeros(len(values["weight"].shape[2:]))


PADDINGS: Mapping[str, Callable[[Values], Floats]] = {"same": _same, "valid": _valid}
"""The words that a convolution may have for its padding, and what they stand for, by axis."""


def _maps(values: Values, form: Form, channels: int, axes: int) -> Shape:
    """The shape of what arrives, as channels and ``axes`` axes."""
    told = whole(values, "input_shape", axes, 1) if "input_shape" in values else None
    shape = without_batch(form.shape, axes)
    if len(shape) == axes + 1:
        if shape[0] != channels:
            raise SizeError(f"its weight takes {channels} channels and gets {shape[0]}")
        if told not in {None, shape[1:]}:
            raise SizeError(
                f"its input_shape is {list(told or ())}, and it gets maps of {list(shape[1:])}"
            )
        return shape
    if told is None:
        raise SizeError(f"it has no input_shape, and gets the shape {list(form.shape)}")
    if channels * math.prod(told) != form.size:
        raise SizeError(f"it takes {channels} channels of {list(told)} and gets {form.size} values")
    return channels, *told
