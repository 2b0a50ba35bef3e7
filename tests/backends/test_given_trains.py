"""Given spike trains: on every simulator, neurons spike when the exact solution says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from tests.backends.conformance import Started, every_simulator
from tests.oracles import chain

from volr.backends.base import Record
from volr.models.coding import Poisson
from volr.models.model import SpikingModel
from volr.models.spike_trains import SpikeTrains
from volr.neurons import IFCurrDelta, IFCurrExp
from volr.verification.verify import verify

if TYPE_CHECKING:
    from volr.checks.arrays import Floats

DT, STEPS, DELAY = 0.5, 240, 1.5
TAU, TAU_SYN, CM, THETA = 12.0, 3.0, 0.8, 10.0
NEURONS = {
    "if_curr_delta": (
        IFCurrDelta(v_rest=0.0, v_reset=0.0, v_thresh=THETA, tau_m=TAU, cm=CM, tau_refrac=0.0),
        # Of the first neuron and of the second.
        (7.0, 9.0),
    ),
    "if_curr_exp": (
        IFCurrExp(
            v_rest=0.0,
            v_reset=0.0,
            v_thresh=THETA,
            tau_m=TAU,
            cm=CM,
            tau_refrac=2.0,
            tau_syn_E=TAU_SYN,
            tau_syn_I=TAU_SYN,
        ),
        (3.5, 6.0),
    ),
}


def jump(since: Floats) -> Floats:
    """What a spike of the weight 1 has left of a membrane after so long, ms."""
    return np.where(since >= 0.0, np.exp(-since / TAU), 0.0)


def current(since: Floats) -> Floats:
    """The same of a current that decays: mV for 1 nA (Rotter and Diesmann 1999)."""
    bend = np.exp(-since / TAU) - np.exp(-since / TAU_SYN)
    return np.where(since > 0.0, bend / (CM * (1.0 / TAU_SYN - 1.0 / TAU)), 0.0)


def spike_times(arrivals: Floats, weight: float, kind: str, rest: float) -> Floats:
    """When a neuron spikes on the grid, by the closed form of its membrane since the last reset."""
    found: list[float] = []
    free = 0.0
    for step in range(1, STEPS + 1):
        now = step * DT
        if now <= free and found:
            continue
        if kind == "if_curr_delta":
            # A jump before the reset is forgotten.
            v = weight * jump(now - arrivals[arrivals > (free if found else -1.0)]).sum()
        else:
            before = arrivals[arrivals <= free] if found else arrivals[:0]
            left = weight * np.exp(-(free - before) / TAU_SYN).sum()
            later = arrivals[arrivals > free] if found else arrivals
            v = left * current(np.array(now - free)) + weight * current(now - later).sum()
        if v >= THETA:
            found.append(now)
            free = now + rest
    return np.array(found)


def trains() -> SpikeTrains:
    random = np.random.default_rng(4)
    spikes = np.zeros((STEPS, 3, 1), np.bool_)
    for row, rate in enumerate((0.1, 0.25, 0.5)):
        spikes[:, row, 0] = random.random(STEPS) < rate
    return SpikeTrains(spikes)


@every_simulator
@pytest.mark.parametrize("kind", NEURONS)
def test_one_neuron_and_two_in_a_row_spike_when_the_exact_solution_says(
    started: Started, kind: str
) -> None:
    record, simulator = started
    neuron, weights = NEURONS[kind]
    if kind not in record.exact:
        pytest.skip(f"{record.name} is not exact with {kind}")
    network = chain(1, 1, 1)
    parameters = {
        f"{p.name}.weight": np.array([[w]])
        for p, w in zip(network.projections, weights, strict=True)
    } | {"dense_1.bias": np.zeros(1), "dense_2.bias": np.zeros(1)}
    model = SpikingModel(
        network=network,
        parameters=parameters,
        neuron=neuron,
        coding=Poisson(100.0),
        dt=DT,
        duration=STEPS * DT,
        delay=DELAY,
    )
    given = trains()
    names = ("input", "dense_1", "dense_2")
    found = simulator.run(model, given, record=Record(counts=(), spikes=names)).spikes
    np.testing.assert_array_equal(found["input"], given.spikes)
    for row in range(len(given)):
        sent: Floats = (np.flatnonzero(given.spikes[:, row, 0]) + 1) * np.float64(DT)
        for name, weight in zip(names[1:], weights, strict=True):
            wanted = spike_times(sent + DELAY, weight, kind, neuron.tau_refrac)
            sent = (np.flatnonzero(found[name][:, row, 0]) + 1) * np.float64(DT)
            np.testing.assert_allclose(sent, wanted, rtol=0, atol=1e-9, err_msg=name)
            assert len(sent) > 2 or row == 0
    assert verify(model, simulator, given).equal
