"""NIR files of networks with kernels, pools, identities and sums: all is there, and is read."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from tests.backends.kernels import LARGEST, ROW, SUMS
from tests.backends.test_nir import assert_same, graph_of, written
from tests.engine.examples import spiking_model
from tests.oracles import random_parameters

from volr import import_nir, to_network
from volr.backends.expected import expected
from volr.backends.nir import NIR
from volr.backends.nir.graph import Graph
from volr.backends.nir.hdf5_read import read_graph
from volr.backends.nir.hdf5_write import write_graph
from volr.backends.nir.read import read_nir
from volr.backends.reference import forward
from volr.engine.reference import simulate
from volr.errors import UnsupportedError
from volr.models.activations import Identity, ReLU
from volr.models.coding import ConstantCurrent, Poisson
from volr.models.model import ArtificialModel, SpikingModel
from volr.network import Network, Population, Projection
from volr.network.connectors import Convolution, Windows
from volr.verification.comparison import compare

if TYPE_CHECKING:
    from volr.models.activations import Activation
    from volr.models.model import Model

nir = pytest.importorskip("nir")
pytest.importorskip("h5py")

NETWORKS = {
    "sums": SUMS,
    # A row that a dense layer makes is no map, so `y` leads nowhere.
    "row": replace(
        ROW,
        populations=tuple(replace(p, merge="sum") for p in ROW.populations),
        projections=tuple(p for p in ROW.projections if p.source != "y"),
    ),
    "lenet": to_network(
        "conv [1 9 8] 2 [3 2] pad:1 ⦶ avgpool _ 2 ⦶ conv _ 3 2 ⦶ avgpool _ [2 1]"
        " ⦶ dense _ 7 ⦶ dense _ 3"
    ),
    "residual": to_network(
        "conv [2 5 6] 4 3 pad:1 ⦶ ((conv _ 4 3 pad:1 groups:2 ⦶ conv _ 4 [1 3] pad:[0 1]) ⊕ id _)"
        " ⦶ avgpool _ [2 3]"
    ),
    "one axis": to_network(
        "conv [2 9] 4 3 stride:2 ⦶ avgpool _ 2 ⦶ conv _ 4 1 groups:2"
        " ⦶ (id _ ⊖ conv _ 4 1) ⦶ avgpool _ 2 ⦶ dense _ 2"
    ),
    "rows": to_network("dense [2 3] 5 ⦶ (dense _ 5 ⦶ dense _ 5 ⊕ id _)"),
    # A population between that only adds up windows has no activation.
    "passes on": Network(
        (Population("x", (2, 4, 6)), Population("sums", (2, 2, 2)), Population("out", (3, 2, 2))),
        (Projection("x", "sums", Windows((2, 3))), Projection("sums", "out", Convolution((1, 1)))),
        ("x",),
        ("out",),
    ),
    "identities": to_network("id [2 3 4] ⊕ conv [2 3 4] 2 1 ⊕ id [2 3 4]"),
}
ARTIFICIAL = sorted(set(NETWORKS) - {"row"})


def artificial(network: Network, *, ones: bool = False) -> ArtificialModel:
    """Random parameters; ``ones`` leaves the weights of identities 1."""
    values = random_parameters(network, np.random.default_rng(0), weight=0.5, bias=0.2)
    fixed = {f"{p.name}.weight" for p in network.projections if not p.connector.trained}
    kept = {name: np.ones(1) if ones and name in fixed else each for name, each in values.items()}
    return ArtificialModel(network, kept, ReLU())


def spiking(kind: str, network: Network, **settings: Any) -> SpikingModel:
    return spiking_model(kind, network, **settings)


def bare(model: Model) -> bytes:
    """The file without the metadata, as another program would write it."""
    graph = read_graph(written(model))
    return write_graph(Graph(graph.nodes, graph.edges))


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize(("ones", "activation"), [(False, ReLU()), (True, Identity())])
def test_artificial_models_come_back_to_the_last_digit(
    name: str, ones: bool, activation: Activation
) -> None:
    assert_comes_back(replace(artificial(NETWORKS[name], ones=ones), activation=activation))


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize(
    ("kind", "coding"), [("delta", ConstantCurrent(300.0)), ("exp", Poisson(200.0))]
)
def test_spiking_models_come_back_to_the_last_digit(name: str, kind: str, coding: Any) -> None:
    changes = {"reset": "subtract", "cm": 0.7}
    assert_comes_back(spiking(kind, NETWORKS[name], coding=coding, delay=3, **changes))


def assert_comes_back(model: Model) -> None:
    files = NIR.write(model)
    found = read_nir(files[".nir"])
    assert not found.notes
    assert_same(found.model, model)
    assert compare(expected(model), NIR.read_back(files)).differences == ()


@pytest.mark.parametrize("name", ARTIFICIAL)
def test_the_nodes_alone_are_the_artificial_network(name: str) -> None:
    model = artificial(NETWORKS[name])
    found = import_nir(bare(model), generation="ANN").model
    assert isinstance(found, ArtificialModel)
    stimuli = np.random.default_rng(1).random((5, model.network.input_size))
    np.testing.assert_allclose(forward(found, stimuli), forward(model, stimuli), rtol=1e-9)


@pytest.mark.parametrize("name", ARTIFICIAL)
@pytest.mark.parametrize("kind", ["delta", "exp"])
def test_the_nodes_alone_are_the_spiking_network(name: str, kind: str) -> None:
    changes = {"tau_refrac": 0.0, "i_offset": 0.0, "v_reset": -65.0}
    model = spiking(kind, NETWORKS[name], coding=Poisson(500.0), steps=60, **changes)
    imported = import_nir(
        bare(model), signal="impulse", dt=0.5, duration=model.duration, coding=model.coding
    )
    found = imported.model
    assert isinstance(found, SpikingModel)
    stimuli = np.random.default_rng(1).random((4, model.network.input_size))
    trace, again = simulate(model, stimuli, seed=2), simulate(found, stimuli, seed=2)
    for ours, theirs in zip(model.network.outputs, found.network.outputs, strict=True):
        assert trace.spikes[ours].any()
        np.testing.assert_array_equal(again.spikes[theirs], trace.spikes[ours])


def test_lenet_is_the_nodes_that_nir_has_for_it() -> None:
    network = to_network(
        "conv [1 11 8] 4 3 stride:[2 1] pad:1 groups:1 ⦶ avgpool _ 2 ⦶ dense _ 5 ⦶ dense _ 3"
    )
    model = spiking("delta", network, coding=Poisson(100.0), cm=0.5)
    # nir infers the shapes, and finds no fault.
    graph = graph_of(model)
    path = ["input", "input_conv_1", "conv_1", "conv_1_dense_2_pool_1", "conv_1_dense_2_flat"]
    path += ["conv_1_dense_2", "dense_2", "dense_2_dense_3", "dense_3", "of_dense_3"]
    assert graph.edges == list(itertools.pairwise(path))
    conv = graph.nodes["input_conv_1"]
    np.testing.assert_array_equal(conv.weight, model.parameters["input->conv_1.weight"])
    # mV/s: 0.1 nA is the example's offset.
    np.testing.assert_allclose(conv.bias, 1000 * (model.parameters["conv_1.bias"] + 0.1) / 0.5)
    numbers = (conv.input_shape, conv.stride, conv.padding, conv.dilation)
    assert [list(each) for each in numbers] == [[11, 8], [2, 1], [1, 1], [1, 1]]
    assert conv.groups == 1
    assert graph.nodes["conv_1"].tau.shape == (4, 6, 8)
    pool = graph.nodes["conv_1_dense_2_pool_1"]
    assert [list(each) for each in (pool.kernel_size, pool.stride)] == [[2, 2], [2, 2]]
    assert not pool.padding.any()
    flat = graph.nodes["conv_1_dense_2_flat"]
    assert list(flat.output_type["output"]) == [4 * 3 * 4]
    assert graph.nodes["conv_1_dense_2"].weight.shape == (5, 48)
    assert list(graph.nodes["input"].input_type["input"]) == [1, 11, 8]


def test_a_pool_over_one_axis_is_a_kernel_of_each_channel() -> None:
    graph = read_graph(written(artificial(to_network("avgpool [3 9] 2 stride:3 ⦶ dense _ 2"))))
    node = graph.nodes["input_dense_1_pool_1"]
    assert node.kind == "Conv1d"
    np.testing.assert_array_equal(node.values["weight"], np.full((3, 1, 2), 0.5))
    assert (float(node.values["groups"]), float(node.values["stride"])) == (3.0, 3.0)


def test_identities_are_edges_where_their_weight_is_1() -> None:
    network = to_network("conv [2 3 4] 2 1 ⦶ (conv _ 2 1 ⊕ id _)")
    plain = read_graph(written(artificial(network, ones=True)))
    assert ("conv_1", "of_conv_2") in plain.edges
    assert not plain.of_kind("Scale")
    scaled = read_graph(written(artificial(network)))
    (name,) = scaled.of_kind("Scale")
    assert {("conv_1", name), (name, "of_conv_2")} <= set(scaled.edges)
    # An Input with an edge to neurons would drive them.
    model = spiking("delta", to_network("id [2 3 4] ⊕ conv [2 3 4] 2 1"))
    values = {k: np.ones(1) if v.shape == (1,) else v for k, v in model.parameters.items()}
    assert read_graph(written(replace(model, parameters=values))).of_kind("Scale")


def test_what_only_pools_has_its_current_as_v_leak(caplog: pytest.LogCaptureFixture) -> None:
    network = to_network("conv [1 4 6] 2 1 ⦶ avgpool _ 2")
    model = spiking("delta", network, tau_refrac=0.0, v_reset=-65.0, i_offset=0.0)
    values = {**model.parameters, "avgpool_2.bias": np.array([0.1, -0.2])}
    model = replace(model, parameters=values)
    cells = graph_of(model).nodes["avgpool_2"]
    current = np.repeat([0.1, -0.2], 6).reshape(2, 2, 3)
    np.testing.assert_allclose(cells.v_leak, model.neuron.resistance * current)
    assert "biases of avgpool_2" in caplog.text
    again = import_nir(bare(model), signal="impulse", dt=0.5).model
    np.testing.assert_allclose(again.parameters["avgpool_2.bias"], [0.1, -0.2])
    unsayable = replace(model, neuron=replace(model.neuron, tau_m=math.inf))
    with pytest.raises(UnsupportedError, match="avgpool_2, which gets neither a kernel"):
        NIR.write(unsayable)


@pytest.mark.parametrize(
    ("program", "message", "place"),
    [
        (
            "conv [1 4 4] 2 1 ⦶ maxpool _ 2",
            "nir lacks `maxpool`, which maxpool_2 is",
            "maxpool _ 2",
        ),
        (
            "dense 4 [2 3 3] ⦶ conv _ 2 2",
            "gives a row axes: dense_1",
            "dense 4 [2 3 3]",
        ),
        (
            "conv [1 3 3] 2 1 ⦶ (conv _ 2 1 ⊕ dense _ [2 3 3]) ⦶ avgpool _ 3 ⦶ dense _ 1",
            "gives a row axes: conv_2",
            "dense _ [2 3 3]",
        ),
    ],
)
def test_what_nir_cannot_say_is_refused_at_its_place(
    program: str, message: str, place: str
) -> None:
    model = artificial(to_network(program))
    with pytest.raises(UnsupportedError, match=message) as caught:
        NIR.write(model)
    assert place in str(caught.value)
    assert caught.value.help
    with pytest.raises(UnsupportedError, match="nir"):
        NIR.write(artificial(LARGEST))


def test_a_dense_layer_and_a_kernel_meet_in_a_row() -> None:
    model = artificial(to_network("conv [1 3 4] 2 1 ⦶ (conv _ 2 1 ⊕ dense _ [2 3 4]) ⦶ dense _ 2"))
    graph = read_graph(written(model))
    assert graph.nodes["conv_2"].values["r"].shape == (24,)
    kinds = [node.kind for node in graph.nodes.values()]
    assert kinds.count("Flatten") == 2
    assert_same(read_nir(written(model)).model, model)
