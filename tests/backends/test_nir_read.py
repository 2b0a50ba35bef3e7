"""NIR graphs that other programs write, against their own update rules in NumPy."""

from __future__ import annotations

import io
import itertools
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from tests.oracles import random_parameters

from volr.backends.nir import read as reading
from volr.backends.nir.graph import Graph, Node
from volr.backends.nir.read import read_nir
from volr.backends.reference import forward
from volr.engine.reference import simulate
from volr.errors import ModelFileError
from volr.models.activations import Identity, ReLU
from volr.models.coding import ConstantCurrent, Poisson
from volr.models.model import ArtificialModel, SpikingModel
from volr.network import Network, Population, Projection
from volr.neurons import IFCurrDelta, IFCurrExp

if TYPE_CHECKING:
    from numpy.typing import NDArray

nir = pytest.importorskip("nir")

STEPS = 40
DT = 1e-3
SIZES = (6, 9, 4)


def model_of(found: Graph, **settings: Any) -> reading.Imported:
    return reading.model_of(found, how=reading.Reading(**settings))


def node(kind: str, **values: Any) -> Node:
    return Node(kind, {key: np.asarray(each, dtype=float) for key, each in values.items()})


def graph(nodes: dict[str, Node], *edges: str, **metadata: str) -> Graph:
    """Edges as ``a b c``, a path."""
    pairs = [(a, b) for path in edges for a, b in itertools.pairwise(path.split())]
    return Graph(nodes, tuple(pairs), metadata)


def weights(seed: int = 0, scale: float = 1.0) -> list[NDArray[Any]]:
    rng = np.random.default_rng(seed)
    shapes = [(SIZES[1], SIZES[0]), (SIZES[2], SIZES[1])]
    return [scale * rng.normal(0.3, 0.5, shape) for shape in shapes]


def layered(cells: list[Node], matrices: list[NDArray[Any]], **metadata: str) -> Graph:
    nodes = {
        "input": node("Input", shape=[SIZES[0]]),
        "a": node("Linear", weight=matrices[0]),
        "hidden": cells[0],
        "b": node("Linear", weight=matrices[1]),
        "last": cells[1],
        "output": node("Output", shape=[SIZES[2]]),
    }
    return graph(nodes, "input a hidden b last output", **metadata)


def frames(seed: int = 1) -> NDArray[Any]:
    """Binary stimuli ``[batch, unit]``, each shown in every step."""
    return (np.random.default_rng(seed).random((5, SIZES[0])) < 0.6).astype(float)


def spread(low: float, high: float, size: int, seed: int = 5) -> NDArray[Any]:
    return np.random.default_rng(seed).uniform(low, high, size)


class Layer:
    """One layer of an importer: ``v ← a v + k x + c``, through a current where there is ``b``."""

    def __init__(
        self,
        weight: NDArray[Any],
        *,
        a: Any,
        k: Any,
        c: Any = 0.0,
        b: Any = None,
        g: Any = 1.0,
        threshold: Any = 1.0,
        reset: Any = 0.0,
        subtract: bool = False,
    ) -> None:
        self.weight, self.a, self.k, self.c, self.b, self.g = weight, a, k, c, b, g
        self.threshold, self.reset, self.subtract = threshold, reset, subtract
        self.v: Any = 0.0
        self.i: Any = 0.0

    def step(self, x: NDArray[Any]) -> NDArray[Any]:
        x = self.k * (x @ self.weight.T)
        if self.b is not None:
            self.i = self.b * self.i + x
            x = self.g * self.i
        self.v = self.a * self.v + x + self.c
        fired = self.v > self.threshold
        after = self.v - self.threshold if self.subtract else self.reset
        self.v = np.where(fired, after, self.v)
        return fired.astype(float)


