"""What a notebook shows of a checked program."""

from __future__ import annotations

import re
from html import unescape
from xml.etree import ElementTree as ET

from hypothesis import given
from tests.shaped_programs import ShapedProgram, shaped_programs

from volr.language import check


def shown(text: str) -> ET.Element:
    """The document that an XML parser reads."""
    html = check(text)._repr_html_()
    return ET.fromstring(f"<div>{html}</div>")


def test_each_blank_says_its_shape() -> None:
    text = "let b = dense _ 4 in // < 5 & more\nconv [1 9 9] 2 3 ⦶ avgpool _ 2 ⦶ b ⦶ b\n"
    found = shown(text)
    assert [each.get("title") for each in found.iter("span")] == ["4 or [2 3 3]", "[2 7 7]"]
    assert "".join(found.find("pre").itertext()) == text.rstrip()  # type: ignore[union-attr]
    assert found.findtext("code") == "net [1 9 9] 4"


@given(shaped_programs())
def test_the_text_is_the_program(program: ShapedProgram) -> None:
    html = check(program.text)._repr_html_()
    text = re.sub(r"<[^>]*>", "", html.split("</pre>")[0])
    assert unescape(text) == program.text
