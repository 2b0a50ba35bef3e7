"""From text to syntax tree, with every mistake in it named.

The grammar lies in `grammar.lark`; Lark makes the LALR(1) tables of it (`tables`), and `automaton`
runs them. The loop is our own for one reason: Lark's carries out reductions before it notices that
the next token does not fit, and the place cannot be mended after that. This one looks first. What
does not fit is reported, and then `repair` puts in or leaves out the least that lets the rest be
read, so that one run reports all mistakes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from volr.errors import ProgramError
from volr.language.automaton import Automaton
from volr.language.repair import Mender
from volr.language.tables import END, Token, tables

if TYPE_CHECKING:
    from collections.abc import Iterator

    from volr.language.syntax import Expression
    from volr.source import Diagnostic, Source

MOST_MISTAKES = 100
"""A text with more mistakes in its syntax than this is not read to its end."""


@dataclass(frozen=True)
class Reading:
    """What could be read of a program, and what was wrong with its syntax.

    ``expression`` has a ``Hole`` at each place that was mended; None if the text was given up.
    """

    expression: Expression | None
    diagnostics: tuple[Diagnostic, ...]


def parse(source: Source) -> Expression:
    """The syntax tree of a program. Raises ``ProgramError`` with all mistakes in its syntax."""
    reading = read(source)
    if reading.diagnostics or reading.expression is None:
        raise ProgramError(source, reading.diagnostics)
    return reading.expression


def read(source: Source) -> Reading:
    """The syntax tree of a program as far as it can be read."""
    grammar = tables()
    automaton = Automaton(grammar)
    mender = Mender(source.text, automaton)
    for token, following in _with_next(grammar.tokens(source.text)):
        mender.read(token, following)
        if len(mender.diagnostics) >= MOST_MISTAKES:
            break
    found = sorted(mender.diagnostics, key=lambda diagnostic: diagnostic.span.start)
    return Reading(automaton.result, tuple(found))


def _with_next(tokens: Iterator[Token]) -> Iterator[tuple[Token, Token]]:
    """Each token with the one after it, and at last the end, which is its own successor."""
    token = next(tokens, None)
    last = 0
    while token is not None:
        last = token.end
        following = next(tokens, None)
        yield token, following or Token(END, "", last, last)
        token = following
    yield Token(END, "", last, last), Token(END, "", last, last)
