"""Which number is wrong if two numbers that must be equal differ.

Two widths that differ are a mismatch, and either may be wrong. A wrong number that is used at many
places makes many mismatches. So each mismatch counts against the origins of both widths. If the
same size would fix an origin at several places, and these are more than the places where it fits,
the origin explains all those mismatches, and they are reported as one.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Literal, TypeAlias

from volr.language import mismatch_messages
from volr.source import Diagnostic, Label, Span

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from volr.language.syntax import Expression
    from volr.language.values import NetValue, Width

Kind: TypeAlias = Literal["then", "inputs", "outputs", "loop takes", "loop gives", "repeat"]
"""What is compared: what is given and taken one after the other, or the same of two sides."""


@dataclass(frozen=True, slots=True)
class Entered:
    """A call, or the use of a name, whose function or value is being checked."""

    span: Span
    words: str


def with_calls(found: Diagnostic, entered: tuple[Entered, ...]) -> Diagnostic:
    """A diagnostic with the calls that lead to its place."""
    shown = {found.span, *(each.span for each in found.others)}
    calls = tuple(Label(each.span, each.words) for each in entered if each.span not in shown)
    return replace(found, others=found.others + calls) if calls else found


@dataclass(frozen=True, slots=True)
class Mismatch:
    """Two shapes that should be equal and differ: what ``left`` gave, and what ``right`` takes.

    ``sign`` is the operator, ``place`` the expression of ``right``, and ``entered`` are the calls
    that lead to it.
    """

    kind: Kind
    sign: str
    place: Expression
    given: Width
    taken: Width
    left: NetValue
    right: NetValue
    entered: tuple[Entered, ...] = ()

    def accusations(self) -> Iterator[tuple[Width, tuple[int, ...]]]:
        """What either width's origin may be accused of: not being of the other's shape."""
        yield self.given, self.taken.shape
        yield self.taken, self.given.shape

    def diagnostic(self, *, blame_left: bool) -> Diagnostic:
        return with_calls(mismatch_messages.differ(self, blame_left=blame_left), self.entered)


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
        accused: dict[tuple[int, tuple[int, ...]], list[int]] = {}
        for index, mismatch in enumerate(self._all):
            for width, shape in mismatch.accusations():
                accused.setdefault((id(width.origin), shape), []).append(index)
        explained: set[int] = set()
        for (origin, shape), indices in sorted(accused.items(), key=lambda item: -len(item[1])):
            unexplained = [index for index in indices if index not in explained]
            if len(unexplained) < 2 or len(unexplained) <= self._agreements[origin]:
                continue
            explained.update(unexplained)
            group = [self._all[index] for index in unexplained]
            width = next(
                w for w, s in group[0].accusations() if (id(w.origin), s) == (origin, shape)
            )
            yield partial(mismatch_messages.wrong_origin, width, shape, group)
        for index, mismatch in enumerate(self._all):
            if index not in explained:
                blame_left = self._fits(mismatch.given) < self._fits(mismatch.taken)
                yield partial(mismatch.diagnostic, blame_left=blame_left)

    def _fits(self, width: Width) -> int:
        return self._agreements[id(width.origin)]
