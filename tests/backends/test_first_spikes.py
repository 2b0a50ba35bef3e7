"""First spikes on every simulator that has them: the whole numbers of the staircase network.

The oracle is the reference of artificial networks, which knows no spikes.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest
from tests.backends.conformance import AWKWARD, SPIKING, Started, every_simulator, need, stimuli_for
from tests.backends.first_spikes import (
    LEVELS,
    first_spikes,
    leaking,
    staircase,
    stimuli,
    unit,
)

from volr.backends import worker
from volr.backends.base import Record, Recordings
from volr.backends.expected import expected
from volr.backends.nest import NestSimulator
from volr.backends.pynn import PynnSimulator
from volr.backends.pynn.translation import NEST as ON_NEST
from volr.backends.reference import activations
from volr.engine.reference import simulate
from volr.errors import UnsupportedError
from volr.exact.arithmetic import ARITHMETIC, Arithmetic
from volr.exact.sums import largest_sums
from volr.models.coding import Drive, input_drive
from volr.models.first_spike import CLOCK, starts, values_of
from volr.models.parameters import synapses
from volr.verification.comparison import compare


def test_the_network_has_what_makes_it_hard() -> None:
    model = first_spikes()
    found = activations(staircase(), stimuli(8))
    inner = [each.name for each in model.network.layers if each.name not in model.network.outputs]
    for name in inner:
        assert len(np.unique(found[name])) > LEVELS / 2
    assert model.delays
    assert len(model.network.outputs) == 2


@every_simulator
def test_every_population_computes_the_whole_numbers_of_the_staircase(started: Started) -> None:
    record, simulator = started
    model, shown = first_spikes(), stimuli(8)
    if model.coding.name not in record.codings:
        with pytest.raises(UnsupportedError, match="lacks"):
            simulator.run(model, shown)
        return
    network = model.network
    inner = [each.name for each in network.populations if each.name not in network.outputs]
    wanted = activations(staircase(), shown)
    found = simulator.run(model, shown, record=Record(counts=tuple(inner), spikes=tuple(inner)))
    assert not found.means
    begin = starts(network, LEVELS, model.delay_steps_of)
    for name in inner:
        np.testing.assert_array_equal(found.counts[name], 1)
        if name != network.clock:
            values = values_of(found.spikes[name], begin[name], LEVELS)
            np.testing.assert_array_equal(values, wanted[name], err_msg=name)
    for name in network.outputs:
        logits = found.finals[name] / unit()
        np.testing.assert_allclose(logits, wanted[name], rtol=0, atol=1e-6)
    assert not compare(expected(model, record.precision), simulator.read_back(model)).differences


def _bound(arithmetic: Arithmetic, name: str) -> float:
    """The most by which an output's membrane can be wrong at the end, on the grid."""
    ann, model = staircase(), first_spikes()
    largest = float(largest_sums(ann.network, ann.parameters, ann.network[name], LEVELS).max())
    arrivals = max(
        int(np.bincount(synapses(model.network, each, model.parameters).post).max())
        for each in model.network.incoming[name]
    )
    return arithmetic.largest_error(
        model.steps,
        membrane=largest,
        rest=-model.neuron.v_rest / unit(),
        current=2 * largest,
        arrivals=2 * arrivals,
    )


@every_simulator
def test_membranes_are_as_near_as_the_arithmetic_says(started: Started) -> None:
    record, simulator = started
    shown = stimuli(40)
    wanted, found = activations(staircase(), shown), simulator.run(first_spikes(), shown).finals
    for name in first_spikes().network.outputs:
        off = np.abs(found[name] / unit() - wanted[name]).max()
        bound = _bound(ARITHMETIC[record.name], name)
        assert off <= bound < 1e-6


@every_simulator
def test_delays_by_projection_and_last_membranes_of_neurons_with_leak(started: Started) -> None:
    record, simulator = started
    if not record.delays or "final" not in record.readouts:
        pytest.skip(f"{record.name} has no delays by projection")
    network, model = AWKWARD, leaking(AWKWARD)
    shown = stimuli_for(network)
    trace = simulate(model, shown, seed=4)
    inner = tuple(each.name for each in network.layers if each.name != "out")
    found = simulator.run(model, shown, record=Record(spikes=inner), seed=4)
    for name in inner:
        assert trace.spikes[name].any()
        np.testing.assert_array_equal(found.spikes[name], trace.spikes[name])
    last = trace.membranes["out"][-1] - model.neuron.v_rest
    np.testing.assert_allclose(found.finals["out"], last, rtol=0, atol=1e-6)
    np.testing.assert_array_equal(found.output_values(model), found.finals["out"])
    read = simulator.read_back(model)
    assert not compare(expected(model, record.precision), read).differences
    later = replace(model, delays={**model.delays, "v->out": 3.0})
    (difference,) = compare(expected(later, record.precision), read).differences
    assert str(difference) == "v->out: the delay 3.5 ms, expected 3 ms (1 step more)"


@every_simulator
def test_a_clock_a_step_off_is_found_with_its_cause(
    started: Started, monkeypatch: pytest.MonkeyPatch
) -> None:
    record, simulator = started
    model = first_spikes()
    if record.name == "engine" or model.coding.name not in record.codings:
        pytest.skip(f"{record.name} is not given a clock's spikes, or has none")

    def late(*arguments: Any, **named: Any) -> Drive:
        drive = input_drive(*arguments, **named)
        spikes = {**drive.spikes, CLOCK: np.roll(drive.spikes[CLOCK], 1, axis=0)}
        return replace(drive, spikes=spikes)

    monkeypatch.setattr(worker, "input_drive", late)
    comparison = compare(expected(model, record.precision), simulator.read_back(model))
    (difference,) = comparison.differences
    assert difference.where == CLOCK
    assert difference.message == "neuron 0 spikes in step 6, expected spikes in step 5"
    assert difference.cause == "all its spikes are 1 step too late"
    assert comparison.fields["ticks"].asked == model.network[CLOCK].size


@pytest.mark.parametrize("name", ["nest", "pynn.nest"])
def test_a_network_that_has_run_is_like_a_new_one(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """To the last digit: currents stay there, and neurons rest for longer than a stimulus."""
    need(SPIKING[name])
    model = first_spikes()
    names = tuple(each.name for each in model.network.layers)
    record = Record(counts=names, spikes=names, membranes=names)
    shown = stimuli(5)[::-1]
    found: list[Recordings] = []
    one = {"nest": NestSimulator, "pynn.nest": partial(PynnSimulator, ON_NEST)}[name]
    with one(processes=1) as simulator:
        # Batches of two, the last of which has one stimulus; and all side by side in a new network.
        for size in (2, 5):
            monkeypatch.setattr(simulator, "size", partial(_size, size))
            found.append(simulator.run(model, shown, record=record))
    reused, new = found
    assert reused == new
    assert any(new.finals[name].any() for name in model.network.outputs)


def _size(size: int, *_: object) -> int:
    return size
