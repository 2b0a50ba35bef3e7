"""Calls of PyTorch's functions: the kernels and pools that they are, by the arguments they get."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch
from torch.nn import functional

from volr.errors import BackendError
from volr.network.connectors import AveragePool, Convolution

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from torch import Tensor

    from volr.checks.arrays import Floats
    from volr.network.connectors import Shape

RESHAPES = frozenset({"reshape", "flatten", "view", "unflatten"})
"""The names of functions that change the shape alone."""
_KERNEL = ("input", "weight", "bias", "stride", "padding", "dilation", "groups")
_AVERAGE = (
    *("input", "kernel_size", "stride", "padding", "ceil_mode"),
    *("count_include_pad", "divisor_override"),
)
_LARGEST = ("input", "kernel_size", "stride", "padding", "dilation", "ceil_mode", "return_indices")
_KERNELS = {functional.conv1d: 1, functional.conv2d: 2, torch.conv1d: 1, torch.conv2d: 2}
_AVERAGES = {functional.avg_pool1d: 1, functional.avg_pool2d: 2}
_LARGESTS = {
    functional.max_pool1d: 1,
    functional.max_pool2d: 2,
    torch.max_pool1d: 1,
    torch.max_pool2d: 2,
}


@dataclass(frozen=True)
class Pool:
    """A pool of means, or of the ``largest``; ``factor`` is what means are multiplied with."""

    pool: AveragePool
    factor: float = 1.0
    largest: bool = False


def kernel_of(
    func: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> Convolution | None:
    """The convolution that a call is; None where it is none.

    Raises ``BackendError`` for one that Volr does not have.
    """
    axes = _KERNELS.get(func)
    if axes is None:
        return None
    given = _given(_KERNEL, args, kwargs)
    _refuse_unless(_axes(given.get("dilation", 1), axes) == (1,) * axes, func)
    return Convolution(
        window=tuple(given["weight"].shape[2:]),
        stride=_axes(given.get("stride", 1), axes),
        pad=_axes(given.get("padding", 0), axes),
        groups=given.get("groups", 1),
    )


def pool_of(
    func: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> Pool | None:
    """The pool that a call is; None where it is none. Raises as ``kernel_of`` does."""
    largest = func in _LARGESTS
    axes = _LARGESTS.get(func) if largest else _AVERAGES.get(func)
    if axes is None:
        return None
    given = _given(_LARGEST if largest else _AVERAGE, args, kwargs)
    window = _axes(given["kernel_size"], axes)
    stride = given.get("stride")
    plain = {"padding": (0,) * axes, "dilation": (1,) * axes}
    _refuse_unless(
        all(_axes(given.get(name, one), axes) == one for name, one in plain.items())
        and not given.get("ceil_mode")
        and not given.get("return_indices"),
        func,
    )
    divisor = given.get("divisor_override")
    size = float(np.prod(window))
    return Pool(
        AveragePool(window, () if stride is None else _axes(stride, axes)),
        1.0 if divisor is None else size / divisor,
        largest,
    )


def numbers_of(values: Tensor) -> Floats:
    """A float64 copy, wherever the values are."""
    return np.array(values.detach().to("cpu", torch.float64).numpy())


def _given(
    names: tuple[str, ...], args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> dict[str, Any]:
    return {**dict(zip(names, args, strict=False)), **kwargs}


def _axes(value: Any, axes: int) -> Shape:
    """One number for all axes, or one for each."""
    if isinstance(value, int):
        return (value,) * axes
    if isinstance(value, (tuple, list)):
        return tuple(int(each) for each in cast("Sequence[Any]", value))
    return ()


def _refuse_unless(known: bool, func: Callable[..., Any]) -> None:
    if not known:
        name = getattr(func, "__name__", "a function")
        raise BackendError(f"the module does what none of ours does: {name} with other arguments")