def outputs(layers: list[Layer], x: NDArray[Any]) -> NDArray[Any]:
    """Spikes ``[time, batch, unit]``; all layers in one step, as importers have it."""
    found = []
    for _ in range(STEPS):
        y = x
        for layer in layers:
            y = layer.step(y)
        found.append(y)
    return np.array(found).astype(bool)


def assert_spikes(model: Any, layers: list[Layer], *, late: int) -> None:
    """The same spikes, ``late`` steps later."""
    assert isinstance(model, SpikingModel)
    wanted = outputs(layers, frames())
    assert wanted.any()
    assert not wanted.all()
    trace = simulate(model, frames())
    (name,) = model.network.outputs
    found = trace.spikes[name]
    np.testing.assert_array_equal(found[late : late + STEPS], wanted[: len(found) - late])


def read(found: Graph, **settings: Any) -> Any:
    return model_of(found, duration=(STEPS + 5) * 1.0, **settings).model


def lif(size: int, **changes: Any) -> Node:
    values = {"tau": 0.02, "r": 1.0, "v_leak": 0.0, "v_threshold": 1.0, "v_reset": 0.0}
    return node("LIF", **{k: np.broadcast_to(v, size) for k, v in {**values, **changes}.items()})


@pytest.mark.parametrize("reset", ["hard", "subtract"])
def test_euler_steps_as_norse_makes_them(reset: Any) -> None:
    matrices = weights(scale=20.0)
    found = layered([lif(9), lif(4)], matrices)
    layers = [Layer(w, a=0.95, k=0.05, subtract=reset == "subtract") for w in matrices]
    assert_spikes(read(found, reset=reset), layers, late=2)


def test_what_differs_between_neurons_goes_into_weights() -> None:
    matrices = weights(scale=10.0)
    r, theta = [spread(0.5, 2.0, n) for n in (9, 4)], [spread(0.7, 1.5, n, 7) for n in (9, 4)]
    leak = [spread(0.3, 0.6, n, 8) for n in (9, 4)]
    cells = [
        lif(n, r=r[i], v_threshold=theta[i], v_reset=-0.3 * theta[i], v_leak=0.0 * leak[i])
        for i, n in enumerate((9, 4))
    ]
    layers = [
        Layer(w, a=0.95, k=0.05 * r[i], threshold=theta[i], reset=-0.3 * theta[i])
        for i, w in enumerate(matrices)
    ]
    model = read(layered(cells, matrices))
    assert isinstance(model, SpikingModel)
    assert model.neuron.v_reset == pytest.approx(-0.3 * model.neuron.v_thresh)
    assert_spikes(model, layers, late=2)


def test_a_leak_potential_is_a_current() -> None:
    """Of the first layer alone, since constant currents act from the first step on."""
    (matrix, _) = weights(scale=10.0)
    leak, bias = spread(0.1, 0.9, 9), spread(-2.0, 2.0, 9)
    nodes = {
        "input": node("Input", shape=[6]),
        "a": node("Affine", weight=matrix, bias=bias),
        "last": lif(9, v_leak=leak, r=2.0),
        "output": node("Output", shape=[9]),
    }
    model = read(graph(nodes, "input a last output"))
    assert isinstance(model, SpikingModel)
    # In the long run and without spikes v is v_leak + r b.
    np.testing.assert_allclose(
        model.neuron.resistance * model.parameters["last.bias"], leak + 2.0 * bias
    )


@pytest.mark.parametrize(
    ("signal", "kick"),
    [
        ("jump", 1.0),
        ("step", 1.0 - np.exp(-0.05)),
        ("impulse", 1.0 / 0.02),
    ],
)
def test_other_readings_decay_exactly(signal: Any, kick: float) -> None:
    matrices = weights(scale=0.8 / kick)
    found = layered([lif(9), lif(4)], matrices)
    layers = [Layer(w, a=np.exp(-0.05), k=kick) for w in matrices]
    assert_spikes(read(found, signal=signal), layers, late=2)


