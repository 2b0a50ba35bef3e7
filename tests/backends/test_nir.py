"""NIR files of our models: what they say, that they say all of it, and what they cannot say."""

from __future__ import annotations

import io
import json
import logging
import math
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from tests.engine.examples import NETWORKS, ODD, spiking_model
from tests.network.examples import MIXED
from tests.oracles import chain, fork, random_parameters
from tests.readbacks import plain

from volr import to_network
from volr.backends.expected import expected
from volr.backends.nir import NIR
from volr.backends.nir.hdf5_read import read_graph
from volr.backends.nir.read import read_nir
from volr.engine.reference import simulate
from volr.errors import MissingError, ModelFileError, UnsupportedError
from volr.models.activations import Identity, ReLU, Sigmoid, Tanh
from volr.models.coding import ConstantCurrent, Poisson, poisson_spikes
from volr.models.model import ArtificialModel, SpikingModel
from volr.network import Network, Population, Projection
from volr.neurons import IFCurrDelta, IFCurrExp
from volr.verification.comparison import compare

if TYPE_CHECKING:
    from collections.abc import Callable

    from volr.backends.readback import Readback
    from volr.models.activations import Activation
    from volr.models.model import Model

h5py = pytest.importorskip("h5py")
nir = pytest.importorskip("nir")
pytestmark = pytest.mark.filterwarnings("error")

ALL = {**NETWORKS, "odd": ODD}
# Names that are paths in HDF5, attributes of modules, words of Python, or each other's.
NAMES = {"left": "a/b", "right": "..", "first": "forward", "second": "a_b", "last": "λ';import"}


def renamed(network: Network) -> Network:
    return Network(
        tuple(Population(NAMES[p.name], p.shape) for p in network.populations),
        tuple(Projection(NAMES[p.source], NAMES[p.target]) for p in network.projections),
        tuple(NAMES[name] for name in network.inputs),
        tuple(NAMES[name] for name in network.outputs),
    )


def artificial(network: Network, activation: Activation = ReLU(), seed: int = 0) -> ArtificialModel:
    rng = np.random.default_rng(seed)
    return ArtificialModel(
        network, random_parameters(network, rng, weight=0.5, bias=0.2), activation
    )


def written(model: Model) -> bytes:
    return NIR.write(model)[".nir"]


def graph_of(model: Model) -> Any:
    return nir.read(io.BytesIO(written(model)))


def assert_same(found: Model, model: Model) -> None:
    assert found.network == model.network
    for name, values in model.parameters.items():
        np.testing.assert_array_equal(found.parameters[name], values)
    assert type(found) is type(model)
    for each in fields(model):
        if each.name != "parameters":
            assert getattr(found, each.name) == getattr(model, each.name)


def assert_reads_back(said: Readback, model: Model) -> None:
    found, wanted = plain(said), expected(model)
    assert dict(found.populations) == dict(wanted.populations)
    assert (found.inputs, found.outputs) == (wanted.inputs, wanted.outputs)
    assert dict(found.activations) == dict(wanted.activations)
    assert dict(found.delays) == dict(wanted.delays)
    assert found.dt == wanted.dt
    assert set(found.weights) == set(wanted.weights)
    for ends, values in wanted.weights.items():
        np.testing.assert_array_equal(found.weights[ends], values)
    for name, values in wanted.biases.items():
        np.testing.assert_allclose(found.biases[name], values, rtol=1e-12)
    for name, cells in found.cells.items():
        assert (cells.kind, cells.reset) == (wanted.cells[name].kind, wanted.cells[name].reset)
        assert cells.numbers == pytest.approx(dict(wanted.cells[name].numbers), rel=1e-12)
    assert set(wanted.cells) == set(found.cells)


