"""Values that JSON can hold, and reading JSON strictly: no NaN, no infinity, no key twice."""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from volr.checks.arrays import Floats


INFINITE = "inf"
"""What stands in a file for an infinite number."""


def in_words(numbers: Mapping[str, float]) -> dict[str, float | str]:
    """Numbers by name, with the word ``INFINITE`` where one is infinite."""
    return {key: in_word(value) for key, value in numbers.items()}


def in_word(value: float | Floats) -> Any:
    """A number, or a list of an array's, with the word ``INFINITE`` where one is infinite."""
    if isinstance(value, (float, int)):
        return INFINITE if value == math.inf else value
    return [in_word(each) for each in value.tolist()]


def out_of_words(value: Any) -> Any:
    """The infinite number of the word ``INFINITE``; anything else unchanged."""
    return math.inf if value == INFINITE else value


def numbers_out_of_words(value: Any, number: Callable[[Any], float]) -> float | list[float]:
    """What ``in_word`` wrote: a number, or a list of them, each as ``number`` reads it."""
    if isinstance(value, list):
        return [number(out_of_words(each)) for each in cast("list[Any]", value)]
    return number(out_of_words(value))


def jsonable(value: Any) -> Any:
    """The same, at any depth, with null for numbers that JSON does not have."""
    match value:
        case float():
            return value if math.isfinite(value) else None
        case dict():
            entries = cast("Mapping[str, Any]", value)
            return {key: jsonable(each) for key, each in entries.items()}
        case list() | tuple():
            return [jsonable(each) for each in cast("Sequence[Any]", value)]
        case _:
            return value


def entries_of(value: object) -> dict[str, Any] | None:
    """The value, of JSON that was read, if it is an object; else None."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else None


def read_json(text: str | bytes) -> Any:
    """The value of a JSON text.

    Raises ``ValueError`` for what is no JSON: also for bytes that are not UTF-8, for nesting that
    is too deep, and where an object has a key twice, of which only one could be heeded.
    """
    has_twice = False

    def found(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal has_twice
        entries = dict(pairs)
        has_twice = has_twice or len(entries) < len(pairs)
        return entries

    try:
        content = text.decode() if isinstance(text, bytes) else text
        value = json.loads(content, object_pairs_hook=found)
    except RecursionError as error:
        raise ValueError("it is nested too deep") from error
    except UnicodeDecodeError as error:
        raise ValueError(f"byte {error.start} is not UTF-8") from error
    if has_twice:
        _refuse_twice(content)
    return value


# A string, a bracket or a colon. Of sound JSON, nothing else holds any of these characters.
# `*+` never goes back: with `*`, a way back for each character of a long string fills the memory.
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*+"|[{}\[\]:]', re.DOTALL)


def _refuse_twice(text: str) -> None:
    """Raise ``ValueError`` where an object in a text, which is sound JSON, has a key twice."""
    keys: list[dict[str, int]] = []  # of each object around here, and none of each list
    last, place = "", 0  # the last string, and where it begins
    for token in _TOKEN.finditer(text):
        match token[0]:
            case "{" | "[":
                keys.append({})
            case "}" | "]":
                keys.pop()
            case ":":
                inner = keys[-1]
                key = json.loads(last)
                if key in inner:
                    first, second = (text.count("\n", 0, each) + 1 for each in (inner[key], place))
                    lines = f"line {first}" if first == second else f"lines {first} and {second}"
                    raise ValueError(f"it has {key!r} twice, in {lines}: take one of them out")
                inner[key] = place
            case string:
                last, place = string, token.start()
