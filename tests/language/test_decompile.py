"""Networks as programs again, whose lowering they are."""

from __future__ import annotations

import pytest
from hypothesis import given
from tests.network.examples import MIXED, PARALLEL, SKIP, XOR, network, networks, sequence
from tests.strategies import Program, programs

from volr import to_network
from volr.errors import NetworkError, ProgramError
from volr.language.decompile import Decompiled, decompile
from volr.network import Network, OneToOne, Population, Projection


def assert_lowers_to(found: Decompiled, wanted: Network) -> None:
    lowered = to_network(found.text)
    names = found.names
    assert {names[p.name]: p.shape for p in lowered.populations} == {
        p.name: p.shape for p in wanted.populations
    }
    assert {(names[p.source], names[p.target]) for p in lowered.projections} == {
        (p.source, p.target) for p in wanted.projections
    }
    assert tuple(names[name] for name in lowered.inputs) == wanted.inputs
    assert tuple(names[name] for name in lowered.outputs) == wanted.outputs


@given(programs())
def test_every_program_comes_back(program: Program) -> None:
    wanted = to_network(program.source)
    assert_lowers_to(decompile(wanted), wanted)


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
        (crossing(), "'dense_2' leads to populations that get from others"),
        (network([2, 3, 4], (0, 1), (1, 2), (0, 2)), "'input' leads to populations"),
        (Network((Population("x", (2,)),), (), ("x",), ("x",)), "the output 'x' leads on"),
        (
            Network(
                (Population("x", (2, 2)), Population("y", (1,))),
                (Projection("x", "y"),),
                ("x",),
                ("y",),
            ),
            r"'x' has the shape \(2, 2\)",
        ),
        (
            Network(
                (Population("x", (2,)), Population("y", (2,))),
                (Projection("x", "y", OneToOne()),),
                ("x",),
                ("y",),
            ),
            "the projection x->y is one_to_one",
        ),
        (
            Network(
                tuple(Population(name, (2,)) for name in "iabcd"),
                tuple(Projection(a, b) for a, b in ("ia", "ib", "ac", "bd", "ab")),
                ("i",),
                ("c", "d"),
            ),
            "leads to populations",
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