@pytest.mark.parametrize("network", ALL)
@pytest.mark.parametrize("kind", ["delta", "exp"])
@pytest.mark.parametrize("coding", [ConstantCurrent(300.0), Poisson(200.0)], ids=["amps", "spikes"])
def test_spiking_models_come_back_to_the_last_digit(
    network: str, kind: str, coding: ConstantCurrent | Poisson
) -> None:
    model = spiking_model(
        kind, ALL[network], coding=coding, delay=3, tau_refrac=1.3, reset="subtract", cm=0.7
    )
    found = read_nir(written(model))
    assert not found.notes
    assert_same(found.model, model)
    assert_reads_back(NIR.read_back(NIR.write(model)), model)


@pytest.mark.parametrize("kind", ["delta", "exp"])
def test_outputs_whose_membrane_is_read_are_integrators(kind: str) -> None:
    model = spiking_model(kind, fork(4, 3, 6, 5), readout="membrane")
    kinds = [type(node).__name__ for node in graph_of(model).nodes.values()]
    assert kinds.count("LI" if kind == "delta" else "CubaLI") == 1
    assert_same(read_nir(written(model)).model, model)
    assert_reads_back(NIR.read_back(NIR.write(model)), model)


@pytest.mark.parametrize("network", [*ALL, "mixed"])
@pytest.mark.parametrize("activation", [ReLU(), Identity()])
def test_artificial_models_come_back_to_the_last_digit(
    network: str, activation: Activation
) -> None:
    small = Network(
        tuple(replace(p, shape=(2, 3)) if len(p.shape) > 1 else p for p in MIXED.populations),
        MIXED.projections,
        MIXED.inputs,
        MIXED.outputs,
    )
    model = artificial({**ALL, "mixed": small}[network], activation)
    found = read_nir(written(model))
    assert not found.notes
    assert_same(found.model, model)
    assert_reads_back(NIR.read_back(NIR.write(model)), model)


def test_names_are_made_safe_and_come_back() -> None:
    network = renamed(ODD)
    for model in (artificial(network), spiking_model("delta", network)):
        graph = graph_of(model)
        assert all(name.isidentifier() and name != "forward" for name in graph.nodes)
        assert_same(read_nir(written(model)).model, model)


def test_the_program_comes_along_unchecked() -> None:
    network = to_network("(dense 3 2 ⊖ dense 3 4) ⦶ dense 6 2")
    assert network.source is not None
    found = read_nir(written(artificial(network)))
    assert found.program == network.source.text
    assert found.model.network.source is None


def test_nir_reads_its_own_primitives_out_of_it() -> None:
    model = spiking_model("delta", chain(3, 5, 2), coding=Poisson(100.0), v_reset=-67.0, cm=0.5)
    graph = graph_of(model)
    assert graph.edges == [
        ("input", "input_dense_1"),
        ("input_dense_1", "dense_1"),
        ("dense_1", "dense_1_dense_2"),
        ("dense_1_dense_2", "dense_2"),
        ("dense_2", "of_dense_2"),
    ]
    weights = graph.nodes["input_dense_1"].weight
    np.testing.assert_array_equal(weights, model.parameters["input->dense_1.weight"])
    bias = model.parameters["dense_1.bias"]
    # mV/s: 0.1 nA is the example's offset.
    np.testing.assert_allclose(graph.nodes["input_dense_1"].bias, 1000 * (bias + 0.1) / 0.5)
    cells = graph.nodes["dense_1"]
    np.testing.assert_allclose(cells.tau, np.full(5, 0.02))
    np.testing.assert_allclose(cells.v_threshold, np.full(5, 15.0))
    np.testing.assert_allclose(cells.v_reset, np.full(5, -2.0))


