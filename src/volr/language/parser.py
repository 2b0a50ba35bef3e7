"""From text to syntax tree, with every mistake in it named.

The grammar lies in `grammar.lark`; Lark makes the LALR(1) tables of it (`tables`), and `automaton`
runs them. The loop is our own for one reason: Lark's carries out reductions before it notices that
the next token does not fit, and the place cannot be mended after that. Where a token does not fit,
`repair` finds the least change after which the rest can be read, and `mistakes` says what the
change tells of the mistake. So one run reports all mistakes, and one mistake causes no others.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from volr.language import syntax_messages, token_messages
from volr.language.automaton import Automaton, Stack
from volr.language.grammar import END, tables
from volr.language.inference import mistakes_in
from volr.language.repair.changes import WINDOW, Place, spliced
from volr.language.repair.repair import Effort, Search
from volr.language.tokens import UNREADABLE, listed

if TYPE_CHECKING:
    from volr.language.repair.changes import Repair
    from volr.language.syntax import Expression
    from volr.source import Diagnostic

MOST_REPAIRS = 100
"""A text that has to be changed at more places than this is not read to its end."""
CLOSE_TOGETHER = 3
"""A token that does not fit, so soon after a change, is blamed on the change."""
LEAST_EFFORT = 50_000


@dataclass(frozen=True)
class Reading:
    """What could be read of a program, and what was wrong with its syntax.

    ``expression`` has a ``Hole`` at each place that was mended; None if the text was given up.
    """

    expression: Expression | None
    diagnostics: tuple[Diagnostic, ...]


def read(text: str) -> Reading:
    """The syntax tree of a program as far as it can be read."""
    reader = _Reader(text)
    expression = reader.run()
    found = sorted(reader.diagnostics, key=lambda diagnostic: diagnostic.span.start)
    return Reading(expression, tuple(found))


class _Reader:
    """One text: its tokens, changed where they had to be, and what was reported."""

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
            # What was changed is not changed again.
            for token in repair.first.tokens:
                stack = self._automaton.advance(stack, token) or stack
                index += 1
        self.diagnostics += token_messages.of_tokens(self._tokens)
        return stack.tree

    def _repair(self, place: Place) -> Repair:
        found = self._search.best(place)
        # A character that no token begins with is a mistake whatever was changed before it.
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
        """The end of all that is open where the text ends, and elsewhere a token left out."""
        at, token = place.error, place.tokens[place.error]
        if token.kind != END:
            return spliced(at, at + 1, [], 0.0)
        added = self._search.complete(place.stacks[-1], place.tokens[at - 1].end if at else 0)
        return spliced(at, at, added or [], 0.0)
