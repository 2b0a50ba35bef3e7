from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.network.examples import (
    CLOCKED,
    MIXED,
    PARALLEL,
    SKIP,
    XOR,
    clocked_networks,
    network,
    networks,
    parallel,
    sequence,
)

from volr import to_network
from volr.network import Network, Population, Projection, network_svg
from volr.network.drawing.placement import box_height
from volr.network.drawing.svg import CLOCK_STYLE, STYLE
from volr.network.subgraph import without_clock

PICTURE = Path(__file__).parents[3] / "docs" / "images" / "network.svg"
SVG = "{http://www.w3.org/2000/svg}"


@dataclass(frozen=True)
class Rectangle:
    title: str
    role: str
    lines: tuple[str, ...]
    x: float
    y: float
    width: float
    height: float

    @property
    def name(self) -> str:
        return self.title.rpartition(": ")[0]

    def holds(self, x: float, y: float) -> bool:
        """Whether a point lies inside and not on the edge."""
        return self.x < x < self.x + self.width and self.y < y < self.y + self.height


@dataclass(frozen=True)
class Line:
    title: str
    points: tuple[tuple[float, float], ...]

    @property
    def name(self) -> str:
        return self.title.rpartition(": ")[0]


@dataclass(frozen=True)
class Picture:
    rectangles: tuple[Rectangle, ...]
    lines: tuple[Line, ...]
    width: float
    height: float

    def __getitem__(self, name: str) -> Rectangle:
        (found,) = (each for each in self.rectangles if each.name == name)
        return found


def picture(network: Network) -> Picture:
    """What an XML parser and a reading of the SVG standard find in the drawing."""
    root = ET.fromstring(network_svg(network))
    assert root.tag == f"{SVG}svg"
    left, top, width, height = map(float, root.attrib["viewBox"].split())
    assert (left, top) == (0, 0)
    assert (float(root.attrib["width"]), float(root.attrib["height"])) == (width, height)
    rectangles: list[Rectangle] = []
    for group in root.iter(f"{SVG}g"):
        rectangle = group.find(f"{SVG}rect")
        assert rectangle is not None
        x, y, wide, high = (float(rectangle.attrib[key]) for key in ("x", "y", "width", "height"))
        title = group.findtext(f"{SVG}title") or ""
        lines = tuple(text.text or "" for text in group.iter(f"{SVG}text"))
        rectangles.append(Rectangle(title, group.attrib["class"], lines, x, y, wide, high))
    lines = tuple(
        Line(path.findtext(f"{SVG}title") or "", points(path.attrib["d"]))
        for path in root.iter(f"{SVG}path")
    )
    return Picture(tuple(rectangles), lines, width, height)


