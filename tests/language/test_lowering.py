"""From terms to networks: the table of the language, names, spans and boundaries."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.strategies import programs

from volr.language import check, lower, to_network
from volr.source import Source

TABLE = [
    ("dense 2 4 ⦶ dense 4 2", "net 2 2", [2, 4, 2], ["2→4", "4→2"]),
    ("dense 100 100 ⦶ dense 100 10", "net 100 10", [100, 100, 10], ["100→100", "100→10"]),
    (
        "let l1 = dense 2 4 in let l2 = dense 2 4 in let o = dense 8 1 in (l1 ⊖ l2) ⦶ o",
        "net 2 1",
        [2, 4, 4, 1],
        ["2→4", "2→4", "4→1", "4→1"],
    ),
    (
        "dense 100 20 ⦶ (dense 20 10 ⊖ dense 20 10) ⦶ dense 20 10",
        "net 100 10",
        [100, 20, 10, 10, 10],
        ["100→20", "20→10", "20→10", "10→10", "10→10"],
    ),
    ("let n = 64 in dense n n ⦶ dense n 10", "net 64 10", [64, 64, 10], ["64→64", "64→10"]),
]


@pytest.mark.parametrize(("text", "type_", "sizes", "projections"), TABLE)
def test_the_table(text: str, type_: str, sizes: list[int], projections: list[str]) -> None:
    checked = check(Source(text))
    found = lower(checked.term)
    assert str(checked.type) == type_
    assert [population.size for population in found.populations] == sizes
    ends = [(found[each.source].size, found[each.target].size) for each in found.projections]
    assert [f"{source}→{target}" for source, target in ends] == projections


def test_names_follow_the_order_of_evaluation() -> None:
    found = to_network("let a = dense 2 3 in (a ⊖ a ⦶ dense 3 5) ⦶ dense 8 1")
    assert [(each.name, each.size) for each in found.populations] == [
        ("input", 2),
        ("dense_1", 3),
        ("dense_2", 3),
        ("dense_3", 5),
        ("dense_4", 1),
    ]
    assert [each.name for each in found.projections] == [
        "input->dense_1",
        "input->dense_2",
        "dense_2->dense_3",
        "dense_1->dense_4",
        "dense_3->dense_4",
    ]
    assert (found.inputs, found.outputs) == (("input",), ("dense_4",))


def test_spans_point_at_the_dense() -> None:
    text = "let a = dense 2 3 in (a ⊖ a) ⦶ (dense 6 1)"
    found = to_network(text)
    spans = [each.span for each in (*found.populations[1:], *found.projections)]
    shown = [text[span.start : span.end] for span in spans if span is not None]
    assert shown == ["dense 2 3", "dense 2 3", "dense 6 1"] + ["dense 2 3"] * 2 + ["dense 6 1"] * 2
    span = found["input"].span
    assert span is not None
    assert text[span.start : span.end] == "(a ⊖ a) ⦶ (dense 6 1)"
    assert found.source == Source(text)


@given(st.data())
def test_sequence_is_associative(data: st.DataObject) -> None:
    a = data.draw(programs())
    b = data.draw(programs(inputs=a.outputs))
    c = data.draw(programs(inputs=b.outputs))
    left, right = (
        f"(({a.text}) ⦶ ({b.text})) ⦶ ({c.text})",
        f"({a.text}) ⦶ (({b.text}) ⦶ ({c.text}))",
    )
    assert to_network(left) == to_network(right)


@given(st.data())
def test_parallel_is_associative(data: st.DataObject) -> None:
    a = data.draw(programs())
    b, c = (data.draw(programs(inputs=a.inputs)) for _ in range(2))
    left, right = (
        f"(({a.text}) ⊖ ({b.text})) ⊖ ({c.text})",
        f"({a.text}) ⊖ (({b.text}) ⊖ ({c.text}))",
    )
    assert to_network(left) == to_network(right)


@given(st.data())
def test_a_layer_reads_the_parts_before_it_side_by_side(data: st.DataObject) -> None:
    a = data.draw(programs())
    b = data.draw(programs(inputs=a.inputs))
    sides = to_network(f"({a.text}) ⊖ ({b.text})")
    whole = to_network(f"(({a.text}) ⊖ ({b.text})) ⦶ dense {a.outputs + b.outputs} 5")
    *before, last = whole.populations
    assert tuple(before) == sides.populations
    assert tuple(each.source for each in whole.incoming[last.name]) == sides.outputs
