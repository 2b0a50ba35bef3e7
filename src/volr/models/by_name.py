"""Values by the name of a population or projection, of which most have the usual one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Generic, TypeVar

T = TypeVar("T")


class ByName(Mapping[str, T], Generic[T]):
    """Values by name, sorted. They compare by value and cannot be changed.

    What equals ``usual`` is left out, so that equal models are equal.
    """

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, T], usual: T) -> None:
        self._values = {name: values[name] for name in sorted(values) if values[name] != usual}

    def __getitem__(self, name: str) -> T:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __hash__(self) -> int:
        return hash(tuple(self._values.items()))

    def __repr__(self) -> str:
        return repr(self._values)
