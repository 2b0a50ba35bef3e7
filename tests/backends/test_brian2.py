"""Brian2 against the reference, spike for spike; what it says that it holds; and the script."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from tests.backends.kernels import SUMS
from tests.engine.examples import ODD, SKIP, spiking_model
from tests.needs import needs
from tests.oracles import chain, fork, random_parameters, simulate_delta
from tests.readbacks import plain

from volr.backends.base import Record
from volr.backends.brian2 import BRIAN2, Brian2Simulator, batch_size, compiled
from volr.backends.brian2.equations import NEURONS as EQUATIONS
from volr.backends.brian2.script import BRIAN2_SCRIPT
from volr.backends.expected import Expected, expected
from volr.engine.reference import simulate
from volr.errors import BackendError, DataError, ModelError, SimulatorError, UnsupportedError
from volr.models.activations import ReLU
from volr.models.coding import ConstantCurrent, Poisson
from volr.models.model import ArtificialModel, SpikingModel
from volr.network import Network, Population, Projection
from volr.neurons import IFCondExp, IFCurrDelta, IFCurrExp

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from volr.backends.messages import Arrays, Request
    from volr.backends.readback import Readback
    from volr.models.model import Readout
    from volr.neurons import NeuronModel, Reset

# Not importorskip: Brian2 belongs into processes of its own.
pytestmark = needs("brian2")

KINDS = ("delta", "exp two decays", "cond")
RESETS: tuple[Reset, ...] = ("hard", "subtract")
STIMULI = np.random.default_rng(1).random((9, 15))
HOSTILE = ("λ'", "def", '";import-os;"', "'''\\\"\"\"")
NAMES = Network(
    tuple(Population(name, (size,)) for name, size in zip(HOSTILE, (9, 6, 30, 5), strict=True)),
    tuple(Projection(HOSTILE[a], HOSTILE[b]) for a, b in ((0, 2), (1, 2), (2, 3), (0, 3))),
    (HOSTILE[1], HOSTILE[0]),
    (HOSTILE[3], HOSTILE[2]),
)


@pytest.fixture(scope="module")
def brian2() -> Iterator[Brian2Simulator]:
    with Brian2Simulator(1) as started:
        yield started


def odd(kind: str, network: Network = SKIP, **changes: Any) -> SpikingModel:
    """Neurons that rest for two steps, and no parameter of which is what it usually is."""
    return spiking_model(kind, network, tau_refrac=1.2, tau_m=13.0, cm=0.7, v_rest=-64.7, **changes)


def same(said: Readback, model: SpikingModel, silent: frozenset[str] = frozenset()) -> None:
    """That it is what a faithful back end holds; ``silent`` inputs are no neurons."""
    found, wanted = plain(said), expected(model)
    assert list(found.populations.items()) == list(wanted.populations.items())
    assert (found.inputs, found.dt) == (wanted.inputs, wanted.dt)
    assert set(found.outputs) == set(wanted.outputs)
    assert found.weights.keys() == wanted.weights.keys()
    for ends, weights in wanted.weights.items():
        np.testing.assert_allclose(found.weights[ends], weights, rtol=1e-12)
    assert found.biases.keys() == wanted.biases.keys()
    for name, bias in wanted.biases.items():
        np.testing.assert_allclose(found.biases[name], bias, rtol=1e-12)
    assert found.delays == pytest.approx(wanted.delays)
    assert found.cells.keys() == wanted.cells.keys() - silent
    for name, cells in found.cells.items():
        assert (cells.kind, cells.reset) == (wanted.cells[name].kind, wanted.cells[name].reset)
        assert cells.numbers == pytest.approx(wanted.cells[name].numbers, rel=1e-12)


def equal_to_the_reference(brian2: Brian2Simulator, model: SpikingModel, stimuli: Any) -> None:
    names = tuple(model.network.by_name)
    trace = simulate(model, stimuli, seed=4)
    record = Record(counts=names, spikes=names, membranes=tuple(trace.membranes))
    found = brian2.run(model, stimuli, record=record, seed=4)
    for name in names:
        np.testing.assert_array_equal(found.spikes[name], trace.spikes[name])
        np.testing.assert_array_equal(found.counts[name], trace.spikes[name].sum(axis=0))
        assert found.counts[name].dtype == np.int64
        if model.is_spiking(name):
            assert trace.spikes[name].any()
            assert not trace.spikes[name].all()
    for name, membrane in trace.membranes.items():
        np.testing.assert_allclose(found.membranes[name], membrane, rtol=0, atol=1e-9)
    assert found.means.keys() == {n for n in model.network.outputs if not model.is_spiking(n)}
    for name, mean in found.means.items():
        wanted = trace.membranes[name].mean(axis=0) - model.neuron.v_rest
        np.testing.assert_allclose(mean, wanted, rtol=0, atol=1e-9)


@pytest.mark.parametrize("reset", RESETS)
@pytest.mark.parametrize("kind", KINDS[:2])
@pytest.mark.parametrize(
    ("network", "readout", "delay", "coding"),
    [
        (SKIP, "count", 1, Poisson(400.0)),
        (SKIP, "membrane", 3, ConstantCurrent()),
        (ODD, "count", 3, ConstantCurrent()),
    ],
    ids=["skip", "membrane", "odd"],
)
def test_every_spike_and_membrane_is_the_references(
    brian2: Brian2Simulator,
    network: Network,
    readout: Readout,
    delay: int,
    coding: Any,
    kind: str,
    reset: Reset,
) -> None:
    model = odd(kind, network, readout=readout, delay=delay, coding=coding, reset=reset)
    equal_to_the_reference(brian2, model, STIMULI)


@pytest.mark.parametrize("neuron", [IFCurrDelta(), IFCurrExp()], ids=["delta", "exp"])
def test_equal_over_a_million_steps_of_neurons(
    brian2: Brian2Simulator, neuron: NeuronModel
) -> None:
    network = fork(20, 60, 50, 30)
    weight = 1.5 if isinstance(neuron, IFCurrDelta) else 0.5
    values = random_parameters(network, np.random.default_rng(5), weight=weight, bias=0.2)
    model = SpikingModel(network=network, parameters=values, neuron=neuron, coding=Poisson(200.0))
    stimuli = np.random.default_rng(6).random((70, 20))
    assert len(stimuli) * model.steps * network.neuron_count > 1_000_000
    names = tuple(network.by_name)
    trace = simulate(model, stimuli, seed=1)
    found = brian2.run(model, stimuli, record=Record(spikes=names), seed=1)
    for name in names:
        np.testing.assert_array_equal(found.spikes[name], trace.spikes[name])


@pytest.mark.parametrize("dt", [1.0, 0.5])
def test_conductances_agree_in_nearly_all_counts(brian2: Brian2Simulator, dt: float) -> None:
    network = chain(12, 40, 30)
    values = random_parameters(network, np.random.default_rng(7), weight=0.02, bias=0.2)
    model = SpikingModel(
        network=network, parameters=values, neuron=IFCondExp(), dt=dt, delay=dt, duration=40.0
    )
    names = ("dense_1", "dense_2")
    stimuli = np.random.default_rng(8).random((12, 12))
    trace = simulate(model, stimuli)
    found = brian2.run(model, stimuli, record=Record(counts=names))
    counts = [found.counts[name] - trace.spikes[name].sum(axis=0) for name in names]
    away = np.concatenate(counts, axis=1)
    assert trace.spikes["dense_2"].any()
    assert np.abs(away).max() <= 1
    assert (away != 0).mean() < 0.005


@pytest.mark.parametrize("reset", RESETS)
def test_conductances_move_the_membrane_as_the_equation_says(
    brian2: Brian2Simulator, reset: Reset
) -> None:
    model = odd("cond", fork(9, 4, 3, 2), coding=Poisson(200.0), readout="membrane", reset=reset)
    stimuli = np.random.default_rng(2).random((3, 9))
    names = ("dense_1", "dense_2")
    found = brian2.run(model, stimuli, record=Record(spikes=names, membranes=("dense_3",)))
    for stimulus in range(3):
        spikes = {name: found.spikes[name][:, stimulus] for name in names}
        exact = integrated(model, spikes)
        missed = np.abs(found.membranes["dense_3"][:, stimulus] - exact)
        assert missed.max() < 1e-3


def integrated(model: SpikingModel, spikes: dict[str, Any]) -> Any:
    """The membranes of dense_3, which never spikes, by a fine Runge-Kutta method 4."""
    n: Any = model.neuron
    v, g_e, g_i = np.full(2, n.v_rest), np.zeros(2), np.zeros(2)
    current = n.i_offset + model.parameters["dense_3.bias"]
    rates = np.array([[0.0], [1 / n.tau_syn_E], [1 / n.tau_syn_I]])

    def slope(y: Any) -> Any:
        inward = (n.cm / n.tau_m) * (n.v_rest - y[0]) + current
        inward = inward + y[1] * (n.e_rev_E - y[0]) + y[2] * (n.e_rev_I - y[0])
        return np.stack([inward / n.cm, *(-rates * y)[1:]])

    trace: list[Any] = []
    for k in range(model.steps):
        y, h = np.stack([v, g_e, g_i]), model.dt / 40
        for _ in range(40):
            one = slope(y)
            two = slope(y + h / 2 * one)
            three = slope(y + h / 2 * two)
            four = slope(y + h * three)
            y = y + h / 6 * (one + 2 * two + 2 * three + four)
        v, g_e, g_i = y
        for name, train in spikes.items():
            if k >= model.delay_steps:
                weights = model.parameters[f"{name}->dense_3.weight"]
                sent = train[k - model.delay_steps].astype(float)
                g_e = g_e + np.maximum(weights, 0.0) @ sent
                g_i = g_i - np.minimum(weights, 0.0) @ sent
        trace.append(v)
    return np.stack(trace)


@pytest.mark.parametrize(("refrac", "dt"), [(0.0, 1.0), (3.0, 1.0), (1.0, 0.3)])
def test_refractory_for_whole_steps_in_which_what_arrives_is_lost(
    brian2: Brian2Simulator, refrac: float, dt: float
) -> None:
    neuron = IFCurrDelta(tau_refrac=refrac, v_reset=-60.0)
    values = random_parameters(chain(5, 7, 3), np.random.default_rng(0), weight=6.0, bias=0.4)
    model = SpikingModel(
        network=chain(5, 7, 3),
        parameters=values,
        neuron=neuron,
        coding=Poisson(300.0),
        dt=dt,
        delay=2 * dt,
        duration=30.0,
    )
    names = ("input", "dense_1", "dense_2")
    record = Record(spikes=names, membranes=names[1:])
    found = brian2.run(model, np.random.default_rng(3).random((6, 5)), record=record)
    spikes, membranes = simulate_delta(model, given=found.spikes["input"])
    for name in names:
        assert spikes[name].any()
        np.testing.assert_array_equal(found.spikes[name], spikes[name])
    for name, each in found.membranes.items():
        np.testing.assert_allclose(each, membranes[name], rtol=0, atol=1e-9)


@pytest.mark.parametrize(
    ("taus", "weight"),
    [((13.0, 13.0), 1.0), ((13.0, 13.0 + 1e-7), 1.0), ((0.01, 1e-4), 300.0)],
    ids=["equal", "all-but-equal", "brief"],
)
def test_synapses_of_any_time_constant(
    brian2: Brian2Simulator, taus: tuple[float, float], weight: float
) -> None:
    values = random_parameters(chain(6, 8, 4), np.random.default_rng(0), weight=weight, bias=0.4)
    neuron = IFCurrExp(tau_m=13.0, tau_syn_E=taus[0], tau_syn_I=taus[1])
    model = SpikingModel(
        network=chain(6, 8, 4), parameters=values, neuron=neuron, coding=Poisson(300.0)
    )
    equal_to_the_reference(brian2, model, np.random.default_rng(1).random((5, 6)))


def test_a_spike_whose_weight_is_the_threshold_reaches_it(brian2: Brian2Simulator) -> None:
    # From several potentials at rest, some of which are no sums of powers of two.
    for rest in (-65.0, -65.3, -70.1, 0.0):
        neuron = IFCurrDelta(v_rest=rest, v_reset=rest, v_thresh=rest + 15.0)
        values = {"input->dense_1.weight": np.diag([15.0, 14.999]), "dense_1.bias": np.zeros(2)}
        model = SpikingModel(
            network=chain(2, 2), parameters=values, neuron=neuron, coding=Poisson(100.0)
        )
        counts = brian2.run(model, np.ones((5, 2)), record=Record(("input", "dense_1"))).counts
        wanted = simulate(model, np.ones((5, 2))).spikes["dense_1"].sum(axis=0)
        np.testing.assert_array_equal(counts["dense_1"], wanted)
        assert wanted[:, 0].any()


def test_nothing_leaks_from_one_stimulus_to_the_next(
    brian2: Brian2Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Long delays and refractory times, so that there is something in flight at the end.
    network = chain(6, 9, 4)
    values = random_parameters(network, np.random.default_rng(0), weight=4.0, bias=0.5)
    model = SpikingModel(
        network=network,
        parameters=values,
        neuron=IFCurrDelta(tau_refrac=5.0),
        dt=1.0,
        delay=7.0,
        duration=20.0,
    )
    stimuli = np.random.default_rng(2).random((40, 6))
    alone = {i: brian2.run(model, stimuli[i : i + 1]).counts["dense_2"][0] for i in (0, 13, 39)}
    monkeypatch.setattr("volr.backends.brian2.BATCH_SYNAPSES", 14 * network.synapse_count)
    assert batch_size(model, Record(), len(stimuli), 1) == 14
    told: list[int] = []
    together = brian2.run(model, stimuli, progress=told.append).counts["dense_2"]
    for index, counts in alone.items():
        np.testing.assert_array_equal(together[index], counts)
    assert told == [14, 14, 12]


def test_batches_are_of_a_size_and_fit_the_memory() -> None:
    model = odd("delta", chain(100, 100, 10))
    assert batch_size(model, Record(), 1000, 2) == 250
    assert batch_size(model, Record(), 10, 4) == 3
    assert batch_size(model, Record(), 0, 4) == 1
    whole = Record(membranes=("input",))
    assert batch_size(replace(model, duration=50_000.0), whole, 1000, 1) == 2


@pytest.mark.parametrize("coding", [ConstantCurrent(), Poisson(300.0)], ids=["current", "poisson"])
def test_silence_is_a_result(brian2: Brian2Simulator, coding: ConstantCurrent | Poisson) -> None:
    network = chain(3, 2)
    values = {"input->dense_1.weight": np.zeros((2, 3)), "dense_1.bias": np.full(2, -1.0)}
    model = SpikingModel(network=network, parameters=values, coding=coding)
    record = Record(counts=("input", "dense_1"), spikes=("input",), membranes=("dense_1",))
    found = brian2.run(model, np.zeros((4, 3)), record=record)
    assert not any(found.counts[name].any() for name in record.counts or ())
    assert not found.spikes["input"].any()
    assert (found.membranes["dense_1"] < -65.0).all()
    nothing = brian2.run(model, np.empty((0, 3)), record=record)
    assert nothing.counts["dense_1"].shape == (0, 2)
    assert nothing.membranes["dense_1"].shape == (100, 0, 2)


def test_refusals(brian2: Brian2Simulator) -> None:
    model = odd("delta", chain(3, 2))
    artificial: Any = ArtificialModel(model.network, model.parameters, ReLU())
    for call in (
        lambda: brian2.run(artificial, np.zeros((1, 3))),
        lambda: brian2.read_back(artificial),
    ):
        with pytest.raises(UnsupportedError, match="simulates spiking models"):
            call()
    with pytest.raises(DataError, match=r"\[1, 4\].*\[batch, 3\]"):
        brian2.run(model, np.zeros((1, 4)))
    with pytest.raises(ModelError, match="'nowhere'"):
        brian2.run(model, np.zeros((1, 3)), record=Record(counts=("nowhere",)))
    target: Any = "fortran"
    with pytest.raises(BackendError, match="no target 'fortran'"):
        Brian2Simulator(target=target)
    with pytest.raises(UnsupportedError, match="no artificial networks"):
        BRIAN2_SCRIPT.write(artificial)


def test_its_own_process_leaves_nothing_behind_and_reads_nobodys_preferences(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("home", "temporary", "here"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    monkeypatch.chdir(tmp_path / "here")
    (tmp_path / "here" / "brian_preferences").write_text("codegen.target = 1 / 0\n")
    with Brian2Simulator(1) as own:
        own.run(odd("delta", chain(3, 2)), np.full((9, 3), 0.5))
        (process,) = own.processes()
        assert [each.name for each in tmp_path.glob("*/*")] == ["brian_preferences"]
        # And what it says when it fails reaches the user.
        with pytest.raises(SimulatorError, match="KeyError"):
            list(own._pool.run([({}, {"target": "numpy", "folder": ""})]))
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)
    assert [each.name for each in tmp_path.glob("*/*")] == ["brian_preferences"]


def test_compiled_code_lies_where_nobody_else_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    folder = compiled()
    assert folder.stat().st_mode & 0o777 == 0o700
    assert compiled() == folder
    folder.chmod(0o777)
    with pytest.raises(BackendError, match="other users can write into"):
        compiled()


@pytest.mark.parametrize("kind", KINDS)
def test_what_it_holds_is_the_model(brian2: Brian2Simulator, kind: str) -> None:
    model = odd(kind, SKIP, delay=3)
    same(brian2.read_back(model), model, frozenset(SKIP.inputs))
    coding = ConstantCurrent()
    model = odd(kind, SKIP, readout="membrane", coding=coding, reset="subtract")
    same(brian2.read_back(model), model)


def mutated(
    brian2: Brian2Simulator, monkeypatch: pytest.MonkeyPatch, subject: SpikingModel, changes: Any
) -> Expected:
    """What is read back where Brian2 was told something else."""
    import volr.backends.brian2 as module

    ask = module._requests

    def requests(*arguments: Any, **named: Any) -> Iterator[Request]:
        for arrays, settings in ask(*arguments, **named):
            weights: Arrays = {
                name: -each for name, each in arrays.items() if name.endswith(".weight")
            }
            flipped = weights if "weights" in changes else {}
            neurons = {name: {**each, **changes} for name, each in settings["neurons"].items()}
            delays = {**settings["delays"]}
            if "delay" in changes:
                delays = dict.fromkeys(delays, changes["delay"])
            yield {**arrays, **flipped}, {**settings, "neurons": neurons, "delays": delays}

    monkeypatch.setattr(module, "_requests", requests)
    return plain(brian2.read_back(subject))


def test_what_is_wrong_is_seen(brian2: Brian2Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    def told(subject: SpikingModel, **changes: Any) -> Expected:
        with monkeypatch.context() as patch:
            return mutated(brian2, patch, subject, changes)

    model = odd("exp", chain(4, 3), delay=3, coding=ConstantCurrent())
    subtract = odd("exp", chain(4, 3), delay=3, reset="subtract")
    ends = ("input", "dense_1")
    texts = EQUATIONS["if_curr_exp"].model("subtract")
    assert told(model, delay=1e-3).delays[ends] == pytest.approx(1.0)
    assert told(model, reset="v -= v_thresh - v_reset").cells["dense_1"].reset == "another"
    assert told(model, model=texts).cells["dense_1"].reset == "another"
    assert told(subtract, threshold="v > v_thresh").cells["dense_1"].reset == "another"
    assert told(model, refractory="tau_refrac").cells["dense_1"].kind == "another"
    assert told(model, step="v = v*exp(-dt/tau_m)").cells["dense_1"].kind == "another"
    swapped = ["I_I_post += w", "I_E_post += w"]
    assert np.isnan(told(model, pathways=swapped).weights[ends]).all()
    weights = told(model, weights="flipped").weights[ends]
    np.testing.assert_allclose(weights, -model.parameters["input->dense_1.weight"], rtol=1e-12)
    numbers = {
        "v_rest": -0.07,
        "v_thresh": 0.01,
        "fires_at": 0.01,
        "v_reset": 0.0,
        "tau_m": 0.02,
        "c_m": 1e-9,
    }
    numbers |= {"tau_refrac": 0.0, "tau_syn_E": 0.004, "tau_syn_I": 0.006}
    found = told(model, parameters=numbers).cells["dense_1"].numbers
    assert (found["v_rest"], found["v_thresh"], found["v_reset"]) == (-70.0, -60.0, -70.0)
    assert found["tau_syn_E"] == pytest.approx(4.0)
    delta = odd("delta", chain(4, 3), delay=3)
    assert told(delta, delay=1e-3).delays[ends] == pytest.approx(1.5)
    assert np.isnan(told(delta, slot="synapses").weights[ends]).all()


@pytest.mark.parametrize("reset", RESETS)
@pytest.mark.parametrize("kind", KINDS)
def test_what_a_script_says_is_the_model(kind: str, reset: Reset) -> None:
    model = odd(kind, NAMES, delay=3, reset=reset)
    files = BRIAN2_SCRIPT.write(model)
    assert files == BRIAN2_SCRIPT.write(model)
    same(BRIAN2_SCRIPT.read_back(files), model, frozenset(NAMES.inputs))
    model = odd(kind, SKIP, readout="membrane", coding=ConstantCurrent(), reset=reset)
    same(BRIAN2_SCRIPT.read_back(BRIAN2_SCRIPT.write(model)), model)
    small = odd(kind, chain(3, 2), coding=Poisson(100.0))
    assert list(BRIAN2_SCRIPT.write(small)) == [".py"]
    same(BRIAN2_SCRIPT.read_back(BRIAN2_SCRIPT.write(small)), small, frozenset({"input"}))


@pytest.mark.parametrize(
    ("kind", "network", "readout", "coding", "reset"),
    [
        ("delta", NAMES, "count", Poisson(400.0), "hard"),
        ("exp two decays", SKIP, "membrane", ConstantCurrent(), "subtract"),
        ("exp two decays", SUMS, "count", ConstantCurrent(), "hard"),
    ],
    ids=["hostile-names", "membrane", "kernels"],
)
def test_a_script_gives_the_spikes_of_the_back_end(
    brian2: Brian2Simulator,
    tmp_path: Path,
    kind: str,
    network: Network,
    readout: Readout,
    coding: Any,
    reset: Reset,
) -> None:
    model = odd(kind, network, readout=readout, coding=coding, reset=reset)
    for suffix, content in BRIAN2_SCRIPT.write(model).items():
        (tmp_path / f"net{suffix}").write_bytes(content)
    stimuli = np.random.default_rng(2).random((5, network.input_size))
    np.save(tmp_path / "stimuli.npy", stimuli)
    run = [sys.executable, "net.py", "--stimuli", "stimuli.npy", "--seed", "4", "--save", "s.npz"]
    done = subprocess.run(run, cwd=tmp_path, check=True, capture_output=True, text=True)
    assert done.stderr == ""
    names = tuple(network.by_name)
    found = brian2.run(model, stimuli, record=Record(spikes=names), seed=4)
    assert all(found.spikes[name].any() for name in network.outputs if readout == "count")
    with np.load(tmp_path / "s.npz", allow_pickle=False) as saved:
        for name in names:
            np.testing.assert_array_equal(saved[f"{name}.spikes"], found.spikes[name])
    lines = done.stdout.splitlines()
    said = [[float(each) for each in line.split(":")[1].split("(")[0].split()] for line in lines]
    np.testing.assert_allclose(said, found.output_values(model), rtol=1e-5)


def test_a_script_that_says_something_else_is_read_as_it_is_and_never_run() -> None:
    model = odd("delta", chain(3, 2), coding=Poisson(100.0))
    text = BRIAN2_SCRIPT.write(model)[".py"].decode()

    def read(old: str, new: str) -> Expected:
        assert text.count(old) == 1
        return plain(BRIAN2_SCRIPT.read_back({".py": text.replace(old, new).encode()}))

    assert read("RESET = 'v = v_reset'", "RESET = 'v = 0*mV'").cells["dense_1"].reset == "another"
    assert read("SLOT = 'before", "SLOT = 'after").cells["dense_1"].kind == "if_curr_delta"
    later = read("DELAY = 0.0*ms", "DELAY = 0.5*ms")
    assert math.isclose(later.delays["input", "dense_1"], 1.0)
    for old, new in (
        ("STEPS = 25", "STEPS = 25; DT = __import__('os')"),
        ("INPUTS = ('input',)", "INPUTS = open('/etc/passwd')"),
        ("OUTPUTS = ", "OTHERS = "),
        ("import argparse", "import ("),
        ("'tau_m': 13.0*ms", "'tau_m': 13.0*hours"),
        # Sizes that do not fit the weights, and no table at all.
        ("'dense_1': 2,", "'dense_1': 1,"),
        ("NEURON = {", "NEURON = 0; NUMBERS = {"),
        # More brackets than Python's parser takes.
        ("STEPS = 25", f"STEPS = {'-' * 20_000}25"),
    ):
        with pytest.raises(DataError, match="not a Brian2 script"):
            read(old, new)
    for files in ({}, {".py": b"\xff\x00"}, {".py": text.encode(), ".npz": b"no archive"}):
        with pytest.raises(DataError, match="not a Brian2 script"):
            BRIAN2_SCRIPT.read_back(files)


def test_the_record_says_what_there_is() -> None:
    assert BRIAN2.neurons == tuple(each.name for each in (IFCurrDelta, IFCurrExp, IFCondExp))
    assert BRIAN2.exact == ("if_curr_delta", "if_curr_exp")
    assert BRIAN2.resets == RESETS
