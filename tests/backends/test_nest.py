"""NEST against a NumPy program written from its documentation, spike for spike."""

from __future__ import annotations

import os
import signal
import threading
import time
from typing import TYPE_CHECKING

import numpy as np
import pytest
from tests.needs import needs_nest
from tests.oracles import chain, fork, random_parameters, simulate_delta

from volr.backends.base import Record
from volr.backends.nest import NestSimulator, batch_size
from volr.backends.workers import WorkerPool
from volr.errors import DataError, ModelError, SimulatorError, UnsupportedError
from volr.models.activations import ReLU
from volr.models.coding import ConstantCurrent, Poisson, input_currents, poisson_spikes
from volr.models.model import ArtificialModel, SpikingModel
from volr.models.neurons import IFCurrDelta

if TYPE_CHECKING:
    from collections.abc import Iterator

    from volr.network import Network

pytestmark = needs_nest

PLAIN = IFCurrDelta()
ODD = IFCurrDelta(v_reset=-70.0, tau_refrac=1.5, i_offset=0.2, cm=0.5, tau_m=10.0)


@pytest.fixture(scope="module")
def simulator() -> Iterator[NestSimulator]:
    with NestSimulator(2) as started:
        yield started


def spiking(network: Network, seed: int = 0, **settings: object) -> SpikingModel:
    rng = np.random.default_rng(seed)
    values = random_parameters(network, rng, weight=4.0, bias=0.5)
    return SpikingModel(network=network, parameters=values, **settings)  # type: ignore[arg-type]


@pytest.mark.parametrize("network", [chain(5, 7, 3), fork(4, 3, 6, 5)], ids=["chain", "fork"])
@pytest.mark.parametrize("neuron", [PLAIN, ODD], ids=["plain", "odd"])
@pytest.mark.parametrize(("dt", "delay"), [(0.5, 0.5), (1.0, 2.0), (0.1, 0.3)])
@pytest.mark.parametrize("coding", [ConstantCurrent(), Poisson(300.0)], ids=["current", "poisson"])
def test_every_spike_and_membrane_is_the_oracles(
    simulator: NestSimulator,
    network: Network,
    neuron: IFCurrDelta,
    dt: float,
    delay: float,
    coding: ConstantCurrent | Poisson,
) -> None:
    model = spiking(network, neuron=neuron, coding=coding, dt=dt, delay=delay)
    stimuli = np.random.default_rng(1).random((11, network.input_size))
    names = tuple(network.by_name)
    if isinstance(coding, Poisson):
        given = poisson_spikes(coding, dt, model.steps, stimuli, seed=4)
        spikes, membranes = simulate_delta(model, given=given)
    else:
        currents = input_currents(coding, neuron, dt, model.steps, stimuli)
        spikes, membranes = simulate_delta(model, currents=currents)
    record = Record(counts=names, spikes=names, membranes=tuple(membranes))
    found = simulator.run(model, stimuli, record=record, seed=4)
    for name in names:
        assert spikes[name].any()
        assert not spikes[name].all()
        np.testing.assert_array_equal(found.spikes[name], spikes[name])
        np.testing.assert_array_equal(found.counts[name], spikes[name].sum(axis=0))
    for name, expected in membranes.items():
        np.testing.assert_allclose(found.membranes[name], expected, rtol=0, atol=1e-9)


def test_nothing_leaks_from_one_stimulus_to_the_next(simulator: NestSimulator) -> None:
    # Long delays and refractory times, so that there is something in flight at the end.
    network = chain(6, 9, 4)
    model = spiking(network, neuron=IFCurrDelta(tau_refrac=5.0), dt=1.0, delay=7.0, duration=20.0)
    stimuli = np.random.default_rng(2).random((3000, 6))
    alone = {
        index: simulator.run(model, stimuli[index : index + 1]).counts["dense_2"][0]
        for index in (0, 1, 700, 1499, 1500, 2999)
    }
    together = simulator.run(model, stimuli).counts["dense_2"]
    assert batch_size(model, Record(), 3000, 2) < 1500
    for index, counts in alone.items():
        np.testing.assert_array_equal(together[index], counts)


def test_the_result_does_not_depend_on_the_number_of_processes() -> None:
    model = spiking(chain(5, 6, 3), coding=Poisson(200.0))
    stimuli = np.random.default_rng(3).random((30, 5))
    found = []
    for processes in (1, 2, 3):
        with NestSimulator(processes) as each:
            found.append(each.run(model, stimuli, seed=9).counts["dense_2"])
    np.testing.assert_array_equal(found[0], found[1])
    np.testing.assert_array_equal(found[0], found[2])


