"""Networks as programs again, whose lowering they are."""

from __future__ import annotations

import pytest
from hypothesis import given
from tests.network.examples import MIXED, PARALLEL, SKIP, XOR, network, networks, sequence
from tests.shaped_programs import ShapedProgram, shaped_programs
from tests.strategies import Program, programs

from volr import to_network
from volr.errors import NetworkError, ProgramError
from volr.language.decompile import Decompiled, decompile
from volr.network import Network, Population, Projection
from volr.network.connectors import OneToOne, Windows


def assert_lowers_to(found: Decompiled, wanted: Network) -> None:
    lowered = to_network(found.text)
    names = found.names
    assert {names[p.name]: (p.shape, p.merge) for p in lowered.populations} == {
        p.name: (p.shape, p.merge) for p in wanted.populations
    }
    one = [(names[p.source], names[p.target], p.connector, p.back) for p in lowered.projections]
    other = [(p.source, p.target, p.connector, p.back) for p in wanted.projections]
    assert sorted(one, key=str) == sorted(other, key=str)
    assert tuple(names[name] for name in lowered.inputs) == wanted.inputs
    assert tuple(names[name] for name in lowered.outputs) == wanted.outputs


@given(programs())
def test_every_program_comes_back(program: Program) -> None:
    wanted = to_network(program.source)
    assert_lowers_to(decompile(wanted), wanted)


@given(shaped_programs())
def test_every_program_of_all_layers_comes_back(program: ShapedProgram) -> None:
    wanted = to_network(program.source)
    found = decompile(wanted)
    assert_lowers_to(found, wanted)
    assert decompile(to_network(found.text)).text == found.text


@given(networks())
def test_of_any_graph_there_is_its_program_or_none(wanted: Network) -> None:
    try:
        found = decompile(wanted)
        assert_lowers_to(found, wanted)
    except (NetworkError, ProgramError):
        # ProgramError: populations of ten million, which no program may have.
        return


@pytest.mark.parametrize(
    ("graph", "text"),
    [
        (XOR, "dense 2 4 ⦶ dense 4 2"),
        (PARALLEL, "dense 100 20 ⦶ (dense 20 10 ⊖ dense 20 10) ⦶ dense 20 10"),
        (SKIP, "(dense 2 3 ⊖ dense 2 4 ⦶ dense 4 5) ⦶ dense 8 2"),
        (network([3, 2, 4], (0, 1), (0, 2)), "dense 3 2 ⊖ dense 3 4"),
        (network([2, 3, 4], (0, 1), (1, 2), (0, 2)), "(dense 2 3 ⦶ dense 3 4) ⊕ dense 2 4"),
        *(
            (to_network(text), text)
            for text in (
                "conv [1 9 8] 4 [3 2] pad:[1 0] ⦶ avgpool [4 9 7] 2 ⦶ dense [4 4 3] 5",
                "conv [2 9] 4 3 stride:2 groups:2 ⦶ maxpool [4 4] 3 stride:1 ⦶ dense [4 2] 5",
                "dense 3 4 ⦶ (dense 4 5 ⦶ dense 5 4) ⊕ id 4 ⦶ dense 4 2",
                "dense 3 4 ↺ (dense 4 5 ⦶ dense 5 4) ⦶ dense 4 2",
                "dense 3 4 ⦶ (id 4 ⊖ dense 4 5)",
                "conv [1 6] 2 3 ⦶ avgpool [2 4] 2 ⊕ conv [2 4] 2 3",
                "avgpool [3 4 6] [2 3]",
                "dense [2 3] [3 1] ⦶ avgpool [3 1] 1",
            )
        ),
    ],
)
def test_programs_read_as_one_would_write_them(graph: Network, text: str) -> None:
    assert decompile(graph).text == text
    assert_lowers_to(decompile(graph), graph)


def test_outputs_keep_their_order() -> None:
    wanted = network([3, 2, 4, 5], (0, 1), (1, 2), (0, 3))
    turned = Network(
        wanted.populations, wanted.projections, wanted.inputs, tuple(reversed(wanted.outputs))
    )
    for each in (wanted, turned):
        assert_lowers_to(decompile(each), each)


def test_a_long_row_is_a_long_program() -> None:
    wanted = sequence(1_500, 2)
    assert_lowers_to(decompile(wanted), wanted)


def crossing() -> Network:
    """Two branches that meet in two populations, of which one leaves one of them out."""
    return network([3, 2, 2, 2, 2], (0, 1), (0, 2), (1, 3), (2, 3), (2, 4))


@pytest.mark.parametrize(
    ("wanted", "why"),
    [
        (MIXED, "the 2 inputs image, clock"),
        (
            crossing(),
            "it is not made of layers in a row and side by side, after 'input', 'dense_2'",
        ),
        (Network((Population("x", (2,)),), (), ("x",), ("x",)), "the output 'x' is an input"),
        (
            Network(
                (Population("x", (1, 4)), Population("y", (1, 2))),
                (Projection("x", "y", Windows((2,))),),
                ("x",),
                ("y",),
            ),
            "the projection x->y is windows 2, which no layer is",
        ),
        (
            Network(
                (Population("x", (2,)), Population("y", (2,), merge="max")),
                (Projection("x", "y"),),
                ("x",),
                ("y",),
            ),
            "x->y is all_to_all, of which the largest counts, which no layer is",
        ),
        (
            Network(
                tuple(Population(name, (2,)) for name in "xyz"),
                (Projection("x", "y", OneToOne()), Projection("y", "z")),
                ("x",),
                ("z",),
            ),
            "its populations are not those of layers",
        ),
        (
            Network(
                tuple(Population(name, (2,)) for name in "iabcd"),
                tuple(Projection(a, b) for a, b in ("ia", "ib", "ac", "bd", "ab")),
                ("i",),
                ("c", "d"),
            ),
            "it is not made of layers",
        ),
    ],
)
def test_what_the_language_cannot_say_is_told(wanted: Network, why: str) -> None:
    with pytest.raises(NetworkError, match=f"no program for this network: .*{why}"):
        decompile(wanted)


def test_outputs_out_of_order_are_told() -> None:
    """The outputs of one branch with another's between them."""
    branches = network([3, 2, 1, 1, 1], (0, 1), (1, 2), (1, 3), (0, 4))
    names = ("dense_2", "dense_4", "dense_3")
    mixed = Network(branches.populations, branches.projections, branches.inputs, names)
    with pytest.raises(NetworkError, match="stand in the order dense_2, dense_4, dense_3"):
        decompile(mixed)


def test_a_bridge_between_branches_is_told() -> None:
    """Each population leads to all that get from it, and still it is no row and no branch."""
    bridge = network([2] * 6, (0, 1), (0, 2), (1, 3), (2, 4), (1, 4), (3, 5), (4, 5))
    with pytest.raises(NetworkError, match="no program for this network"):
        decompile(bridge)
