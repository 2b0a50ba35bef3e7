"""The repair of a text at a token that does not fit: the best of many changes.

After Burke and Fisher ("A practical method for LR and LL syntactic error diagnosis and recovery",
1987). The mistake may lie before the token that does not fit. So every change of one or two tokens
is tried at every place of a window that ends there. The best change lets the text be read furthest.
Among equal ones it leaves the fewest type errors, and then it is the smallest. The changes come
from the grammar's tables and from the list of its tokens.

The work for one mistake is bounded. The work for all of them is bounded in proportion to the text
(``Effort``), so the time stays linear.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import TYPE_CHECKING

from volr.language.grammar import END, Token
from volr.language.repair.candidates import candidates
from volr.language.tokens import HOLE, made

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from volr.language.automaton import Automaton, Stack
    from volr.language.repair.changes import Place, Repair
    from volr.language.syntax import Expression

LOOK_AHEAD = 12
"""A change after which so many more tokens fit is as good as one after which all do."""
MOST_JUDGED = 48
"""So many of the changes that are equally good are compared by the errors that they leave."""


@dataclass
class Effort:
    """The number of tokens that may still be read again, to compare the errors of changes."""

    left: int

    def spend(self, tokens: int) -> bool:
        """Take so many tokens from the effort, and say whether there were enough."""
        self.left -= tokens
        return self.left >= 0


class Search:
    """Finds repairs. ``judge`` counts the type errors in a tree."""

    def __init__(
        self, automaton: Automaton, judge: Callable[[Expression], int], effort: Effort
    ) -> None:
        self._automaton = automaton
        self._judge = judge
        self._effort = effort

    def best(self, place: Place) -> tuple[Repair, int] | None:
        """The best repair, and the number of the first token that cannot be read with it.

        None if no change of one or two tokens makes the token fit.
        """
        most = place.error + LOOK_AHEAD
        end = min(most, len(place.tokens) - 1)
        found: list[tuple[int, float, int, Repair]] = []
        for repair in candidates(place):
            reached = self._reached(place, repair, most)
            if reached > min(_least(place, repair), end):
                found.append((-min(reached, end), repair.cost, len(found), repair))
        if not found:
            return None
        furthest = min(found)[0]
        ranked = heapq.nsmallest(MOST_JUDGED, (each for each in found if each[0] == furthest))
        repair = self._least_wrong(place, [each[-1] for each in ranked])
        return repair, -furthest

    def complete(self, stack: Stack, place: int) -> list[Token] | None:
        """The tokens that complete the text; None if they are too many."""
        added: list[Token] = []
        while not self._automaton.fits(stack, END):
            # A hole fits as one more argument almost everywhere, so it comes after what closes.
            for kind in ("CLOSE", "CLOSE_SHAPE", "IN", "EQUAL", HOLE, "NAME"):
                token = made(kind, place, place)
                after = self._automaton.advance(stack, token)
                if after is not None:
                    stack = after
                    added.append(token)
                    break
            else:
                return None
        return added

    def _least_wrong(self, place: Place, repairs: list[Repair]) -> Repair:
        """The repair that leaves the fewest errors; the first of several."""
        best, fewest = repairs[0], None
        for repair in repairs:
            if not self._effort.spend(len(place.tokens)):
                break
            wrong = self._errors_after(place, repair)
            if fewest is None or wrong < fewest:
                best, fewest = repair, wrong
            if wrong == 0:
                break
        return best

    def _errors_after(self, place: Place, repair: Repair) -> int:
        """The errors in what is read after a repair, up to the next token that does not fit."""
        stack, reached = self._read(place, repair)
        unread = reached < len(place.tokens)
        if unread:
            added = self.complete(stack, place.tokens[-1].end)
            if added is None:
                return len(place.tokens)
            for token in (*added, place.tokens[-1]):
                stack = self._automaton.advance(stack, token) or stack
        return self._judge(stack.tree) + unread

    def _read(self, place: Place, repair: Repair) -> tuple[Stack, int]:
        """Read on with a repair: the stack, and the number of the first token not read."""
        advance = self._automaton.advance
        stack = place.before(repair.first.start)
        for token, index in _changed(place, repair, len(place.tokens)):
            after = advance(stack, token)
            if after is None:
                return stack, index
            stack = after
        return stack, len(place.tokens)

    def _reached(self, place: Place, repair: Repair, most: int) -> int:
        """The number of the first token that cannot be read with a repair, up to ``most`` + 1."""
        follow = self._automaton.follow
        stack = place.before(repair.first.start)
        for token, index in _changed(place, repair, most + 1):
            after = follow(stack, token.kind)
            if after is None:
                return index
            stack = after
        return most + 1


def _changed(place: Place, repair: Repair, end: int) -> Iterator[tuple[Token, int]]:
    """The tokens after a repair, up to a number, each with the number of the first unread one."""
    index = repair.first.start
    for splice in repair.splices:
        for at in range(index, splice.start):
            yield place.tokens[at], at
        for token in splice.tokens:
            yield token, splice.start
        index = splice.end
    for at in range(index, min(end, len(place.tokens))):
        yield place.tokens[at], at


def _least(place: Place, repair: Repair) -> int:
    """The token that must be read after a repair; a token that is left out does not count.

    After a comment, the next mistake may follow at once.
    """
    if repair.first.tokens or repair.story == "comment":
        return place.error
    return max(place.error, repair.first.end)
