"""From text to syntax tree, with a diagnostic for every mistake.

Lark makes LALR(1) tables of `grammar.lark` (`grammar`), and `automaton` runs them. Lark's own loop
is not used, because it reduces before it notices that the next token does not fit, and then that
place cannot be repaired. If a token does not fit, `repair` finds the smallest change after which
the rest can be read, and `syntax_messages` describes the mistake. So one run reports all mistakes,
and one mistake causes no others.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from volr.language import syntax_messages, token_messages
from volr.language.automaton import Automaton, Stack
from volr.language.grammar import END, tables
from volr.language.inference import inferred
from volr.language.repair.changes import WINDOW, Place, spliced
from volr.language.repair.repair import Effort, Search
from volr.language.tokens import UNREADABLE, listed
from volr.language.values import Number, ShapeValue

if TYPE_CHECKING:
    from volr.language.repair.changes import Repair
    from volr.language.syntax import Expression
    from volr.source import Diagnostic

MOST_REPAIRS = 100
"""A text that needs more repairs than this is not read to its end."""
CLOSE_TOGETHER = 3
"""A token that does not fit so soon after a repair is not reported: the repair may cause it."""
LEAST_EFFORT = 50_000


@dataclass(frozen=True)
class Reading:
    """The tree of a program, and the mistakes of its syntax.

    ``expression`` has a ``Hole`` at some repaired places; it is None for too many mistakes.
    """

    expression: Expression | None
    diagnostics: tuple[Diagnostic, ...]


def read(text: str) -> Reading:
    """Read a program, with repairs where needed."""
    reader = _Reader(text)
    expression = reader.run()
    found = sorted(reader.diagnostics, key=lambda diagnostic: diagnostic.span.start)
    return Reading(expression, tuple(found))


def mistakes_in(expression: Expression) -> int:
    """The number of mistakes in a whole program. A program that is a number counts as one."""
    found = inferred(expression)
    return len(found.findings) + isinstance(found.value, Number | ShapeValue)


class _Reader:
    """One text: its tokens with their repairs, and the diagnostics."""

    def __init__(self, text: str) -> None:
        self.diagnostics: list[Diagnostic] = []
        self._text = text
        self._tokens, unfinished = listed(text)
        self._automaton = Automaton(tables())
        effort = Effort(LEAST_EFFORT + 4 * len(self._tokens))
        self._search = Search(self._automaton, mistakes_in, effort)
        self._quiet_until = -1
        self._cut_short = unfinished is not None
        if unfinished is not None:
            self.diagnostics.append(token_messages.unfinished_comment(unfinished))

    def run(self) -> Expression | None:
        """Read to the end. None if there are too many mistakes."""
        index, stack, repairs = 0, self._automaton.bottom, 0
        stacks: deque[Stack] = deque(maxlen=WINDOW + 1)
        while index < len(self._tokens):
            stacks.append(stack)
            after = self._automaton.advance(stack, self._tokens[index])
            if after is not None:
                stack, index = after, index + 1
                continue
            repairs += 1
            if repairs > MOST_REPAIRS:
                return None
            place = Place(self._text, self._tokens, tuple(stacks), index)
            repair = self._repair(place)
            repair.applied(self._tokens)
            index, stack = repair.first.start, place.before(repair.first.start)
            stacks.clear()
            # The repaired tokens are not repaired again.
            for token in repair.first.tokens:
                stack = self._automaton.advance(stack, token) or stack
                index += 1
        self.diagnostics += token_messages.of_tokens(self._tokens)
        return stack.tree

    def _repair(self, place: Place) -> Repair:
        found = self._search.best(place)
        # A character that begins no token is always a mistake, also soon after a repair.
        readable = place.tokens[place.error].kind != UNREADABLE
        quiet = place.error < self._quiet_until and readable
        if found is not None:
            repair, reached = found
            first = repair.first
            longer = len(first.tokens) - (first.end - first.start)
            soon = reached - place.error < CLOSE_TOGETHER
            self._quiet_until = reached + longer + 1 if soon else -1
        else:
            repair = self._last_resort(place)
            self._quiet_until = place.error + len(repair.first.tokens) + 1
        if not (quiet or self._at_cut(place)):
            self.diagnostics.append(syntax_messages.of_repair(place, repair, self._automaton))
        return repair

    def _at_cut(self, place: Place) -> bool:
        """Whether the text ends here because a comment is never closed."""
        return self._cut_short and place.tokens[place.error].kind == END

    def _last_resort(self, place: Place) -> Repair:
        """At the end of the text, close what is open; elsewhere, leave out the token."""
        at, token = place.error, place.tokens[place.error]
        if token.kind != END:
            return spliced(at, at + 1, [], 0.0)
        added = self._search.complete(place.stacks[-1], place.tokens[at - 1].end if at else 0)
        return spliced(at, at, added or [], 0.0)
