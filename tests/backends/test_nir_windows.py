"""NIR graphs of maps that other programs write, against PyTorch's own operations."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from tests.backends.test_nir_read import graph, lif, model_of, node, refused

from volr import import_nir
from volr.backends.nir.hdf5_write import write_graph
from volr.backends.reference import forward
from volr.errors import ModelFileError
from volr.models.model import ArtificialModel, SpikingModel
from volr.network import AllToAll, OneToOne
from volr.network.connectors import AveragePool, Convolution, Pooled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from volr.backends.nir.graph import Graph, Node

torch = pytest.importorskip("torch")
F = torch.nn.functional

SHAPE = (4, 7, 6)
_RANDOM = np.random.default_rng(0)


def conv(k: int, *window: int, channels: int = 4, **changes: Any) -> Node:
    """A convolution of ``channels`` in all."""
    groups, axes = int(changes.get("groups", 1)), len(window)
    values: dict[str, Any] = {
        "weight": _RANDOM.normal(size=(k, channels // groups, *window)),
        "bias": _RANDOM.normal(size=k),
        "stride": np.ones(axes),
        "padding": np.zeros(axes),
        "dilation": np.ones(axes),
        "groups": 1,
    }
    return node(f"Conv{axes}d", **{**values, **changes})


def pool(kind: str, window: Any, stride: Any, padding: Any = (0, 0)) -> Node:
    return node(kind, kernel_size=window, stride=stride, padding=padding)


def linear(rows: int, columns: int) -> Node:
    return node(
        "Affine", weight=_RANDOM.normal(size=(rows, columns)), bias=_RANDOM.normal(size=rows)
    )


FLAT = node("Flatten", start_dim=0, end_dim=-1)


def row(*nodes: Node, shape: tuple[int, ...] = SHAPE, to: tuple[int, ...] = (1,)) -> Graph:
    names = [f"n{number}" for number in range(len(nodes))]
    ends = {"input": node("Input", shape=shape), "output": node("Output", shape=to)}
    return graph(
        {**ends, **dict(zip(names, nodes, strict=True))}, f"input {' '.join(names)} output"
    )


def torchs(found: Graph, x: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    """What PyTorch makes of a row of nodes."""
    y = torch.as_tensor(x).reshape(len(x), *shape)
    for name, each in found.nodes.items():
        if name in {"input", "output"}:
            continue
        v = {key: torch.as_tensor(value) for key, value in each.values.items()}
        whole = {k: tuple(int(i) for i in t.reshape(-1)) for k, t in v.items() if k not in _REAL}
        match each.kind:
            case "Conv1d" | "Conv2d":
                act = F.conv1d if each.kind == "Conv1d" else F.conv2d
                numbers = {k: whole[k] for k in ("stride", "padding", "dilation")}
                y = act(y, v["weight"], v["bias"], groups=whole["groups"][0], **numbers)
            case "AvgPool2d" | "SumPool2d":
                y = F.avg_pool2d(y, whole["kernel_size"], whole["stride"])
                y = y * (np.prod(whole["kernel_size"]) if each.kind == "SumPool2d" else 1)
            case "Flatten":
                y = y.flatten(1)
            case "Scale":
                y = y * v["scale"]
            case _:
                y = F.linear(y, v["weight"], v["bias"])
    return y.flatten(1).numpy()


_REAL = {"weight", "bias", "scale"}
ROWS: dict[str, tuple[tuple[Node, ...], tuple[int, ...]]] = {
    "dilations": ((conv(3, 2, 3, dilation=[3, 2], padding=[0, 1], stride=[1, 2]),), SHAPE),
    "a dilation in groups": ((conv(6, 3, 2, groups=2, dilation=2),), SHAPE),
    "strides and paddings": ((conv(3, 3, 2, stride=[2, 1], padding=[1, 2]),), SHAPE),
    "groups": ((conv(6, 2, 3, groups=2),), SHAPE),
    "each channel alone": ((conv(4, 2, 2, groups=4),), SHAPE),
    "one number for both axes": ((conv(3, 3, 2, stride=2, padding=1, dilation=1),), SHAPE),
    "one axis": ((conv(3, 3, stride=2, padding=1),), (4, 9)),
    "one axis in groups": ((conv(4, 2, groups=2),), (4, 9)),
    "means and a kernel": ((pool("AvgPool2d", [2, 3], [1, 2]), conv(2, 2, 2)), SHAPE),
    "sums and a dense layer": ((pool("SumPool2d", [2, 3], [3, 2]), FLAT, linear(3, 16)), SHAPE),
    "means alone": ((pool("AvgPool2d", 2, 2),), SHAPE),
    "sums alone": ((pool("SumPool2d", [3, 2], [2, 2]),), SHAPE),
    "means of means": ((pool("AvgPool2d", 2, 1), pool("AvgPool2d", [2, 1], [2, 1])), SHAPE),
    "a kernel and means": (
        (conv(3, 3, 2, stride=[1, 2], padding=[1, 0]), pool("AvgPool2d", [2, 2], [2, 1])),
        SHAPE,
    ),
    "a kernel in groups and sums": (
        (conv(4, 2, 2, groups=2), pool("SumPool2d", [3, 2], [3, 1])),
        SHAPE,
    ),
    "means, a kernel and means": (
        (pool("AvgPool2d", 2, 1), conv(3, 2, 2), pool("AvgPool2d", [1, 2], [1, 2])),
        SHAPE,
    ),
    "two kernels": ((conv(3, 2, 2), conv(2, 3, 3, channels=3, padding=1)), SHAPE),
    "a kernel and a dense layer": ((conv(2, 6, 5), FLAT, linear(3, 8)), SHAPE),
    "a dense layer and means": ((conv(2, 6, 5), FLAT, linear(4, 8), FLAT, linear(2, 4)), SHAPE),
    "one axis of means": (
        (conv(4, 3, weight=np.full((4, 1, 3), 0.7), bias=np.zeros(4), groups=4, stride=2),),
        (4, 9),
    ),
    "scales by channel": (
        (node("Scale", scale=np.repeat([1.0, -2.0, 0.5, 3.0], 42).reshape(SHAPE)), conv(3, 2, 3)),
        SHAPE,
    ),
    "scales by channel of groups": (
        (
            node("Scale", scale=np.repeat([1.0, -2.0, 0.5, 0.0], 42).reshape(SHAPE)),
            pool("AvgPool2d", [2, 1], [2, 1]),
            conv(6, 2, 3, groups=2),
            node("Scale", scale=np.repeat(np.arange(6.0) - 2, 8).reshape(6, 2, 4)),
        ),
        SHAPE,
    ),
    "scales by neuron": (
        (node("Scale", scale=_RANDOM.normal(size=SHAPE)), conv(3, 2, 3), FLAT, linear(2, 72)),
        SHAPE,
    ),
    "scales by neuron before means": (
        (node("Scale", scale=_RANDOM.normal(size=SHAPE)), pool("AvgPool2d", 2, 2)),
        SHAPE,
    ),
    "scales by neuron after a kernel": (
        (conv(2, 6, 5), node("Scale", scale=_RANDOM.normal(size=(2, 2, 2)))),
        SHAPE,
    ),
}


@pytest.mark.parametrize("name", ROWS)
def test_a_row_of_nodes_is_what_pytorch_makes_of_it(name: str) -> None:
    nodes, shape = ROWS[name]
    x = np.random.default_rng(1).normal(size=(5, int(np.prod(shape))))
    found = row(*nodes, shape=shape)
    wanted = torchs(found, x, shape)
    model = model_of(found).model
    assert isinstance(model, ArtificialModel)
    np.testing.assert_allclose(forward(model, x), wanted, rtol=1e-9, atol=1e-12)
    # And as the program that says it.
    imported = import_nir(write_graph(found)).model
    assert isinstance(imported, ArtificialModel)
    np.testing.assert_allclose(forward(imported, x), wanted, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    ("name", "connector"),
    [
        ("strides and paddings", Convolution((3, 2), (2, 1), (1, 2))),
        ("means and a kernel", Pooled((AveragePool((2, 3), (1, 2)),), Convolution((2, 2)))),
        ("sums and a dense layer", Pooled((AveragePool((2, 3), (3, 2)),), AllToAll())),
        ("means alone", Pooled((AveragePool((2, 2)),), OneToOne())),
        ("a kernel and means", Convolution((4, 4), (2, 2), (1, 0))),
        ("a kernel in groups and sums", Convolution((4, 3), (3, 1), groups=2)),
        ("one axis of means", Pooled((AveragePool((3,), (2,)),), OneToOne())),
        ("a kernel and a dense layer", AllToAll()),
        ("scales by channel", Convolution((2, 3))),
    ],
)
def test_kernels_and_pools_stay_what_they_are(name: str, connector: Any) -> None:
    nodes, shape = ROWS[name]
    (projection,) = model_of(row(*nodes, shape=shape)).model.network.projections
    assert projection.connector == connector


@pytest.mark.parametrize(
    ("shape", "changes"),
    [((1, *SHAPE), {}), ((168,), {"input_shape": [7, 6]}), (SHAPE, {"input_shape": [7, 6]})],
    ids=["a batch axis", "a row", "both"],
)
def test_a_kernel_finds_its_maps(shape: tuple[int, ...], changes: dict[str, Any]) -> None:
    found = row(conv(3, 2, 2, **changes), shape=shape)
    x = np.random.default_rng(1).normal(size=(3, 168))
    model = model_of(found).model
    assert isinstance(model, ArtificialModel)
    assert model.network.populations[0].shape == SHAPE
    np.testing.assert_allclose(forward(model, x), torchs(found, x, SHAPE))


def test_ways_that_meet_are_several_projections() -> None:
    one, two = conv(4, 3, 3, padding=1), conv(4, 1, 5, padding=[0, 2])
    ends = {"input": node("Input", shape=SHAPE), "output": node("Output", shape=SHAPE)}
    twice = node("Scale", scale=np.full(SHAPE, 2.0))
    paths = ("input one output", "input two output", "input twice output")
    found = graph({**ends, "one": one, "two": two, "twice": twice}, *paths)
    model = model_of(found).model
    assert isinstance(model, ArtificialModel)
    assert [p.name for p in model.network.projections] == [
        "input->output", "input->output#2", "input->output#3",
    ]  # fmt: skip
    x = np.random.default_rng(1).normal(size=(3, 168))
    wanted = torchs(row(one), x, SHAPE) + torchs(row(two), x, SHAPE) + 2.0 * x
    np.testing.assert_allclose(forward(model, x), wanted)
    program = import_nir(write_graph(found)).model
    assert isinstance(program, ArtificialModel)
    np.testing.assert_allclose(forward(program, x), wanted)


def test_neurons_by_channel_and_by_unit() -> None:
    """What a spike brings counts r times, in units of the threshold."""
    channel = np.array([1.0, 2.0, 4.0])
    kernel = conv(3, 2, 2)
    for shape in ((3,), (3, 1, 1), (3, 6, 5)):
        spread = np.broadcast_to(channel.reshape(-1, *(1,) * (len(shape) - 1)), shape)
        values = {**lif(90).values, "v_threshold": spread, "v_reset": 0.0 * spread}
        model = model_of(row(kernel, node("LIF", **values)), signal="jump").model
        assert isinstance(model, SpikingModel)
        np.testing.assert_allclose(
            model.parameters["input->n1.weight"],
            kernel.values["weight"] / channel.reshape(3, 1, 1, 1),
        )
        assert model.parameters["n1.bias"].shape == (3,)
    cells = lif(90, r=np.linspace(1.0, 2.0, 90))
    imported = model_of(row(kernel, cells), signal="jump")
    assert any("one by one" in note for note in imported.notes)
    (projection,) = imported.model.network.projections
    assert projection.connector == AllToAll()
    leak = lif(90, v_leak=np.linspace(0.1, 0.5, 90))
    assert model_of(row(kernel, leak)).model.parameters["n1.bias"].shape == (90,)


def test_a_rate_of_what_is_pooled_keeps_its_activation() -> None:
    for shape, cells in ((SHAPE, (4, 3, 3)), ((4, 9), (4, 9))):
        ones = np.ones(cells)
        rate = node("IF", r=ones, v_threshold=ones, v_reset=0.0 * ones)
        pooling = (pool("AvgPool2d", 2, 2),) if len(shape) == 3 else ()
        last = linear(2, int(np.prod(cells)))
        x = np.random.default_rng(1).normal(size=(3, int(np.prod(shape))))
        model = model_of(row(*pooling, rate, FLAT, last, shape=shape), generation="ANN").model
        assert isinstance(model, ArtificialModel)
        means = torchs(row(*pooling), x, shape) if pooling else x
        wanted = torchs(row(last), np.maximum(means, 0.0), (means.shape[1],))
        np.testing.assert_allclose(forward(model, x), wanted)


def test_words_for_paddings() -> None:
    h5py = pytest.importorskip("h5py")

    def worded(word: str, **changes: Any) -> bytes:
        body = io.BytesIO(write_graph(row(conv(3, 3, 5, **changes))))
        with h5py.File(body, "r+") as file:
            del file["node/nodes/n0/padding"]
            file["node/nodes/n0/padding"] = word
        return body.getvalue()

    for word, pad, shape in (("same", (1, 2), (3, 7, 6)), ("valid", (0, 0), (3, 5, 2))):
        model = import_nir(worded(word)).model
        assert model.network.populations[1].shape == shape
        assert model.network.projections[0].connector == Convolution((3, 5), pad=pad)
    with pytest.raises(ModelFileError, match="padding is 'same', which is unclear with a stride"):
        import_nir(worded("same", stride=[2, 1]))
    with pytest.raises(ModelFileError, match="its dilation has 3 numbers for 2 axes"):
        import_nir(worded("same", dilation=[2, 1, 1]))
    with pytest.raises(ModelFileError, match="'padding' of the node 'n0' is 'full', not numbers"):
        import_nir(worded("full"))


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")
@pytest.mark.parametrize("window", [(2, 3), (4, 1), (3, 3), (2,), (5,)])
@pytest.mark.parametrize("dilation", [1, 2])
def test_same_is_what_pytorch_takes_it_for(window: tuple[int, ...], dilation: int) -> None:
    h5py = pytest.importorskip("h5py")
    size = (9, 7)[: len(window)]
    each = conv(3, *window, dilation=np.full(len(window), dilation), input_shape=size)
    body = io.BytesIO(write_graph(row(each, FLAT, shape=(4, *size))))
    with h5py.File(body, "r+") as file:
        del file["node/nodes/n0/padding"]
        file["node/nodes/n0/padding"] = "same"
    model = import_nir(body.getvalue()).model
    assert isinstance(model, ArtificialModel)
    x = np.random.default_rng(1).normal(size=(5, 4, *size))
    weight, bias = (torch.as_tensor(each.values[key]) for key in ("weight", "bias"))
    act = F.conv2d if len(window) == 2 else F.conv1d
    wanted = act(torch.as_tensor(x), weight, bias, padding="same", dilation=dilation)
    found = forward(model, x.reshape(len(x), -1))
    np.testing.assert_allclose(found, wanted.flatten(1).numpy(), rtol=0.0, atol=1e-12)


REFUSED: dict[str, tuple[Node, str]] = {
    "a wide dilation": (conv(3, 2, 2, dilation=[1, 9]), "2 wide and 10 with its dilation"),
    "a huge dilation": (conv(3, 2, 2, dilation=2**30), "its dilation, and a map has 7 places"),
    "channels": (conv(3, 2, 2, channels=3), "takes 3 channels and gets 4"),
    "channels of groups": (conv(3, 2, 2, groups=3, channels=12), "takes 12 channels and gets 4"),
    "groups": (conv(3, 2, 2, groups=2), "2 groups do not divide the 3 channels"),
    "a wide window": (conv(3, 9, 2), r"⌊\(7 \+ 2·0 − 9\)/1⌋ \+ 1 = -1"),
    "another input_shape": (conv(3, 2, 2, input_shape=[6, 7]), r"its input_shape is \[6, 7\]"),
    "axes": (node("Conv2d", **conv(3, 2).values), "its weight has 3 axes, not 4"),
    "a long bias": (conv(3, 2, 2, bias=np.ones(4)), "its bias has 4 values for 3 channels"),
    "a stride of 0": (conv(3, 2, 2, stride=[0, 1]), r"its stride is \[0.0, 1.0\]"),
    "a stride of half": (conv(3, 2, 2, stride=0.5), r"its stride is \[0.5\]"),
    "three strides": (conv(3, 2, 2, stride=[1, 1, 1]), "its stride has 3 numbers for 2 axes"),
    "a padding below 0": (conv(3, 2, 2, padding=[0, -1]), r"its padding is \[0.0, -1.0\]"),
    "a huge padding": (conv(3, 2, 2, padding=[0, 10**9]), "more than 100,000,000"),
    "huge, and few windows": (
        conv(3, 2, 2, padding=[0, 10**9], stride=[1, 10**9]),
        "more than 100,000,000",
    ),
    "an endless padding": (conv(3, 2, 2, padding=1e300), "its padding is"),
    "groups of 0": (
        node("Conv2d", **{**conv(3, 2, 2).values, "groups": 0.0}),
        r"its groups is \[0.0\]",
    ),
    "no pool": (pool("AvgPool2d", [8, 2], 1), r"⌊\(7 − 8\)/1⌋ \+ 1 = 0 of 7"),
    "a huge pool": (pool("SumPool2d", 10**9, 1), "of 7"),
    "a padded pool": (pool("AvgPool2d", 2, 2, [1, 0]), r"its padding is \[1, 0\]"),
    "a pool of 0": (pool("AvgPool2d", [0, 2], 2), r"its kernel_size is \[0.0, 2.0\]"),
    "a pool of nothing": (pool("SumPool2d", 2, [-1, 2]), r"its stride is \[-1.0, 2.0\]"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_no_kernel_of_volr_says_is_refused_at_its_node(name: str) -> None:
    found, message = REFUSED[name]
    assert re.search(f"node 'n0': .*{message}", refused(row(found)))


def test_rows_are_no_maps() -> None:
    assert "it has no input_shape, and gets the shape [168]" in refused(
        row(conv(3, 2, 2), shape=(168,))
    )
    told = conv(3, 2, 2, input_shape=[7, 7])
    assert "takes 4 channels of [7, 7] and gets 168 values" in refused(row(told, shape=(168,)))
    assert "needs a shape of channels and 2 axes" in refused(
        row(pool("AvgPool2d", 2, 2), shape=(168,))
    )
    both = graph(
        {
            "input": node("Input", shape=[168]),
            "one": conv(1, 7, 6, input_shape=[7, 6]),
            "two": conv(1, 6, 7, input_shape=[6, 7]),
            "output": node("Output", shape=[1]),
        },
        "input one output",
        "input two output",
    )
    assert "it has to be a map of [4, 7, 6] and of [4, 6, 7]" in refused(both)
    lacking = dict(conv(3, 2, 2).values)
    del lacking["stride"]
    assert "it lacks its stride" in refused(row(node("Conv2d", **lacking)))