def points(path: str) -> tuple[tuple[float, float], ...]:
    """Along a path, from its start to its tip; the arrowhead after that is left out."""
    along: list[tuple[float, float]] = []
    for command, numbers in re.findall(r"([A-Za-z])([^A-Za-z]*)", path):
        values = [float(number) for number in numbers.split()]
        match command, values:
            case "M", [x, y]:
                along.append((x, y))
            case "H", [x]:
                start, y = along[-1]
                along += [(start + (x - start) * step / 20, y) for step in range(1, 21)]
            case "C", [x1, y1, x2, y2, x3, y3]:
                x0, y0 = along[-1]
                for step in range(1, 21):
                    t = step / 20
                    a, b, c, d = (1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3
                    x, y = a * x0 + b * x1 + c * x2 + d * x3, a * y0 + b * y1 + c * y2 + d * y3
                    along.append((x, y))
            case "m", _:
                break
            case _:
                pytest.fail(f"{command} {values} in {path}")
    return tuple(along)


def check_geometry(drawn: Picture) -> None:
    for one, other in combinations(drawn.rectangles, 2):
        beside = one.x + one.width <= other.x or other.x + other.width <= one.x
        above = one.y + one.height <= other.y or other.y + other.height <= one.y
        assert beside or above, (one, other)
    for box in drawn.rectangles:
        assert box.x >= 0
        assert box.y >= 0
        assert box.x + box.width <= drawn.width
        assert box.y + box.height <= drawn.height
    for line in drawn.lines:
        for x, y in line.points:
            assert 0 <= x <= drawn.width
            assert 0 <= y <= drawn.height
            assert not any(box.holds(x, y) for box in drawn.rectangles), line.title


@given(networks())
def test_boxes_and_arrows_of_random_networks(network: Network):
    drawn = picture(network)
    check_geometry(drawn)
    assert sorted(box.name for box in drawn.rectangles) == sorted(network.by_name)
    assert sorted(line.name for line in drawn.lines) == sorted(
        projection.name for projection in network.projections
    )
    lines = {line.name: line.points for line in drawn.lines}
    for projection in network.projections:
        source, target = drawn[projection.source], drawn[projection.target]
        start, end = lines[projection.name][0], lines[projection.name][-1]
        assert start[0] == source.x + source.width
        assert source.y < start[1] < source.y + source.height
        assert end[0] == target.x
        assert target.y < end[1] < target.y + target.height
        assert source.x + source.width < target.x
    by_size = sorted(network.populations, key=lambda population: population.size)
    heights = [drawn[population.name].height for population in by_size]
    assert heights == sorted(heights)


@given(clocked_networks())
def test_a_clock_is_below_all_and_hides_nothing(network: Network):
    drawn, plain = picture(network), picture(without_clock(network))
    check_geometry(drawn)
    clock = drawn["tick"]
    others = [box for box in drawn.rectangles if box is not clock]
    assert clock.y > max(box.y + box.height for box in others)
    # All else is where it is without a clock, but for the place that the clock's name takes.
    assert [(box.name, box.y, box.height) for box in others] == [
        (box.name, box.y, box.height) for box in plain.rectangles
    ]
    lines = {line.name: line for line in drawn.lines}
    assert lines.keys() == {each.name for each in network.projections}
    for each in network.projections:
        if each.source == "tick":
            start, end = lines[each.name].points[0], lines[each.name].points[-1]
            target = drawn[each.target]
            assert start == (clock.x + clock.width, clock.y + clock.height // 2)
            assert end[0] == target.x
            assert target.y + target.height / 2 < end[1] < target.y + target.height


def test_a_clock_has_a_colour_and_no_words_at_its_arrows():
    drawn = picture(CLOCKED)
    assert drawn["clock"].role == "clock"
    assert drawn["clock"].lines == ("clock", "11 neurons")
    text = network_svg(CLOCKED)
    assert text.count('class="arrow tick"') == 4
    assert ">conv 3<" in text
    assert ">slice" not in text
    assert "<title>clock-&gt;dense_5: slice 9:11, 6 synapses</title>" in text
    assert CLOCK_STYLE in text
    assert CLOCK_STYLE not in network_svg(without_clock(CLOCKED))


@given(st.integers(1, 10**9), st.integers(1, 10**9))
def test_height_grows_with_the_neurons_and_is_bounded(one: int, other: int):
    fewer, more = sorted((one, other))
    assert box_height(fewer) <= box_height(more) <= 6 * box_height(1)
    assert box_height(fewer) < box_height(2 * fewer) or fewer > 2**19


def test_two_neurons_beside_784_have_room_for_their_label():
    drawn = picture(network([784, 2], (0, 1)))
    assert 40 <= drawn["dense_1"].height < drawn["input"].height / 2


def test_a_box_says_name_neurons_and_role():
    drawn = picture(MIXED)
    assert drawn["image"].lines == ("image", "1×28×28")
    assert drawn["clock"].lines == ("clock", "1 neuron")
    assert drawn["what"].lines == ("what", "10 neurons")
    assert {box.name: box.role for box in drawn.rectangles} == {
        "image": "input",
        "clock": "input",
        "features": "output",
        "where": "output",
        "what": "output",
    }
    assert picture(XOR)["dense_1"].role == "hidden"
    assert picture(XOR).lines[0].title == "input->dense_1: all_to_all, 8 synapses"


def test_columns_are_longest_paths_and_branches_are_stacked_as_written():
    drawn = picture(SKIP)
    left = {box.name: box.x for box in drawn.rectangles}
    assert left["input"] < left["dense_1"] == left["dense_2"] < left["dense_3"] < left["dense_4"]
    wide = picture(parallel(*range(1, 13)))
    branches = [wide[f"dense_{index}"] for index in range(1, 13)]
    assert len({box.x for box in branches}) == 1
    assert [box.y for box in branches] == sorted(box.y for box in branches)


def test_a_chain_is_level_even_where_arrows_skip_parts_of_it():
    residual = network([64, 32, 32, 5, 10], (0, 1), (0, 2), (1, 2), (1, 3), (2, 3), (2, 4), (3, 4))
    drawn = picture(residual)
    assert len({box.y + box.height / 2 for box in drawn.rectangles}) == 1


def test_the_middle_one_of_three_branches_is_level_with_their_source():
    drawn = picture(parallel(3, 700, 20))
    middles = {box.name: box.y + box.height / 2 for box in drawn.rectangles}
    assert middles["input"] == middles["dense_2"] == middles["dense_4"]


def test_sources_are_level_with_what_they_lead_to():
    names = ("a", "b", "c", "d", "e", "f")
    ends = (("a", "c"), ("a", "d"), ("a", "e"), ("b", "f"))
    two = Network(
        tuple(Population(name, (10,)) for name in names),
        tuple(Projection(*each) for each in ends),
        inputs=("a", "b"),
        outputs=("c", "d", "e", "f"),
    )
    middles = {box.name: box.y + box.height / 2 for box in picture(two).rectangles}
    assert middles["a"] == middles["d"]
    assert middles["b"] == middles["f"]


def test_a_very_long_sequence_is_folded():
    drawn = picture(sequence(30_000))
    check_geometry(drawn)
    folds = [box for box in drawn.rectangles if box.role == "fold"]
    assert [box.lines for box in folds] == [("29,992 more", "populations")]
    assert folds[0].title == "29,992 populations, 299,920 neurons"
    names = [box.name for box in drawn.rectangles if box.role != "fold"]
    assert names[:2] == ["input", "dense_1"]
    assert names[-1] == "dense_29999"
    assert len(names) == len(drawn.lines) == 8


def test_a_very_wide_network_is_folded():
    drawn = picture(parallel(*[10] * 300))
    check_geometry(drawn)
    assert [box.lines[0] for box in drawn.rectangles if box.role == "fold"] == ["292 more"]
    assert len(drawn.rectangles) == 11
    merged = [line.title for line in drawn.lines if not line.name]
    assert merged == ["292 projections, 58,400 synapses", "292 projections, 29,200 synapses"]


def test_many_projections_between_few_populations_are_folded():
    count = 70
    ends = [(one, other) for one, other in combinations(range(count), 2)]
    drawing = network_svg(network([5] * count, *ends))
    assert len(drawing) < 1_000_000
    check_geometry(picture(network([5] * count, *ends)))


@pytest.mark.parametrize("drawn_whole", [sequence(40), parallel(*[10] * 24)])
def test_what_is_readable_whole_is_drawn_whole(drawn_whole: Network):
    assert [box.name for box in picture(drawn_whole).rectangles] == list(drawn_whole.by_name)


def test_markup_in_a_name_is_text():
    name = '<script>alert("&")</script>'
    alone = Network((Population(name, (3,)),), (), (name,), (name,))
    drawing = network_svg(alone)
    assert "<script" not in drawing
    root = ET.fromstring(drawing)
    assert root.findtext(f"{SVG}g/{SVG}title") == f"{name}: output, 3 neurons"
    assert f"{name} (3)" in (root.findtext(f"{SVG}desc") or "")


def test_a_long_name_keeps_both_ends_and_is_whole_in_the_title():
    name = "first" + "x" * 200 + "last"
    box = picture(Network((Population(name, (3,)),), (), (name,), (name,)))[name]
    assert re.fullmatch(r"first.*…x*last", box.lines[0])
    assert len(box.lines[0]) <= 20


def test_the_description_names_the_layers():
    description = ET.fromstring(network_svg(PARALLEL)).findtext(f"{SVG}desc")
    assert description == (
        "5 populations, 150 neurons; 5 projections, 2,600 synapses. From left to right: "
        "input (100); dense_1 (20); dense_2 (10), dense_3 (10); dense_4 (10)."
    )


def test_several_drawings_can_stand_in_one_page():
    drawing = network_svg(PARALLEL)
    assert " id=" not in drawing
    light, _, dark = STYLE.partition("@media (prefers-color-scheme: dark) {")
    selectors = re.findall(r"^([^{}\n]*)\{", light + dark, flags=re.MULTILINE)
    assert len(selectors) > 10
    assert all(selector.startswith(".volr ") for selector in selectors)


def luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.2) of ``#rrggbb``."""
    channels = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize(("scheme", "page"), [(0, "#ffffff"), (1, "#0d1117")])
def test_contrast_in_both_schemes(scheme: int, page: str):
    rules = "".join(
        each.split("@media (prefers-color-scheme: dark) {")[scheme] for each in (STYLE, CLOCK_STYLE)
    )
    for role in ("input", "hidden", "output", "fold", "clock"):
        (ground, edge) = re.findall(
            rf"\.{role} rect {{ fill: (#\w{{6}}); stroke: (#\w{{6}})", rules
        )[0]
        (ink,) = re.findall(rf"\.{role} text {{ fill: (#\w{{6}})", rules)
        assert contrast(ink, ground) >= 7
        assert contrast(edge, page) >= 3
    for kind in ("arrow", "tick"):
        (arrow,) = re.findall(rf"\.{kind} {{[^}}]*stroke: (#\w{{6}})", rules)
        for any_page in ("#ffffff", "#0d1117") if scheme == 0 else (page,):
            assert contrast(arrow, any_page) >= 3


def test_a_notebook_shows_the_drawing():
    assert PARALLEL._repr_svg_() == network_svg(PARALLEL)


def test_the_picture_in_the_readme_is_the_drawing():
    """To renew it: ``volr show FILE --svg docs/images/network.svg``, FILE holding the program."""
    readme = PICTURE.parents[2] / "README.md"
    program = readme.read_text(encoding="utf-8").split("```volr\n")[1].split("```")[0]
    assert PICTURE.read_text(encoding="utf-8") == network_svg(to_network(program))
