"""The mistakes that the checker has found, each once, with the calls that lead to it."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from volr.language.blame import Entered, Mismatch, Mismatches, with_calls

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from volr.language.blame import Kind
    from volr.language.syntax import Expression
    from volr.language.values import Width
    from volr.source import Diagnostic, Span

_MOST_CALLS = 3


class Findings:
    """All mistakes of a program. One place has one mistake, in whichever call.

    ``entered`` are the calls and uses that lead to what is being checked, and ``within`` says in
    how many values and functions that is: they are checked anew where they are used.
    """

    def __init__(self) -> None:
        self.entered: list[Entered] = []
        self.within = 0
        self._at: dict[object, Callable[[], Diagnostic]] = {}
        self._mismatches = Mismatches()
        self._compared: set[object] = set()

    def enter(self, entered: Entered) -> None:
        self.entered.append(entered)
        self.within += 1

    def leave(self) -> None:
        self.entered.pop()
        self.within -= 1

    def add(self, span: Span, make: Callable[[], Diagnostic], *, once: object = None) -> None:
        """A mistake. Those with the same ``once``, which is the place by default, are one."""
        key = once or (span.start, span.end)
        if key not in self._at:
            self._at[key] = partial(_led_to, make, tuple(self.entered[-_MOST_CALLS:]))

    def agree(self, kind: Kind, place: Expression, given: Width, taken: Width) -> None:
        """Two shapes that have to be equal, and are."""
        if self._is_new(kind, place, given, taken):
            self._mismatches.agree(given, taken)

    def differ(self, mismatch: Mismatch) -> None:
        """Two shapes that have to be equal, and are not."""
        if self._is_new(mismatch.kind, mismatch.place, mismatch.given, mismatch.taken):
            self._mismatches.add(replace(mismatch, entered=tuple(self.entered[-_MOST_CALLS:])))

    def _is_new(self, kind: Kind, place: Expression, given: Width, taken: Width) -> bool:
        """Whether this is compared for the first time, which may happen again within values."""
        if not self.within:
            return True
        key = (kind, id(place), given.shape, taken.shape, id(given.origin), id(taken.origin))
        new = key not in self._compared
        self._compared.add(key)
        return new

    def all(self) -> Iterator[Callable[[], Diagnostic]]:
        yield from self._at.values()
        yield from self._mismatches.findings()


def _led_to(make: Callable[[], Diagnostic], entered: tuple[Entered, ...]) -> Diagnostic:
    return with_calls(make(), entered)
