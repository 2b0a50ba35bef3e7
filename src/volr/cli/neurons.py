"""Neuron models as they are given on the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from volr.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from volr.models.neurons import NeuronModel, Reset


def neuron_of(name: str, assignments: Iterable[str] | None, reset: Reset) -> NeuronModel:
    """The model of that name with parameters such as ``tau_m=10``; ``ModelError`` as they come."""
    from volr.models.neurons import neuron_model

    return neuron_model(name, parameters(assignments or ()), reset)


def parameters(assignments: Iterable[str]) -> dict[str, float]:
    """``tau_m=10`` and the like as a mapping; ``ModelError`` for what is none, or given twice."""
    found: dict[str, float] = {}
    for text in assignments:
        name, equals, value = (part.strip() for part in text.partition("="))
        try:
            number = float(value)
        except ValueError:
            what = f"{value!r} is not a number" if equals else "there is no = in it"
            raise ModelError(
                f"the neuron parameter {text!r} cannot be read: {what}", help="write it as tau_m=10"
            ) from None
        if name in found:
            raise ModelError(f"the neuron parameter {name!r} is given twice")
        found[name] = number
    return found
