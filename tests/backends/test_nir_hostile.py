"""NIR files that are damaged, or made to do harm: each ends in one error, and soon.

All of it in this process: nothing was found that crashes or stops the HDF5 library but text in a
damaged heap, which it is never asked for.
"""

from __future__ import annotations

import io
import itertools
import random
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from tests.engine.examples import spiking_model
from tests.oracles import chain

from volr.backends.nir import NIR
from volr.backends.nir.hdf5_read import DEEPEST, read_graph
from volr.backends.nir.read import read_nir
from volr.errors import ModelFileError
from volr.models.coding import Poisson

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

h5py = pytest.importorskip("h5py")
nir = pytest.importorskip("nir")


def put(group: Any, kind: str, **values: Any) -> Any:
    group.create_dataset("type", data=kind)
    for key, value in values.items():
        group.create_dataset(key, data=value)
    return group


def nothing(*_: Any) -> None:
    """The file as it is."""


def file_of(change: Callable[[Any, Any], object] = nothing) -> bytes:
    """Input → fc → output, and what ``change(file, nodes)`` makes of it."""
    body = io.BytesIO()
    with h5py.File(body, "w") as file:
        root = put(file.create_group("node"), "NIRGraph")
        root.create_dataset("edges", data=[["input", "fc"], ["fc", "output"]])
        nodes = root.create_group("nodes")
        put(nodes.create_group("input"), "Input", shape=np.array([3]))
        put(nodes.create_group("fc"), "Affine", weight=np.ones((2, 3)), bias=np.ones(2))
        put(nodes.create_group("output"), "Output", shape=np.array([2]))
        change(file, nodes)
    return body.getvalue()


def replaced(key: str, **settings: Any) -> Callable[[Any, Any], object]:
    def change(file: Any, _: Any) -> None:
        del file[key]
        file.create_dataset(key, **settings)

    return change


def without(key: str) -> Callable[[Any, Any], object]:
    def change(file: Any, _: Any) -> None:
        del file[key]

    return change


def linked(key: str, link: Any) -> Callable[[Any, Any], object]:
    def change(file: Any, _: Any) -> None:
        del file[key]
        file[key] = link

    return change


WEIGHT, EDGES = "node/nodes/fc/weight", "node/edges"


def a_loop(file: Any, nodes: Any) -> None:
    nodes["again"] = file["node"]


def one_array_often(file: Any, nodes: Any) -> None:
    del file["node/nodes/fc/bias"]
    file["node/nodes/fc/bias"] = nodes["input/shape"]


def virtual(file: Any, _: Any) -> None:
    layout = h5py.VirtualLayout(shape=(2, 3), dtype="f8")
    layout[:] = h5py.VirtualSource("/etc/passwd", "data", shape=(2, 3))
    del file[WEIGHT]
    file.create_virtual_dataset(WEIGHT, layout)


def bomb(file: Any, _: Any) -> None:
    del file[WEIGHT]
    packed = file.create_dataset(
        WEIGHT, shape=(2, 3), dtype="f8", chunks=(2, 3), compression="gzip"
    )
    packer = zlib.compressobj(9)
    pieces = [packer.compress(bytes(1 << 20)) for _ in range(60)]
    packed.id.write_direct_chunk((0, 0), b"".join([*pieces, packer.flush()]))


def deep(_: Any, nodes: Any) -> None:
    for _ in range(DEEPEST + 1):
        inner = put(nodes.create_group("graph"), "NIRGraph")
        inner.create_dataset("edges", data=np.empty((0, 2)))
        nodes = inner.create_group("nodes")


def several_inputs(file: Any, nodes: Any) -> None:
    inner = put(nodes.create_group("graph"), "NIRGraph")
    inner.create_dataset("edges", data=[["a", "fc"]])
    put(inner.create_group("nodes/a"), "Input", shape=np.array([3]))
    put(inner.create_group("nodes/b"), "Input", shape=np.array([3]))
    put(inner.create_group("nodes/fc"), "Output", shape=np.array([3]))
    replaced(EDGES, data=[["input", "graph"], ["graph", "fc"], ["fc", "output"]])(file, nodes)


def the_same_name(_: Any, nodes: Any) -> None:
    put(nodes.create_group("g.fc"), "Linear", weight=np.ones((2, 3)))
    inner = put(nodes.create_group("g"), "NIRGraph")
    inner.create_dataset("edges", data=np.empty((0, 2)))
    put(inner.create_group("nodes/fc"), "Linear", weight=np.ones((2, 3)))


