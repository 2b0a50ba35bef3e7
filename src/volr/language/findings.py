"""The mistakes that the checker has found, each once, with the calls that lead to it."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from volr.language.blame import Entered, Mismatch, Mismatches, with_calls

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from volr.source import Diagnostic, Span

_MOST_CALLS = 3


class Findings:
    """All mistakes of a program. One place has one mistake, in whichever call."""

    def __init__(self) -> None:
        self.entered: list[Entered] = []
        self._at: dict[object, Callable[[], Diagnostic]] = {}
        self._mismatches = Mismatches()
        self._compared: set[object] = set()

    def add(self, span: Span, make: Callable[[], Diagnostic], *, once: object = None) -> None:
        """A mistake. Those with the same ``once``, which is the place by default, are one."""
        key = once or (span.start, span.end)
        if key not in self._at:
            self._at[key] = partial(_led_to, make, tuple(self.entered[-_MOST_CALLS:]))

    def compare(self, mismatch: Mismatch) -> bool:
        """Whether two shapes are equal. If they differ, that is a mistake."""
        given, taken = mismatch.given, mismatch.taken
        equal = given.shape == taken.shape
        # A place that is checked again, in another call, is compared once.
        key = (id(mismatch.place), mismatch.kind, given.shape, taken.shape)
        key = (*key, id(given.origin), id(taken.origin))
        if key in self._compared:
            return equal
        self._compared.add(key)
        if equal:
            self._mismatches.agree(given, taken)
        else:
            self._mismatches.add(replace(mismatch, entered=tuple(self.entered[-_MOST_CALLS:])))
        return equal

    def all(self) -> Iterator[Callable[[], Diagnostic]]:
        yield from self._at.values()
        yield from self._mismatches.findings()


def _led_to(make: Callable[[], Diagnostic], entered: tuple[Entered, ...]) -> Diagnostic:
    return with_calls(make(), entered)