def cuba(size: int, **changes: Any) -> Node:
    values = {"tau_syn": 5e-3, "tau_mem": 20e-3, "r": 20.0, "v_leak": 0.0, "v_threshold": 1.0}
    values |= {"v_reset": 0.0, "w_in": 5.0}
    return node(
        "CubaLIF", **{k: np.broadcast_to(v, size) for k, v in {**values, **changes}.items()}
    )


@pytest.mark.parametrize("taus", [(5e-3, 20e-3), (20e-3, 20e-3), (20e-3, 5e-3)])
def test_synapses_in_euler_steps_are_one_step_later_each(taus: tuple[float, float]) -> None:
    syn, mem = taus
    matrices = weights(scale=0.2)
    w_in, r = [spread(4.0, 6.0, n) for n in (9, 4)], [spread(15.0, 25.0, n) for n in (9, 4)]
    cells = [cuba(n, w_in=w_in[i], r=r[i], tau_syn=syn, tau_mem=mem) for i, n in enumerate((9, 4))]
    layers = [
        Layer(w, a=1 - DT / mem, b=1 - DT / syn, k=DT / syn * w_in[i], g=DT / mem * r[i])
        for i, w in enumerate(matrices)
    ]
    model = read(layered(cells, matrices))
    assert isinstance(model.neuron, IFCurrExp)
    assert_spikes(model, layers, late=4)


IF = {"r": np.ones(4), "v_threshold": np.ones(4), "v_reset": np.zeros(4)}


@pytest.mark.parametrize(
    ("last", "differs", "late"),
    [
        (lif(4, tau=0.03), {"a": 1 - 1 / 30, "k": 1 / 30}, 2),
        (lif(4, v_reset=-0.4), {"reset": -0.4}, 2),
        (lif(4, v_threshold=spread(0.7, 1.5, 4), r=2.0), {"k": 0.1}, 2),
        (node("IF", **IF), {"a": 1.0, "k": 1.0}, 2),
        (node("Threshold", threshold=np.ones(4)), {"a": 0.0, "k": 1.0}, 2),
        (cuba(4), {"b": 0.8, "k": 1.0, "g": 1.0}, 3),
    ],
    ids=["tau", "reset", "threshold", "IF", "Threshold", "CubaLIF"],
)
def test_layers_of_different_neurons(last: Node, differs: dict[str, Any], late: int) -> None:
    first, second = weights(scale=20.0)
    second = second / differs.get("k", 0.05) / 10.0
    threshold = last.values.get("v_threshold", np.ones(4))
    numbers: dict[str, Any] = {"a": 0.95, "k": 0.05, "threshold": threshold, **differs}
    layers = [
        Layer(first, a=0.95, k=0.05),
        Layer(second, **numbers),
    ]
    model = read(layered([lif(9), last], [first, second]))
    own = set() if last.kind == "LIF" and "k" in differs and "a" not in differs else {"last"}
    assert set(model.neurons) == own
    assert_spikes(model, layers, late=late)


def test_neurons_behind_some_without_a_leak_keep_theirs() -> None:
    first, second = weights(scale=0.4)
    integrators = node("IF", r=np.ones(9), v_threshold=np.ones(9), v_reset=np.zeros(9))
    model = read(layered([integrators, lif(4)], [first, 20.0 * second]))
    assert isinstance(model, SpikingModel)
    assert [model.neuron_of(name).leaks for name in ("hidden", "last")] == [False, True]
    layers = [Layer(first, a=1.0, k=1.0), Layer(20.0 * second, a=0.95, k=0.05)]
    assert_spikes(model, layers, late=2)


def test_synapses_differ_by_layer() -> None:
    first, second = weights(scale=0.3)
    model = read(layered([cuba(9), cuba(4, tau_syn=8e-3)], [first, second]))
    layers = [
        Layer(first, a=0.95, b=0.8, k=1.0),
        Layer(second, a=0.95, b=1 - 1 / 8, k=5.0 / 8),
    ]
    assert_spikes(model, layers, late=4)


