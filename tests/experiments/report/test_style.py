"""Figures: one SVG for light and dark, for a page with others and for a file of its own."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

pytest.importorskip("matplotlib")

from volr.experiments.report import style
from volr.experiments.report.style import drawing, panel

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from volr.experiments.report.style import Drawing

SVG = "{http://www.w3.org/2000/svg}"


def plotted(name: str = "some-figure", title: str = "A title") -> Drawing:
    def draw(figure: Figure) -> None:
        axes = panel(figure.add_subplot(), "x, $ms", "y")
        axes.plot((0.0, 1.0), (0.0, 3.0), color=style.BLUE, label="a & <b>")
        axes.set_xlim(0.0, 0.5)
        style.below(figure, axes)

    return drawing(name, title, "What is to be seen.", draw)


def test_title_description_and_texts_are_text() -> None:
    root = ET.fromstring(plotted(title="Weights < 1 & more").svg)
    assert root.tag == f"{SVG}svg"
    assert [each.tag for each in root[:2]] == [f"{SVG}title", f"{SVG}desc"]
    assert root[0].text == "Weights < 1 & more"
    assert root[1].text == "What is to be seen."
    assert root.attrib["role"] == "img"
    texts = {each.text for each in root.iter(f"{SVG}text")}
    assert {"x, $ms", "a & <b>"} <= texts


def test_figures_of_one_page_share_no_ids_and_find_their_own() -> None:
    first, second = plotted("first"), plotted("second")
    ids = [set(re.findall(r' id="([^"]+)"', each.svg)) for each in (first, second)]
    assert all(ids)
    assert not ids[0] & ids[1]
    for each, known in zip((first, second), ids, strict=True):
        used = re.findall(r'href="#([^"]+)"|url\(#([^)]+)\)', each.svg)
        assert {a or b for a, b in used} == known


def test_every_colour_is_a_variable_with_the_light_one_to_fall_back_to() -> None:
    root = ET.fromstring(plotted().svg)
    styles = [each.attrib["style"] for each in root.iter() if "style" in each.attrib]
    colors = re.findall(r"(var\(--volr-\w+, )?(#[0-9a-f]{6})", " ".join(styles))
    assert len(colors) > 10
    assert all(variable for variable, _ in colors)
    assert "--volr-blue: #6bb3f0" in plotted().svg


def test_nothing_is_loaded_and_nothing_depends_on_the_day() -> None:
    svg = plotted().svg
    assert set(re.findall(r"https?://[^\"' ]+", svg)) == {"http://www.w3.org/2000/svg"}
    assert svg == plotted().svg


@pytest.mark.parametrize("said", ["abc", "", "0", "-1", "99999999999999999999"])
def test_a_date_of_the_environment_has_no_say(monkeypatch: pytest.MonkeyPatch, said: str) -> None:
    svg = plotted().svg
    monkeypatch.setenv("SOURCE_DATE_EPOCH", said)
    assert plotted().svg == svg
    assert os.environ["SOURCE_DATE_EPOCH"] == said


def luminance(color: tuple[float, ...]) -> float:
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in color]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a: tuple[float, ...], b: tuple[float, ...]) -> float:
    """WCAG 2."""
    high, low = sorted((luminance(a), luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", [0, 1])
def test_colours_can_be_read_and_letters_on_cells_too(scheme: int) -> None:
    rules = style.light_and_dark(":root").split("\n")[scheme]
    colors = {
        name: tuple(int(value[k : k + 2], 16) / 255 for k in (1, 3, 5))
        for name, value in re.findall(r"--volr-(\w+): (#[0-9a-f]{6})", rules)
    }
    paper, ink = colors.pop("paper"), colors["ink"]
    del colors["rule"]
    assert len(colors) == 9
    for color in colors.values():
        assert contrast(color, paper) >= 4.5
    # The deepest cell of a confusion matrix is half its colour and half the paper.
    for name in ("blue", "orange"):
        cell = tuple((a + b) / 2 for a, b in zip(colors[name], paper, strict=True))
        assert contrast(ink, cell) >= 4.5