CHANGES: dict[str, tuple[Callable[[Any, Any], object], str]] = {
    "no root": (without("node"), "lacks its 'node'"),
    "no type": (without("node/type"), "lacks its 'type'"),
    "no nodes": (without("node/nodes"), "lacks its 'nodes'"),
    "no edges": (without(EDGES), "lacks its 'edges'"),
    "no weight": (without(WEIGHT), "the node 'fc', Affine, lacks its 'weight'"),
    "no type of a node": (without("node/nodes/fc/type"), "lacks its 'type'"),
    "a single node": (replaced("node/type", data="LIF"), "a single 'LIF'"),
    "numbers for text": (replaced("node/type", data=3.0), "not text"),
    "texts for a text": (replaced("node/type", data=["a", "b"]), "not one text"),
    "text for numbers": (replaced(WEIGHT, data="import os"), "not numbers"),
    "complex numbers": (replaced(WEIGHT, data=np.ones((2, 3), complex)), "not numbers"),
    "records": (replaced(WEIGHT, data=np.zeros(3, "f8,i4")), "not numbers"),
    "opaque bytes": (replaced(WEIGHT, data=np.void(b"\x80\x04pickle")), "not numbers"),
    "nothing": (replaced(WEIGHT, data=h5py.Empty("f8")), "not numbers"),
    "not a number": (replaced(WEIGHT, data=np.full((2, 3), np.nan)), "not finite"),
    "infinite": (replaced("node/nodes/fc/bias", data=np.full(2, np.inf)), "not finite"),
    "three axes": (replaced(WEIGHT, data=np.ones((1, 2, 3))), "its weight has 3 axes"),
    "no axes": (replaced(WEIGHT, data=1.0), "its weight has 0 axes"),
    "transposed": (replaced(WEIGHT, data=np.ones((3, 2))), "takes 2 values and gets 3"),
    "no rows": (replaced(WEIGHT, data=np.ones((0, 3))), "no network"),
    "a wide bias": (replaced("node/nodes/fc/bias", data=np.ones(5)), "its bias has 5"),
    "a shape of half": (replaced("node/nodes/input/shape", data=[1.5]), "its shape is"),
    "a huge shape": (replaced("node/nodes/input/shape", data=[2**62] * 9), "its shape is"),
    "huge": (
        replaced(WEIGHT, shape=(10**6, 10**7), dtype="f8", chunks=(100, 100)),
        "not enough memory",
    ),
    "edges of three": (replaced(EDGES, data=[["a", "b", "c"]]), "not pairs"),
    "edges of numbers": (replaced(EDGES, data=np.ones((2, 2))), "not text"),
    "edges to nowhere": (replaced(EDGES, data=[["input", "out"]]), "there is no such node"),
    "an edge to nothing": (replaced(EDGES, data=[["input", ""]]), "there is no such node"),
    "an edge twice": (replaced(EDGES, data=[["input", "fc"]] * 2), "occurs twice"),
    "a cycle": (replaced(EDGES, data=[["input", "fc"], ["fc", "fc"]]), "on a loop"),
    "texts in chunks": (
        replaced(EDGES, data=[["input", "fc"]], dtype=h5py.string_dtype(), chunks=(1, 2)),
        "laid out in a way",
    ),
    "no UTF-8": (replaced(EDGES, data=np.array([[b"\xff\xfe", b"fc"]])), "damaged"),
    "another packing": (replaced(WEIGHT, data=np.ones((2, 3)), compression="lzf"), "than gzip"),
    "a soft link": (linked(WEIGHT, h5py.SoftLink("/node/nodes/fc/bias")), "is a link"),
    "a link out": (linked(WEIGHT, h5py.ExternalLink("/etc/passwd", "/x")), "is a link"),
    "a linked group": (linked("node/nodes", h5py.ExternalLink("/tmp/x", "/x")), "is a link"),
    "data elsewhere": (
        replaced(WEIGHT, shape=(2, 3), dtype="f8", external=[("/etc/passwd", 0, 48)]),
        "in another file",
    ),
    "a virtual array": (virtual, "in another file"),
    "a group for an array": (linked(WEIGHT, {}), "not an array"),
    "an array for a group": (replaced("node/nodes", data=1.0), "not a group"),
    "a loop of groups": (a_loop, "occurs twice"),
    "an array in two places": (one_array_often, "occurs twice"),
    "a bomb": (bomb, "unpack to more than they say"),
    "deep": (deep, "nested more than"),
    "which input": (several_inputs, "which has 2 inputs"),
    "one name for two": (the_same_name, "two nodes are called 'g.fc'"),
}


@pytest.mark.parametrize("case", CHANGES)
def test_every_harm_is_an_error(case: str) -> None:
    change, message = CHANGES[case]
    if case == "a group for an array":
        body = file_of(lambda file, _: (without(WEIGHT)(file, _), file.create_group(WEIGHT)))
    else:
        body = file_of(change)
    with pytest.raises(ModelFileError, match=message):
        read_nir(body)