def test_neurons_differ_by_unit() -> None:
    first, second = weights(scale=20.0)
    taus, resets = spread(0.01, 0.03, 9), spread(-1.0, -0.2, 9)
    model = read(layered([lif(9, tau=taus, v_reset=resets), lif(4)], [first, second]))
    assert set(model.neurons) == {"hidden", "last"}
    assert len(model.units_of("hidden").kinds) == 9
    layers = [
        Layer(first, a=1 - DT / taus, k=DT / taus, reset=resets),
        Layer(second, a=0.95, k=0.05),
    ]
    assert_spikes(model, layers, late=2)


def test_synapses_differ_by_unit() -> None:
    first, second = weights(scale=0.3)
    mem, syn = spread(0.015, 0.03, 4), spread(0.004, 0.009, 4)
    last = cuba(4, tau_mem=mem, tau_syn=syn)
    model = read(layered([cuba(9), last], [first, second]))
    layers = [
        Layer(first, a=0.95, b=0.8, k=1.0),
        Layer(second, a=1 - DT / mem, b=1 - DT / syn, k=5.0 * DT / syn, g=20.0 * DT / mem),
    ]
    assert_spikes(model, layers, late=4)


def test_inputs_driven_by_currents_have_neurons_of_their_own() -> None:
    (matrix, _) = weights(scale=20.0)
    nodes = {
        "input": node("Input", shape=[6]),
        "first": lif(6, tau=0.01, v_reset=-0.2),
        "fc": node("Linear", weight=matrix),
        "last": cuba(9),
        "output": node("Output", shape=[9]),
    }
    model = read(graph(nodes, "input first fc last output"), signal="step")
    assert isinstance(model, SpikingModel)
    assert isinstance(model.neuron, IFCurrExp)
    own = model.neuron_of("first")
    assert (own.tau_m, own.v_reset) == (pytest.approx(10.0), -0.2)


def test_integrate_and_fire_without_a_leak() -> None:
    matrices = weights(scale=0.4)
    cells = [node("IF", r=np.ones(n), v_threshold=np.ones(n), v_reset=np.zeros(n)) for n in (9, 4)]
    imported = model_of(layered(cells, matrices), duration=45.0, reset="subtract")
    assert any("IF has no leak" in note for note in imported.notes)
    layers = [Layer(w, a=1.0, k=1.0, subtract=True) for w in matrices]
    assert_spikes(imported.model, layers, late=2)


def test_thresholds_are_neurons_that_forget() -> None:
    matrices = weights()
    cells = [node("Threshold", threshold=spread(1.0, 1.6, n)) for n in (9, 4)]
    layers = [
        Layer(w, a=0.0, k=1.0, threshold=c.values["threshold"])
        for w, c in zip(matrices, cells, strict=True)
    ]
    model = read(layered(cells, matrices))
    assert_spikes(model, layers, late=2)


def test_snntorchs_step_shows_in_its_resistance() -> None:
    """Its exporter writes τ = dt / (1 − β) and r = τ / dt, with dt = 1e-4 s."""
    matrices = weights(scale=0.8)
    cells = [lif(n, tau=np.float32(1e-3), r=np.float32(10.0)) for n in (9, 4)]
    imported = model_of(layered(cells, matrices), duration=4.5)
    assert imported.model.dt == 0.1  # type: ignore[union-attr]
    assert any("everywhere r is the time constant over that" in note for note in imported.notes)
    layers = [Layer(w, a=0.9, k=1.0) for w in matrices]
    assert_spikes(imported.model, layers, late=2)


