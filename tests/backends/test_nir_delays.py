"""NIR's Delay: graphs of others against update rules in NumPy, and delays by projection."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from tests.backends.conformance import Case, Started, every_simulator, need, spiking, stimuli_for
from tests.backends.test_nir import assert_same, written
from tests.backends.test_nir_read import (
    DT,
    STEPS,
    Layer,
    frames,
    graph,
    layered,
    lif,
    model_of,
    node,
    outputs,
    read,
    refused,
    weights,
)
from tests.engine.examples import SKIP

from volr.backends.base import Record
from volr.backends.expected import expected
from volr.backends.nir import NIR
from volr.backends.nir.dialects import DOCUMENTS
from volr.backends.nir.hdf5_read import read_graph
from volr.backends.nir.lint import lint
from volr.backends.nir.metadata import KEY
from volr.backends.nir.read import read_nir
from volr.backends.reference import forward
from volr.engine.reference import simulate
from volr.errors import UnsupportedError
from volr.language import to_network
from volr.models.coding import Poisson
from volr.models.model import ArtificialModel, SpikingModel
from volr.neurons import IFCurrDelta, IFCurrExp
from volr.verification.comparison import compare

if TYPE_CHECKING:
    from volr.backends.nir.graph import Graph, Node
    from volr.checks.arrays import Floats
    from volr.network import Network

nir = pytest.importorskip("nir")

LATE = np.array([0.0, 3, 1, 1, 0, 7, 3, 1, 0])
"""The delay of each hidden neuron, in steps."""


def delay(*steps: float) -> Node:
    return node("Delay", delay=DT * np.array(steps))


def delayed(late: Node, bias: Any = None) -> Graph:
    """Two layers, and a Delay between the first and what leads to the second."""
    first, second = weights(scale=20.0)
    found = layered([lif(9), lif(4)], [first, second])
    nodes = {**found.nodes, "late": late}
    if bias is not None:
        nodes["b"] = node("Affine", weight=second, bias=bias)
    return graph(nodes, "input a hidden late b last output")


def shifted(spikes: Floats, steps: Floats) -> Floats:
    """Spikes ``[time, batch, unit]``, each unit's so many steps later."""
    found = np.zeros_like(spikes)
    for unit, late in enumerate(np.broadcast_to(steps, spikes.shape[-1]).astype(int)):
        found[late:, :, unit] = spikes[: len(spikes) - late, :, unit]
    return found


def after_delay(steps: Floats) -> Floats:
    """The spikes of the last layer, ``[time, batch, unit]``."""
    first, second = weights(scale=20.0)
    x = shifted(outputs([Layer(first, a=0.95, k=0.05)], frames()), steps)
    last = Layer(second, a=0.95, k=0.05)
    return np.array([last.step(each) for each in x]).astype(bool)


def assert_is(model: Any, wanted: Floats, *, late: int = 2) -> None:
    assert isinstance(model, SpikingModel)
    assert wanted.any()
    found = simulate(model, frames()).spikes[model.network.outputs[0]]
    np.testing.assert_array_equal(found[late : late + STEPS], wanted[: len(found) - late])


@pytest.mark.parametrize("steps", [1.0, 5.0, LATE], ids=["one", "five", "by unit"])
def test_a_delay_comes_on_top_of_the_step_that_a_spike_takes(steps: Any) -> None:
    late = delay(*np.broadcast_to(steps, 9))
    model = read(delayed(late))
    assert_is(model, after_delay(steps))
    assert not np.array_equal(after_delay(steps), after_delay(np.zeros(9)))
    by_step = {1.0 + each for each in np.unique(steps) if each}
    assert set(model.delays.values()) == by_step
    (note,) = (each for each in model_of(delayed(late)).notes if "on top of that step" in each)
    assert note == (
        "a Delay comes on top of that step: what goes through one takes 1 ms more than it says"
    )


def test_one_number_is_that_of_all_and_delays_in_a_row_add_up() -> None:
    first, second = weights(scale=20.0)
    found = layered([lif(9), lif(4)], [first, second])
    nodes = {**found.nodes, "d": delay(2.0), "e": delay(*LATE)}
    model = read(graph(nodes, "input a hidden d e b last output"))
    assert_is(model, after_delay(2.0 + LATE))


