"""The node types that Volr reads, one row each: its parameters in NIR's names, and what it does.

Port    an input or an output of the graph
Linear  lies between populations; ``through`` makes a form of what arrives (``affine``), which a
        Delay makes later
Neuron  a population; ``step`` is what it does in a step of time (``spiking_nodes``)
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from volr.affine.forms import SizeError
from volr.backends.nir.linear_nodes import (
    averaged,
    convolved,
    delayed,
    flattened,
    scaled,
    summed,
    weighted,
)
from volr.backends.nir.spiking_nodes import brief, integrating, leaking, synaptic
from volr.neurons import IFCurrDelta, IFCurrExp

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from volr.affine.forms import Form
    from volr.affine.terms import Room
    from volr.backends.nir.graph import Node, Values
    from volr.backends.nir.spiking_nodes import Stepped, Steps


@dataclass(frozen=True)
class Port:
    """Input and Output."""

    parameters: tuple[str, ...]


@dataclass(frozen=True)
class Linear:
    """A node that passes on a linear function of what it gets, at once or later."""

    parameters: tuple[str, ...]
    through: Callable[[Values, Form, Room], Form]


@dataclass(frozen=True)
class Neuron:
    """A population. ``ours`` is the model of ours that can be it exactly, where there is one."""

    parameters: tuple[str, ...]
    step: Callable[[Values, Steps], Stepped]
    ours: str = ""


DELAY = "delay"
"""The parameter of a Delay, which is a time."""
# What a padding in words stands for depends on those before it.
_CONV = ("input_shape", "weight", "stride", "dilation", "padding", "groups", "bias")
_POOL = ("kernel_size", "stride", "padding")
_DELTA, _EXP = IFCurrDelta.name, IFCurrExp.name

PRIMITIVES: Mapping[str, Port | Linear | Neuron] = {
    "Input": Port(("shape",)),
    "Output": Port(("shape",)),
    "Affine": Linear(("weight", "bias"), weighted),
    "Linear": Linear(("weight",), weighted),
    "Scale": Linear(("scale",), scaled),
    "Conv1d": Linear(_CONV, partial(convolved, 1)),
    "Conv2d": Linear(_CONV, partial(convolved, 2)),
    "AvgPool2d": Linear(_POOL, averaged),
    "SumPool2d": Linear(_POOL, summed),
    "Delay": Linear((DELAY,), delayed),
    "Flatten": Linear(("start_dim", "end_dim", "input_type"), flattened),
    "Threshold": Neuron(("threshold",), brief),
    "I": Neuron(("r",), integrating, _DELTA),
    "LI": Neuron(("tau", "r", "v_leak"), leaking, _DELTA),
    "IF": Neuron(("r", "v_threshold", "v_reset"), integrating, _DELTA),
    "LIF": Neuron(("tau", "r", "v_leak", "v_threshold", "v_reset"), leaking, _DELTA),
    "CubaLI": Neuron(("tau_syn", "tau_mem", "r", "v_leak", "w_in"), synaptic, _EXP),
    "CubaLIF": Neuron(
        ("tau_syn", "tau_mem", "r", "v_leak", "v_threshold", "v_reset", "w_in"), synaptic, _EXP
    ),
}
"""The node types, by NIR's names."""

OPTIONAL = {"v_reset": 0.0, "w_in": 1.0, "start_dim": 1.0, "end_dim": -1.0, "input_type": None}
"""The parameters that a file may lack, and what nir takes them to be; None is nothing at all."""
DEFAULTS: Mapping[str, float | None] = {
    **OPTIONAL,
    **dict.fromkeys(("input_shape", "stride", "padding", "dilation", "groups")),
}
"""The same, with those that nir asks for, and that a file may lack until its network is read."""
TAUS = ("tau", "tau_syn", "tau_mem")
"""The parameters that are time constants."""


def is_linear(node: Node) -> bool:
    """Whether a node lies between populations."""
    return isinstance(PRIMITIVES.get(node.kind), Linear)


def is_population(node: Node) -> bool:
    """Whether a node is neurons."""
    return isinstance(PRIMITIVES.get(node.kind), Neuron)


def size_of(node: Node) -> int:
    """How many values or neurons an Input or a population has; 1 may stand for any number."""
    if node.kind == "Input":
        return math.prod(shape_of(node))
    return max(each.size for each in node.values.values())


def shape_of(node: Node) -> tuple[int, ...]:
    """The shape of an Input, or that of a population's parameters, of which the largest counts."""
    if node.kind != "Input":
        return max((each.shape for each in node.values.values()), key=math.prod)
    shape = node.values["shape"].ravel()
    size = float(np.prod(shape)) if shape.size else 1.0
    if not ((shape >= 1).all() and size < 1 << 40 and (shape == np.floor(shape)).all()):
        raise SizeError(f"its shape is {shape.tolist()}")
    return tuple(int(each) for each in shape) or (1,)