def test_units_and_step_are_inferred_said_or_asked_for() -> None:
    matrices = weights()

    def of(tau: float, last: float | None = None, **settings: Any) -> Any:
        metadata = settings.pop("metadata", {})
        cells = [lif(9, tau=tau), lif(4, tau=last or tau)]
        return model_of(layered(cells, matrices, **metadata), signal="step", **settings)

    seconds = of(0.02)
    assert seconds.model.neuron.tau_m == pytest.approx(20.0)
    assert seconds.model.dt == 1.0
    assert any("taken for seconds, the largest being 0.02" in note for note in seconds.notes)
    assert any("states no step: 1 ms" in note for note in seconds.notes)
    milliseconds = of(20.0)
    assert milliseconds.model.neuron.tau_m == 20.0
    assert any("milliseconds" in note for note in milliseconds.notes)
    told = of(20.0, time_unit="s", dt=100.0)
    assert told.model.neuron.tau_m == 20_000.0
    assert told.model.dt == 100.0
    assert not any("taken for" in note for note in told.notes)
    with pytest.raises(ModelFileError, match=r"range from 0\.5 to 2.*\n.*time_unit='s'"):
        of(0.5, 2.0)
    own = of(0.02, metadata={"dt": "0.0005"})
    assert own.model.dt == 0.5
    assert any("the file's own, 0.5 ms" in note for note in own.notes)
    assert of(0.02, metadata={"dt": "soon"}).model.dt == 1.0
    assert own.model.duration == 50.0


def test_linear_nodes_are_multiplied_out() -> None:
    rng = np.random.default_rng(4)
    w1, w2, w3, side = (rng.normal(size=s) for s in ((5, 6), (3, 5), (4, 3), (4, 6)))
    b1, b2, s = rng.normal(size=5), rng.normal(size=4), rng.normal(size=3)
    nodes = {
        "input": node("Input", shape=[2, 3]),
        "flat": node("Flatten", start_dim=0, end_dim=-1),
        "w1": node("Affine", weight=w1, bias=b1),
        "w2": node("Linear", weight=w2),
        "s": node("Scale", scale=s),
        "w3": node("Affine", weight=w3, bias=b2),
        "side": node("Linear", weight=side),
        "twice": node("Scale", scale=2.0 * np.ones(4)),
        "output": node("Output", shape=[4]),
    }
    found = graph(nodes, "input flat w1 w2 s w3 output", "flat side twice output", "side output")
    model = model_of(found).model
    assert isinstance(model, ArtificialModel)
    assert model.activation == Identity()
    x = rng.random((7, 6))
    wanted = ((x @ w1.T + b1) @ w2.T * s) @ w3.T + b2 + 3.0 * x @ side.T
    np.testing.assert_allclose(forward(model, x), wanted)


def test_branches_that_meet_in_neurons_are_projections() -> None:
    rng = np.random.default_rng(4)
    size = {"left": 3, "right": 4, "join": 2}
    into = {"a": (3, 6), "b": (4, 6), "c": (2, 3), "d": (2, 4), "skip": (2, 6)}
    w = {k: rng.normal(size=s) for k, s in into.items()}
    nodes = {
        "input": node("Input", shape=[6]),
        "output": node("Output", shape=[2]),
        **{k: node("Linear", weight=each) for k, each in w.items()},
        **{k: lif(n) for k, n in size.items()},
    }
    found = graph(nodes, "input a left c join output", "input b right d join", "input skip join")
    model = model_of(found, signal="impulse").model
    assert model.network.outputs == ("join",)
    assert {(p.source, p.target) for p in model.network.projections} == {
        ("input", "left"),
        ("input", "right"),
        ("left", "join"),
        ("right", "join"),
        ("input", "join"),
    }
    np.testing.assert_allclose(model.parameters["right->join.weight"], 50.0 * w["d"])
    np.testing.assert_allclose(model.parameters["input->join.weight"], 50.0 * w["skip"])