def test_ways_of_different_delays_meet() -> None:
    first, second = weights(scale=20.0)
    skip = 30.0 * np.random.default_rng(7).normal(0.2, 0.5, (4, 6))
    found = layered([lif(9), lif(4)], [first, second])
    nodes = {**found.nodes, "d": delay(4.0), "skip": node("Linear", weight=skip)}
    model = read(graph(nodes, "input a hidden b last output", "input d skip last"))
    assert model.delays == {"input->last": 5.0}
    hidden = outputs([Layer(first, a=0.95, k=0.05)], frames())
    inputs = np.repeat(frames()[None], STEPS, axis=0)
    # A spike takes a step from the inputs to the hidden neurons, and to the last ones as well.
    x = np.concatenate([hidden, shifted(inputs, np.array(3.0))], axis=2)
    last = Layer(np.concatenate([second, skip], axis=1), a=0.95, k=0.05)
    assert_is(model, np.array([last.step(each) for each in x]).astype(bool))


def test_a_kernel_behind_a_delay_stays_a_kernel() -> None:
    kernel = node(
        "Conv2d",
        weight=np.random.default_rng(0).normal(size=(3, 2, 2, 3)),
        bias=np.zeros(3),
        stride=[1, 1],
        padding=[0, 0],
        dilation=[1, 1],
        groups=1,
    )
    nodes = {
        "input": node("Input", shape=[2, 5, 4]),
        "d": node("Delay", delay=np.full((2, 5, 4), 2e-3)),
        "c": kernel,
        "last": lif(3 * 4 * 2),
        "output": node("Output", shape=[24]),
    }
    model = read(graph(nodes, "input d c last output"))
    (projection,) = model.network.projections
    assert projection.connector.name == "convolution"
    assert model.delays == {projection.name: 3.0}


def test_a_bias_is_there_from_the_start_and_a_note_says_so() -> None:
    first, second = weights(scale=20.0)
    bias = np.linspace(0.0, 0.8, 9)
    found = layered([lif(9), lif(4)], [first, second])
    nodes = {**found.nodes, "a": node("Affine", weight=first, bias=bias), "d": delay(3.0)}
    imported = model_of(graph(nodes, "input a d hidden b last output"), duration=STEPS + 5.0)
    assert "a bias goes through 'd', and is there from the first step on" in imported.notes
    hidden = Layer(first, a=0.95, k=0.05, c=0.05 * bias)
    x = shifted(np.repeat(frames()[None], STEPS, axis=0), np.array(3.0))
    model = imported.model
    assert isinstance(model, SpikingModel)
    wanted = np.array([hidden.step(each) for each in x]).astype(bool)
    spikes = simulate(model, frames()).spikes["hidden"]
    # The constant current acts in our first step, in which no spike has come yet.
    plain = Layer(first, a=0.95, k=0.05, c=0.05 * bias)
    early = np.array([plain.step(np.zeros_like(x[0])), *(plain.step(e) for e in x)]).astype(bool)
    assert wanted.any()
    np.testing.assert_array_equal(spikes[:STEPS], early[: len(spikes)][:STEPS])


def test_rates_have_no_delay() -> None:
    first, second = weights(scale=20.0)
    cells = [node("IF", r=np.ones(n), v_threshold=np.ones(n), v_reset=np.zeros(n)) for n in (9, 4)]
    plain = layered(cells, [first, second])
    late = graph({**plain.nodes, "d": delay(*LATE)}, "input a hidden d b last output")
    imported = model_of(late, generation="ANN")
    assert isinstance(imported.model, ArtificialModel)
    assert (
        "a Delay changes no number of an artificial network, and is left out: 'd'" in imported.notes
    )
    (wanted,) = (model_of(plain, generation="ANN").model,)
    assert isinstance(wanted, ArtificialModel)
    np.testing.assert_array_equal(forward(imported.model, frames()), forward(wanted, frames()))


