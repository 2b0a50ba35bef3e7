"""From what a simulator recorded to the whole numbers that the neurons told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from volr.models.first_spike import FirstSpike, starts, values_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from volr.checks.arrays import Booleans, Floats, Integers
    from volr.models.model import SpikingModel


def telling(model: SpikingModel) -> tuple[str, ...]:
    """The populations that tell whole numbers by spikes: all but the clock and the outputs."""
    network = model.network
    return tuple(
        each.name
        for each in network.populations
        if each.name != network.clock and each.name not in network.outputs
    )


def told(
    model: SpikingModel, spikes: Mapping[str, Booleans], finals: Mapping[str, Floats]
) -> tuple[dict[str, Integers], float]:
    """The whole numbers by population, ``[batch, unit]``, of a model with first spikes.

    ``spikes`` are ``[time, batch, unit]`` of populations that ``telling`` has, and ``finals`` the
    outputs' V − v_rest after the last step, mV, ``[batch, unit]``. Also the largest distance of
    such a membrane from a whole number, in steps of the grid. Raises ``TypeError`` for a model with
    another coding.
    """
    coding = model.coding
    if not isinstance(coding, FirstSpike):
        raise TypeError(f"the coding {coding.name} tells no whole numbers")
    begin = starts(model.network, coding.levels, model.delay_steps_of)
    found = {name: values_of(each, begin[name], coding.levels) for name, each in spikes.items()}
    error = 0.0
    for name, membrane in finals.items():
        steps = membrane / coding.unit
        found[name] = np.rint(steps).astype(np.int64)
        error = max(error, float(np.abs(steps - found[name]).max(initial=0.0)))
    return found, error
