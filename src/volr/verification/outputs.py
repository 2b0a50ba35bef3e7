"""The same stimuli through an artificial back end and through the reference: do they agree?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from volr.backends.reference import activations, forward, logits, program_of
from volr.models.activations import Staircase, activate
from volr.models.parameters import unit_biases, weight_name
from volr.verification.behaviour import Behaviour, FirstDifference
from volr.verification.mistakes import artificial_suspects
from volr.verification.staircase_suspects import staircase_suspects

if TYPE_CHECKING:
    from collections.abc import Iterator

    from volr.backends.base import ArtificialBackend
    from volr.backends.reference import Program
    from volr.checks.arrays import Booleans, Floats
    from volr.models.model import ArtificialModel

CLOSE = 1e-5
"""How far an output may be off, as a share of the sum of its terms without their signs."""


def artificial_behaviour(
    model: ArtificialModel, backend: ArtificialBackend, stimuli: Floats
) -> Behaviour:
    """Compare the outputs with the reference's, within ``CLOSE``; stimuli ``[batch, unit]``.

    Those of a staircase network are whole numbers, which have to be the same.
    """
    found = backend.build(model)(stimuli)
    expected = forward(model, stimuli)
    scale = _scale(model, stimuli)
    is_whole = isinstance(model.activation, Staircase)
    same = expected == found if is_whole else _close(expected, found, scale)
    if same.all():
        return Behaviour(same.size, same.size)
    stimulus, column = (int(i) for i in np.argwhere(~same)[0])
    name, neuron = _output(model, column)
    cause = next(
        (
            said
            for said, suspect in _suspects(model)
            if _close(logits(suspect, stimuli), found, scale).all()
        ),
        "unknown: no mistake that was tried gives these outputs",
    )
    first = FirstDifference(
        stimulus,
        name,
        neuron,
        None,
        None,
        float(expected[stimulus, column]),
        float(found[stimulus, column]),
        cause,
    )
    return Behaviour(same.size, int(same.sum()), first_difference=first)


def _suspects(model: ArtificialModel) -> Iterator[tuple[str, Program]]:
    yield from staircase_suspects(model)
    for said, suspect in artificial_suspects(model):
        yield said, program_of(suspect)


def _scale(model: ArtificialModel, stimuli: Floats) -> Floats:
    """For each output ``[unit]`` the largest sum of its terms without their signs. Rounding errors
    are a share of it.
    """
    network, values = model.network, model.parameters
    sent = activations(model, stimuli)
    parts: list[Floats] = []
    for name in network.outputs:
        if name in network.inputs:
            parts.append(np.abs(sent[name]).max(axis=0, initial=0.0))
            continue
        terms = np.tile(np.abs(unit_biases(network[name], values)), (len(stimuli), 1))
        for each in network.incoming[name]:
            terms += each.connector.apply(
                np.abs(values[weight_name(each)]), np.abs(sent[each.source]), *network.ends(each)
            )
        parts.append(terms.max(axis=0, initial=0.0))
        # The recorded value is a weighted sum. A later output receives its activation.
        sent[name] = activate(model.activation_of(name), sent[name])
    return np.concatenate(parts)


def _close(expected: Floats, found: Floats, scale: Floats) -> Booleans:
    # NaN is close to nothing.
    return np.abs(found - expected) <= CLOSE * scale


def _output(model: ArtificialModel, column: int) -> tuple[str, int]:
    """The population of a column of the logits, and the neuron in it."""
    for name in model.network.outputs:
        if column < model.network[name].size:
            return name, column
        column -= model.network[name].size
    raise IndexError(column)
