"""What is found in NIR files whose kernels, ways or metadata were changed."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from tests.backends.test_nir import changed, written
from tests.backends.test_nir_kernels import artificial

from volr import to_network
from volr.backends.expected import expected
from volr.backends.nir import NIR
from volr.backends.nir.graph import Graph, Node
from volr.backends.nir.hdf5_read import read_graph
from volr.backends.nir.hdf5_write import write_graph
from volr.backends.nir.read import read_nir
from volr.errors import ModelFileError
from volr.verification.comparison import compare

if TYPE_CHECKING:
    from collections.abc import Callable


nir = pytest.importorskip("nir")
pytest.importorskip("h5py")

MODEL = artificial(
    to_network("conv [2 6 5] 4 [3 2] pad:1 ⦶ (conv _ 4 3 pad:1 ⊕ id _) ⦶ dense _ 3"), ones=True
)


def _set(node: str, key: str, change: Callable[[Any], Any]) -> Callable[[Any], object]:
    return lambda graph: setattr(graph.nodes[node], key, change(getattr(graph.nodes[node], key)))


MUTATIONS: dict[str, tuple[Callable[[Any], object], str]] = {
    "flipped": (_set("input_conv_1", "weight", lambda w: w[..., ::-1].copy()), "input->conv_1"),
    "upside down": (
        _set("input_conv_1", "weight", lambda w: w[:, :, ::-1].copy()),
        "input->conv_1",
    ),
    "channels": (_set("input_conv_1", "weight", lambda w: w[:, ::-1].copy()), "input->conv_1"),
    "transposed": (
        _set("conv_1_conv_2", "weight", lambda w: w.swapaxes(2, 3).copy()),
        "conv_1->conv_2",
    ),
    "outputs": (_set("conv_1_conv_2", "weight", lambda w: w[::-1].copy()), "conv_1->conv_2"),
    "a bias": (_set("conv_1_conv_2", "bias", lambda b: b + 0.1), "conv_2"),
}


@pytest.mark.parametrize("case", MUTATIONS)
def test_kernels_that_differ_are_found(case: str) -> None:
    change, where = MUTATIONS[case]
    graph = nir.read(io.BytesIO(written(MODEL)), type_check=False)
    change(graph)
    body = io.BytesIO()
    nir.write(body, graph)
    found = compare(expected(MODEL), NIR.read_back({".nir": body.getvalue()})).differences
    assert {each.where for each in found} == {where}


def _moved(change: Callable[[dict[str, Any], list[tuple[str, str]]], object]) -> bytes:
    graph = read_graph(written(MODEL))
    nodes, edges = dict(graph.nodes), list(graph.edges)
    change(nodes, edges)
    return write_graph(Graph(nodes, tuple(edges), graph.metadata))


def test_ways_that_differ_are_found() -> None:
    def wheres(change: Callable[[dict[str, Any], list[tuple[str, str]]], object]) -> list[str]:
        found = compare(expected(MODEL), NIR.read_back({".nir": _moved(change)})).differences
        return [each.where for each in found]

    # Without the identity, and with it twice.
    assert wheres(lambda _, edges: edges.remove(("conv_1", "conv_2"))) == ["conv_1->conv_2"]
    scale = Node("Scale", {"scale": np.ones((4, 6, 6))})
    way = [("conv_1", "again"), ("again", "conv_2")]
    assert wheres(lambda nodes, edges: (nodes.update(again=scale), edges.extend(way))) == [
        "conv_1->conv_2"
    ]
    # From somewhere else.
    assert "input->dense_3" in wheres(
        lambda nodes, edges: (
            nodes.update(more=Node("Linear", {"weight": np.ones((3, 60))})),
            edges.extend([("input", "more"), ("more", "of_dense_3")]),
        )
    )

    def centred(nodes: dict[str, Any], _: Any) -> None:
        node = nodes["conv_1_conv_2"]
        weight = node.values["weight"][..., 1:2, 1:2]
        values = {**node.values, "padding": np.zeros(2), "weight": weight}
        nodes["conv_1_conv_2"] = replace(node, values=values)

    with pytest.raises(ModelFileError, match="none of Volr's"):
        NIR.read_back({".nir": _moved(centred)})

    def moved(nodes: dict[str, Any], _: Any) -> None:
        node = nodes["conv_1_conv_2"]
        values = {**node.values, "padding": np.array([0.0, 2.0])}
        nodes["conv_1_conv_2"] = replace(node, values=values)

    # A kernel that is shifted gives a map that cannot be added to the identity.
    assert "conv_1->conv_2" in wheres(moved)


WORDS: dict[str, Callable[[dict[str, Any]], object]] = {
    "another name": lambda w: w["connector"].update(name="spiral"),
    "no name": lambda w: w["connector"].pop("name"),
    "no window": lambda w: w["connector"].pop("window"),
    "a window in words": lambda w: w["connector"].update(window="3x3"),
    "a window below 0": lambda w: w["connector"].update(window=[-1, 3]),
    "a window of halves": lambda w: w["connector"].update(window=[1.5, 3]),
    "three axes": lambda w: w["connector"].update(window=[1, 2, 3]),
    "a stride of 0": lambda w: w["connector"].update(stride=[0, 1]),
    "a huge pad": lambda w: w["connector"].update(pad=[1 << 50, 1]),
    "true groups": lambda w: w["connector"].update(groups=True),
    "more": lambda w: w["connector"].update(more=1),
    "no connector": lambda w: w.update(connector=None),
    "a number of 0": lambda w: w.update(number=0),
    "a word more": lambda w: w.update(back=True),
    "a pool of nothing": lambda w: w.update(
        connector={"name": "pooled", "pools": [], "of": {"name": "all_to_all"}}
    ),
    "pools in pools": lambda w: w.update(
        connector={"name": "pooled", "pools": [[[1, 1], [1, 1]]], "of": {"name": "pooled"}}
    ),
    "another pool": lambda w: w.update(
        connector={"name": "pooled", "pools": [[2, 2]], "of": w["connector"]}
    ),
}


@pytest.mark.parametrize("case", WORDS)
def test_odd_connectors_in_the_metadata_are_left_aside(case: str) -> None:
    model = artificial(to_network("conv [1 4 5] 2 3 pad:1 ⦶ dense _ 2"))

    def disturb(graph: Any) -> None:
        described = json.loads(graph.metadata["volr"])
        WORDS[case](described["projections"][0][3])
        graph.metadata["volr"] = json.dumps(described)

    body = changed(written(model), disturb)
    found = read_nir(body, generation="ANN")
    assert "are ignored" in found.notes[0]
    assert found.model.network.populations[1].shape == (2, 4, 5)
    with pytest.raises(ModelFileError):
        NIR.read_back({".nir": body})
