"""Parts as HTML: escaped, well-formed, short."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from volr.display.displayed import Displayed
from volr.display.html import MOST_LINES, MOST_ROWS, html
from volr.display.parts import Markup, Part, Table

HOSTILE = "<script>alert('x')</script> & \"q\" \x1b[31m \u202e"


def shown(*parts: Part) -> ET.Element:
    """The element that an XML parser reads."""
    return ET.fromstring(html(parts))


def cells(element: ET.Element, tag: str) -> list[str | None]:
    return [each.text for each in element.iter(tag)]


def test_a_table_has_its_cells_on_their_sides() -> None:
    table = Table(("name", "where", "n"), [("a", "b", "1"), ("c", "", "20")], left=2)
    found = shown(table)
    assert cells(found, "th") == ["name", "where", "n"]
    assert cells(found, "td") == ["a", "b", "1", "c", None, "20"]
    sides = [(each.get("style") or "").rsplit("text-align: ", 1)[1] for each in found.iter("td")]
    assert sides == ["left", "left", "right"] * 2


def test_what_comes_from_outside_is_escaped_and_visible() -> None:
    found = shown(HOSTILE, Table((HOSTILE,), [(HOSTILE,)]))
    assert not [*found.iter("script")]
    for tag in ("p", "th", "td"):
        (text,) = cells(found, tag)
        assert text == "<script>alert('x')</script> & \"q\" \\x1b[31m \\u202e"


@given(st.text())
def test_any_text_is_well_formed(text: str) -> None:
    found = shown(text, Table((text,), [(text,)]))
    assert len([*found.iter("td")]) == 1


def test_the_lines_of_a_text_stay() -> None:
    found = shown("one\ntwo  three").find("p")
    assert found is not None
    assert found.text == "one\ntwo  three"
    assert "pre-wrap" in (found.get("style") or "")


def test_long_ones_are_cut_and_say_so() -> None:
    rows = [(f"{number}", "x") for number in range(MOST_ROWS + 3)]
    found = cells(shown(Table(("n", "x"), rows)), "td")
    assert found[-1] == "… 3 more rows"
    assert found[-3] == f"{MOST_ROWS - 1}"
    (text,) = cells(shown("\n".join(["a"] * (MOST_LINES + 1))), "p")
    assert text is not None
    assert text.split("\n")[-1] == "… 1 more lines"
    (cell,) = cells(shown(Table(("n",), [("x" * 10_000,)])), "td")
    assert cell is not None
    assert len(cell) < 500


def test_markup_is_taken_as_it_is() -> None:
    assert cells(shown(Markup("<b>bold</b>")), "b") == ["bold"]


def test_what_is_displayed_is_its_parts() -> None:
    class Result(Displayed):
        def _display(self) -> list[Part]:
            return ["said", Table(("n",), [("1",)])]

    assert Result()._repr_html_() == html(["said", Table(("n",), [("1",)])])
