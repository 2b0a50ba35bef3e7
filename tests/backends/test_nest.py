"""NEST against the reference, spike for spike, and what it refuses."""

from __future__ import annotations

import os
import signal
import threading
import time
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from tests.engine.examples import ODD as ODD_NETWORK
from tests.needs import needs_nest
from tests.oracles import chain, fork, random_parameters
from tests.readbacks import plain

from volr.backends.base import Record, Recordings
from volr.backends.expected import Expected, expected
from volr.backends.nest import NestSimulator, batch_size
from volr.backends.processes import WorkerPool
from volr.engine.reference import simulate
from volr.errors import DataError, ModelError, SimulatorError, UnsupportedError
from volr.models.activations import ReLU
from volr.models.coding import ConstantCurrent, Poisson
from volr.models.model import ArtificialModel, SpikingModel
from volr.models.parameters import parameter_shapes
from volr.neurons import IFCondExp, IFCurrDelta, IFCurrExp, NeuronModel

if TYPE_CHECKING:
    from collections.abc import Iterator

    from volr.backends.messages import Request
    from volr.network import Network

pytestmark = needs_nest

# Refractory for whole steps of 0.1, 0.5 and 1 ms, so that each may be had on NEST.
ODD: dict[str, Any] = {
    "v_reset": -70.0,
    "tau_refrac": 1.0,
    "i_offset": 0.2,
    "cm": 0.5,
    "tau_m": 10.0,
}
NEURONS: dict[str, tuple[NeuronModel, float]] = {
    # With the weights that make it spike.
    "delta": (IFCurrDelta(), 4.0),
    "delta-odd": (replace(IFCurrDelta(**ODD), tau_refrac=1.5), 4.0),
    "delta-subtract": (IFCurrDelta(**ODD, reset="subtract"), 4.0),
    "exp": (IFCurrExp(), 1.0),
    "exp-odd": (IFCurrExp(**ODD, tau_syn_E=2.0, tau_syn_I=10.0), 1.0),
    "exp-subtract": (IFCurrExp(**ODD, tau_syn_E=2.0, tau_syn_I=9.0, reset="subtract"), 1.0),
    "cond": (IFCondExp(), 0.03),
    "cond-odd": (IFCondExp(**ODD, tau_syn_E=2.0, tau_syn_I=9.0, e_rev_E=10.0), 0.03),
}


@pytest.fixture(scope="module")
def simulator() -> Iterator[NestSimulator]:
    with NestSimulator(2) as started:
        yield started


def spiking(
    network: Network, seed: int = 0, *, weight: float = 4.0, **settings: Any
) -> SpikingModel:
    rng = np.random.default_rng(seed)
    values = random_parameters(network, rng, weight=weight, bias=0.5)
    return SpikingModel(network=network, parameters=values, **settings)


@pytest.mark.parametrize("network", [chain(5, 7, 3), fork(4, 3, 6, 5)], ids=["chain", "fork"])
@pytest.mark.parametrize("neuron", NEURONS)
@pytest.mark.parametrize(("dt", "delay"), [(0.5, 1.0), (1.0, 2.0), (0.1, 0.3)])
@pytest.mark.parametrize("coding", [ConstantCurrent(), Poisson(300.0)], ids=["current", "poisson"])
def test_every_spike_and_membrane_is_the_references(
    simulator: NestSimulator,
    network: Network,
    neuron: str,
    dt: float,
    delay: float,
    coding: ConstantCurrent | Poisson,
) -> None:
    membrane, weight = NEURONS[neuron]
    model = spiking(network, neuron=membrane, weight=weight, coding=coding, dt=dt, delay=delay)
    stimuli = np.random.default_rng(1).random((11, network.input_size))
    names = tuple(network.by_name)
    trace = simulate(model, stimuli, seed=4)
    record = Record(counts=names, spikes=names, membranes=tuple(trace.membranes))
    found = simulator.run(model, stimuli, record=record, seed=4)
    for name in names:
        assert trace.spikes[name].any()
        assert not trace.spikes[name].all()
        np.testing.assert_array_equal(found.spikes[name], trace.spikes[name])
        np.testing.assert_array_equal(found.counts[name], trace.spikes[name].sum(axis=0))
    for name, exact in trace.membranes.items():
        missed = np.abs(found.membranes[name] - exact)
        if isinstance(membrane, IFCondExp):
            # Where V crosses the threshold within a step, how long the solver's next step is hangs
            # on the last digits, and one neuron's steps in a thousand differ by its tolerance.
            assert np.quantile(missed, 0.99) < 1e-9
            assert missed.max() < 0.05
        else:
            assert missed.max() < 1e-9
    assert not found.means
    counts = trace.spikes[network.outputs[0]].sum(axis=0)
    np.testing.assert_array_equal(found.output_values(model), counts)


