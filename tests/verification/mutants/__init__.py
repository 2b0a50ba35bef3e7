"""Back ends that are changed after they were built, to see that ``volr verify`` finds it.

``MUTATIONS`` are what is changed, each with the fields in one of which it has to be found. Each
module here knows how to do that in some back ends: in the objects of the running simulator, by its
own interface, or in the written document. ``read`` of a back end takes a model and the name of a
mutation, and gives what is then read back.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np
from tests.oracles import random_parameters

from volr.backends.readback import Readback
from volr.models.activations import Identity, ReLU
from volr.models.coding import ConstantCurrent
from volr.models.model import ArtificialModel, SpikingModel
from volr.network import Network, Population, Projection
from volr.neurons import IFCondExp, IFCurrExp, NeuronModel

Read: TypeAlias = Callable[[Any, str | None], Readback]
"""What is read back of a model with a mutation, or without one."""

NETWORK = Network(
    populations=tuple(
        Population(name, (size,))
        for name, size in {
            "input": 5,
            "other": 2,
            "left": 4,
            "right": 4,
            "square": 4,
            "last": 3,
            "side": 2,
        }.items()
    ),
    projections=tuple(
        Projection(source, target)
        for source, target in (
            ends.split("->")
            for ends in (
                *("input->left", "input->right", "other->right", "left->square", "right->square"),
                *("left->last", "square->last", "square->side"),
            )
        )
    ),
    inputs=("input", "other"),
    outputs=("last", "side"),
)
# So many weights that a script has them in a file beside it.
WIDE = replace(NETWORK, populations=(Population("input", (300,)), *NETWORK.populations[1:]))

WIRING = {
    "population": ("populations",),
    "inputs": ("inputs",),
    "outputs": ("outputs",),
    "missing projection": ("weights",),
    "transposed": ("weights",),
    "weight": ("weights",),
    "bias": ("biases",),
    "precision": ("precision",),
}
"""``left`` becomes ``last``, and the other way round; so do the inputs, and another population than
``last`` is an output. ``left->square`` is missing, transposed, or one weight in it is another; so
is one bias of ``square``."""
ARTIFICIAL = {**WIRING, "activation": ("activations",)}
PARAMETERS = (
    *("v_rest", "v_reset", "v_thresh", "tau_m", "cm", "tau_refrac"),
    *("tau_syn_E", "tau_syn_I", "e_rev_E", "e_rev_I"),
)
OTHERWISE = {
    "v_rest": -63.0,
    "v_reset": -67.5,
    "v_thresh": -49.0,
    "tau_m": 16.0,
    "cm": 0.9,
    "tau_refrac": 1.5,
    "tau_syn_E": 3.5,
    "tau_syn_I": 6.5,
    "e_rev_E": 5.0,
    "e_rev_I": -76.0,
}
"""What parameters become; they are -64, -66, -50, 15, 0.8, 1, 3, 7, 0 and -75."""

SPIKING = {
    **WIRING,
    "kind": ("cells.kind",),
    "reset": ("cells.reset",),
    "delay": ("delays",),
    "dt": ("dt",),
    **{name: (f"cells.{name}",) for name in PARAMETERS},
}
"""What neurons are, and each of their parameters, of ``square`` or of all populations; the delay of
``left->square`` or of all projections; dt."""


TOGETHER: tuple[dict[str, str], ...] = (
    {
        "inputs": "",
        "outputs": "",
        "missing projection": "left->last",
        "transposed": "left->square",
        "weight": "right->square",
        "delay": "square->last",
        "bias": "side",
        "v_rest": "left",
        "tau_syn_E": "left",
        "v_reset": "right",
        "tau_syn_I": "right",
        "v_thresh": "square",
        "tau_refrac": "square",
        "tau_m": "last",
        "e_rev_E": "last",
        "cm": "side",
        "e_rev_I": "side",
    },
    {"population": "", "dt": "", "precision": "", "reset": "right"},
    {"kind": "square"},
)
"""What is planted at once in simulators that take a second to build. Each mutation has a population
or a projection of its own, or a field of its own, where it has to be found."""


class NotPlantedError(Exception):
    """This cannot be changed in that back end; the message says why."""


def one_more(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The values, one of which is another."""
    changed = values.copy()
    changed[(1, 2)[: values.ndim]] += 0.1
    return changed


def artificial_model(*, identity: bool = False) -> ArtificialModel:
    values = random_parameters(NETWORK, np.random.default_rng(5), weight=0.5, bias=0.4)
    return ArtificialModel(NETWORK, values, Identity() if identity else ReLU())


def spiking_model(mutation: str, network: Network = NETWORK, **changes: Any) -> SpikingModel:
    """Of a neuron model that has what the mutation changes."""
    common: dict[str, Any] = {
        "v_rest": -64.0,
        "v_reset": -66.0,
        "tau_m": 15.0,
        "cm": 0.8,
        "tau_refrac": 1.0,
        "tau_syn_E": 3.0,
        "tau_syn_I": 7.0,
        "i_offset": 0.1,
    }
    neuron: NeuronModel = IFCurrExp(**common)
    if mutation.startswith("e_rev"):
        neuron = IFCondExp(**common, e_rev_I=-75.0)
    scale = 0.03 if isinstance(neuron, IFCondExp) else 1.2
    return SpikingModel(
        network=network,
        parameters=random_parameters(network, np.random.default_rng(5), weight=scale, bias=0.4),
        neuron=replace(neuron, **changes),
        coding=ConstantCurrent(rate_max=400.0),
        dt=0.5,
        duration=25.0,
        delay=1.5,
    )