def test_several_runs_go_on_at_once(simulator: NestSimulator) -> None:
    models = [spiking(chain(4, 5, 3), seed=seed) for seed in range(4)]
    stimuli = np.random.default_rng(4).random((40, 4))
    expected = [simulator.run(model, stimuli).counts["dense_2"] for model in models]
    found: dict[int, object] = {}

    def run(index: int) -> None:
        with NestSimulator(1) as own:
            found[index] = own.run(models[index], stimuli).counts["dense_2"]

    threads = [threading.Thread(target=run, args=(index,)) for index in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for index in range(4):
        np.testing.assert_array_equal(found[index], expected[index])


def test_progress_adds_up(simulator: NestSimulator) -> None:
    told: list[int] = []
    simulator.run(spiking(chain(3, 2)), np.full((1001, 3), 0.5), progress=told.append)
    assert sum(told) == 1001
    assert len(told) > 1


def test_no_stimuli_give_empty_recordings(simulator: NestSimulator) -> None:
    found = simulator.run(spiking(chain(3, 2)), np.empty((0, 3)), record=Record(spikes=("input",)))
    assert found.counts["dense_1"].shape == (0, 2)
    assert found.spikes["input"].shape == (100, 0, 3)


def test_a_killed_process_is_an_error_message() -> None:
    model = spiking(chain(60, 60, 10), duration=500.0, dt=0.1, delay=0.1)
    stimuli = np.full((4000, 60), 0.5)

    def kill() -> None:
        while not simulator.processes():
            time.sleep(0.05)
        time.sleep(0.5)
        os.kill(simulator.processes()[0], signal.SIGKILL)

    with NestSimulator(2) as simulator:
        killer = threading.Thread(target=kill)
        killer.start()
        with pytest.raises(SimulatorError, match="NEST process was ended by SIGKILL"):
            simulator.run(model, stimuli)
        killer.join()


def test_what_nest_says_when_it_fails_reaches_the_user() -> None:
    with (
        WorkerPool("volr.backends.nest_kernel", "NEST", 1) as pool,
        pytest.raises(SimulatorError, match="KeyError"),
    ):
        list(pool.run([({}, {"copies": 1})]))


def test_no_process_outlives_the_block() -> None:
    with NestSimulator(2) as simulator:
        simulator.run(spiking(chain(3, 2)), np.full((9, 3), 0.5))
        processes = simulator.processes()
        assert processes
    for process in processes:
        with pytest.raises(ProcessLookupError):
            os.kill(process, 0)


def test_refusals(simulator: NestSimulator) -> None:
    network = chain(3, 2)
    artificial = ArtificialModel(network, spiking(network).parameters, ReLU())
    with pytest.raises(UnsupportedError, match="simulates spiking models"):
        simulator.run(artificial, np.zeros((1, 3)))  # type: ignore[arg-type]
    with pytest.raises(DataError, match=r"\[1, 4\].*\[batch, 3\]"):
        simulator.run(spiking(network), np.zeros((1, 4)))
    with pytest.raises(DataError, match="value 1 of stimulus 0 is nan"):
        simulator.run(spiking(network), np.array([[0.0, np.nan, 0.0]]))
    with pytest.raises(ModelError, match="'nowhere'"):
        simulator.run(spiking(network), np.zeros((1, 3)), record=Record(counts=("nowhere",)))
    uneven = spiking(network, dt=1 / 3, duration=10.0, delay=1 / 3)
    with pytest.raises(UnsupportedError, match=r"0\.001"):
        simulator.run(uneven, np.zeros((1, 3)))


@pytest.mark.parametrize("coding", [ConstantCurrent(), Poisson(300.0)], ids=["current", "poisson"])
def test_silence_is_a_result(simulator: NestSimulator, coding: ConstantCurrent | Poisson) -> None:
    network = chain(3, 2)
    values = {"input->dense_1.weight": np.zeros((2, 3)), "dense_1.bias": np.full(2, -1.0)}
    model = SpikingModel(network=network, parameters=values, coding=coding)
    names = ("input", "dense_1")
    record = Record(counts=names, spikes=names, membranes=("dense_1",))
    found = simulator.run(model, np.zeros((4, 3)), record=record)
    for name in names:
        assert not found.counts[name].any()
        assert not found.spikes[name].any()
    assert (found.membranes["dense_1"] < -65.0).all()
