"""Which number is wrong if two numbers that must be equal differ.

Two widths that differ are a mismatch, and either may be wrong. A wrong number that is used at many
places makes many mismatches. So each mismatch counts against the origins of both widths. If the
same size would fix an origin at several places, and these are more than the places where it fits,
the origin explains all those mismatches, and they are reported as one.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from volr.language import type_messages
from volr.language.syntax import Parallel, Sequence

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from volr.language.values import NetValue, Width
    from volr.source import Diagnostic


@dataclass(frozen=True, slots=True)
class Mismatch:
    """``left`` and ``right`` of a node, whose widths ``given`` and ``taken`` differ."""

    node: Parallel | Sequence
    given: Width
    taken: Width
    left: NetValue
    right: NetValue

    def accusations(self) -> Iterator[tuple[Width, int]]:
        """What either width's origin may be accused of: not being of the other's size."""
        yield self.given, self.taken.size
        yield self.taken, self.given.size

    def diagnostic(self, *, blame_left: bool) -> Diagnostic:
        say = (
            type_messages.sides_differ
            if isinstance(self.node, Parallel)
            else type_messages.sizes_differ
        )
        return say(self, blame_left=blame_left)


@dataclass
class Mismatches:
    """All mismatches of a program, and how often each origin fits what it is compared with."""

    _all: list[Mismatch] = field(default_factory=list[Mismatch])
    _agreements: Counter[int] = field(default_factory=Counter[int])

    def add(self, mismatch: Mismatch) -> None:
        self._all.append(mismatch)

    def agree(self, one: Width, other: Width) -> None:
        if one.origin is not other.origin:
            self._agreements[id(one.origin)] += 1
            self._agreements[id(other.origin)] += 1

    def findings(self) -> Iterator[Callable[[], Diagnostic]]:
        """One finding for each origin that explains several mismatches, and for each other one."""
        accused: dict[tuple[int, int], list[int]] = {}
        for index, mismatch in enumerate(self._all):
            for width, size in mismatch.accusations():
                accused.setdefault((id(width.origin), size), []).append(index)
        explained: set[int] = set()
        for (origin, size), indices in sorted(accused.items(), key=lambda item: -len(item[1])):
            unexplained = [index for index in indices if index not in explained]
            if len(unexplained) < 2 or len(unexplained) <= self._agreements[origin]:
                continue
            explained.update(unexplained)
            group = [self._all[index] for index in unexplained]
            width = next(
                w for w, s in group[0].accusations() if (id(w.origin), s) == (origin, size)
            )
            yield partial(type_messages.wrong_number, width, size, group)
        for index, mismatch in enumerate(self._all):
            if index not in explained:
                blame_left = self._fits(mismatch.given) < self._fits(mismatch.taken)
                yield partial(mismatch.diagnostic, blame_left=blame_left)

    def _fits(self, width: Width) -> int:
        return self._agreements[id(width.origin)]
