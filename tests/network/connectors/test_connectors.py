"""Every connector keeps the contract: its meaning is that of its synapses, one by one."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest

from volr.network import Network, Population, Projection
from volr.network.connectors import (
    CONNECTORS,
    AllToAll,
    AveragePool,
    Connector,
    Convolution,
    OneToOne,
    Pooled,
    Slice,
    Windows,
)

if TYPE_CHECKING:
    from volr.checks.arrays import Floats
    from volr.network.connectors import Shape

# Shapes that fit, of one axis and of several, not square where a connector has a choice.
CASES: list[tuple[Connector, Shape, Shape]] = [
    (AllToAll(), (3,), (5,)),
    (AllToAll(), (2, 3), (4, 1, 2)),
    (AllToAll(), (1,), (1,)),
    (Convolution((3,)), (2, 7), (4, 5)),
    (Convolution((3, 2)), (2, 5, 4), (3, 3, 3)),
    (Convolution((2, 3), stride=(2, 1), pad=(0, 2), groups=2), (4, 7, 3), (6, 3, 5)),
    (Convolution((4,), stride=(3,), pad=(1,), groups=3), (3, 9), (3, 3)),
    (Convolution((5, 3), pad=(2, 1)), (1, 4, 3), (2, 4, 3)),
    (OneToOne(), (4,), (4,)),
    (OneToOne(), (2, 3), (2, 3)),
    (Windows((2,)), (2, 7), (2, 3)),
    (Windows((3, 2), (1, 3)), (2, 5, 6), (2, 3, 2)),
    (Slice(1, 2), (4,), (3,)),
    (Slice(0, 3), (2, 2), (2, 1, 3)),
    (Pooled((AveragePool((2,)),), AllToAll()), (2, 7), (4,)),
    (Pooled((AveragePool((3, 2), (1, 2)),), Convolution((2, 3), pad=(0, 1))), (2, 5, 7), (3, 2, 3)),
    (Pooled((AveragePool((2, 2), (1, 1)), AveragePool((2, 1))), OneToOne()), (3, 6, 4), (3, 2, 3)),
]
every_case = pytest.mark.parametrize(("connector", "source", "target"), CASES, ids=str)


def weights_of(connector: Connector, source: Shape, target: Shape) -> Floats:
    return np.random.default_rng(0).normal(size=connector.weight_shape(source, target))


def matrix_of(connector: Connector, weights: Floats, source: Shape, target: Shape) -> Floats:
    """The synapses added up, ``[post, pre]``, in the plainest way."""
    matrix = np.zeros((math.prod(target), math.prod(source)))
    for some in connector.entries(source, target):
        for post, pre, index, factor in zip(
            some.post, some.pre, some.index, some.factor, strict=True
        ):
            matrix[post, pre] += factor * weights.flat[index]
    return matrix


def test_there_is_a_case_for_every_connector() -> None:
    assert {type(connector) for connector, _, _ in CASES} == set(CONNECTORS)
    assert len({each.name for each in CONNECTORS}) == len(CONNECTORS)


@every_case
def test_its_synapses_have_each_pair_of_neurons_once_by_source(
    connector: Connector, source: Shape, target: Shape
) -> None:
    weights = weights_of(connector, source, target)
    # Some weights are 0, and their synapses are there.
    weights.flat[0] = 0.0
    found = connector.synapses(weights, source, target)
    pairs = list(zip(found.pre.tolist(), found.post.tolist(), strict=True))
    assert pairs == sorted(set(pairs))
    entries = connector.entries(source, target)
    assert set(pairs) == {
        pair for each in entries for pair in zip(each.pre.tolist(), each.post.tolist(), strict=True)
    }
    matrix = np.zeros((math.prod(target), math.prod(source)))
    matrix[found.post, found.pre] = found.weight
    # To the last digit: the entries of a pair add up in their order.
    np.testing.assert_array_equal(matrix, matrix_of(connector, weights, source, target))


@every_case
@pytest.mark.parametrize("share", [0.0, 0.4], ids=["all", "some are 0"])
def test_the_synapses_of_each_neuron_are_counted_one_by_one(
    connector: Connector, source: Shape, target: Shape, share: float
) -> None:
    weights = weights_of(connector, source, target)
    weights[np.random.default_rng(2).random(weights.shape) < share] = 0.0
    found = connector.fan_out(weights, source, target)
    matrix = matrix_of(connector, weights, source, target)
    np.testing.assert_array_equal(found, (matrix != 0).sum(axis=0))
    # Where windows overlap, several entries are one synapse.
    entries = connector.synapse_count(source, target)
    pairs = len(connector.synapses(weights, source, target).pre)
    assert share or found.sum() == pairs <= entries
    overlap = isinstance(connector, Pooled) and any(p.stride < p.window for p in connector.pools)
    assert overlap == (pairs < entries)


@every_case
def test_products_are_those_of_the_values_that_it_reads(
    connector: Connector, source: Shape, target: Shape
) -> None:
    weights = weights_of(connector, source, target)
    weights.flat[0] = 0.0
    values = np.random.default_rng(3).normal(size=(4, math.prod(source)))
    read = connector.read(values, source)
    products = connector.products(weights, source, target)
    assert read.shape == (4, len(products))
    whole = connector.products(np.ones_like(weights), source, target)
    assert whole.sum() == connector.multiplication_count(source, target) or not connector.trained
    inner, shape = connector, source
    if isinstance(connector, Pooled):
        inner, shape = connector.connector, connector.pooled(source)
        members = connector.members(source)
        wanted = np.array([[row[each].mean() for each in members] for row in values])
        np.testing.assert_allclose(read, wanted, rtol=1e-12)
    else:
        np.testing.assert_array_equal(read, values)
    matrix = matrix_of(inner, weights, shape, target)
    np.testing.assert_array_equal(products, (matrix != 0).sum(axis=0))


@every_case
def test_its_meaning_is_that_of_its_synapses(
    connector: Connector, source: Shape, target: Shape
) -> None:
    assert connector.misfit(source, target) is None
    weights = weights_of(connector, source, target)
    matrix = matrix_of(connector, weights, source, target)
    rng = np.random.default_rng(1)
    there, back = rng.normal(size=(7, matrix.shape[1])), rng.normal(size=(7, matrix.shape[0]))
    np.testing.assert_allclose(
        connector.apply(weights, there, source, target), there @ matrix.T, rtol=1e-12, atol=1e-14
    )
    np.testing.assert_allclose(
        connector.transposed(weights, back, source, target), back @ matrix, rtol=1e-12, atol=1e-14
    )


@every_case
def test_the_largest_that_arrives_is_that_of_its_synapses(
    connector: Connector, source: Shape, target: Shape
) -> None:
    weights = weights_of(connector, source, target)
    values = np.random.default_rng(1).normal(size=(3, math.prod(source)))
    found = connector.largest(weights, values, source, target)
    wanted = np.full((3, math.prod(target)), -np.inf)
    for some in connector.entries(source, target):
        for post, pre, index, factor in zip(
            some.post, some.pre, some.index, some.factor, strict=True
        ):
            arriving = factor * weights.flat[index] * values[:, pre]
            wanted[:, post] = np.maximum(wanted[:, post], arriving)
    np.testing.assert_allclose(found, wanted, rtol=1e-15, atol=0)


@pytest.mark.parametrize(
    ("connector", "source", "target", "count"),
    [
        (AllToAll(), (4,), (2, 3), 24),
        # Each of 2 · 4 results on 3 channels: 2 of 3 rows at the upper edge, and 3 columns.
        (Convolution((3, 3), (2, 1), (1, 0)), (3, 3, 4), (2, 2, 2), 2 * 2 * 3 * 2 * 2 * 3),
        (OneToOne(), (2, 3), (2, 3), 0),
        (Windows((3,)), (2, 7), (2, 2), 0),
        (Pooled((AveragePool((2,)),), Convolution((3,))), (1, 9), (5, 2), 5 * 3 * 2),
        (Pooled((AveragePool((2,)),), OneToOne()), (1, 8), (1, 4), 0),
    ],
    ids=str,
)
def test_products_of_a_weight_and_a_value(
    connector: Connector, source: Shape, target: Shape, count: int
) -> None:
    network = Network(
        (Population("a", source), Population("b", target)),
        (Projection("a", "b", connector),),
        ("a",),
        ("b",),
    )
    assert network.multiplication_count == count


@pytest.mark.parametrize(
    ("connector", "target", "count"),
    [
        (AllToAll(), (2, 3), 6),
        (Convolution((3, 2)), (4, 3, 3), 4),
        (OneToOne(), (2, 3), 0),
        (Windows((2,)), (2, 3), 0),
        (Pooled((AveragePool((2,)),), Convolution((3,))), (5, 3), 5),
        (Pooled((AveragePool((2,)),), OneToOne()), (5, 3), 0),
    ],
    ids=str,
)
def test_biases_are_by_neuron_or_by_channel(
    connector: Connector, target: Shape, count: int
) -> None:
    assert connector.bias_count(target) == count


@every_case
def test_a_matrix_has_every_synapse_and_nothing_else(
    connector: Connector, source: Shape, target: Shape
) -> None:
    weights = weights_of(connector, source, target)
    found = connector.matrix(weights, source, target, np.nan)
    there = {
        pair
        for each in connector.entries(source, target)
        for pair in zip(each.post.tolist(), each.pre.tolist(), strict=True)
    }
    assert {(int(i), int(j)) for i, j in zip(*np.nonzero(~np.isnan(found)), strict=True)} == there
    np.testing.assert_allclose(np.nan_to_num(found), matrix_of(connector, weights, source, target))


@every_case
def test_synapses_are_counted_and_stand_in_order(
    connector: Connector, source: Shape, target: Shape
) -> None:
    blocks = list(connector.entries(source, target))
    ends = [pair for each in blocks for pair in zip(each.post, each.pre, strict=True)]
    assert ends == sorted(ends)
    assert len(ends) == connector.synapse_count(source, target)
    assert connector.synapse_count(source, target) == Connector.synapse_count(
        connector, source, target
    )
    count = connector.weight_count(source, target)
    assert count == weights_of(connector, source, target).size
    assert {int(i) for each in blocks for i in each.index} == set(range(count))


@every_case
def test_it_says_which_synapses_share_a_weight(
    connector: Connector, source: Shape, target: Shape
) -> None:
    weights = weights_of(connector, source, target)
    which = connector.shared(source, target)
    if which is None:
        assert connector.synapse_count(source, target) == weights.size
        return
    found: dict[tuple[int, int], list[int]] = {}
    for each in connector.entries(source, target):
        for post, pre, index in zip(each.post, each.pre, each.index, strict=True):
            found.setdefault((int(post), int(pre)), []).append(int(index))
    for place, number in np.ndenumerate(which):
        indices = found.get((place[0], place[1]), [])
        assert [int(number)] == (indices if len(indices) == 1 else [-1])


@pytest.mark.parametrize(
    ("connector", "source", "target"), [each for each in CASES if isinstance(each[0], Convolution)]
)
def test_a_convolution_is_pytorchs(connector: Convolution, source: Shape, target: Shape) -> None:
    torch = pytest.importorskip("torch")
    apply = getattr(torch.nn.functional, f"conv{len(connector.window)}d")
    weights = weights_of(connector, source, target)
    values = np.random.default_rng(1).normal(size=(7, *source))
    found = apply(
        *map(torch.from_numpy, (values, weights)),
        stride=connector.stride,
        padding=connector.pad,
        groups=connector.groups,
    )
    np.testing.assert_allclose(
        connector.apply(weights, values.reshape(7, -1), source, target),
        found.reshape(7, -1).numpy(),
        rtol=1e-12,
        atol=1e-12,
    )


@pytest.mark.parametrize(
    ("connector", "source", "target", "said"),
    [
        (Convolution((5,)), (1, 4), (1, 1), "⌊(4 + 2·0 − 5)/1⌋ + 1 = 0"),
        (Convolution((3, 3), stride=(2, 2)), (1, 8, 9), (1, 3, 3), "(9 + 2·0 − 3)/2⌋ + 1 = 4"),
        (Convolution((3,), groups=2), (3, 5), (2, 3), "do not divide the 3 channels of the source"),
        (Convolution((3,), groups=2), (2, 5), (3, 3), "do not divide the 3 channels of the target"),
        (Convolution((3,)), (5,), (2, 3), "channels and 1 axis"),
        (Convolution((3, 3)), (2, 5), (2, 3), "channels and 2 axes"),
        (Convolution((3,), stride=(0,)), (2, 5), (2, 3), "stride of convolution 3"),
        (Convolution((3,), pad=(-1,)), (2, 5), (2, 1), "pad of convolution 3"),
        (Convolution((0,)), (2, 5), (2, 6), "window of convolution 0"),
        (Convolution((3,), groups=0), (2, 5), (2, 3), "has 0 groups"),
        (Convolution((1, 1, 1)), (2, 5, 5, 5), (2, 5, 5, 5), "3 axes"),
        (Convolution((3, 3), stride=(1,)), (2, 5, 5), (2, 3, 3), "all alike"),
    ],
)
def test_a_convolution_that_does_not_fit_says_why(
    connector: Convolution, source: Shape, target: Shape, said: str
) -> None:
    assert said in (connector.misfit(source, target) or "")


def test_a_convolution_has_its_numbers_in_its_name() -> None:
    assert str(Convolution((3, 3))) == "convolution 3"
    assert (
        str(Convolution((3, 5), (2, 2), (0, 1), 4)) == "convolution 3x5 stride:2 pad:0x1 groups:4"
    )
    assert Convolution((3,)) == Convolution((3,), (1,), (0,)) != Convolution((3,), (2,))


def test_large_ones_come_in_blocks() -> None:
    blocks = list(AllToAll().entries((3000,), (1000,)))
    assert len(blocks) > 1
    assert sum(len(each.post) for each in blocks) == 3_000_000
    assert blocks[1].post[0] == blocks[0].post[-1] + 1


@pytest.mark.parametrize(("source", "target"), [((3,), (4,)), ((2, 3), (3, 2)), ((6,), (2, 3))])
def test_one_to_one_needs_equal_shapes(source: Shape, target: Shape) -> None:
    said = OneToOne().misfit(source, target)
    assert said is not None
    assert str(source) in said
    assert str(target) in said


def test_they_compare_like_data() -> None:
    assert AllToAll() == AllToAll()
    assert AllToAll() != OneToOne()
    assert hash(OneToOne()) == hash(OneToOne())
    assert [str(each()) for each in (AllToAll, OneToOne)] == ["all_to_all", "one_to_one"]
