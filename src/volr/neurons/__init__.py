"""Spiking neuron models: each in a file of its own, with everything about it.

A model's docstring is its equation and its update from one time step to the next; ``step`` is the
same as a program, the specification that every simulator is compared with. What back ends call it,
and the engine's kernels, is with them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from volr.checks.names import named
from volr.errors import ModelError
from volr.neurons.base import (
    ENDLESS,
    LARGEST,
    RESETS,
    SINGLE_TIE,
    SMALLEST,
    TIE,
    NeuronModel,
    Reset,
    lowered,
    parameter_names,
    raised,
    stays,
)
from volr.neurons.by_unit import Neurons, NeuronsByUnit, by_unit
from volr.neurons.if_cond_exp import IFCondExp
from volr.neurons.if_curr_delta import IFCurrDelta
from volr.neurons.if_curr_exp import IFCurrExp

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "ENDLESS",
    "LARGEST",
    "NEURON_MODELS",
    "RESETS",
    "SINGLE_TIE",
    "SMALLEST",
    "TIE",
    "IFCondExp",
    "IFCurrDelta",
    "IFCurrExp",
    "NeuronModel",
    "Neurons",
    "NeuronsByUnit",
    "Reset",
    "by_unit",
    "lowered",
    "neuron_model",
    "neurons_with",
    "parameter_names",
    "raised",
    "stays",
]

NEURON_MODELS: tuple[type[NeuronModel], ...] = (IFCurrDelta, IFCurrExp, IFCondExp)


def neuron_model(
    name: str, parameters: Mapping[str, float] | None = None, reset: Reset = "hard"
) -> NeuronModel:
    """The neuron model of that name; ``ModelError`` for an unknown name or parameter."""
    model = named("neuron model", name, {each.name: each for each in NEURON_MODELS}, ModelError)
    given = dict(parameters or {})
    known = parameter_names(model)
    unknown = [key for key in given if key not in known]
    if unknown:
        raise ModelError(
            f"{name} has no parameter {', '.join(map(repr, unknown))}",
            help=f"its parameters are {', '.join(known)}",
        )
    return model(**given, reset=reset)


def neurons_with(name: str, numbers: Mapping[str, float | list[float]], reset: Reset) -> Neurons:
    """The neurons of a model by its name; where a parameter is a list, it is ``[unit]``.

    Raises as ``neuron_model`` and ``by_unit`` do.
    """
    rows = {key: value for key, value in numbers.items() if isinstance(value, list)}
    first = {
        key: value[0] if isinstance(value, list) else value
        for key, value in numbers.items()
        if not isinstance(value, list) or value
    }
    neuron = neuron_model(name, first, reset)
    return by_unit(neuron, **rows) if rows else neuron