def test_the_file_itself_is_sound() -> None:
    model = read_nir(file_of()).model
    np.testing.assert_array_equal(model.parameters["input->output.weight"], np.ones((2, 3)))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"PK\x03\x04",
        b"\x80\x04pickled",
        b"\x89HDF\r\n\x1a\n",
        b"\0" * 600 + b"\x89HDF\r\n\x1a\n",
    ],
    ids=["empty", "zip", "pickle", "signature", "late signature"],
)
def test_other_formats_are_told_apart(body: bytes, tmp_path: Path) -> None:
    with pytest.raises(ModelFileError):
        read_nir(body)
    path = tmp_path / "model.nir"
    path.write_bytes(body)
    with pytest.raises(ModelFileError, match=r"model\.nir"):
        read_nir(path)


def test_many_nodes_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("volr.backends.nir.hdf5_read.MOST_NODES", 50)

    def many(_: Any, nodes: Any) -> None:
        for index in range(60):
            nodes.create_group(f"n{index}")

    with pytest.raises(ModelFileError, match="more than 50 members"):
        read_nir(file_of(many))
    edges = [[f"a{index}", "b"] for index in range(501)]
    with pytest.raises(ModelFileError, match="more than 500 edges"):
        read_nir(file_of(replaced(EDGES, data=edges)))
    with pytest.raises(ModelFileError, match="too many"):
        read_nir(file_of(replaced(EDGES, data=[[f"{i}" * 90, f"{i}"] for i in range(499)])))


def test_a_small_file_cannot_ask_for_a_large_matrix(monkeypatch: pytest.MonkeyPatch) -> None:
    """Weights of 1 × n and n × 1 in turn: each product would have n × n numbers."""
    monkeypatch.setattr("volr.system.memory.available", lambda: 200_000_000)

    def thin(file: Any, nodes: Any) -> None:
        n = 2000
        replaced("node/nodes/input/shape", data=[n])(file, nodes)
        path = ["input"]
        for index in range(12):
            shape = (1, n) if index % 2 == 0 else (n, 1)
            put(nodes.create_group(f"w{index}"), "Linear", weight=np.ones(shape))
            path.append(f"w{index}")
        path.append("output")
        edges = list(itertools.pairwise(path))
        replaced(EDGES, data=edges)(file, nodes)
        del nodes["fc"]

    with pytest.raises(ModelFileError, match="not enough memory to multiply out"):
        read_nir(file_of(thin))


def mutated(draw: random.Random, body: bytes) -> bytes:
    """A few bytes changed, most of them where the structure of a file is."""
    data = bytearray(body)
    for _ in range(draw.choice([1, 1, 2, 4, 16])):
        reach = len(data) if draw.random() < 0.4 else min(len(data), 6000)
        place = draw.randrange(reach)
        match draw.randrange(5):
            case 0:
                data[place] = draw.randrange(256)
            case 1:
                data[place] ^= 1 << draw.randrange(8)
            case 2:
                data[place : place + 8] = draw.choice([b"\xff" * 8, bytes(8), draw.randbytes(8)])
            case 3:
                other = draw.randrange(len(data))
                data[place : place + 16] = data[other : other + 16]
            case _ if draw.random() < 0.3:
                data = data[:place] or bytearray(b"\x89")
            case _:
                del data[place : place + draw.choice([1, 8])]
    return bytes(data)


def test_damaged_bytes_are_read_or_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("volr.system.memory.available", lambda: 500_000_000)
    draw = random.Random(0)
    bodies = [file_of()]
    for kind in ("delta", "exp"):
        model = spiking_model(kind, chain(4, 3, 2), coding=Poisson(400.0), tau_refrac=0.0)
        bodies.append(NIR.write(model)[".nir"])
    refused = 0
    for _ in range(300):
        try:
            read_nir(mutated(draw, draw.choice(bodies)))
        except ModelFileError:
            refused += 1
    assert 75 < refused < 300


def test_a_cut_file_is_refused_wherever_it_is_cut() -> None:
    body = NIR.write(spiking_model("delta", chain(4, 3, 2), tau_refrac=0.0))[".nir"]
    for end in range(0, len(body), 1997):
        with pytest.raises(ModelFileError):
            read_nir(body[:end])


def test_texts_of_fixed_length_and_odd_metadata_are_read() -> None:
    def change(file: Any, nodes: Any) -> None:
        replaced(EDGES, data=np.array([[b"input", b"fc"], [b"fc", b"output"]]))(file, nodes)
        metadata = file.create_group("node/metadata")
        metadata.create_dataset("dt", data=0.5)
        metadata.create_dataset("array", data=np.ones(3))
        metadata.create_group("more")
        metadata.create_dataset("text", data="λ")

    graph = read_graph(file_of(change))
    assert graph.metadata == {"dt": "0.5", "text": "λ"}
    assert graph.edges == (("input", "fc"), ("fc", "output"))
