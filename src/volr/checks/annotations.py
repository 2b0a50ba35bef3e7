"""What a record was given, checked against what its fields are annotated with.

Python checks no annotation, so a wrong value would fail where it is used, far from where it was
given. A record calls ``settle`` first thing, before it compares any of its values.
"""

from __future__ import annotations

import math
from dataclasses import fields
from functools import cache
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, TypeAlias, cast, get_args

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import UnionType

_WORDS = {
    "float": "a number",
    "int": "a whole number",
    "bool": "True or False",
    "str": "a text",
}
Classes: TypeAlias = "type | UnionType | tuple[type, ...]"
_NOTHING = object()  # of no type that an annotation names
_LONGEST = 60
"""Characters of a value that a message shows."""


def settle(record: Any, **classes: Classes) -> list[str]:
    """What of a frozen dataclass is not of its annotated type, in words.

    Known are float, int, bool and str, None, the ``classes`` by the names that annotations have for
    them, and ``tuple[X, ...]`` of any of these; fields of other types are left alone, and so is
    None where it is the default. Numbers of any kind, NumPy's say, become Python's own, and lists
    become tuples, so that equal records are equal, have a hash, and are written alike.
    """
    wrong: list[str] = []
    for each in fields(record):
        given = getattr(record, each.name)
        if given is None and each.default is None:
            continue
        value, expected = _settled(given, str(each.type), classes)
        if expected is None:
            if value is not given:
                object.__setattr__(record, each.name, value)
        else:
            wrong.append(f"{each.name} is {shown(value)}, not {expected}")
    return wrong


def fits(value: object, annotation: str, **classes: Classes) -> bool:
    """Whether ``settle`` takes the value for a field with that annotation."""
    return _settled(value, annotation, classes)[1] is None


def shown(value: object) -> str:
    """A value that somebody gave, for a message: cut where it is long, and never a failure."""
    try:
        text = repr(value)
    except Exception:  # noqa: BLE001 - a repr of somebody else's may raise anything
        text = f"a {type(value).__name__}"
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def type_of(value: object) -> str:
    """The type of a value that somebody gave, for a message, with its article."""
    name = type(value).__name__
    return f"{'an' if name[0] in 'AEIOUaeiou' else 'a'} {name}"


def _settled(value: Any, annotation: str, classes: Mapping[str, Classes]) -> tuple[Any, str | None]:
    """The value as a Python value. Where it is not of its annotated type: unchanged, with what it
    should be, in words.
    """
    words = _words(annotation)
    known = [word for word in words if words[word] in _WORDS or words[word] in classes]
    if (value is None and "None" in words) or not known:
        return value, None
    (word,) = known
    if (item := words[word]) != word:
        return _settled_items(value, item, classes)
    if word in classes:
        return value, None if _is_of(value, classes[word]) else _one_of(classes[word])
    settled = _as(word, value)
    return (value, _WORDS[word]) if settled is None else (settled, None)


@cache  # a program has a million populations
def _words(annotation: str) -> Mapping[str, str]:
    """The parts of a union, each with the type of its items; itself if it is no tuple."""
    words = [word.strip() for word in annotation.split("|")]
    return {word: word.removeprefix("tuple[").removesuffix(", ...]") for word in words}


def _settled_items(
    values: Any, annotation: str, classes: Mapping[str, Classes]
) -> tuple[Any, str | None]:
    """``_settled`` of a tuple or list. A text is none: it would be taken for its letters."""
    # An item of no type at all says what an item should be.
    given = cast("Sequence[Any]", values if issubclass(type(values), tuple | list) else (_NOTHING,))
    settled = [_settled(each, annotation, classes) for each in given]
    if expected := next((each for _, each in settled if each is not None), None):
        return values, f"a tuple of which each item is {expected}"
    return tuple(each for each, _ in settled), None


def _is_of(value: object, kind: Classes) -> bool:
    """Whether a value is of a class, or of exactly one of several.

    Several classes are a closed choice: a subclass of one of them has no files and no kernels.
    """
    kinds = _kinds(kind)
    return isinstance(value, kinds) if len(kinds) == 1 else type(value) in kinds


def _kinds(kind: Classes) -> tuple[Any, ...]:
    return kind if isinstance(kind, tuple) else get_args(kind) or (kind,)


def _one_of(kind: Classes) -> str:
    if kind is str:  # one of some words
        return _WORDS["str"]
    names = [str(each.__name__) for each in _kinds(kind)]
    return f"a {names[0]}" if len(names) == 1 else f"one of {', '.join(names)}"


def _as(word: str, value: Any) -> Any:
    """The value as Python's own of that type; None where it is not of it."""
    if word == "float":
        return as_float(value)
    if word == "int":
        # To Python, True is a whole number.
        return None if isinstance(value, bool) or not isinstance(value, Integral) else int(value)
    return value if isinstance(value, {"bool": bool, "str": str}[word]) else None


def as_float(value: object) -> float | None:
    """A real number as a float, an infinite one where it is beyond all floats; else None."""
    if isinstance(value, bool) or not isinstance(value, Real):
        return None
    number: Any = value
    try:
        return float(number)
    except OverflowError:
        return math.inf if number > 0 else -math.inf