def nirs_membranes(graph: Any, spikes: Any, dt: float) -> Any:
    """V of a leaky integrator, NIR's equations solved by Runge and Kutta, with impulses at steps.

    ``spikes`` ``[time, unit]`` of the one population before it; dt in s. ``[time, unit]``.
    """
    (name,) = (k for k, n in graph.nodes.items() if type(n).__name__ in {"LI", "CubaLI"})
    cell = graph.nodes[name]
    (into,) = (graph.nodes[a] for a, b in graph.edges if b == name)
    exp = hasattr(cell, "tau_syn")
    bias = getattr(into, "bias", 0.0)
    v, i = np.zeros(len(cell.r)), np.zeros(len(cell.r))

    def slopes(v: Any, i: Any) -> tuple[Any, Any]:
        if exp:
            return (cell.v_leak - v + cell.r * i) / cell.tau_mem, (
                -i + cell.w_in * bias
            ) / cell.tau_syn
        return (cell.v_leak - v + cell.r * bias) / cell.tau, 0.0 * i

    found, h = [], dt / 20
    for frame in spikes:
        for _ in range(20):
            a = slopes(v, i)
            b = slopes(v + h / 2 * a[0], i + h / 2 * a[1])
            c = slopes(v + h / 2 * b[0], i + h / 2 * b[1])
            d = slopes(v + h * c[0], i + h * c[1])
            v = v + h / 6 * (a[0] + 2 * b[0] + 2 * c[0] + d[0])
            i = i + h / 6 * (a[1] + 2 * b[1] + 2 * c[1] + d[1])
        pulse = into.weight @ frame
        if exp:
            i = i + cell.w_in * pulse / cell.tau_syn
        else:
            v = v + cell.r * pulse / cell.tau
        found.append(v)
    return np.array(found)


@pytest.mark.parametrize("kind", ["delta", "exp"])
def test_nirs_equations_in_continuous_time_are_ours(kind: str) -> None:
    model = spiking_model(kind, chain(5, 3), readout="membrane", delay=2, cm=0.4, steps=40)
    stimulus = np.random.default_rng(3).random((1, 5))
    assert isinstance(model.coding, Poisson)
    spikes = poisson_spikes(model.coding, 0.5, 40, stimulus, seed=1)[:, 0].astype(float)
    late = np.concatenate([np.zeros((2, 5)), spikes[:-2]])
    found = nirs_membranes(graph_of(model), late, 0.5e-3)
    wanted = simulate(model, stimulus, seed=1).membranes["dense_1"][:, 0] - model.neuron.v_rest
    assert np.abs(wanted).max() > 5.0
    np.testing.assert_allclose(found, wanted, atol=1e-6)


def test_a_reset_of_zero_is_left_out_for_readers_that_know_none() -> None:
    for reset, there in ((-65.0, False), (-66.0, True)):
        model = spiking_model("delta", chain(2, 3, 1), v_reset=reset, v_rest=-65.0)
        with h5py.File(io.BytesIO(written(model))) as file:
            assert ("v_reset" in file["node/nodes/dense_1"]) is there
        np.testing.assert_allclose(graph_of(model).nodes["dense_1"].v_reset, reset + 65.0)
        assert_same(read_nir(written(model)).model, model)


def test_a_wide_population_comes_back() -> None:
    """Its biases alone are a long text."""
    model = artificial(chain(2, 9_000, 3))
    assert_same(read_nir(written(model)).model, model)


def test_a_file_is_the_same_every_time() -> None:
    model = spiking_model("exp", ODD)
    assert written(model) == written(model)


@pytest.mark.parametrize("activation", [Sigmoid(), Tanh()])
def test_activations_without_a_primitive_are_refused(activation: Activation) -> None:
    with pytest.raises(UnsupportedError, match=f"nir lacks the activation '{activation.name}'"):
        NIR.write(artificial(chain(2, 3, 1), activation))


def test_neurons_without_a_primitive_are_refused() -> None:
    with pytest.raises(UnsupportedError, match="nir lacks the neuron model 'if_cond_exp'"):
        NIR.write(spiking_model("cond", chain(2, 3, 1)))
    with pytest.raises(UnsupportedError, match="tau_syn_E 3 ms and tau_syn_I 7 ms"):
        NIR.write(spiking_model("exp two decays", chain(2, 3, 1)))


def no_h5py(_: object) -> tuple[str, ...]:
    return ("h5py",)


def test_without_h5py_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("volr.backends.refusals.missing_packages", no_h5py)
    with pytest.raises(MissingError, match=r"volr\[nir\]"):
        NIR.write(artificial(chain(2, 1)))