@pytest.mark.parametrize(
    ("late", "message"),
    [
        (delay(*LATE[:4]), "node 'late': it delays 4 values and gets 9"),
        (delay(*-LATE), "node 'late': its delay is -0.00"),
        (delay(np.nan), "node 'late': its delay is nan"),
        (delay(np.inf), "node 'late': its delay is inf"),
        (
            delay(*(LATE + 0.5)),
            "node 'late': its delay is 0.5 ms, which is no whole number of steps of 1 ms; choose",
        ),
        (delay(2e6), "2e+06 ms, is more than 1,000,000 steps"),
    ],
)
def test_delays_that_cannot_be(late: Node, message: str) -> None:
    assert message in refused(delayed(late), time_unit="s")


def test_a_finer_step_fits_a_delay_of_half_a_step() -> None:
    model = read(delayed(delay(2.5)), dt=0.5)
    assert model.delays == {"hidden->last": pytest.approx(3.0)}


def test_an_output_is_read_at_once() -> None:
    found = layered([lif(9), lif(4)], weights())
    nodes = {**found.nodes, "late": delay(1.0)}
    message = refused(graph(nodes, "input a hidden b last late output"))
    assert "node 'output': it reads what a Delay makes later" in message
    # Where nothing is later, it is an edge.
    nodes["late"] = delay(0.0)
    assert model_of(graph(nodes, "input a hidden b last late output")).model


def test_the_unit_of_time_is_that_of_delays_too() -> None:
    assert "delays are taken for seconds" in " ".join(model_of(delayed(delay(1.0))).notes)
    seconds = delayed(node("Delay", delay=[3.0]))
    assert "time constants and delays range from 0.02 to 3" in refused(seconds)
    assert read(seconds, time_unit="s").delays == {"hidden->last": 3001.0}


def test_what_nirs_library_writes_is_read() -> None:
    found = delayed(delay(*LATE))
    nodes: dict[str, Any] = {}
    for name, each in found.nodes.items():
        if each.kind in {"Input", "Output"}:
            port = {f"{each.kind.lower()}_type": {each.kind.lower(): each.values["shape"]}}
            nodes[name] = getattr(nir, each.kind)(**port)
        else:
            nodes[name] = getattr(nir, each.kind)(**each.values)
    body = io.BytesIO()
    nir.write(body, nir.NIRGraph(nodes=nodes, edges=list(found.edges)))
    model = read_nir(body.getvalue(), duration=STEPS + 5.0).model
    assert_is(model, after_delay(LATE))
    said = {(each.importer, each.severity) for each in lint(body.getvalue()) if each.node == "late"}
    assert said == {("norse", "warning"), *((n, "error") for n in ("snntorch", "spikingjelly"))} | {
        ("sinabs", "error")
    }


def of_own_delays(neuron: Any = None, network: Network | None = None) -> SpikingModel:
    """A model whose projections take one step more each."""
    neuron = neuron or IFCurrDelta(v_reset=-66.0, tau_refrac=0.0)
    alike = replace(spiking(Case(neuron.name), network), neuron=neuron, coding=Poisson(400.0))
    names = [each.name for each in alike.network.projections]
    model = replace(alike, delay=2 * alike.dt)
    return replace(model, delays={n: (1 + k) * model.dt for k, n in enumerate(names) if k != 1})


EXP = IFCurrExp(tau_refrac=0.0, tau_syn_E=4.0, tau_syn_I=4.0)


@pytest.mark.parametrize("neuron", [None, EXP], ids=["jumps", "currents"])
def test_delays_by_projection_come_back_and_are_read_back(
    neuron: Any, caplog: pytest.LogCaptureFixture
) -> None:
    model = of_own_delays(neuron)
    body = written(model)
    assert "which most importers do not read" in caplog.text
    assert_same(read_nir(body).model, model)
    assert not compare(expected(model), NIR.read_back({".nir": body})).differences
    found = read_graph(body)
    late = {name: each for name, each in found.nodes.items() if each.kind == "Delay"}
    # One takes a step alone, and so has none.
    assert len(late) == len(model.network.projections) - 1


