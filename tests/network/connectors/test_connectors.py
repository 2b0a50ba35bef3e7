"""Every connector keeps the contract: its meaning is that of its synapses, one by one."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest

from volr.network import Network, Population, Projection
from volr.network.connectors import CONNECTORS, AllToAll, Connector, OneToOne

if TYPE_CHECKING:
    from volr.checks.arrays import Floats
    from volr.network.connectors import Shape

# Shapes that fit, of one axis and of several, not square where a connector has a choice.
CASES: list[tuple[Connector, Shape, Shape]] = [
    (AllToAll(), (3,), (5,)),
    (AllToAll(), (2, 3), (4, 1, 2)),
    (AllToAll(), (1,), (1,)),
    (OneToOne(), (4,), (4,)),
    (OneToOne(), (2, 3), (2, 3)),
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
def test_its_meaning_is_that_of_its_synapses(
    connector: Connector, source: Shape, target: Shape
) -> None:
    assert connector.misfit(source, target) is None
    weights = weights_of(connector, source, target)
    matrix = matrix_of(connector, weights, source, target)
    rng = np.random.default_rng(1)
    there, back = rng.normal(size=(7, matrix.shape[1])), rng.normal(size=(7, matrix.shape[0]))
    np.testing.assert_allclose(
        connector.apply(weights, there, source, target), there @ matrix.T, rtol=1e-13
    )
    np.testing.assert_allclose(
        connector.transposed(weights, back, source, target), back @ matrix, rtol=1e-13
    )


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
    network = Network(
        (Population("a", source), Population("b", target)),
        (Projection("a", "b", connector),),
        ("a",),
        ("b",),
    )
    assert network.multiplication_count == len(ends)
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
    matrix = connector.matrix(weights, source, target, np.nan)
    assert set(which[np.isnan(matrix)]) <= {-1}
    np.testing.assert_array_equal(matrix[which >= 0], weights.flat[which[which >= 0]])


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