def test_what_others_do_not_see_is_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "volr")
    quiet = spiking_model("delta", chain(2, 3, 1), tau_refrac=0.0)
    NIR.write(quiet)
    NIR.write(artificial(chain(2, 1)))
    assert not caplog.records
    loud = spiking_model(
        "exp", chain(2, 3, 1), delay=4, reset="subtract", tau_refrac=2.0, coding=ConstantCurrent()
    )
    NIR.write(loud)
    NIR.write(artificial(chain(2, 3, 1)))
    NIR.write(replace(quiet, coding=ConstantCurrent()))
    for word in ("subtraction", "refractory period", "delay 2 ms", "biases", "ReLU", "i_offset of"):
        assert word in caplog.text


def changed(body: bytes, change: Any) -> bytes:
    """The file, with something else in place of one of its arrays."""
    graph = nir.read(io.BytesIO(body))
    change(graph)
    again = io.BytesIO()
    nir.write(again, graph)
    return again.getvalue()


def test_metadata_are_held_against_the_graph() -> None:
    model = spiking_model("delta", chain(3, 5, 2), coding=Poisson(100.0), tau_refrac=0.0)
    body = written(model)

    def slower(graph: Any) -> None:
        for name in ("dense_1", "dense_2"):
            graph.nodes[name].tau *= 1.5

    found = read_nir(changed(body, slower), signal="impulse")
    assert "node 'dense_1' has another 'tau'" in found.notes[0]
    assert isinstance(found.model, SpikingModel)
    assert found.model.neuron.tau_m == pytest.approx(30.0)

    def heavier(graph: Any) -> None:
        graph.nodes["input_dense_1"].weight[1, 2] += 1.0

    again = read_nir(changed(body, heavier))
    assert not again.notes
    ours = model.parameters["input->dense_1.weight"]
    assert again.model.parameters["input->dense_1.weight"][1, 2] == ours[1, 2] + 1.0


def test_arrays_that_do_not_fit_are_none_of_ours() -> None:
    def longer(graph: Any) -> None:
        graph.nodes["input_dense_1"].bias = np.ones(9)

    body = written(spiking_model("delta", chain(3, 5, 2)))
    with pytest.raises(ModelFileError, match="its arrays do not fit"):
        NIR.read_back({".nir": changed(body, longer)})


def test_read_back_sees_what_is_written_and_not_what_was_meant() -> None:
    model = spiking_model("delta", fork(3, 4, 2, 2), coding=ConstantCurrent())

    def wrong(graph: Any) -> None:
        graph.nodes["dense_1_dense_3"].weight *= -1.0
        graph.nodes["dense_3"].v_reset += 1.0
        graph.nodes["input_dense_2"].bias += 500.0
        graph.edges.remove(("dense_2", "dense_2_dense_3"))
        graph.edges.append(("dense_1", "dense_2_dense_3"))
        graph.nodes["dense_2_dense_3"].weight = np.ones((2, 4))

    body = written(model)
    graph = nir.read(io.BytesIO(body))
    wrong(graph)
    again = io.BytesIO()
    nir.write(again, graph)
    with pytest.raises(ModelFileError, match="none of Volr's"):
        NIR.read_back({".nir": again.getvalue()})
    graph.nodes["dense_2_dense_3"].weight = np.ones((2, 2))
    again = io.BytesIO()
    nir.write(again, graph)
    found = plain(NIR.read_back({".nir": again.getvalue()}))
    wanted = expected(model)
    np.testing.assert_array_equal(
        found.weights["dense_1", "dense_3"], -wanted.weights["dense_1", "dense_3"]
    )
    assert ("dense_2", "dense_3") not in found.weights
    assert found.cells["dense_3"].numbers["v_reset"] == pytest.approx(-62.0)
    np.testing.assert_allclose(found.biases["dense_2"], wanted.biases["dense_2"] + 0.5)