@pytest.mark.parametrize("neuron", NEURONS)
@pytest.mark.parametrize("dt", [0.5, 1.0])
def test_outputs_whose_membrane_is_read_hand_out_its_mean(
    simulator: NestSimulator, neuron: str, dt: float
) -> None:
    membrane, weight = NEURONS[neuron]
    network = fork(4, 3, 6, 5)
    model = spiking(
        network, neuron=membrane, weight=weight, dt=dt, delay=2 * dt, readout="membrane"
    )
    stimuli = np.random.default_rng(1).random((7, 4))
    trace = simulate(model, stimuli)
    expected = trace.membranes["dense_3"].mean(axis=0) - membrane.v_rest
    assert (trace.membranes["dense_3"] > membrane.v_thresh).any()
    found = simulator.run(model, stimuli)
    assert set(found.means) == {"dense_3"}
    assert not found.counts["dense_3"].any()
    np.testing.assert_allclose(found.output_values(model), expected, rtol=0, atol=1e-9)
    record = Record(membranes=("dense_1", "dense_3"))
    whole = simulator.run(model, stimuli, record=record)
    for name in record.membranes:
        np.testing.assert_allclose(whole.membranes[name], trace.membranes[name], rtol=0, atol=1e-9)
    np.testing.assert_array_equal(whole.means["dense_3"], found.means["dense_3"])
    empty = simulator.run(model, np.empty((0, 4)))
    assert empty.output_values(model).shape == (0, 5)


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


@pytest.mark.parametrize("coding", [ConstantCurrent(), Poisson(300.0)], ids=["current", "poisson"])
@pytest.mark.parametrize("neuron", NEURONS)
def test_a_network_that_has_run_is_like_a_new_one(
    simulator: NestSimulator,
    monkeypatch: pytest.MonkeyPatch,
    neuron: str,
    coding: ConstantCurrent | Poisson,
) -> None:
    """To the last digit. Bright stimuli leave currents, spikes in flight and neurons that rest."""
    membrane, weight = NEURONS[neuron]
    model = spiking(
        fork(4, 3, 6, 5),
        neuron=replace(membrane, tau_refrac=6.0),
        weight=weight,
        coding=coding,
        dt=0.5,
        delay=3.5,
        duration=30.0,
    )
    names = tuple(model.network.by_name)
    layers = tuple(each.name for each in model.network.layers)
    # The outputs have counters, and all others recorders.
    record = Record(counts=names, spikes=names[:-1], membranes=layers)
    stimuli = np.random.default_rng(6).random((9, 4))
    stimuli[0::3] = 1.0
    found: list[Recordings] = []
    # Batches of two, the last of which has one stimulus; and all side by side in a new network.
    for size in (2, 9):
        monkeypatch.setattr(simulator, "size", partial(_size, size))
        found.append(simulator.run(model, stimuli, record=record, seed=3))
    reused, new = found
    for name in names:
        assert new.counts[name].any()
        np.testing.assert_array_equal(reused.counts[name], new.counts[name])
    for name in record.spikes:
        np.testing.assert_array_equal(reused.spikes[name], new.spikes[name])
    for name in layers:
        np.testing.assert_array_equal(reused.membranes[name], new.membranes[name])


