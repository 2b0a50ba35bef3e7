"""Stimuli as spike trains: against the reference, and in either form the same."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

pytest.importorskip("numba")
from tests.engine.examples import NEURONS, SKIP, random_spikes, spiking_model
from tests.whole import SKIP as SKIPPING
from tests.whole import staircase

from volr.engine.cpu.events import empty_events
from volr.engine.encoding import (
    Encoded,
    Spikes,
    Trains,
    after_reset,
    constant_levels,
    encode,
    levels_of,
    list_inputs,
    trains_of,
)
from volr.engine.reference import simulate
from volr.engine.schedule import schedule_of
from volr.exact.first_spikes import to_first_spikes
from volr.models.coding import ConstantCurrent, Poisson, input_currents
from volr.neurons import IFCurrDelta, NeuronsByUnit
from volr.neurons.response import count_levels

if TYPE_CHECKING:
    from volr.neurons import Reset

neurons = pytest.mark.parametrize("kind", NEURONS)
STIMULI = np.random.default_rng(0).random((7, 15))


@neurons
@pytest.mark.parametrize("reset", ["hard", "subtract"])
@pytest.mark.parametrize("coding", [ConstantCurrent(300.0), Poisson(300.0)])
def test_inputs_spike_as_in_the_reference(
    kind: str, reset: Reset, coding: ConstantCurrent | Poisson
) -> None:
    model = spiking_model(kind, SKIP, coding=coding, reset=reset, tau_refrac=1.0, steps=60)
    schedule = schedule_of(model)
    trace = simulate(model, STIMULI, seed=5)
    found = encode(schedule, coding, STIMULI, seed=5).spelled_out()
    assert found.dtype == np.uint8
    for name, _ in schedule.inputs:
        assert trace.spikes[name].sum() > 100
        np.testing.assert_array_equal(found[:, :, schedule.input_units(name)], trace.spikes[name])


@neurons
@pytest.mark.parametrize("reset", ["hard", "subtract"])
def test_the_membranes_of_all_levels_are_the_references(kind: str, reset: Reset) -> None:
    model = spiking_model(
        kind, SKIP, coding=ConstantCurrent(300.0), reset=reset, tau_refrac=1.0, steps=60
    )
    schedule = schedule_of(model)
    levels = constant_levels(model.neuron, schedule.dt, schedule.steps)
    numbers = levels_of(schedule, ConstantCurrent(300.0), STIMULI)
    trace = simulate(model, STIMULI)
    for name, _ in schedule.inputs:
        # NEST's solver errs by more than rounding, and so does that of conductances.
        np.testing.assert_allclose(
            levels.membranes[:, numbers[:, schedule.input_units(name)]],
            trace.membranes[name],
            rtol=0,
            atol=1e-9,
        )


def test_there_is_a_train_for_each_level_of_current() -> None:
    schedule, coding = schedule_of(spiking_model("delta", SKIP, steps=60)), ConstantCurrent(300.0)
    counts, currents = count_levels(schedule.input_neuron, schedule.dt, schedule.steps)
    levels = levels_of(schedule, coding, STIMULI)
    assert levels.dtype == np.int32
    expected = input_currents(coding, schedule.input_neuron, schedule.dt, schedule.steps, STIMULI)
    np.testing.assert_array_equal(currents[levels], expected)
    encoded = trains_of(schedule, levels)
    np.testing.assert_array_equal(encoded.trains.sum(axis=0), counts)
    # A value stands for its share of the largest rate, as far as whole spikes allow.
    wanted = STIMULI * 300.0 * schedule.steps * schedule.dt / 1000.0
    steps_between = np.diff(counts).max()
    assert abs(encoded.spelled_out().sum(axis=0) - wanted).max() <= steps_between / 2


def test_levels_are_simulated_once_and_cannot_be_written_to() -> None:
    levels = constant_levels(IFCurrDelta(), 0.5, 30)
    assert constant_levels(IFCurrDelta(), 0.5, 30) is levels
    with pytest.raises(ValueError, match="read-only"):
        levels.spikes[0, 0] = True
    with pytest.raises(ValueError, match="read-only"):
        levels.membranes[0, 0] = 0.0


def test_random_spikes_do_not_depend_on_how_stimuli_are_split() -> None:
    schedule, coding = schedule_of(spiking_model("delta", SKIP)), Poisson(300.0)
    whole = encode(schedule, coding, STIMULI, seed=3).spelled_out()
    parts = [
        encode(schedule, coding, STIMULI[first : first + 3], seed=3, first=first).spelled_out()
        for first in (0, 3, 6)
    ]
    np.testing.assert_array_equal(np.concatenate(parts, axis=1), whole)
    assert (encode(schedule, coding, STIMULI, seed=4).spelled_out() != whole).any()


def both_forms() -> tuple[Trains, Spikes]:
    schedule = schedule_of(spiking_model("delta", SKIP))
    trains = encode(schedule, ConstantCurrent(400.0), STIMULI)
    assert isinstance(trains, Trains)
    return trains, Spikes(trains.spelled_out())


@pytest.mark.parametrize("form", [0, 1])
def test_either_form_can_be_cut(form: int) -> None:
    encoded: Encoded = both_forms()[form]
    whole = encoded.spelled_out()
    assert (encoded.shape, len(encoded)) == (whole.shape, 7)
    assert whole.shape == (25, 7, 15)
    part = encoded.part(2, 5)
    np.testing.assert_array_equal(part.spelled_out(), whole[:, 2:5])
    assert len(part) == 3
    assert len(encoded.part(4, 4)) == 0


@pytest.mark.parametrize("form", [0, 1])
def test_density_is_the_share_of_inputs_that_spike(form: int) -> None:
    encoded: Encoded = both_forms()[form].part(0, 4)
    assert encoded.density() == pytest.approx(encoded.spelled_out().mean())
    assert encoded.part(0, 0).density() == 0.0


@pytest.mark.parametrize("form", [0, 1])
@pytest.mark.parametrize(("start", "size"), [(0, 6), (6, 9), (3, 8)])
def test_the_spikes_of_each_input_are_listed(form: int, start: int, size: int) -> None:
    encoded: Encoded = both_forms()[form]
    spikes = encoded.spelled_out()
    events = empty_events(7, 25, size, 8)
    list_inputs(encoded, events, start, 2, 5, 25)
    begin = events.begin.reshape(7, 25, events.blocks + 1)
    for b in range(2, 5):
        for t in range(25):
            found = events.index[begin[b, t, 0] : begin[b, t, -1]]
            (expected,) = np.nonzero(spikes[t, b, start : start + size])
            np.testing.assert_array_equal(found, expected)


def test_spikes_in_any_layout_are_listed() -> None:
    schedule = schedule_of(spiking_model("delta", SKIP))
    spikes = random_spikes(schedule, 6)
    turned = np.ascontiguousarray(spikes.swapaxes(0, 1)).swapaxes(0, 1)
    found = [empty_events(6, 25, 15, 96) for _ in range(2)]
    for events, given in zip(found, (spikes, turned), strict=True):
        events.index[:] = 0
        list_inputs(Spikes(given), events, 0, 0, 6, 25)
    np.testing.assert_array_equal(found[0].begin, found[1].begin)
    np.testing.assert_array_equal(found[0].index, found[1].index)


@pytest.mark.parametrize("reset", ["hard", "subtract"])
def test_after_the_reset_a_spike_has_been_paid_for(reset: Reset) -> None:
    neuron = IFCurrDelta(v_reset=-62.0, v_rest=-64.0, reset=reset)
    membrane, spikes = np.array([1.0, 20.0], np.float32), np.array([False, True])
    found = after_reset(NeuronsByUnit((neuron,)), membrane, spikes)
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, [-63.0, -62.0 if reset == "hard" else -56.0])


def test_first_spikes_come_earlier_the_larger_a_value_and_the_clocks_are_always_the_same() -> None:
    model = to_first_spikes(staircase(SKIPPING, 7))
    schedule = schedule_of(model)
    values = np.array([[0.0, 1.0, 0.5 / 7], [0.2, 0.99, 0.49 / 7], [1.0, 0.0, 0.5]])
    shown = encode(schedule, model.coding, values)
    assert isinstance(shown, Trains)
    assert shown.given
    found = shown.spelled_out()
    steps = found.argmax(axis=0)
    # 7 - ⌊7 x + ½⌋, written out.
    np.testing.assert_array_equal(steps[:, :3], [[7, 0, 6], [6, 0, 7], [0, 7, 3]])
    np.testing.assert_array_equal(steps[:, 3:], np.tile(schedule.clock, (3, 1)))
    assert (found.sum(axis=0) == 1).all()
    trace = simulate(model, values)
    for name, _ in schedule.inputs:
        np.testing.assert_array_equal(found[:, :, schedule.input_units(name)], trace.spikes[name])


def test_a_neuron_of_the_clock_that_nobody_waits_for_does_not_spike() -> None:
    model = to_first_spikes(staircase(SKIPPING, 7))
    schedule = schedule_of(model)
    silent = replace(schedule, clock=(*schedule.clock[:-1], -1))
    found = encode(silent, model.coding, np.zeros((2, 3))).spelled_out()
    assert not found[:, :, -1].any()
    assert (found[:, :, :-1].sum(axis=0) == 1).all()
