"""A change of a text: which tokens replace which, and the edits that do it.

`candidates` lists the changes to try, and `repair` chooses one of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from volr.language.tokens import spelled
from volr.source import Edit, Span

if TYPE_CHECKING:
    from collections.abc import Sequence

    from volr.language.automaton import Stack
    from volr.language.grammar import Token

WINDOW = 32
"""So many tokens before the one that does not fit are tried."""


@dataclass(frozen=True, slots=True)
class Splice:
    """Tokens that replace those from ``start`` up to ``end``, by number."""

    start: int
    end: int
    tokens: tuple[Token, ...]


@dataclass(frozen=True, slots=True)
class Repair:
    """A change of the text at one or more places, in order. ``story`` is the kind of mistake."""

    splices: tuple[Splice, ...]
    cost: float
    story: str = ""

    @property
    def first(self) -> Splice:
        return self.splices[0]

    def applied(self, tokens: list[Token]) -> None:
        """Carry out the change in a list of tokens."""
        for splice in reversed(self.splices):
            tokens[splice.start : splice.end] = splice.tokens


@dataclass(frozen=True)
class Place:
    """The place of a token that does not fit.

    ``stacks`` are those before the tokens ``first`` … ``error``, of which the last does not fit.
    """

    text: str
    tokens: list[Token]
    stacks: Sequence[Stack]
    error: int

    @property
    def first(self) -> int:
        return self.error - len(self.stacks) + 1

    def before(self, index: int) -> Stack:
        return self.stacks[index - self.first]


def spliced(start: int, end: int, tokens: list[Token], cost: float, story: str = "") -> Repair:
    """A change at one place."""
    return Repair((Splice(start, end, tuple(tokens)),), cost, story)


def edits(place: Place, repair: Repair) -> tuple[Edit, ...]:
    """The repair as edits of the text; none if the repair has a hole or a name without text."""
    put = [token for splice in repair.splices for token in splice.tokens]
    return tuple(_edit(place, each) for each in repair.splices) if all(map(spelled, put)) else ()


def _edit(place: Place, splice: Splice) -> Edit:
    """One splice as an edit, with the spaces that keep words apart."""
    tokens = place.tokens
    text = " ".join(map(spelled, splice.tokens))
    before = tokens[splice.start - 1].end if splice.start else 0
    after = tokens[splice.end].start if splice.end < len(tokens) else len(place.text)
    if splice.start == splice.end:
        if [token.kind for token in splice.tokens] in (["CLOSE"], ["CLOSE_SHAPE"]):
            return Edit(Span(before, before), text)
        start = end = after
    else:
        start, end = tokens[splice.start].start, tokens[splice.end - 1].end
    left = " " if start == before and start > 0 else ""
    right = " " if end == after else ""
    if not text:
        return Edit(Span(start, end), left and right)
    left, right = left * (text[0] not in ":)]"), right * (text[-1] not in ":([")
    return Edit(Span(start, end), f"{left}{text}{right}")
