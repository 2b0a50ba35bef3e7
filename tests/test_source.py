"""Diagnostics as they are shown: aligned, cut to what matters, and harmless to a terminal."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from volr.source import (
    Diagnostic,
    Edit,
    Label,
    Position,
    Source,
    Span,
    clip,
    edited,
    render_all,
    visible,
)


def shown(text: str, start: int, end: int, label: str = "", *others: Label) -> list[str]:
    diagnostic = Diagnostic(Span(start, end), "wrong", label, None, others)
    first, *rest = diagnostic.render(Source(text, "p")).split("\n")
    place = Source(text).position(start)
    assert first == f"p:{place.line}:{place.column}: error: wrong"
    return rest


def test_the_example_of_the_description() -> None:
    source = Source("dense 2 4 ⦶ dense 3 1", "xor.volr")
    diagnostic = Diagnostic(
        Span(12, 21),
        "this network takes 3 inputs, but what comes before it gives 4",
        "takes 3",
        "write `dense 4 1`",
        (Label(Span(0, 9), "gives 4"),),
    )
    assert diagnostic.render(source) == (
        "xor.volr:1:13: error: this network takes 3 inputs, but what comes before it gives 4\n"
        "1 | dense 2 4 ⦶ dense 3 1\n"
        "  | --------- gives 4\n"
        "  |             ^^^^^^^^^ takes 3\n"
        "  = help: write `dense 4 1`"
    )


@pytest.mark.parametrize(
    ("offset", "line", "column"), [(0, 1, 1), (2, 1, 3), (3, 2, 1), (5, 2, 3), (6, 3, 1), (7, 4, 1)]
)
def test_positions_count_characters(offset: int, line: int, column: int) -> None:
    assert Source("⦶b\nc⊖\n\n").position(offset) == Position(line, column)


@given(st.text(alphabet="a⦶\n\r\t"), st.data())
def test_a_position_leads_back_to_its_offset(text: str, data: st.DataObject) -> None:
    offset = data.draw(st.integers(0, len(text)))
    found = Source(text).position(offset)
    before = text[:offset].split("\n")
    assert (found.line, found.column) == (len(before), len(before[-1]) + 1)


def test_line_breaks_of_windows_are_not_shown() -> None:
    assert shown("ab\r\ncd\r\n", 4, 6) == ["2 | cd", "  | ^^"]


def test_other_lines_are_shown_in_the_order_of_the_text() -> None:
    others = (Label(Span(0, 1), "first"), Label(Span(12, 13), "last"))
    assert shown("a\nb\nc\nd\ne\nf\ng", 8, 9, "here", *others) == [
        "1 | a",
        "  | - first",
        ". |",
        "5 | e",
        "  | ^ here",
        ". |",
        "7 | g",
        "  | - last",
    ]


def test_the_gutter_is_as_wide_as_the_largest_line_number() -> None:
    others = (Label(Span(0, 1), "first"),)
    assert shown("a\n" * 10, 18, 19, "here", *others) == [
        " 1 | a",
        "   | - first",
        ".. |",
        "10 | a",
        "   | ^ here",
    ]


def test_a_span_of_several_lines_is_marked_on_its_first_and_last() -> None:
    assert shown("let a = (\n  b\n  c )\nd", 8, 19, "this") == [
        "1 | let a = (",
        "  |         ^ …",
        ". |",
        "3 |   c )",
        "  |   ^^^ this",
    ]


def test_a_span_up_to_a_line_break_stays_on_its_line() -> None:
    assert shown("ab\ncd", 0, 3) == ["1 | ab", "  | ^^"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [("ab", ["1 | ab", "  |   ^"]), ("ab\n", ["2 |", "  | ^"]), ("", [])],
)
def test_the_end_of_a_text(text: str, expected: list[str]) -> None:
    assert shown(text, len(text), len(text)) == expected


@pytest.mark.parametrize(
    ("before", "marked", "line", "marks"),
    [
        ("\t", "b", "    b", "    ^"),
        ("a\t", "b", "a   b", "    ^"),
        ("層\t", "b", "層  b", "    ^"),
        ("層", "層b", "層層b", "  ^^^"),
        ("e\u0301", "b", "e\u0301b", " ^"),
        ("\x1b[2J", "b", "\\x1b[2Jb", "       ^"),
        ("\u202e", "b", "\\u202eb", "      ^"),
        ("\u00a0", "b", "\\xa0b", "    ^"),
        ("\ud800", "b", "\\ud800b", "      ^"),
        ("\U000e0001", "b", "\\U000e0001b", "          ^"),
        ("", "\t", "", "^^^^"),
    ],
)
def test_marks_stand_under_what_they_mark(before: str, marked: str, line: str, marks: str) -> None:
    found = shown(before + marked, len(before), len(before + marked))
    assert found == [f"1 | {line}".rstrip(), f"  | {marks}"]


def test_a_long_line_is_cut_around_what_is_wrong() -> None:
    found = shown("x" * 500_000 + "⦶" + "y" * 500_000, 500_000, 500_001, "here")
    assert found == [f"1 | … {'x' * 30}⦶{'y' * 89} …", f"  |   {' ' * 30}^ here"]


def test_a_long_line_is_shown_in_pieces_where_labels_are_far_apart() -> None:
    others = (Label(Span(1, 2), "near"), Label(Span(9_000, 9_001), "far"))
    found = shown("x" * 10_000, 3, 4, "here", *others)
    assert [row.strip() for row in found] == [
        f"1 | {'x' * 93} …",
        "|  - near",
        "|    ^ here",
        f"1 | … {'x' * 120} …",
        f"|   {' ' * 30}- far",
    ]


def test_a_long_span_is_marked_as_far_as_it_is_shown() -> None:
    assert shown("x" * 10_000, 0, 10_000, "all") == [f"1 | {'x' * 90} …", f"  | {'^' * 90} all"]


def test_nothing_else_is_longer_than_it_must_be() -> None:
    diagnostic = Diagnostic(Span(0, 1), "m" * 10**6, "l" * 10**6, "h" * 10**6)
    assert len(diagnostic.render(Source("x"))) < 2_000


@given(st.text(), st.text(), st.data())
def test_whatever_is_shown_is_visible_and_short(text: str, name: str, data: st.DataObject) -> None:
    spans = st.tuples(*[st.integers(0, len(text))] * 2).map(lambda ends: Span(min(ends), max(ends)))
    others = tuple(data.draw(st.lists(st.builds(Label, spans, st.text()), max_size=3)))
    diagnostic = Diagnostic(data.draw(spans), data.draw(st.text()), name, name, others)
    for row in diagnostic.render(Source(text, name)).split("\n"):
        assert row.isprintable()
        assert all(unicodedata.category(character)[0] != "C" for character in row)


def test_what_is_visible_stays() -> None:
    assert visible("dense ⦶ 層 é ~") == "dense ⦶ 層 é ~"
    assert visible("\x1b\n\t\x7f") == "\\x1b\\n\\t\\x7f"


def test_clip_keeps_both_ends() -> None:
    assert clip("a" * 40) == "a" * 40
    assert clip("a" * 50 + "b" * 50) == "a" * 20 + "…" + "b" * 10


def test_of_many_diagnostics_the_first_are_shown() -> None:
    found = [Diagnostic(Span(0, 1), f"number {index}") for index in range(1_023)]
    shown = render_all(Source("x", "p"), found).split("\n\n")
    assert len(shown) == 21
    assert shown[-1] == "and 1,003 more"
    assert render_all(Source("x", "p"), found[:20]).split("\n\n") == shown[:20]


def test_edits_are_carried_out_at_their_places_in_any_order() -> None:
    edits = [Edit(Span(0, 1), "xyz"), Edit(Span(4, 4), "!"), Edit(Span(2, 3), "")]
    assert edited("abcd", edits) == "xyzbd!"
    assert edited("abcd", reversed(edits)) == "xyzbd!"
    assert edited("abcd", []) == "abcd"
