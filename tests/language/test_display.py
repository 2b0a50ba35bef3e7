"""What a notebook shows of a checked program."""

from __future__ import annotations

import re
from html import unescape
from xml.etree import ElementTree as ET

from hypothesis import given
from tests.shaped_programs import ShapedProgram, shaped_programs

from volr.language import check, to_network
from volr.network import network_svg


def shown(text: str) -> ET.Element:
    """The document that an XML parser reads."""
    return ET.fromstring(check(text)._repr_html_())


def test_each_blank_says_its_shape() -> None:
    text = "let b = dense _ 4 in // < 5 & more\nconv [1 9 9] 2 3 ⦶ avgpool _ 2 ⦶ b ⦶ b\n"
    found = shown(text)
    titles = [title for each in found.iter("span") if (title := each.get("title")) is not None]
    assert titles == ["4 or [2 3 3]", "[2 7 7]"]
    assert "".join(found.find("pre").itertext()) == text.rstrip()  # type: ignore[union-attr]
    assert found.findtext("p") == "net [1 9 9] 4"


@given(shaped_programs())
def test_the_text_is_the_program_and_the_drawing_its_network(program: ShapedProgram) -> None:
    html = check(program.text)._repr_html_()
    text = re.sub(r"<[^>]*>", "", html.partition("<pre")[2].partition(">")[2].split("</pre>")[0])
    assert unescape(text) == program.text
    assert network_svg(to_network(program.text)) in html
