"""Recursion without Python's stack: a rule is a generator that yields the rules that it needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

if TYPE_CHECKING:
    from collections.abc import Generator

T = TypeVar("T")

Rule: TypeAlias = "Generator[Generator[Any, Any, Any], Any, T]"
"""A rule of result ``T``: it yields other rules, and gets the result of each."""


def run(rule: Rule[T]) -> T:
    """The result of a rule. The unfinished ones are on a list, so depth costs only memory."""
    unfinished: list[Generator[Any, Any, Any]] = [rule]
    result: Any = None
    while True:
        try:
            wanted = unfinished[-1].send(result)
        except StopIteration as finished:
            result = finished.value
            unfinished.pop()
            if not unfinished:
                return result
        else:
            unfinished.append(wanted)
            result = None