def test_an_artificial_network_of_rates() -> None:
    matrices = weights()
    r, theta = spread(0.5, 2.0, 9), spread(0.5, 2.0, 9, 9)
    nodes = {
        "input": node("Input", shape=[6]),
        "a": node("Affine", weight=matrices[0], bias=np.arange(9.0) - 4),
        "hidden": node("IF", r=r, v_threshold=theta, v_reset=-theta),
        "b": node("Linear", weight=matrices[1]),
        "output": node("Output", shape=[4]),
    }
    imported = model_of(graph(nodes, "input a hidden b output"), generation="ANN")
    assert isinstance(imported.model, ArtificialModel)
    assert imported.model.activation == ReLU()
    x = np.random.default_rng(0).random((5, 6))
    rate = np.maximum(r * (x @ matrices[0].T + np.arange(9.0) - 4), 0.0) / (2.0 * theta)
    np.testing.assert_allclose(forward(imported.model, x), rate @ matrices[1].T)
    assert any("ReLU" in note for note in imported.notes)
    # The rates themselves may be what is read.
    again = graph({**nodes, "output": node("Output", shape=[9])}, "input a hidden output")
    del nodes["b"]
    again = graph({**nodes, "output": node("Output", shape=[9])}, "input a hidden output")
    found = model_of(again, generation="ANN").model
    assert isinstance(found, ArtificialModel)
    np.testing.assert_allclose(forward(found, x), rate)
    with pytest.raises(ModelFileError, match="it reads a weighted sum"):
        model_of(
            graph(
                {
                    **nodes,
                    "b": node("Linear", weight=matrices[1]),
                    "output": node("Output", shape=[4]),
                },
                "input a hidden b output",
            )
        )


def test_integrators_are_outputs_whose_membrane_is_read() -> None:
    matrices = weights(scale=20.0)
    last = node("LI", tau=np.full(4, 0.02), r=np.ones(4), v_leak=np.zeros(4))
    model = read(layered([lif(9), last], matrices))
    assert isinstance(model, SpikingModel)
    assert model.readout == "membrane"
    trace = simulate(model, frames())
    hidden, v, i = Layer(matrices[0], a=0.95, k=0.05), 0.0, 0
    for i in range(STEPS):
        v = 0.95 * v + 0.05 * (hidden.step(frames()) @ matrices[1].T)
        np.testing.assert_allclose(trace.membranes["last"][i + 2], v, atol=1e-9)
    assert i == STEPS - 1


def test_neurons_at_the_input_are_driven_by_it() -> None:
    nodes = {
        "input": node("Input", shape=[6]),
        "first": lif(6),
        "a": node("Linear", weight=weights(scale=20.0)[0]),
        "last": lif(9),
        "output": node("Output", shape=[9]),
    }
    imported = model_of(graph(nodes, "input first a last output"))
    assert isinstance(imported.model, SpikingModel)
    assert imported.model.network.inputs == ("first",)
    assert imported.model.coding == ConstantCurrent(500.0)
    assert simulate(imported.model, frames()).spikes["last"].any()
    model = model_of(graph(nodes, "input first a last output"), coding=ConstantCurrent(7.0)).model
    assert isinstance(model, SpikingModel)
    assert model.coding == ConstantCurrent(7.0)


def test_graphs_within_the_graph_are_dissolved() -> None:
    matrices = weights(scale=20.0)
    full = [np.full(n, 1.0) for n in (9, 4)]
    cells = [nir.LIF(tau=0.02 * x, r=x, v_leak=0 * x, v_threshold=x, v_reset=0 * x) for x in full]
    inner = nir.NIRGraph(
        nodes={
            "input": nir.Input(np.array([6])),
            "fc": nir.Linear(matrices[0]),
            "cells": cells[0],
            "output": nir.Output(np.array([9])),
        },
        edges=[("input", "fc"), ("fc", "cells"), ("cells", "output")],
    )
    whole = nir.NIRGraph(
        nodes={
            "input": nir.Input(np.array([6])),
            "block": inner,
            "fc": nir.Linear(matrices[1]),
            "last": cells[1],
            "output": nir.Output(np.array([4])),
        },
        edges=[("input", "block"), ("block", "fc"), ("fc", "last"), ("last", "output")],
    )
    body = io.BytesIO()
    nir.write(body, whole)
    model = read_nir(body.getvalue(), duration=45.0).model
    assert [p.name for p in model.network.populations] == ["input", "block.cells", "last"]
    assert_spikes(model, [Layer(w, a=0.95, k=0.05) for w in matrices], late=2)


