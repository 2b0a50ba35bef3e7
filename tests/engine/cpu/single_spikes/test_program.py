"""Which networks run spike by spike, and that they do what all kernels do, whatever they are."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

pytest.importorskip("numba")
from tests.exact.networks import random_network, random_staircase, random_stimuli

from volr.engine.reference import simulate as specification
from volr.engine.simulation import contents, ready, simulate
from volr.exact.first_spikes import to_first_spikes
from volr.language import to_network
from volr.models.first_spike import FirstSpike
from volr.models.parameters import synapse_matrix, weight_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from volr.checks.arrays import Floats
    from volr.models.model import SpikingModel

NETWORK = to_network(
    "conv [2 6 7] 4 [2 3] groups:2 ⦶ (avgpool _ 3 stride:1 ⊕ maxpool _ 3 stride:1) ⦶ "
    "((dense _ 5 ⦶ dense _ 6 ⦶ dense _ 5) ⊖ dense _ 3) ⦶ dense _ 4"
)


def model_of(seed: int = 0) -> SpikingModel:
    return to_first_spikes(random_staircase(NETWORK, Random(seed)))


def unit_of(model: SpikingModel) -> float:
    assert isinstance(model.coding, FirstSpike)
    return model.coding.unit


def with_weights(model: SpikingModel, change: Callable[[Floats], Floats]) -> SpikingModel:
    """The model with other numbers: ``change`` is from one array to another."""
    return replace(model, parameters={n: change(v) for n, v in model.parameters.items()})


def as_all_kernels_do(model: SpikingModel, stimuli: Floats) -> None:
    """Run spike by spike, step by step, and by the specification, and compare all there is."""
    prepared = ready(model)
    assert prepared.programs
    names = tuple(model.network.by_name)
    by_spikes = simulate(prepared, stimuli, spikes=names, counts=model.network.starts)
    by_steps = simulate(replace(prepared), stimuli, spikes=names, counts=model.network.starts)
    expected = specification(model, stimuli)
    for name in names:
        np.testing.assert_array_equal(by_spikes.spikes[name], expected.spikes[name], err_msg=name)
        np.testing.assert_array_equal(by_steps.spikes[name], expected.spikes[name], err_msg=name)
        if model.is_spiking(name):
            np.testing.assert_array_equal(by_spikes.totals[name], by_steps.totals[name])
            continue
        last = expected.membranes[name][-1] - model.neuron.v_rest
        np.testing.assert_allclose(by_spikes.totals[name], last, rtol=0, atol=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_a_network_of_first_spikes(seed: int) -> None:
    model = model_of(seed)
    as_all_kernels_do(model, np.random.default_rng(seed).random((3, NETWORK.input_size)))


@pytest.mark.parametrize("seed", range(6))
def test_whole_numbers_of_any_size_and_neurons_that_spike_early_or_never(seed: int) -> None:
    # The clock does not fit any more: neurons spike in the midst of a window, or stay silent.
    random, rng = Random(seed), np.random.default_rng(seed)
    network = random_network(random) if seed % 2 else NETWORK
    staircase = random_staircase(network, random)
    model = to_first_spikes(staircase)
    unit, high = unit_of(model), model.neuron.fires_at() - model.neuron.v_rest

    def other(values: Floats) -> Floats:
        size = np.abs(values).max(initial=0.0)
        often = rng.random(values.shape) < 0.7
        drawn = np.rint(np.minimum(size, high) * rng.normal(size=values.shape) / unit / 72) * 72
        return np.where(often, values, drawn * unit)

    changed = with_weights(model, other)
    as_all_kernels_do(changed, random_stimuli(staircase, 3, seed))


@pytest.mark.parametrize(("dt", "delay"), [(1.0, 4.0), (0.5, 0.5), (0.25, 0.75)])
def test_other_steps_and_longer_delays(dt: float, delay: float) -> None:
    staircase = random_staircase(NETWORK, Random(1))
    model = to_first_spikes(staircase, dt=dt, delay=delay)
    as_all_kernels_do(model, random_stimuli(staircase, 3, 0))


def test_what_is_held_is_read_from_the_arrays_that_run() -> None:
    model = model_of()
    prepared = ready(model)
    held = contents(prepared)
    for projection in model.network.projections:
        expected = synapse_matrix(model.network, projection, model.parameters)
        found = held[weight_name(projection)]
        np.testing.assert_allclose(found, expected, rtol=1e-14, atol=0, err_msg=projection.name)
    (program, *_) = prepared.programs
    program.arrays.weights[program.arrays.weights == program.arrays.weights.max()] += 1
    changed = contents(prepared)
    assert any((changed[name] != held[name]).any() for name in held)


def test_numbers_beyond_single_precision_are_in_double() -> None:
    # Of the first, some weighted sums are nearly 2^24, so that what lifts them is beyond it.
    large, small = model_of(0), model_of(2)
    assert [each.dtype for each in ready(large).programs] == [np.float64]
    assert [each.dtype for each in ready(small).programs] == [np.float32, np.float64]
    assert float(-large.neuron.v_rest) / unit_of(large) > 2**23


def test_a_membrane_that_leaves_single_precision_starts_the_next_program() -> None:
    # A current of a few thousand that stays for thousands of steps.
    network = to_network("dense 2 1 ⦶ dense _ 1")
    model = to_first_spikes(random_staircase(network, Random(0)))
    unit = unit_of(model)
    values = {name: np.zeros_like(each) for name, each in model.parameters.items()}
    values["input->dense_1.weight"] = np.array([[4001.0, 0.0]]) * unit
    values["dense_1->dense_2.weight"] = np.array([[4003.0]]) * unit
    steps = 9000.0
    neuron = replace(model.neuron, tau_refrac=steps)
    changed = replace(model, parameters=values, neuron=neuron, duration=steps)
    prepared = ready(changed)
    assert [each.dtype for each in prepared.programs] == [np.float32, np.float64]
    stimuli = np.array([[1.0, 0.0]])
    found = simulate(prepared, stimuli).totals["dense_2"]
    by_steps = simulate(replace(prepared), stimuli).totals["dense_2"]
    assert found.max() / unit > 2**24
    np.testing.assert_array_equal(found, by_steps)


@pytest.mark.parametrize(
    "change",
    [
        {"tau_m": 1e6},
        {"tau_syn_E": 1e5, "tau_syn_I": 1e5},
        {"tau_syn_I": 1e5},
        {"tau_refrac": 3.0},
        {"reset": "subtract"},
        {"i_offset": 1.0},
        {"cm": 0.7},
    ],
    ids=str,
)
def test_networks_that_lose_something_run_step_by_step(change: dict[str, Any]) -> None:
    model = model_of()
    assert not ready(replace(model, neuron=replace(model.neuron, **change))).programs


def test_numbers_that_are_not_whole_run_step_by_step() -> None:
    model = model_of()
    assert not ready(with_weights(model, lambda values: values * 0.1)).programs
    biased = {n: np.ones_like(v) if "bias" in n else v for n, v in model.parameters.items()}
    assert not ready(replace(model, parameters=biased)).programs
