"""From a program in any form to its tree, its term and its network."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from volr.display.displayed import Displayed
from volr.errors import ProgramError
from volr.language import terms, type_messages
from volr.language.collection import collector_paused
from volr.language.inference import inferred
from volr.language.layer_calls import MOST_BYTES
from volr.language.lowering import lower
from volr.language.parser import read
from volr.language.printer import format_text
from volr.language.program_source import as_source
from volr.language.types import shaped
from volr.language.values import NetValue, Number, ShapeValue

if TYPE_CHECKING:
    from collections.abc import Iterable

    from volr.display.parts import Part
    from volr.language.inference import Inferred
    from volr.language.parser import Reading
    from volr.language.program_source import Program
    from volr.language.syntax import Expression
    from volr.language.types import Net
    from volr.network.graph import Network
    from volr.source import Diagnostic, Source

MOST_PARTS = 1_000_000
"""A program of more populations, or of more projections, is refused."""


@dataclass(frozen=True)
class Checked(Displayed):
    """A program without mistakes: its text, its tree, its term, and its type.

    Two are equal if their texts are; the rest comes of the text. A notebook shows the text, in
    which each `_` says what it stands for, the type and the drawing.
    """

    source: Source
    expression: Expression = field(compare=False)
    term: terms.Term = field(compare=False)

    @property
    def type(self) -> Net:
        return self.term.type

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        # What IPython shows on a terminal: the trees are long.
        del cycle
        printer.text(str(self.type))

    def _display(self) -> Iterable[Part]:
        from volr.language.display import program_parts

        return program_parts(self)


def parse(program: Program) -> Expression:
    """The syntax tree of a program. Raises ``ProgramError`` with all mistakes in its syntax.

    A ``str`` is the program's text, and a ``Path`` is its file. An expression of Python operators
    is written as text first, and its diagnostics show this text.
    """
    return _parsed(as_source(program))


def format_source(program: Program, *, ascii: bool = False, fill: bool = False) -> str:
    """A program, as ``parse`` takes it, in the standard layout and with its comments.

    With ``fill``, each `_` is written as the shape that it stands for, if this is one shape only.
    Raises ``ProgramError`` as ``parse`` does, and with ``fill`` as ``check`` does.
    """
    source = as_source(program)
    if not fill:
        return format_text(_parsed(source), source.text, ascii=ascii)
    checked = check(source)
    shapes = inferred(checked.expression).filled.items()
    filled = {blank: shaped(shape) for blank, (shape, *others) in shapes if not others}
    return format_text(checked.expression, source.text, ascii=ascii, filled=filled)


def check(program: Program) -> Checked:
    """Read and check a program, as ``parse`` takes it.

    Raises ``ProgramError`` with every mistake of syntax, names, types and sizes. A program without
    mistakes can be lowered.
    """
    with collector_paused():
        return _checked(as_source(program))


def to_network(program: Program) -> Network:
    """The network that a program, as ``parse`` takes it, describes.

    Raises ``ProgramError`` with every mistake in it.
    """
    checked = check(program)
    return lower(checked.term, source=checked.source)


def _checked(source: Source) -> Checked:
    reading = read(source.text)
    if reading.expression is None:
        raise ProgramError(source, reading.diagnostics)
    term, found = judged(reading, inferred(reading.expression))
    if found or term is None:
        raise ProgramError(source, found)
    return Checked(source, reading.expression, term)


def judged(reading: Reading, result: Inferred) -> tuple[terms.Term | None, list[Diagnostic]]:
    """The term of a program, if it has one, and every mistake in it, in the order of the text."""
    found = list(reading.diagnostics)
    # A repaired program may be cut short, and be a number only for that reason.
    tree = None if found else reading.expression
    if tree is not None and isinstance(result.value, Number | ShapeValue):
        what = "number (type int)" if isinstance(result.value, Number) else "shape"
        found.append(type_messages.no_network_as_program(tree, what))
    found += result.diagnostics()
    term = result.value.term if isinstance(result.value, NetValue) else None
    if term is not None and not found:
        found += _too_large(term)
    return term, sorted(found, key=lambda each: each.span.start)


def _parsed(source: Source) -> Expression:
    with collector_paused():
        reading = read(source.text)
    if reading.diagnostics or reading.expression is None:
        raise ProgramError(source, reading.diagnostics)
    return reading.expression


def _too_large(term: terms.Term) -> list[Diagnostic]:
    """An error at the smallest part of the program that is too large to build."""
    if not _exceeds(term.bulk):
        return []
    while inner := next((part for part in terms.children(term) if _exceeds(part.bulk)), None):
        term = inner
    return [type_messages.too_large(term, MOST_PARTS, MOST_BYTES)]


def _exceeds(bulk: terms.Bulk) -> bool:
    most = max(bulk.populations, bulk.projections)
    return most > MOST_PARTS or bulk.weight_bytes > MOST_BYTES