def refused(found: Graph, **settings: Any) -> str:
    with pytest.raises(ModelFileError) as error:
        model_of(found, **settings)
    return str(error.value)


def test_everything_in_the_way_is_listed_at_once() -> None:
    matrices = weights()
    found = layered([lif(9), lif(4)], matrices)
    nodes = {
        **found.nodes,
        "late": Node("Sigmoid"),
        "odd": Node("Fancy"),
        "stray": lif(3),
        "rec": node("Linear", weight=np.ones((4, 4))),
    }
    edges = (*found.edges, ("input", "late"), ("late", "odd"), ("last", "rec"), ("rec", "last"))
    message = refused(Graph(nodes, edges))
    for word in (
        "node 'late': Volr has no Sigmoid",
        "node 'odd': Volr has no Fancy",
        "node 'stray': nothing leads to it",
        "node 'stray': it leads nowhere",
        "nodes 'last', 'output', 'rec': they lie on a loop",
    ):
        assert word in message


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ([lif(9), lif(4, tau=spread(-0.01, 0.02, 4))], "node 'last': its time constant is"),
        ([lif(9), lif(4, v_threshold=-1.0)], "node 'last': its threshold is not above 0"),
        ([lif(9), lif(4, tau=-0.02)], "node 'last': its time constant is -20 ms"),
        ([lif(9, tau=1e-4), lif(4, tau=1e-4)], "Euler's method leaves nothing"),
        ([lif(9), lif(5)], "node 'last': it has 5 neurons and gets 4 values"),
        (
            [node("LI", tau=np.full(9, 0.02), r=np.ones(9), v_leak=np.zeros(9)), lif(4)],
            "node 'hidden': it never spikes, and is no output",
        ),
        ([lif(9, v_reset=2.0), lif(4, v_reset=2.0)], "v_reset 2.0 is not below v_thresh"),
        ([lif(9, r=1e300), lif(4)], "not finite"),
    ],
    ids=range(8),
)
def test_neurons_that_are_not_one_of_ours(cells: list[Node], message: str) -> None:
    matrices = [1e300 * weights()[0], weights()[1]] if "finite" in message else weights()
    assert message in refused(layered(cells, matrices))


def test_odd_graphs() -> None:
    wide, cell = node("Input", shape=[6]), lif(9)
    output, fc = node("Output", shape=[9]), node("Linear", weight=np.ones((9, 6)))
    base = {"input": wide, "fc": fc, "cell": cell, "output": output}
    assert "an Output leads to something" in refused(graph(base, "input fc cell output fc"))
    both = graph({**base, "first": lif(6)}, "input fc cell output", "input first fc")
    assert "leads to neurons and to something else" in refused(both)
    two = graph({**base, "other": wide, "first": lif(6)}, "input fc cell output", "other first fc")
    assert "some Inputs lead to neurons" in refused(two)
    twice = graph({**base, "again": output}, "input fc cell output", "cell again")
    assert "two Outputs read the same" in refused(twice)
    for change in (
        {"input": node("Input", shape=[-6])},
        {"input": node("Input", shape=[2.5])},
        {"input": node("Input", shape=[7])},
        {"fc": node("Linear", weight=np.ones((9, 3, 6)))},
        {"fc": node("Affine", weight=np.ones((9, 6)), bias=np.ones(3))},
        {"fc": node("Scale", scale=np.ones(5))},
    ):
        assert "no network that Volr can express" in refused(
            graph({**base, **change}, "input fc cell output")
        )
    assert "there is no input population" in refused(Graph({}, ()))
    assert "dt is -1" in refused(graph(base, "input fc cell output"), dt=-1.0)
    for words in ({"signal": "odd"}, {"reset": "soft"}, {"generation": "GNN"}, {"time_unit": "h"}):
        assert "not one of" in refused(graph(base, "input fc cell output"), **words)