def _size(size: int, *_: object) -> int:
    return size


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
        WorkerPool("volr.backends.nest.kernel", "NEST", 1) as pool,
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


@pytest.mark.parametrize(
    ("neuron", "settings", "problems"),
    [
        (
            IFCondExp(reset="subtract"),
            {},
            ["no if_cond_exp with the reset 'subtract'"],
        ),
        (
            IFCurrExp(reset="subtract", tau_refrac=0.2),
            {"dt": 0.5},
            ["tau_refrac is 0.2 ms, no step of 0.5 ms"],
        ),
        (
            IFCurrDelta(reset="subtract"),
            {"dt": 1.0, "delay": 1.0},
            ["tau_refrac is 0.1 ms", "delay is 1 ms, one step"],
        ),
        (
            IFCurrExp(reset="subtract", tau_refrac=1.0, tau_syn_I=20.00001),
            {"delay": 0.5},
            ["tau_syn_I is 20 ms", "must differ from tau_m, 20 ms"],
        ),
    ],
    ids=["conductances", "refractoriness", "delay", "time-constants"],
)
def test_what_nest_has_no_words_for_is_refused_by_name_with_a_way_out(
    simulator: NestSimulator,
    neuron: NeuronModel,
    settings: dict[str, Any],
    problems: list[str],
) -> None:
    model = spiking(chain(3, 2), neuron=neuron, **settings)
    with pytest.raises(UnsupportedError) as caught:
        simulator.run(model, np.zeros((1, 3)))
    for problem in problems:
        assert problem in caught.value.message
    # No other neuron and no other timing is proposed: that would be another network.
    assert caught.value.help == "run it on engine or brian2, which keep the network"


@pytest.mark.parametrize("neuron", NEURONS)
def test_what_it_holds_is_the_model(simulator: NestSimulator, neuron: str) -> None:
    membrane, weight = NEURONS[neuron]
    coding = ConstantCurrent() if neuron.startswith("delta") else Poisson(300.0)
    for network, readout in ((fork(4, 3, 6, 5), "membrane"), (ODD_NETWORK, "count")):
        model = spiking(
            network,
            neuron=membrane,
            weight=weight,
            dt=0.5,
            delay=1.5,
            readout=readout,
            coding=coding,
        )
        found, wanted = plain(simulator.read_back(model)), expected(model)
        assert list(found.populations.items()) == list(wanted.populations.items())
        assert (found.inputs, found.dt) == (wanted.inputs, 0.5)
        assert set(found.outputs) == set(wanted.outputs)
        assert found.weights.keys() == wanted.weights.keys()
        for ends, weights in wanted.weights.items():
            np.testing.assert_allclose(found.weights[ends], weights, rtol=1e-12)
        for name, bias in wanted.biases.items():
            np.testing.assert_allclose(found.biases[name], bias, rtol=1e-12)
        assert found.delays == pytest.approx(wanted.delays, rel=1e-12)
        given = set(network.inputs) if isinstance(coding, Poisson) else set[str]()
        assert found.cells.keys() == wanted.cells.keys() - given
        for name, cells in found.cells.items():
            numbers = dict(wanted.cells[name].numbers)
            if membrane.reset == "subtract" and not model.is_spiking(name):
                # It holds the distance between the two.
                del numbers["v_reset"]
            assert (cells.kind, cells.reset) == (membrane.name, membrane.reset)
            assert cells.numbers == pytest.approx(numbers, rel=1e-12)


