"""Places as a client counts them, and where they are after changes. Oracle: the encodings."""

from __future__ import annotations

import re

import pytest

pytest.importorskip("lsprotocol")

from hypothesis import given
from hypothesis import strategies as st
from lsprotocol.types import Position, Range

from volr.lsp.colours import colours
from volr.lsp.text import Change, Encoding, Text
from volr.source import Span

TEXTS = st.text(st.sampled_from("a _⦶é🧠\n\r\u2028\x0b\x85\ud800"), max_size=30)
ENCODINGS: dict[Encoding, tuple[str, int]] = {
    "utf-8": ("utf-8", 1),
    "utf-16": ("utf-16-le", 2),
    "utf-32": ("utf-32-le", 4),
}
ALL = pytest.mark.parametrize("encoding", ENCODINGS)


@ALL
@given(text=TEXTS)
def test_places_are_counted_as_the_encoding_does(encoding: Encoding, text: str) -> None:
    found = Text(text, encoding)
    codec, size = ENCODINGS[encoding]
    for offset in range(len(text) + 1):
        if text[offset - 1 : offset + 1] == "\r\n":
            continue
        lines = re.split(r"\r\n|\r|\n", text[:offset])
        units = len(lines[-1].encode(codec, "surrogatepass")) // size
        assert found.position(offset) == Position(len(lines) - 1, units)
        assert found.offset(Position(len(lines) - 1, units)) == offset


@ALL
@given(text=TEXTS, data=st.data())
def test_many_places_in_order_are_those_one_by_one(
    encoding: Encoding, text: str, data: st.DataObject
) -> None:
    some = sorted(data.draw(st.lists(st.integers(0, len(text)))))
    found = Text(text, encoding)
    assert [*found.positions(some)] == [found.position(each) for each in some]


def test_the_places_of_a_long_line_are_counted_once(monkeypatch: pytest.MonkeyPatch) -> None:
    counted: list[int] = []

    def units(_: Text, text: str) -> int:
        counted.append(len(text))
        return len(text)

    monkeypatch.setattr(Text, "_units", units)
    program = "dense 2 2" + " ⦶ dense 2 2" * 200
    colours(Text(program))
    assert sum(counted) <= len(program)


@ALL
@given(text=TEXTS, line=st.integers(0, 40), character=st.integers(0, 200))
def test_every_place_is_one_of_the_text(
    encoding: Encoding, text: str, line: int, character: int
) -> None:
    found = Text(text, encoding).offset(Position(line, character))
    assert 0 <= found <= len(text)


def test_places_beyond_the_end() -> None:
    text = Text("a🧠\r\nbc")
    assert text.offset(Position(0, 2)) == 1  # within a character
    assert text.offset(Position(0, 9)) == 2
    assert text.offset(Position(1, 9)) == 6
    assert text.offset(Position(7, 0)) == 6
    assert text.span(Range(Position(1, 1), Position(0, 0))) == Span(0, 5)


@given(text=st.text("abc", min_size=1, max_size=12), data=st.data())
def test_a_word_that_is_not_touched_is_found_again(text: str, data: st.DataObject) -> None:
    """Oracle: marked characters, which the change carries along."""
    ends = st.integers(0, len(text))
    start, end = sorted((data.draw(ends), data.draw(ends)))
    new = data.draw(st.text("xyz", max_size=4))
    first, last = sorted((data.draw(ends), data.draw(ends)))
    change = Change(Span(start, end), len(new))
    marked = [*text]
    for index in range(first, last):
        marked[index] = marked[index].upper()
    after = "".join([*marked[:start], new, *marked[end:]])
    moved = change.after(Span(first, last))
    if moved is None:
        assert start <= last
        assert first <= end
    else:
        assert after[moved.start : moved.end] == "".join(marked[first:last])
    for place in range(len(after) + 1):
        before = change.before(place)
        if before is not None:
            assert change.after(Span(before, before)) == Span(place, place)
