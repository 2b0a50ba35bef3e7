"""Networks of first spikes on the engine: what is held is asked, and each mistake is named."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from tests.needs import needs_numba
from tests.verification.mistaken_engine import MistakenEngine
from tests.whole import POOLS, SKIP, staircase

from volr.exact.first_spikes import to_first_spikes
from volr.verification import verify

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.verification.mistaken_engine import Change

    from volr.engine.schedule import Layer
    from volr.engine.simulation import Ready

pytestmark = needs_numba

MODELS = {
    "pools": to_first_spikes(staircase(POOLS, 7)),
    "skip": to_first_spikes(staircase(SKIP, 7)),
}


def _layer(prepared: Ready, number: int, change: Callable[[Layer], Layer]) -> Ready:
    layers = list(prepared.schedule.layers)
    layers[number] = change(layers[number])
    return replace(prepared, schedule=replace(prepared.schedule, layers=tuple(layers)))


def late(number: int) -> Change:
    def longer(layer: Layer) -> Layer:
        first, *others = layer.terms
        return replace(layer, terms=(replace(first, delay=first.delay + 1), *others))

    return lambda prepared: _layer(prepared, number, longer)


def neuron(**numbers: float) -> Change:
    def other(layer: Layer) -> Layer:
        return replace(layer, neuron=replace(layer.neuron, **numbers))

    return lambda prepared: _layer(prepared, 1, other)


def ticking(prepared: Ready) -> Ready:
    first, second, *others = prepared.schedule.clock
    return replace(
        prepared, schedule=replace(prepared.schedule, clock=(first, second + 1, *others))
    )


def late_in_the_arrays(prepared: Ready) -> Ready:
    for program in prepared.programs:
        program.arrays.terms[0, 1] += 1
    return prepared


def heavy_in_the_arrays(prepared: Ready) -> Ready:
    for program in prepared.programs:
        program.arrays.weights[program.arrays.weights == program.arrays.weights.min()] -= 1
    return prepared


MISTAKES: dict[str, tuple[Change, str]] = {
    "the first delay": (late(0), "the delay 2 ms, expected 1 ms (1 step more)"),
    "the last delay": (late(-1), "the delay 2 ms, expected 1 ms (1 step more)"),
    "a tick": (ticking, "neuron 1 spikes in step 8, expected spikes in step 7"),
    "a leak": (neuron(tau_m=1e5), "tau_m is 100000, expected inf"),
    "decay": (neuron(tau_syn_E=1e5, tau_syn_I=1e5), "tau_syn_E is 100000, expected inf"),
    "no rest": (neuron(tau_refrac=3.0), "tau_refrac is 3, expected"),
    "hold-down": (neuron(v_rest=-7.0, v_reset=-7.0), "v_rest is -7, expected"),
    "a delay that runs": (late_in_the_arrays, "the delay 2 ms, expected 1 ms (1 step more)"),
    "a weight that runs": (heavy_in_the_arrays, "expected"),
}


@pytest.mark.parametrize("name", MODELS)
def test_all_that_a_network_of_first_spikes_needs_is_asked(name: str) -> None:
    model = MODELS[name]
    stimuli = np.random.default_rng(0).random((4, model.network.input_size))
    for simulator in (MistakenEngine(), MistakenEngine(change=replace)):
        found = verify(model, simulator, stimuli)
        assert found.equal
        fields = found.comparison.fields
        for each in ("weights", "biases", "delays", "ticks", "cells.tau_m", "cells.tau_syn_E"):
            assert fields[each].asked > 0, each
            assert fields[each].told == 0, each
        assert fields["delays"].asked == len(model.network.projections)
        assert model.network.clock is not None
        assert fields["ticks"].asked == model.network["clock"].size


@pytest.mark.parametrize("mistake", MISTAKES)
@pytest.mark.parametrize("name", MODELS)
def test_each_mistake_is_named_by_what_is_held(name: str, mistake: str) -> None:
    model, (change, said) = MODELS[name], MISTAKES[mistake]
    stimuli = np.random.default_rng(0).random((4, model.network.input_size))
    found = verify(model, MistakenEngine(change=change), stimuli)
    assert not found.equal
    differences = [str(each) for each in found.comparison.differences]
    assert any(said in each for each in differences), differences
