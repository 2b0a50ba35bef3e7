"""The look of all figures, and how they become SVG.

Matplotlib draws with the colours of the light scheme. In its SVG each colour becomes a CSS variable
with that colour as its default, and with another colour for readers who prefer a dark scheme. So
one figure serves both, in a page and as a file. Printed figures are always light. Text stays text.
Figures are as wide as a column. On a phone they keep their size, so that the text can be read.
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

# Name, colour in light, colour in dark. The light ones are all different, since they are replaced.
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
"""Series differ in dashes and markers too, and not only in colour."""

WIDTH = 4.6
"""Inches, 331 px of SVG."""
SMALL = 7.5
"""The size of the smallest text, points."""

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
    """A figure: ``svg`` is both the file ``name``.svg and the figure in a page.

    ``title`` and ``caption`` stand above it on a page. ``description`` is part of the SVG, for
    readers who do not see the figure.
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
    """A figure of ``width`` × ``height`` inches in the common style, which ``draw`` fills.

    ``name`` begins with a letter and has letters, digits and hyphens. The default ``caption`` is
    the ``description``.
    """
    written = StringIO()
    with rc_context(_STYLE), _without_date():
        figure = Figure(figsize=(width, height), layout="constrained")
        draw(figure)
        figure.savefig(written, format="svg", metadata={"Date": None})
    # This is Matplotlib's own output, and not a file of somebody else.
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
    """Remove ``SOURCE_DATE_EPOCH`` from the environment for a while.

    A figure has no date. But Matplotlib measures it with one first, and fails if the variable is
    not a number.
    """
    before = os.environ.pop(_DATE, None)
    try:
        yield
    finally:
        if before is not None:
            os.environ[_DATE] = before


def light_and_dark(selector: str, *, indent: str = "") -> str:
    """CSS that sets the colours as variables on ``selector``: light, or dark on a screen."""
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
    """A number's text with a minus sign, as Matplotlib writes it on axes."""
    return number.replace("-", "−")


def panel(axes: Axes, x: str = "", y: str = "", title: str = "") -> Axes:
    """Label the axes, and add a grid for reading y."""
    axes.set_xlabel(visible(x))
    axes.set_ylabel(visible(y))
    if title:
        axes.set_title(visible(title))
    axes.grid(axis="y")
    return axes


def below(figure: Figure, axes: Axes, columns: int = 2) -> None:
    """Put the legend of ``axes`` under the figure."""
    handles, labels = axes.get_legend_handles_labels()
    if len(labels) > 0:
        figure.legend(handles, labels, loc="outside lower left", ncols=columns)


def _tidied(root: ET.Element, name: str) -> None:
    """Make ids unique in a page and colours variables, and shorten numbers."""
    for element in root.findall(f"{{{_SVG}}}metadata"):
        root.remove(element)
    for element in root.findall(f"{{{_SVG}}}defs"):
        # Matplotlib's style would apply to the whole page. The other definitions are clip paths.
        if element.find(f"{{{_SVG}}}style") is not None:
            root.remove(element)
    linked = {each.get(_LINK, "")[1:] for each in root.iter()}
    for element in root.iter():
        given = element.attrib
        if _LINK in given:
            link = given.pop(_LINK)
            # A picture is in its link, as data.
            given["href"] = f"#{name}-{link[1:]}" if link.startswith("#") else link
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
