"""A font with two glyphs, the operators ⦶ and ⊖. Few machines have both.

Reports contain it, and the documentation's site has it as a file.

Both are as wide as a letter of the usual monospaced fonts, so that carets stay below what they
mark. The rings are taller than wide, and the bars heavier than the rings. In a round ring, at the
size of code, readers took the bar for the stroke of ⊘.
"""

from __future__ import annotations

import io
from typing import Any

from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen

EM, ADVANCE = 1000, 602
CENTRE, RADII = (301, 350), (285, 390)
RING, BAR = 56, 90
OPERATORS = {0x2296: "parallel", 0x29B6: "sequence"}


def font() -> bytes:
    """The font as a TrueType file; the same bytes each time."""
    width, height = RADII
    glyphs = {
        ".notdef": TTGlyphPen(None).glyph(),
        "parallel": _circled(width, BAR // 2),
        "sequence": _circled(BAR // 2, height),
    }
    builder: Any = FontBuilder(EM, isTTF=True)
    builder.setupGlyphOrder(list(glyphs))
    builder.setupCharacterMap(OPERATORS)
    builder.setupGlyf(glyphs)
    builder.setupHorizontalMetrics(dict.fromkeys(glyphs, (ADVANCE, 0)))
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({"familyName": "Volr", "styleName": "Regular"})
    builder.setupOS2(sTypoAscender=800, sTypoDescender=-200)
    builder.setupPost()
    builder.updateHead(created=0, modified=0)
    builder.font.recalcTimestamp = False
    stream = io.BytesIO()
    builder.save(stream)
    return stream.getvalue()


def _circled(half_width: int, half_height: int) -> object:
    """A ring with a bar of this size in it."""
    pen: Any = TTGlyphPen(None)
    width, height = RADII
    _ellipse(pen, width, height, clockwise=True)
    _ellipse(pen, width - RING, height - RING, clockwise=False)
    x, y = CENTRE
    pen.moveTo((x - half_width, y - half_height))
    pen.lineTo((x - half_width, y + half_height))
    pen.lineTo((x + half_width, y + half_height))
    pen.lineTo((x + half_width, y - half_height))
    pen.closePath()
    return pen.glyph()


def _ellipse(pen: Any, width: int, height: int, *, clockwise: bool) -> None:
    """Eight quadratic arcs. TrueType computes the points between the handles."""
    x, y = CENTRE
    right, up = round(width * 0.4142), round(height * 0.4142)  # tan 22.5°
    handles = [(right, height), (width, up), (width, -up), (right, -height)]
    handles += [(-a, -b) for a, b in handles]
    if not clockwise:
        handles.reverse()
    pen.qCurveTo(*((x + a, y + b) for a, b in handles), None)
    pen.closePath()
