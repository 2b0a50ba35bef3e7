"""The page as HTML: whatever a file says is text, and nothing is loaded."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("jinja2")
pytest.importorskip("matplotlib")

from volr.experiments.report.font import font
from volr.experiments.report.page import html
from volr.experiments.report.parts import Cell, Page, Section, Words, number, table, text

if TYPE_CHECKING:
    from volr.experiments.report.parts import Part

EVIL = "</title></style><script>alert(1)</script><img src=x onerror='alert(2)'>\"&{{ 7 * 7 }}"


class Elements(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def parsed(page: str) -> Elements:
    elements = Elements()
    elements.feed(page)
    return elements


def page_with(*parts: Part, title: str = "A title") -> Page:
    return Page(title, "Lead.", (Section("only", title, parts),), "0.0.0")


def test_everything_is_escaped() -> None:
    cells = [[text(EVIL), Cell(EVIL, 1.0)]]
    parts = (Words(EVIL), Words(EVIL, code=True), table(EVIL, (EVIL, EVIL), cells, folded=EVIL))
    elements = parsed(html(page_with(*parts, title=EVIL)))
    tags = [tag for tag, _ in elements.found]
    assert tags.count("script") == 1
    assert "img" not in tags
    assert all(not key.startswith("on") for _, attributes in elements.found for key in attributes)
    # Title, heading, link and its section, words, code, summary, caption, two headers, two cells.
    assert "".join(elements.texts).count(EVIL) == 12


def test_the_one_script_is_the_one_that_the_policy_allows() -> None:
    page = html(page_with())
    [script] = re.findall(r"<script>(.*?)</script>", page, flags=re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    [policy] = re.findall(r'Content-Security-Policy" content="([^"]+)"', page)
    assert f"script-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none';")


def test_a_whole_report_refers_to_nothing_but_itself(page: Page) -> None:
    written = html(page)
    elements = parsed(written)
    ids = [attributes["id"] for _, attributes in elements.found if "id" in attributes]
    assert len(set(ids)) == len(ids)
    for _, attributes in elements.found:
        for key in ("href", "src", "xlink:href", "action"):
            target = attributes.get(key)
            assert target is None or target == "data:," or target.removeprefix("#") in ids
    assert [tag for tag, _ in elements.found].count("svg") == len(page.drawings)
    assert "@import" not in written
    loaded = set(re.findall(r"url\(([^)]*)\)", written)) - {f"#{each}" for each in ids}
    [operators] = loaded
    assert base64.b64decode(operators.removeprefix("data:font/ttf;base64,")) == font()


def test_cells_without_a_number_are_known_as_such() -> None:
    made = table("Some", ("name", "size"), [[text("a"), number(None)], [text("b"), number(2.5)]])
    elements = parsed(html(page_with(made)))
    values = [attributes.get("data-value") for tag, attributes in elements.found if tag == "td"]
    assert values == [None, None, None, "2.5"]
    classes = [attributes.get("class") for tag, attributes in elements.found if tag == "th"]
    assert classes == [None, "number"]
