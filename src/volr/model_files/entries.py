"""Entries of a description: an activation, a coding, a neuron, and values of one type."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar, cast

from volr.checks.annotations import as_float
from volr.checks.json_values import in_word, numbers_out_of_words
from volr.models.activations import Activation, Staircase, activation
from volr.models.coding import InputCoding, rate_coding
from volr.models.first_spike import FirstSpike
from volr.neurons import RESETS, NeuronsByUnit, neurons_with
from volr.neurons.by_unit import units_in

if TYPE_CHECKING:
    from volr.neurons import NeuronModel, Neurons

_T = TypeVar("_T")


class MalformedError(Exception):
    """A text that is no description; the message continues "the description of the model …"."""


def activation_entries(activation: Activation) -> dict[str, Any]:
    """What stands for an activation; ``activation_of`` reads it."""
    match activation:
        case Staircase(levels=levels, step=step):
            return {"activation": activation.name, "staircase": {"levels": levels, "step": step}}
        case _:
            return {"activation": activation.name}


def activation_of(described: dict[str, Any]) -> Activation:
    """The activation in a description. Raises ``MalformedError`` and ``ModelError``."""
    name = entry(described, "activation", str)
    if name != Staircase.name:
        return activation(name)
    numbers = object_in(described, "staircase")
    return Staircase(entry(numbers, "levels", int), entry(numbers, "step", int))


def coding_entries(coding: InputCoding) -> dict[str, Any]:
    """What stands for an input coding; ``coding_of`` reads it."""
    match coding:
        case FirstSpike(levels=levels, step=step):
            return {"name": coding.name, "levels": levels, "step": step}
        case _:
            return {"name": coding.name, "rate_max": coding.rate_max}


def coding_of(described: dict[str, Any]) -> InputCoding:
    """The input coding of its entries. Raises ``MalformedError`` and ``ModelError``."""
    name = entry(described, "name", str)
    if name == FirstSpike.name:
        return FirstSpike(entry(described, "levels", int), entry(described, "step", int))
    return rate_coding(name, number_of(described.get("rate_max"), "rate_max"))


def neuron_entries(neurons: Neurons) -> dict[str, Any]:
    """What stands for neurons; ``neurons_of`` reads it.

    A parameter that differs by unit is a list, ``[unit]``.
    """
    each = units_in(neurons)
    numbers = each.stacked(lambda neuron: neuron.numbers)
    words = {key: in_word(value) for key, value in numbers.items()}
    return {"name": each.name, "parameters": words, "reset": each.first.reset}


def neurons_of(described: dict[str, Any]) -> Neurons:
    """The neurons of their entries. Raises ``MalformedError`` and ``ModelError``."""
    content = object_in(described, "parameters")
    # Older files have no reset; there was one, the first.
    name, reset = entry(described, "name", str), described.get("reset", RESETS[0])
    numbers = {
        key: numbers_out_of_words(value, partial(number_of, key=key))
        for key, value in content.items()
    }
    neurons = neurons_with(name, numbers, reset)
    # All parameters are required, because a default may change in a later version.
    known = units_in(neurons).first.numbers
    if missing := [each for each in known if each not in content]:
        raise MalformedError(f"lacks the neuron parameters {', '.join(missing)}")
    return neurons


def neuron_of(described: dict[str, Any]) -> NeuronModel:
    """The same of neurons that are all alike."""
    found = neurons_of(described)
    if isinstance(found, NeuronsByUnit):
        raise MalformedError("has neurons by unit for all populations")
    return found


def object_in(described: dict[str, Any], key: str) -> dict[str, Any]:
    """The entry of that name, which has entries itself."""
    return cast("dict[str, Any]", entry(described, key, dict))


def entry(described: dict[str, Any], key: str, kind: type[_T]) -> _T:
    """The entry of that name and type."""
    value = described.get(key)
    if not isinstance(value, kind):
        raise MalformedError(f"has no {key!r}, or not one of the right type")
    return value


def number_of(value: Any, key: str) -> float:
    """A number, for the entry of that name."""
    number = as_float(value)
    if number is None:
        raise MalformedError(f"has no {key!r}, or one that is not a number")
    if isinstance(value, int) and math.isinf(number):
        raise MalformedError(f"has a {key!r} beyond all numbers")
    return number
