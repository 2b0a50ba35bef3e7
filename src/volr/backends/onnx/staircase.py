"""A staircase in ONNX: its inputs, its activation, and sums in place of means.

    x  =  Cast(Floor(Add(Mul(Cast(stimuli, double), levels), ½)), float)
    a  =  Clip(Floor(Add(Div(z, step), ½)), 0, levels)
    s  =  Round(Mul(AveragePool(x), window))

The mean of whole numbers need not be one; what it is times the size of its window, rounded, is
their sum. Weights are divided by the sizes of the windows that they come through.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from volr.backends.refusals import elsewhere
from volr.errors import UnsupportedError
from volr.network.connectors import Windows

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray
    from onnx import NodeProto

    from volr.models.activations import Staircase
    from volr.models.model import ArtificialModel
    from volr.network import Network

LARGEST_SUM = 2**21
"""A mean, its size and their product have three roundings: below this, they are less than ½."""
_CONSTANTS = ("step", "half", "least", "most", "levels", "double half")
_INPUT = ("double", "scaled", "shifted", "floor", "whole")
_ACTIVE = ("quotient", "shifted", "floor")


class Made(NamedTuple):
    """Nodes, and the constants that they need by the names of their tensors."""

    nodes: list[NodeProto]
    constants: Mapping[str, NDArray[np.floating]]


def staircase_keys(network: Network) -> list[str]:
    """What has a tensor in a network with a staircase."""
    keys = [f"staircase {each}" for each in _CONSTANTS]
    keys += [f"stimuli {each}" for each in _INPUT]
    return keys + [f"{p.name} {each}" for p in network.layers for each in _ACTIVE]


def whole_inputs(
    staircase: Staircase, stimuli: str, tensors: Mapping[str, str], result: str
) -> Made:
    """The nodes that make whole numbers of the stimuli, in double precision."""
    levels, half = tensors["staircase levels"], tensors["staircase double half"]
    double, scaled, shifted, floor = (tensors[f"stimuli {each}"] for each in _INPUT[:-1])
    return Made(
        [
            helper.make_node("Cast", [stimuli], [double], name=double, to=TensorProto.DOUBLE),
            helper.make_node("Mul", [double, levels], [scaled], name=scaled),
            helper.make_node("Add", [scaled, half], [shifted], name=shifted),
            helper.make_node("Floor", [shifted], [floor], name=floor),
            helper.make_node("Cast", [floor], [result], name=result, to=TensorProto.FLOAT),
        ],
        {levels: np.array([float(staircase.levels)]), half: np.array([0.5])},
    )


def activated(staircase: Staircase, name: str, tensors: Mapping[str, str]) -> Made:
    """The nodes of one population's activation."""
    step, half, least, most = (tensors[f"staircase {each}"] for each in _CONSTANTS[:4])
    quotient, shifted, floor = (tensors[f"{name} {each}"] for each in _ACTIVE)
    z, a = tensors[f"{name} sum"], tensors[name]
    return Made(
        [
            helper.make_node("Div", [z, step], [quotient], name=quotient),
            helper.make_node("Add", [quotient, half], [shifted], name=shifted),
            helper.make_node("Floor", [shifted], [floor], name=floor),
            helper.make_node("Clip", [floor, least, most], [a], name=a),
        ],
        {
            step: np.array([staircase.step], dtype=np.float32),
            half: np.array([0.5], dtype=np.float32),
            least: np.array(0.0, dtype=np.float32),
            most: np.array(staircase.levels, dtype=np.float32),
        },
    )


def check_windows(model: ArtificialModel, staircase: Staircase) -> None:
    """Refuse windows whose sums may be too large to be found as the mean times the size."""
    network = model.network
    for each in network.projections:
        size, last = each.connector.divisor, each.connector.parts[-1]
        if isinstance(last, Windows) and network[each.target].merge == "sum":
            size *= math.prod(last.window)
        most = size * staircase.levels
        if size > 1 and most >= LARGEST_SUM:
            raise UnsupportedError(
                f"onnx takes the sums of windows of whole numbers below 2^21, and one of "
                f"{each.name} can be {most:,}",
                help=elsewhere("torch", "reference"),
                source=network.source,
                span=each.span,
                label=f"{each.target} has it",
            )


def constants_of(made: Mapping[str, NDArray[np.floating]]) -> list[TensorProto]:
    """The constants as tensors."""
    return [numpy_helper.from_array(array, name) for name, array in made.items()]
