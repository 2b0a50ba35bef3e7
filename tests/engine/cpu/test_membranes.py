"""The kernels of the neuron models against a loop over the steps of the reference."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

pytest.importorskip("numba")
from tests.engine.examples import NEURONS
from tests.engine.populations import Population, population

from volr.neurons import IFCondExp

if TYPE_CHECKING:
    from volr.checks.arrays import Booleans, Floats

resets = pytest.mark.parametrize("reset", ["hard", "subtract"])
rests = pytest.mark.parametrize("refractory", [0, 1, 3])


def by_hand(given: Population) -> tuple[Booleans, Booleans, Floats]:
    """Spikes, who is refractory, and V − v_rest before the reset, ``[time, batch, unit]`` each."""
    schedule, neuron = given.schedule, given.neuron
    hard = neuron.reset == "hard"
    threshold = neuron.v_thresh - neuron.v_rest if given.layer.spiking else np.inf
    shape = given.shape[1:]
    v, left = np.zeros(shape), np.zeros(shape, dtype=int)
    state = neuron.initial(schedule.dt, shape)
    spikes, resting, membranes = (np.zeros(given.shape) for _ in range(3))
    current = np.tile(neuron.i_offset + given.currents, (shape[0], 1))
    all_or_positive, *others = given.drives
    negative = others[0] if others else np.zeros(given.shape)
    for k in range(schedule.steps):
        held = (left > 0) & hard
        arriving = all_or_positive[k], negative[k]
        bound = threshold if hard else np.inf
        moved, state = neuron.step(schedule.dt, v, state, current, arriving, held, bound)
        membranes[k] = v = np.where(held, v, moved)
        resting[k] = left > 0
        spikes[k] = spiked = (left == 0) & (v >= threshold)
        v = np.where(spiked, neuron.v_reset - neuron.v_rest if hard else v - neuron.theta, v)
        left = np.where(spiked, neuron.refractory_steps(schedule.dt), np.maximum(left - 1, 0))
    return spikes > 0, resting > 0, membranes


@pytest.mark.parametrize("kind", NEURONS)
@resets
@rests
def test_every_step_is_the_references(kind: str, reset: str, refractory: int) -> None:
    given = population(kind, reset=reset, refractory=refractory)
    spikes, resting, membranes = by_hand(given)
    assert spikes.sum() > 30
    memory = given.after_run(differentiable=False)
    np.testing.assert_array_equal(given.in_time(memory.state), spikes + 2 * resting)
    np.testing.assert_allclose(given.in_time(memory.membrane), membranes, rtol=0, atol=1e-10)
    np.testing.assert_array_equal(memory.total.reshape(given.shape[1:]), spikes.sum(axis=0))


@resets
@rests
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_at_the_threshold_a_neuron_spikes_and_a_digit_below_it_does_not(
    reset: str, refractory: int, dtype: type[Any]
) -> None:
    given = population("delta", reset=reset, refractory=refractory, steps=1, stimuli=1, units=11)
    neuron = given.neuron
    threshold = dtype(neuron.v_thresh - neuron.v_rest)
    drive = np.full((1, 1, 11), threshold, dtype=dtype)
    drive[0, 0, ::2] = np.nextafter(threshold, dtype(0))
    quiet = np.full(11, -neuron.i_offset)
    memory = Population(given.schedule, (drive,), quiet).after_run(dtype=dtype)
    np.testing.assert_array_equal(memory.state, np.arange(11) % 2)
    np.testing.assert_array_equal(memory.total, np.arange(11) % 2)
    np.testing.assert_array_equal(memory.membrane, drive.reshape(-1))


@pytest.mark.parametrize("kind", NEURONS)
@rests
def test_a_membrane_that_is_read_is_never_reset(kind: str, refractory: int) -> None:
    given = population(kind, refractory=refractory, spiking=False)
    _, _, membranes = by_hand(given)
    assert membranes.max() > given.neuron.v_thresh - given.neuron.v_rest
    memory = given.after_run(differentiable=False)
    assert not memory.state.any()
    np.testing.assert_allclose(given.in_time(memory.membrane), membranes, rtol=0, atol=1e-10)
    mean = memory.total.reshape(given.shape[1:])
    np.testing.assert_allclose(mean, membranes.mean(axis=0), rtol=0, atol=1e-10)


@resets
@rests
def test_the_smooth_step_of_a_conductance_is_near_the_adaptive_one(
    reset: str, refractory: int
) -> None:
    # Until a spike falls into another step, which some do in the end.
    given = population("cond", reset=reset, refractory=refractory, steps=12, units=40)
    spikes, resting, membranes = by_hand(given)
    memory = given.after_run(differentiable=True)
    same = (given.in_time(memory.state) == spikes + 2 * resting).all(axis=0)
    assert same.mean() > 0.98
    assert spikes[:, same].any()
    found = given.in_time(memory.membrane)[:, same]
    # Above the threshold within a step, the adaptive one stops short.
    below = membranes[:, same] < given.neuron.v_thresh - given.neuron.v_rest
    np.testing.assert_allclose(found[below], membranes[:, same][below], rtol=0, atol=3e-3)


@pytest.mark.parametrize("kind", NEURONS)
@pytest.mark.parametrize("differentiable", [True, False])
def test_single_precision_is_near(kind: str, differentiable: Any) -> None:
    given = population(kind, spiking=False)
    double = given.after_run(differentiable=differentiable)
    single = given.after_run(differentiable=differentiable, dtype=np.float32)
    assert single.membrane.dtype == single.total.dtype == np.float32
    np.testing.assert_allclose(single.membrane, double.membrane, rtol=1e-4, atol=1e-3)
    np.testing.assert_allclose(single.total, double.total, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("kind", NEURONS)
@pytest.mark.parametrize("differentiable", [True, False])
def test_a_stimulus_knows_nothing_of_the_one_before(kind: str, differentiable: Any) -> None:
    given = population(kind, refractory=2, stimuli=4)
    together = given.after_run(differentiable=differentiable)
    for b in range(4):
        drives = tuple(np.ascontiguousarray(each[:, b : b + 1]) for each in given.drives)
        alone = Population(given.schedule, drives, given.currents)
        memory = alone.after_run(differentiable=differentiable)
        for name in ("membrane", "state"):
            whole = given.in_time(getattr(together, name))[:, b]
            np.testing.assert_array_equal(getattr(memory, name), whole.reshape(-1))


def test_a_conductance_leaves_what_the_way_back_needs() -> None:
    given = population("cond", refractory=1)
    memory = given.after_run(differentiable=True)
    neuron = given.neuron
    assert isinstance(neuron, IFCondExp)
    taus = (neuron.tau_syn_E, neuron.tau_syn_I)
    for found, arriving, tau in zip(memory.drives, given.drives, taus, strict=True):
        g = np.zeros(given.shape[1:])
        for k, now in enumerate(given.in_time(found)):
            np.testing.assert_allclose(now, g, rtol=1e-12, atol=1e-15)
            g = g * np.exp(-given.schedule.dt / tau) + abs(arriving[k])
