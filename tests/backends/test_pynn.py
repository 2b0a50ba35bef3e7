"""PyNN on NEST, Brian2 and NEURON against the reference, and what each refuses."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from tests.engine.examples import ODD
from tests.needs import needs
from tests.oracles import chain, fork, random_parameters
from tests.readbacks import plain

from volr.backends.base import Record, Recordings
from volr.backends.expected import expected
from volr.backends.processes import WorkerPool
from volr.backends.pynn import (
    PYNN_BRIAN2,
    PYNN_NEST,
    PYNN_NEURON,
    RECORDS,
    PynnSimulator,
    batch_size,
)
from volr.backends.pynn.solutions import SOLUTIONS
from volr.backends.pynn.translation import BRIAN2, DIALECTS, NEST, NEURON, Dialect, lines
from volr.engine.reference import simulate
from volr.errors import DataError, ModelError, SimulatorError, UnsupportedError
from volr.language import to_network
from volr.models.coding import ConstantCurrent, InputCoding, Poisson
from volr.models.model import SpikingModel
from volr.neurons import IFCondExp, IFCurrDelta, IFCurrExp, NeuronModel

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from volr.network import Network

pytestmark = needs("pyNN", "nest", "brian2", "neuron", "c++", "make")

STRANGE: dict[str, Any] = {"v_reset": -70.0, "i_offset": 0.2, "cm": 0.5, "tau_m": 10.0}
NEURONS: dict[str, tuple[NeuronModel, float]] = {
    # With the weights that make it spike.
    "delta": (IFCurrDelta(**STRANGE), 4.0),
    # Two time constants that are equal, which a solution may divide by the difference of.
    "exp": (IFCurrExp(**STRANGE, tau_syn_E=2.0, tau_syn_I=10.0), 0.8),
    "cond": (IFCondExp(**STRANGE, tau_syn_E=2.0, tau_syn_I=9.0, e_rev_E=10.0), 0.01),
}
PAIRS = [
    pytest.param(dialect, name, id=f"{dialect.simulator}-{name}")
    for dialect in DIALECTS
    for name, (neuron, _) in NEURONS.items()
    if neuron.name in dialect.neurons
]
# dt in ms, delay and refractoriness in steps.
TIMINGS = [(0.5, 1, 0), (1.0, 2, 1), (0.1, 3, 4)]


@pytest.fixture(scope="module")
def simulators() -> Iterator[dict[str, PynnSimulator]]:
    with (
        PynnSimulator(NEST, 1) as nest,
        PynnSimulator(BRIAN2, 1) as brian2,
        PynnSimulator(NEURON, 1) as neuron,
    ):
        yield {"nest": nest, "brian2": brian2, "neuron": neuron}


def spiking(
    network: Network, kind: str = "exp", *, seed: int = 0, refractory: float = 1.0, **settings: Any
) -> SpikingModel:
    neuron, weight = NEURONS[kind]
    values = random_parameters(network, np.random.default_rng(seed), weight=weight, bias=0.5)
    neuron = replace(neuron, tau_refrac=refractory)
    return SpikingModel(network=network, parameters=values, neuron=neuron, **settings)


@pytest.mark.parametrize("coding", [ConstantCurrent(), Poisson(300.0)], ids=["current", "poisson"])
@pytest.mark.parametrize(("dt", "kind"), [(0.5, "delta"), (0.1, "exp"), (0.5, "cond")])
def test_a_network_on_nest_that_has_run_is_like_a_new_one(
    simulators: dict[str, PynnSimulator],
    monkeypatch: pytest.MonkeyPatch,
    dt: float,
    kind: str,
    coding: InputCoding,
) -> None:
    """To the last digit. Bright stimuli leave currents, spikes in flight and neurons that rest."""
    simulator, network = simulators["nest"], fork(4, 3, 6, 5)
    timing: dict[str, Any] = {"dt": dt, "delay": 7 * dt, "duration": 60 * dt, "refractory": 11 * dt}
    model = spiking(network, kind, coding=coding, **timing)
    stimuli = np.random.default_rng(6).random((9, 4))
    stimuli[0::3] = 1.0
    names = tuple(network.by_name)
    layers = tuple(each.name for each in network.layers)
    record = Record(counts=names, spikes=names, membranes=layers)
    found: list[Recordings] = []
    # Batches of two, the last of which has one stimulus; and all side by side in a new network.
    for size in (2, 9):
        monkeypatch.setattr(simulator, "size", partial(_size, size))
        found.append(simulator.run(model, stimuli, record=record, seed=3))
    reused, new = found
    for name in names:
        assert new.counts[name].any()
        np.testing.assert_array_equal(reused.spikes[name], new.spikes[name])
    for name in layers:
        np.testing.assert_array_equal(reused.membranes[name], new.membranes[name])


def _size(size: int, *_: object) -> int:
    return size


@pytest.mark.parametrize(("dialect", "kind"), PAIRS)
@pytest.mark.parametrize(("dt", "delay", "refractory"), TIMINGS)
def test_every_spike_and_membrane_is_the_references(
    simulators: dict[str, PynnSimulator],
    dialect: Dialect,
    kind: str,
    dt: float,
    delay: int,
    refractory: int,
) -> None:
    # Each simulator meets both codings, though not in all combinations.
    even = (len(kind) + delay) % 2 == 0
    coding: InputCoding = ConstantCurrent() if even else Poisson(300.0)
    network = fork(4, 3, 6, 5)
    model = spiking(
        network,
        kind,
        refractory=refractory * dt,
        coding=coding,
        dt=dt,
        delay=delay * dt,
        duration=30.0,
    )
    stimuli = np.random.default_rng(1).random((5, network.input_size))
    trace = simulate(model, stimuli, seed=4)
    names = tuple(network.by_name)
    record = Record(counts=names, spikes=names, membranes=tuple(trace.membranes))
    found = simulators[dialect.simulator].run(model, stimuli, record=record, seed=4)
    exact = model.neuron.name in dialect.exact
    differ = [found.counts[name] != trace.spikes[name].sum(axis=0) for name in names]
    assert np.mean(np.concatenate([each.ravel() for each in differ])) <= (0.0 if exact else 0.05)
    for name in names:
        assert trace.spikes[name].any()
        assert found.spikes[name].dtype == np.bool_
        np.testing.assert_array_equal(found.counts[name], found.spikes[name].sum(axis=0))
        if exact:
            np.testing.assert_array_equal(found.spikes[name], trace.spikes[name])
    for name, membranes in trace.membranes.items():
        missed = np.abs(found.membranes[name] - membranes)
        if exact:
            assert np.quantile(missed, 0.99) < 1e-8
        else:
            assert np.median(missed) < (1e-4 if dialect is BRIAN2 else 0.02)


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda each: each.simulator)
def test_networks_of_any_shape(simulators: dict[str, PynnSimulator], dialect: Dialect) -> None:
    parallel = to_network("dense 100 20 ⦶ (dense 20 10 ⊖ dense 20 10) ⦶ dense 20 10")
    for network, weight in ((ODD, 1.0), (parallel, 0.15)):
        values = random_parameters(network, np.random.default_rng(0), weight=weight, bias=0.3)
        neuron = IFCurrExp(tau_refrac=1.0)
        model = SpikingModel(network=network, parameters=values, neuron=neuron, duration=20.0)
        stimuli = np.random.default_rng(1).random((3, network.input_size))
        trace = simulate(model, stimuli)
        found = simulators[dialect.simulator].run(model, stimuli)
        for name in network.outputs:
            assert trace.spikes[name].any()
            np.testing.assert_array_equal(found.counts[name], trace.spikes[name].sum(axis=0))


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda each: each.simulator)
def test_outputs_whose_membrane_is_read(
    simulators: dict[str, PynnSimulator], dialect: Dialect
) -> None:
    model = spiking(fork(4, 3, 6, 5), readout="membrane", duration=20.0)
    stimuli = np.random.default_rng(1).random((4, 4))
    wanted = simulate(model, stimuli).membranes["dense_3"].mean(axis=0) - model.neuron.v_rest
    found = simulators[dialect.simulator].run(model, stimuli)
    assert set(found.means) == {"dense_3"}
    assert not found.counts["dense_3"].any()
    np.testing.assert_allclose(found.output_values(model), wanted, rtol=0, atol=1e-8)
    empty = simulators[dialect.simulator].run(model, np.empty((0, 4)))
    assert empty.output_values(model).shape == (0, 5)


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda each: each.simulator)
@pytest.mark.parametrize("coding", [ConstantCurrent(), Poisson(300.0)], ids=["current", "poisson"])
def test_nothing_leaks_from_one_stimulus_to_the_next(
    simulators: dict[str, PynnSimulator], dialect: Dialect, coding: InputCoding
) -> None:
    # A long delay and refractory time, so that there is something in flight at the end.
    model = spiking(chain(6, 9, 4), refractory=5.0, dt=1.0, delay=7.0, duration=20.0, coding=coding)
    stimuli = np.random.default_rng(2).random((9, 6))
    stimuli[::2] = np.round(stimuli[::2])
    wanted = simulate(model, stimuli, seed=3)
    simulator = simulators[dialect.simulator]
    told: list[int] = []
    found = simulator.run(model, stimuli, seed=3, progress=told.append)
    np.testing.assert_array_equal(found.counts["dense_2"], wanted.spikes["dense_2"].sum(axis=0))
    again = simulator.run(model, stimuli, seed=3)
    np.testing.assert_array_equal(found.counts["dense_2"], again.counts["dense_2"])
    assert sum(told) == 9


@pytest.mark.parametrize("dialect", [NEST, NEURON], ids=["nest", "neuron"])
def test_several_processes_and_batches(dialect: Dialect) -> None:
    model = spiking(chain(5, 6, 3), coding=Poisson(200.0), duration=10.0)
    stimuli = np.random.default_rng(3).random((7, 5))
    with PynnSimulator(dialect, 2) as two:
        found = two.run(model, stimuli, seed=9).counts["dense_2"]
    assert batch_size(dialect, model, Record(), 7, 2) == 4
    wanted = simulate(model, stimuli, seed=9).spikes["dense_2"].sum(axis=0)
    np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda each: each.simulator)
def test_nothing_stays_where_temporary_files_go(
    dialect: Dialect, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with PynnSimulator(dialect, 1) as own:
        own.run(spiking(chain(3, 2)), np.full((2, 3), 0.5))
        assert len(list(tmp_path.iterdir())) == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("dialect", "kind"), PAIRS)
def test_what_the_simulator_holds_is_the_model(
    simulators: dict[str, PynnSimulator], dialect: Dialect, kind: str
) -> None:
    coding: InputCoding = Poisson(300.0) if kind == "exp" else ConstantCurrent()
    model = spiking(fork(4, 3, 6, 5), kind, dt=0.5, delay=1.5, coding=coding, readout="membrane")
    found, wanted = plain(simulators[dialect.simulator].read_back(model)), expected(model)
    assert (found.populations, found.dt) == (wanted.populations, wanted.dt)
    assert found.inputs == wanted.inputs
    assert set(found.outputs) == set(wanted.outputs)
    assert found.weights.keys() == wanted.weights.keys()
    for ends, weights in wanted.weights.items():
        np.testing.assert_allclose(found.weights[ends], weights, rtol=1e-12)
        assert found.delays[ends] == pytest.approx(wanted.delays[ends], rel=1e-12)
    for name, biases in wanted.biases.items():
        np.testing.assert_allclose(found.biases[name], biases, rtol=1e-12)
    assert set(found.cells) == set(wanted.cells) - ({"input"} if kind == "exp" else set())
    for name, cells in found.cells.items():
        assert (cells.kind, cells.reset) == (wanted.cells[name].kind, "hard")
        assert cells.numbers == pytest.approx(dict(wanted.cells[name].numbers), rel=1e-12)


def test_a_membrane_at_the_threshold_spikes(simulators: dict[str, PynnSimulator]) -> None:
    # One spike of exactly what is missing.
    network = chain(1, 1)
    values = {"input->dense_1.weight": np.array([[15.0]]), "dense_1.bias": np.zeros(1)}
    model = SpikingModel(network=network, parameters=values, coding=Poisson(50.0), duration=30.0)
    trace = simulate(model, np.ones((4, 1)), seed=1)
    assert trace.spikes["dense_1"].any()
    for name in ("nest", "brian2"):
        found = simulators[name].run(model, np.ones((4, 1)), seed=1)
        np.testing.assert_array_equal(found.counts["dense_1"], trace.spikes["dense_1"].sum(axis=0))


def test_a_neuron_that_neuron_would_silence_is_refused(
    simulators: dict[str, PynnSimulator],
) -> None:
    values = {"input->dense_1.weight": np.zeros((1, 1)), "dense_1.bias": np.array([40.0])}
    model = SpikingModel(network=chain(1, 1), parameters=values, neuron=IFCurrExp())
    with pytest.raises(UnsupportedError, match=r"dense_1 would spike in two steps") as caught:
        simulators["neuron"].run(model, np.zeros((1, 1)))
    assert caught.value.help == "run it on engine or pynn.brian2, which keep the network"
    rested = replace(model, neuron=IFCurrExp(tau_refrac=0.5))
    trace = simulate(rested, np.zeros((1, 1)))
    found = simulators["neuron"].run(rested, np.zeros((1, 1)))
    assert trace.spikes["dense_1"].sum() == 50
    np.testing.assert_array_equal(found.counts["dense_1"], trace.spikes["dense_1"].sum(axis=0))


def test_refusals(simulators: dict[str, PynnSimulator]) -> None:
    nest, network = simulators["nest"], chain(3, 2)
    with pytest.raises(DataError, match=r"\[1, 4\].*\[batch, 3\]"):
        nest.run(spiking(network), np.zeros((1, 4)))
    with pytest.raises(ModelError, match="'nowhere'"):
        nest.run(spiking(network), np.zeros((1, 3)), record=Record(counts=("nowhere",)))
    uneven = spiking(network, dt=1 / 3, duration=10.0, delay=1 / 3)
    with pytest.raises(UnsupportedError, match=r"pynn\.nest .* 0\.001"):
        nest.run(uneven, np.zeros((1, 3)))
    with pytest.raises(UnsupportedError, match=r"pynn\.neuron lacks .* 'if_curr_delta'"):
        simulators["neuron"].read_back(spiking(network, "delta"))
    soft = replace(spiking(network), neuron=IFCurrExp(reset="subtract"))
    with pytest.raises(UnsupportedError, match=r"pynn\.brian2 lacks the reset 'subtract'"):
        simulators["brian2"].run(soft, np.zeros((1, 3)))


def test_what_pynn_says_when_it_fails_reaches_the_user() -> None:
    with (
        WorkerPool("volr.backends.pynn.kernel", "pynn.nest", 1) as pool,
        pytest.raises(SimulatorError, match="KeyError"),
    ):
        list(pool.run([({}, {"simulator": "nest", "batch": 1})]))


def test_the_records_say_what_there_is() -> None:
    assert [each.name for each in RECORDS.values()] == ["pynn.nest", "pynn.brian2", "pynn.neuron"]
    assert PYNN_NEST.exact == PYNN_NEST.neurons
    assert PYNN_BRIAN2.exact == ("if_curr_delta", "if_curr_exp")
    assert PYNN_NEURON.neurons == ("if_curr_exp", "if_cond_exp")
    assert set(SOLUTIONS) == set(PYNN_BRIAN2.neurons)


@pytest.mark.parametrize("dt", [0.1, 0.5, 1.0])
def test_a_step_of_crank_and_nicolson_is_the_exact_one(dt: float) -> None:
    neuron = IFCurrExp(tau_m=10.0, cm=0.5, tau_syn_E=2.0, tau_syn_I=10.0)
    told = lines(NEURON, neuron, dt)
    tau, cm = told["tau_m"].there(neuron.tau_m), told["cm"].there(neuron.cm)
    # c_m (V' − V) / dt = −(c_m / τ) (V + V') / 2 + I, solved for V'.
    decay = (1 - dt / (2 * tau)) / (1 + dt / (2 * tau))
    rise = dt / cm / (1 + dt / (2 * tau))
    assert decay == pytest.approx(neuron.decay(dt), rel=1e-12)
    assert rise == pytest.approx(neuron.rise(dt), rel=1e-12)
    for name, wanted in zip(("excitatory", "inhibitory"), neuron.synaptic_rises(dt), strict=True):
        assert told[name].there(1.0) * rise == pytest.approx(wanted, rel=1e-12)
    for each in told.values():
        assert each.back(each.there(0.3)) == pytest.approx(0.3, rel=1e-6)
