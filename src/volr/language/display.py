"""A checked program in a notebook: its text, in which each `_` says what it stands for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from volr.display.parts import Markup
from volr.display.programs import program_html
from volr.language.inference import inferred
from volr.language.lowering import lower
from volr.language.syntax import Blank, parts
from volr.language.types import shaped
from volr.network import network_svg

if TYPE_CHECKING:
    from collections.abc import Iterator

    from volr.display.parts import Part
    from volr.language.stages import Checked

MOST_DRAWN = 10_000
"""A network of more populations takes too long to draw each time it is shown."""


def program_parts(checked: Checked) -> Iterator[Part]:
    """The program in colour, its type and its drawing.

    The shape of a `_` shows where the mouse is on it.
    """
    filled = inferred(checked.expression).filled
    titles: dict[int, str] = {}
    for blank in parts(checked.expression):
        if not isinstance(blank, Blank):
            continue
        shapes = sorted(filled.get(id(blank), ()), key=lambda shape: (len(shape), shape))
        if shapes:
            titles[blank.span.start] = " or ".join(map(shaped, shapes))
    yield Markup(program_html(checked.source.text, titles))
    yield str(checked.type)
    if checked.term.bulk.populations <= MOST_DRAWN:
        yield Markup(network_svg(lower(checked.term, source=checked.source)))