CHANGES: dict[str, Callable[[dict[str, Any]], object]] = {
    "layout": lambda d: d.update(layout=7),
    "row": lambda d: d.update(populations=[["a"]]),
    "list": lambda d: d.update(populations="none"),
    "kind": lambda d: d.update(kind="other"),
    "biases": lambda d: d.update(biases={}),
    "word": lambda d: d.update(dt="soon"),
    "beyond": lambda d: d.update(dt=10**400),
    "neuron": lambda d: d.update(neuron="hh"),
    "numbers": lambda d: d["numbers"].pop("tau_m"),
    "node": lambda d: d["projections"][0].__setitem__(2, "nowhere"),
    "shape": lambda d: d["populations"][0].__setitem__(1, [0]),
    "name": lambda d: d["populations"][0].__setitem__(0, "a b"),
    "inputs": lambda d: d["inputs"].clear(),
    "coding": lambda d: d.update(coding=["poisson", -1]),
    "program": lambda d: d.update(program=["no", "text"]),
}


@pytest.mark.parametrize("change", CHANGES)
def test_odd_metadata_are_left_aside(change: str) -> None:
    model = spiking_model("delta", chain(3, 5, 2), coding=Poisson(100.0), tau_refrac=0.0)

    def disturb(graph: Any) -> None:
        described = json.loads(graph.metadata["volr"])
        CHANGES[change](described)
        graph.metadata["volr"] = json.dumps(described)

    body = changed(written(model), disturb)
    found = read_nir(body, signal="impulse", dt=0.5)
    assert "are ignored" in found.notes[0]
    with pytest.raises(ModelFileError):
        NIR.read_back({".nir": body})


def test_a_foreign_file_is_not_read_back() -> None:
    def bare(graph: Any) -> None:
        graph.metadata.clear()

    body = changed(written(artificial(chain(2, 1))), bare)
    with pytest.raises(ModelFileError, match="none of Volr's: it lacks 'volr'"):
        NIR.read_back({".nir": body})


def test_a_model_of_a_foreign_file_is_the_same_network() -> None:
    """Without the metadata, by NIR's equations alone, the spikes are still ours."""
    model = spiking_model(
        "delta", fork(4, 5, 3, 2), coding=Poisson(300.0), tau_refrac=0.0, i_offset=0.0
    )

    def bare(graph: Any) -> None:
        graph.metadata.clear()

    body = changed(written(model), bare)
    found = read_nir(
        body, signal="impulse", dt=0.5, duration=model.duration, coding=model.coding
    ).model
    assert isinstance(found, SpikingModel)
    stimuli = np.random.default_rng(0).random((5, 4))
    trace, again = simulate(model, stimuli, seed=2), simulate(found, stimuli, seed=2)
    assert trace.spikes["dense_3"].any()
    for name in ("dense_1", "dense_2", "dense_3"):
        np.testing.assert_array_equal(again.spikes[name], trace.spikes[name])


def test_neurons_are_those_that_nir_has() -> None:
    assert NIR.neurons == (IFCurrDelta.name, IFCurrExp.name)
    assert NIR.generation == "ANN, SNN"


@pytest.mark.parametrize("readout", ["count", "membrane"])
def test_neurons_without_leak_are_ifs_and_come_back(readout: Any) -> None:
    neuron = IFCurrDelta(tau_m=math.inf, cm=0.3, v_reset=-66.0, tau_refrac=2.0, i_offset=0.1)
    model = SpikingModel(
        network=chain(4, 3, 2),
        parameters=random_parameters(
            chain(4, 3, 2), np.random.default_rng(2), weight=3.0, bias=0.2
        ),
        neuron=neuron,
        coding=Poisson(100.0),
        readout=readout,
    )
    files = NIR.write(model)
    last = "I" if readout == "membrane" else "IF"
    kinds = {name: node.kind for name, node in read_graph(files[".nir"]).nodes.items()}
    assert (kinds["dense_1"], kinds["dense_2"]) == ("IF", last)
    assert read_nir(files[".nir"]).model == model
    assert not compare(expected(model), NIR.read_back(files)).differences
    for unsayable in (
        replace(model, neuron=IFCurrExp(tau_m=math.inf)),
        replace(model, coding=ConstantCurrent()),
    ):
        with pytest.raises(UnsupportedError, match=r"infinite|IF has no constant current"):
            NIR.write(unsayable)
