"""Programs as HTML: the text of the program, in colours that can be read on any page."""

from __future__ import annotations

import re
from html import unescape

import pytest
from hypothesis import given
from tests.shaped_programs import ShapedProgram, shaped_programs

from volr.display.programs import COLOURS, LONGEST, program_html

PAGES = ("#ffffff", "#111111")  # of JupyterLab's themes


def text_of(html: str) -> str:
    return unescape(re.sub(r"<[^>]*>", "", html))


@given(shaped_programs())
def test_it_is_the_text_of_the_program(program: ShapedProgram) -> None:
    assert text_of(program_html(program.text)) == program.text


def test_tokens_have_their_colours_and_the_rest_that_of_the_page() -> None:
    html = program_html("let f n = dense _ n in f 2 // <note>\n")
    assert '<span style="color: var(--jp-mirror-editor-keyword-color' in html
    assert "// &lt;note&gt;</span></pre>" in html
    assert " f n " in html


def test_a_title_stands_where_it_is_said() -> None:
    html = program_html("dense 2 3 ⦶ dense _ 4", {18: '"3" & more'})
    assert re.findall(r'title="([^"]*)"[^>]*>_<', html) == ["&quot;3&quot; &amp; more"]


def test_a_long_program_is_cut_and_what_is_invisible_is_escaped() -> None:
    assert len(text_of(program_html("dense 2 2 ⦶ " * LONGEST))) < LONGEST
    assert text_of(program_html("dense 2 \u202e\x1b\t3\n4")) == "dense 2 \\u202e\\x1b\t3\n4"


def test_line_breaks_of_windows_are_line_breaks() -> None:
    text = "dense 2 3 ⦶ // first\r\n/* a\r\nb */\r\n  dense _ 4\r\n"
    html = program_html(text, {text.index("_"): "3"})
    assert text_of(html) == "dense 2 3 ⦶ // first\n/* a\nb */\n  dense _ 4"
    assert re.findall(r'title="([^"]*)"[^>]*>_<', html) == ["3"]
    assert text_of(program_html("dense 2 3 // a\rb")) == "dense 2 3 // a\\rb"


def luminance(colour: str) -> float:
    """Relative luminance, as WCAG 2 defines it."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("kind", COLOURS)
def test_the_colours_can_be_read_on_light_and_on_dark(kind: str, page: str) -> None:
    low, high = sorted([luminance(COLOURS[kind][1]), luminance(page)])
    assert (high + 0.05) / (low + 0.05) >= 4.0
