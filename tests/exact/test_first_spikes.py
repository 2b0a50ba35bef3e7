"""First spikes on the engine tell the whole numbers of the artificial network, all of them."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import numpy as np
import pytest

pytest.importorskip("numba")
from hypothesis import given
from hypothesis import strategies as st
from tests.exact.networks import Tally, compare, random_network, random_staircase, random_stimuli

from volr.backends.reference import activations
from volr.engine.reference import simulate as specification
from volr.engine.simulation import ready, simulate
from volr.errors import ModelError
from volr.exact.decoding import telling, told
from volr.exact.first_spikes import from_first_spikes, to_first_spikes
from volr.language import to_network
from volr.models.activations import Staircase
from volr.models.model import ArtificialModel


@given(st.integers(0, 2**32 - 1))
def test_random_networks_of_all_layers_tell_their_whole_numbers(seed: int) -> None:
    random, tally = Random(seed), Tally()
    model = random_staircase(random_network(random), random)
    spiking = compare(model, random_stimuli(model, 5, seed), tally)
    assert tally.differ == 0, tally.table()
    assert tally.by_spikes == 1
    assert from_first_spikes(spiking) == model


PROGRAMS = (
    "dense 3 5 ⦶ dense _ 2",
    "conv [2 8 9] 3 3 ⦶ maxpool _ 2 ⦶ conv _ 4 2 pad:1 ⦶ avgpool _ 3 ⦶ dense _ 4 ⦶ dense _ 3",
    "conv [2 6 7] 4 [2 3] groups:2 ⦶ (avgpool _ 2 stride:1 ⊕ maxpool _ 2 stride:1) ⦶ dense _ 4",
    "dense 3 4 ⦶ ((dense 4 4 ⦶ dense 4 4) ⊕ id 4) ⦶ (dense _ 2 ⊖ (dense _ 3 ⦶ dense _ 2))",
)


@pytest.mark.parametrize("program", PROGRAMS)
def test_step_by_step_the_whole_numbers_are_the_same(program: str) -> None:
    random = Random(program)
    model = random_staircase(to_network(program), random)
    stimuli = random_stimuli(model, 4, 0)
    spiking, expected = to_first_spikes(model), activations(model, stimuli)
    names, outputs = telling(spiking), model.network.outputs
    by_steps = replace(ready(spiking))
    assert not by_steps.programs
    run = simulate(by_steps, stimuli, spikes=names)
    trace = specification(spiking, stimuli)
    last = {name: trace.membranes[name][-1] - spiking.neuron.v_rest for name in outputs}
    for spikes, finals in (
        (run.spikes, {name: run.totals[name] for name in outputs}),
        ({name: trace.spikes[name] for name in names}, last),
    ):
        found, error = told(spiking, spikes, finals)
        assert error < 1e-6
        for name in found:
            np.testing.assert_array_equal(found[name], expected[name], err_msg=name)


def test_another_weight_gives_other_numbers_in_its_channel_alone() -> None:
    random = Random(3)
    model = random_staircase(to_network(PROGRAMS[1]), random)
    stimuli = random_stimuli(model, 20, 0)
    values = {name: each.copy() for name, each in model.parameters.items()}
    weights = values["maxpool_2->conv_3.weight"]
    weights[1, 2, 0, 1] += np.abs(weights).max()
    changed = to_first_spikes(replace(model, parameters=values))
    found, _ = told(changed, simulate(ready(changed), stimuli, spikes=telling(changed)).spikes, {})
    expected = activations(model, stimuli)
    differs = (found["conv_3"] != expected["conv_3"]).reshape(20, 4, -1).any(axis=(0, 2))
    np.testing.assert_array_equal(differs, [False, True, False, False])
    for name in ("input", "conv_1", "maxpool_2"):
        np.testing.assert_array_equal(found[name], expected[name])


def test_sums_of_a_million_levels_are_refused() -> None:
    network = to_network("dense 2 1 ⦶ dense _ 1")
    values = {
        "input->dense_1.weight": np.array([[2.0**20, 3.0]]),
        "dense_1.bias": np.zeros(1),
        "dense_1->dense_2.weight": np.ones((1, 1)),
        "dense_2.bias": np.zeros(1),
    }
    model = ArtificialModel(network, values, Staircase(8, 1))
    with pytest.raises(ModelError, match=r"can become 8,388,632, which is 8,388,633 levels"):
        to_first_spikes(model)
    assert to_first_spikes(replace(model, activation=Staircase(8, 9))).steps == 19