@pytest.mark.parametrize("neuron", [None, EXP], ids=["jumps", "currents"])
@pytest.mark.parametrize(
    "program",
    [
        "conv [1 5 4] 3 [2 3] ⦶ avgpool _ 2 ⦶ dense _ 2",
        "dense 3 4 ⦶ (id 4 ⊕ dense 4 4) ⦶ dense 4 2",
        "conv [2 5 4] 2 3 pad:1 ⦶ (id _ ⊕ conv _ 2 3 pad:1) ⦶ dense _ 3",
    ],
)
def test_kernels_pools_and_identities_have_delays_too(program: str, neuron: Any) -> None:
    plain = of_own_delays(neuron, to_network(program))
    names = enumerate(each.name for each in plain.network.projections)
    model = replace(plain, delays={name: (2 + k) * plain.dt for k, name in names})
    body = written(model)
    assert_same(read_nir(body).model, model)
    assert not compare(expected(model), NIR.read_back({".nir": body})).differences


def test_the_nodes_alone_have_the_delays() -> None:
    neuron = IFCurrDelta(v_rest=0.0, v_reset=0.0, v_thresh=10.0, tau_refrac=0.0)
    # As nodes stand in the file.
    network = replace(SKIP, inputs=("left", "right"))
    model = of_own_delays(neuron, network)
    bare = replace(read_graph(written(model)), metadata={})
    settings: Any = {"dt": model.dt, "duration": model.duration, "coding": model.coding}
    found = model_of(bare, signal="impulse", **settings).model
    assert isinstance(found, SpikingModel)
    stimuli = stimuli_for(network)
    wanted, spikes = (simulate(each, stimuli, seed=2).spikes for each in (model, found))
    for name in ("first", "second", "last"):
        assert wanted[name].any()
        np.testing.assert_array_equal(spikes[name], wanted[name], err_msg=name)
    for each in found.network.projections:
        same = next(p for p in network.projections if p.name == each.name)
        assert found.delay_steps_of(each) == model.delay_steps_of(same)


def test_a_delay_that_was_changed_is_found() -> None:
    model = of_own_delays()
    graph_in = nir.read(io.BytesIO(written(model)))
    (name, *_) = [k for k, each in graph_in.nodes.items() if isinstance(each, nir.Delay)]
    graph_in.nodes[name].delay = graph_in.nodes[name].delay + model.dt / 1000.0
    body = io.BytesIO()
    nir.write(body, graph_in)
    (wrong,) = compare(expected(model), NIR.read_back({".nir": body.getvalue()})).differences
    assert "expected" in wrong.message
    assert wrong.cause == "1 step more"
    notes = read_nir(body.getvalue(), dt=0.5).notes
    assert any("Volr's metadata are ignored" in each for each in notes)


def test_odd_delays_in_the_metadata_are_left_aside() -> None:
    body = written(of_own_delays())
    for odd in ('"delays": {"a": 1.0}', '"delays": [1.0]', '"delays": {"left->square": "x"}'):
        found = read_graph(body)
        told = found.metadata[KEY]
        start = told.index('"delays"')
        changed = told[:start] + odd + told[told.index("}", start) + 1 :]
        notes = model_of(replace(found, metadata={KEY: changed}), dt=0.5).notes
        assert any("metadata are ignored" in each for each in notes), odd


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda each: each.name)
def test_files_for_one_importer_have_no_delays(document: Any) -> None:
    need(document)
    reset = document.resets[0]
    model = of_own_delays(IFCurrDelta(tau_refrac=0.0, reset=reset))
    with pytest.raises(UnsupportedError, match="lacks delays by projection"):
        document.write(model)


@every_simulator
def test_ways_of_several_delays_run_on_every_simulator(started: Started) -> None:
    record, simulator = started
    if IFCurrDelta.name not in record.neurons:
        pytest.skip("NEURON has no membranes that jump")
    model = read(delayed(delay(*LATE)))
    assert len(model.network.projections) == 1 + len(np.unique(LATE))
    wanted = after_delay(LATE)
    found = simulator.run(model, frames(), record=Record(spikes=("last",)))
    np.testing.assert_array_equal(
        found.spikes["last"][2 : 2 + STEPS], wanted[: len(found.spikes["last"]) - 2]
    )
    assert not compare(expected(model, record.precision), simulator.read_back(model)).differences
