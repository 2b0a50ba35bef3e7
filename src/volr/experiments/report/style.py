"""What all figures look like, and how they become SVG.

Matplotlib draws with the colours of the light scheme. In its SVG each is then made a CSS variable,
which falls back to that colour and takes that of the dark scheme where the reader prefers it: so
one figure serves both, in a page and as a file. On paper it is always the light one. Texts stay
texts. Widths are those of a column: on a phone a figure is shown at its own size, and its letters
can be read.
"""

from __future__ import annotations

import os
import re
from contextlib import contextmanager
from dataclasses import dataclass
from io import StringIO
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from matplotlib import rc_context
from matplotlib.figure import Figure

from volr.source import visible

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from matplotlib.axes import Axes

# Name, in light, in dark. No two are alike in light, since that is what tells them apart.
_SCHEMES: dict[str, tuple[str, str]] = {
    "ink": ("#1d2733", "#e8ecf0"),
    "muted": ("#586573", "#a3afbb"),
    "rule": ("#d3dae1", "#38424d"),
    "paper": ("#fefefe", "#14191f"),
    "blue": ("#1f6fb2", "#6bb3f0"),
    "orange": ("#b35900", "#f0a35e"),
    "green": ("#1a7f5a", "#5cc9a0"),
    "purple": ("#7b4fa3", "#c09be6"),
    "red": ("#b3362f", "#f28b82"),
    "teal": ("#0f7480", "#5cc5d3"),
    "olive": ("#6b6a12", "#c9c56a"),
}
INK, MUTED, RULE, PAPER = (_SCHEMES[name][0] for name in ("ink", "muted", "rule", "paper"))
BLUE, ORANGE, GREEN, PURPLE = (_SCHEMES[k][0] for k in ("blue", "orange", "green", "purple"))
RED, TEAL, OLIVE = (_SCHEMES[name][0] for name in ("red", "teal", "olive"))
SERIES = (BLUE, ORANGE, GREEN, PURPLE, RED, TEAL, OLIVE)
DASHES = ("-", "--", "-.", ":")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
"""Series differ in more than their colour."""

WIDTH = 4.6
"""Inches, 331 px of SVG."""
SMALL = 7.5
"""Points, of the smallest letters."""

_DATE = "SOURCE_DATE_EPOCH"
_STYLE: dict[str, object] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "volr",
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9.0,
    "text.color": INK,
    "text.parse_math": False,
    "axes.titlesize": 9.0,
    "axes.titlelocation": "left",
    "axes.labelcolor": MUTED,
    "axes.edgecolor": MUTED,
    "axes.linewidth": 0.8,
    "axes.facecolor": "none",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.unicode_minus": True,
    "figure.facecolor": "none",
    "savefig.facecolor": "none",
    "grid.color": RULE,
    "grid.linewidth": 0.7,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelsize": 8.0,
    "ytick.labelsize": 8.0,
    "xtick.major.size": 3.0,
    "ytick.major.size": 3.0,
    "lines.linewidth": 1.5,
    "lines.markersize": 4.0,
    "legend.frameon": False,
    "legend.fontsize": 8.0,
    "legend.handlelength": 1.8,
}
_SVG, _LINK = "http://www.w3.org/2000/svg", "{http://www.w3.org/1999/xlink}href"
_LONG_NUMBER = re.compile(r"\d+\.\d{3,}")
_REFERENCE = re.compile(r"url\(#([^)]+)\)")
_FONT = re.compile(r"font-family: [^;]*;? ?")


@dataclass(frozen=True)
class Drawing:
    """A figure: ``svg`` is both the file ``name``.svg and what a page shows.

    ``title`` and ``caption`` stand above it on a page; ``description``, in it, is what it shows for
    whoever does not see it.
    """

    name: str
    title: str
    caption: str
    description: str
    svg: str


def drawing(
    name: str,
    title: str,
    description: str,
    draw: Callable[[Figure], None],
    *,
    caption: str | None = None,
    height: float = 2.8,
    width: float = WIDTH,
) -> Drawing:
    """Have ``draw`` fill a figure of ``width`` × ``height`` inches in the house's style.

    ``name`` begins with a letter and holds letters, digits and hyphens. The ``caption`` is the
    ``description`` unless told.
    """
    written = StringIO()
    with rc_context(_STYLE), _without_date():
        figure = Figure(figsize=(width, height), layout="constrained")
        draw(figure)
        figure.savefig(written, format="svg", metadata={"Date": None})
    # Their own output, just written, and nobody else's.
    root = ET.fromstring(written.getvalue().partition("<svg")[2].join(("<svg", "")))  # noqa: S314
    ET.register_namespace("", _SVG)
    _tidied(root, name)
    for tag, text in (("desc", description), ("title", title)):
        element = ET.Element(f"{{{_SVG}}}{tag}")
        element.text = visible(text)
        root.insert(0, element)
    return Drawing(
        name=name,
        title=visible(title),
        caption=visible(description if caption is None else caption),
        description=visible(description),
        svg=ET.tostring(root, encoding="unicode") + "\n",
    )