def test_what_is_wrong_is_seen(simulator: NestSimulator, monkeypatch: pytest.MonkeyPatch) -> None:
    import volr.backends.nest as module

    requests = module._requests

    def told(
        neuron: NeuronModel, weights: float = 1.0, delay: float | None = None, **changes: Any
    ) -> Expected:
        def changed(*arguments: Any, **named: Any) -> Iterator[Request]:
            for arrays, settings in requests(*arguments, **named):
                neurons: dict[str, Any] = {}
                for name, each in settings["neurons"].items():
                    defaults = {**each["defaults"], **changes.get("defaults", {})}
                    neurons[name] = {**each, **changes, "defaults": defaults}
                scaled = {k: weights * v if k.endswith(".weight") else v for k, v in arrays.items()}
                delays = settings["delays"]
                if delay is not None:
                    delays = dict.fromkeys(delays, delay)
                yield scaled, {**settings, "neurons": neurons, "delays": delays}

        with monkeypatch.context() as patch:
            patch.setattr(module, "_requests", changed)
            return plain(simulator.read_back(model_of(neuron)))

    def model_of(neuron: NeuronModel) -> SpikingModel:
        return spiking(chain(4, 3), neuron=neuron, delay=1.5)

    ends = ("input", "dense_1")
    hard, subtract = IFCurrExp(tau_refrac=1.0), IFCurrExp(tau_refrac=1.0, reset="subtract")
    delta = IFCurrDelta(tau_refrac=1.0, reset="subtract")
    assert told(hard, delay=1.0).delays[ends] == 1.0
    assert told(delta, delay=1.5).delays[ends] == 2.0
    flipped = told(delta, weights=-1.0).weights[ends]
    np.testing.assert_allclose(
        flipped, -model_of(delta).parameters["input->dense_1.weight"], rtol=1e-12
    )
    rests = told(hard, defaults={"t_ref": 1.5, "E_L": -64.0}).cells["dense_1"].numbers
    assert rests["tau_refrac"] == 1.5
    # The membrane does not start there.
    assert np.isnan(rests["v_rest"])
    assert told(subtract, defaults={"alpha_1": 3.0}).cells["dense_1"].numbers["v_reset"] == -53.0
    assert told(subtract, defaults={"alpha_2": 1.0}).cells["dense_1"].reset == "another"
    assert told(subtract, defaults={"tau_1": 9.0}).cells["dense_1"].reset == "another"
    other = told(hard, model="iaf_psc_alpha", defaults={})
    assert other.cells["dense_1"].kind == "iaf_psc_alpha"
    assert np.isnan(other.weights[ends]).all()
    assert not other.biases


@pytest.mark.parametrize("dt", [0.1, 0.5, 1.0])
def test_a_step_before_what_is_refused_runs(simulator: NestSimulator, dt: float) -> None:
    for neuron, delay in (
        (IFCurrDelta(reset="subtract", tau_refrac=dt), 2 * dt),
        (IFCurrExp(reset="subtract", tau_refrac=dt, tau_syn_E=19.99), dt),
    ):
        weight = 8.0 if isinstance(neuron, IFCurrDelta) else 0.5
        model = spiking(chain(6, 4, 3), neuron=neuron, weight=weight, dt=dt, delay=delay)
        stimuli = np.random.default_rng(5).random((9, 6))
        trace = simulate(model, stimuli)
        names = tuple(trace.spikes)
        found = simulator.run(model, stimuli, record=Record(spikes=names, membranes=names))
        for name in names:
            assert trace.spikes[name].any()
            np.testing.assert_array_equal(found.spikes[name], trace.spikes[name])
            np.testing.assert_allclose(
                found.membranes[name], trace.membranes[name], rtol=0, atol=1e-9
            )


def test_a_network_that_does_not_fit_into_the_memory_is_refused_before_it_is_built(
    simulator: NestSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = chain(3000, 1000, 2)
    values = {name: np.zeros(shape) for name, shape in parameter_shapes(network).items()}
    model = SpikingModel(network=network, parameters=values)
    monkeypatch.setattr("volr.system.memory.available", lambda: 200_000_000)
    started = simulator.processes()
    for act, takes in (
        (simulator.read_back, "300 MB"),
        # One copy in each of the two processes.
        (partial(simulator.run, stimuli=np.zeros((2, 3000))), "600 MB"),
    ):
        with pytest.raises(
            ModelError, match=f"synapses on nest.*{takes}.*input->dense_1"
        ) as caught:
            act(model)
        assert "VOLR_CORES" in (caught.value.help or "")
    assert simulator.processes() == started


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