def test_names_that_no_line_can_hold_are_changed() -> None:
    base = {
        "a b": node("Input", shape=[6]),
        "a\nb": node("Linear", weight=20.0 * np.ones((9, 6))),
        "a_b": lif(9),
        "x->y": node("Linear", weight=np.ones((2, 9))),
        "a->b": lif(2),
        "output": node("Output", shape=[2]),
    }
    edges = tuple(itertools.pairwise(base))
    network = model_of(Graph(base, edges)).model.network
    assert [p.name for p in network.populations] == ["a_b", "a_b_2", "a_b_3"]


def test_the_default_input_spikes_with_the_probability_of_its_value() -> None:
    model = read(layered([lif(9), lif(4)], weights()), dt=0.5)
    assert isinstance(model, SpikingModel)
    assert model.coding == Poisson(2000.0)
    assert model.neuron == IFCurrDelta(
        v_rest=0.0,
        v_reset=0.0,
        v_thresh=1.0,
        tau_m=model.neuron.tau_m,
        tau_refrac=0.0,
    )


def test_a_path_that_cannot_be_read(tmp_path: Any) -> None:
    for path in (tmp_path / "none.nir", tmp_path):
        with pytest.raises(ModelFileError, match="cannot read"):
            read_nir(path)


def test_an_input_may_be_an_output_of_either_generation() -> None:
    base = {"input": node("Input", shape=[3]), "output": node("Output", shape=[3])}
    network = Network((Population("input", (3,)),), (), ("input",), ("input",))
    assert model_of(graph(base, "input output")).model.network == network
    both = {**base, "fc": node("Linear", weight=np.ones((2, 3))), "y": lif(2)}
    both["z"] = node("Output", shape=[2])
    found = model_of(graph(both, "input output", "input fc y z")).model.network
    assert found.outputs == ("input", "y")
    assert found.projections == (Projection("input", "y"),)
    assert random_parameters(found, np.random.default_rng(), weight=1.0, bias=0.0)


@pytest.mark.parametrize("signal", ["euler", "jump", "impulse"])
@pytest.mark.parametrize("reset", ["hard", "subtract"])
def test_an_integrator_fires_at_its_threshold(signal: Any, reset: Any) -> None:
    weight = np.array([[0.5], [0.1], [1 / 3], [2.0], [-0.25]])
    bias = np.array([0.0, 0.0, 0.0, 0.0, 0.5])
    found = graph(
        {
            "input": node("Input", shape=[1]),
            "a": node("Affine", weight=weight, bias=bias),
            "cells": node("IF", r=np.ones(5), v_threshold=[1, 1, 1, 4, 1], v_reset=np.zeros(5)),
            "output": node("Output", shape=[5]),
        },
        "input a cells output",
    )
    imported = model_of(found, duration=31.0, signal=signal, reset=reset)
    model = imported.model
    assert isinstance(model, SpikingModel)
    assert model.neuron.tau_m == math.inf
    spikes = simulate(model, np.ones((1, 1))).spikes["cells"][:, 0]
    # A charge comes a step after its spike, and a bias, r b or of s r b / 1000, from the start on.
    for train, every in zip(spikes.T[:4], (2, 10, 3, 2), strict=True):
        np.testing.assert_array_equal(np.flatnonzero(train), np.arange(every, 31, every))
    gaps = set(np.diff(np.flatnonzero(spikes[:, 4])).tolist())
    assert gaps == (set() if signal == "impulse" else {4})