@contextmanager
def _without_date() -> Generator[None]:
    """Leave ``SOURCE_DATE_EPOCH`` out of the environment within.

    A figure has no date. Matplotlib measures it first, though, with one, and ends at a variable
    that is no number.
    """
    before = os.environ.pop(_DATE, None)
    try:
        yield
    finally:
        if before is not None:
            os.environ[_DATE] = before


def light_and_dark(selector: str, *, indent: str = "") -> str:
    """The colours as CSS variables of what ``selector`` selects: light, and dark on a screen."""
    light, dark = (
        "; ".join(f"--volr-{name}: {pair[which]}" for name, pair in _SCHEMES.items())
        for which in (0, 1)
    )
    rules = (
        f"{selector} {{ {light} }}",
        f"@media screen and (prefers-color-scheme: dark) {{ {selector} {{ {dark} }} }}",
    )
    return "\n".join(indent + rule for rule in rules)


def minus(number: str) -> str:
    """A number's text with the sign that matplotlib writes on its axes, too."""
    return number.replace("-", "−")


def panel(axes: Axes, x: str = "", y: str = "", title: str = "") -> Axes:
    """Label axes, with a grid across the direction that is read off."""
    axes.set_xlabel(visible(x))
    axes.set_ylabel(visible(y))
    if title:
        axes.set_title(visible(title))
    axes.grid(axis="y")
    return axes


def below(figure: Figure, axes: Axes, columns: int = 2) -> None:
    """The legend of ``axes`` under the figure, where it hides nothing."""
    handles, labels = axes.get_legend_handles_labels()
    if len(labels) > 0:
        figure.legend(handles, labels, loc="outside lower left", ncols=columns)


def _tidied(root: ET.Element, name: str) -> None:
    """Ids that are unique in a page, colours as variables, fewer decimals."""
    for element in root.findall(f"{{{_SVG}}}metadata"):
        root.remove(element)
    for element in root.findall(f"{{{_SVG}}}defs"):
        # Its own style would hold for the whole page; the other definitions are what is clipped.
        if element.find(f"{{{_SVG}}}style") is not None:
            root.remove(element)
    linked = {each.get(_LINK, "")[1:] for each in root.iter()}
    for element in root.iter():
        given = element.attrib
        if _LINK in given:
            given["href"] = f"#{name}-{given.pop(_LINK)[1:]}"
        if "id" in given:
            identifier = given.pop("id")
            if identifier in linked or element.tag.endswith("clipPath"):
                given["id"] = f"{name}-{identifier}"
        for key, value in given.items():
            match key:
                case "style":
                    given[key] = _in_variables(_FONT.sub("", value)).strip()
                case "clip-path":
                    given[key] = _REFERENCE.sub(rf"url(#{name}-\1)", value)
                case "d" | "x" | "y" | "width" | "height" | "transform":
                    given[key] = _LONG_NUMBER.sub(lambda each: f"{float(each[0]):.2f}", value)
                case _:
                    pass
    style = ET.Element(f"{{{_SVG}}}style")
    style.text = f"\n{light_and_dark('.volr-figure')}\n{_LETTERS}\n"
    root.insert(0, style)
    root.set("class", "volr-figure")
    root.set("role", "img")
    root.set("width", root.attrib["width"].removesuffix("pt"))
    root.set("height", root.attrib["height"].removesuffix("pt"))


_LETTERS = (
    '.volr-figure text { font-family: system-ui, -apple-system, "Segoe UI", Roboto, '
    '"Helvetica Neue", Arial, "DejaVu Sans", sans-serif }\n'
    ".volr-figure path, .volr-figure use { stroke-linejoin: round }"
)


def _in_variables(style: str) -> str:
    for name, (light, _) in _SCHEMES.items():
        style = style.replace(light, f"var(--volr-{name}, {light})")
    return style
