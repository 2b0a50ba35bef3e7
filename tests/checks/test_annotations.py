"""What records are given, checked against their annotations."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from volr.checks.annotations import as_float, fits, settle, shown


class Inner:
    pass


@dataclass(frozen=True, slots=True)
class Example:
    number: float = 1.0
    count: int | None = None
    flag: bool = False
    text: str = ""
    inner: Inner | None = None
    other: list[int] | None = None
    counts: tuple[int, ...] = ()
    names: tuple[str, ...] | None = None
    inners: tuple[Inner, ...] = ()


def problems(**given: Any) -> list[str]:
    return settle(Example(**given), Inner=Inner)


def test_numbers_become_pythons_own() -> None:
    example = Example(number=np.float32(0.5), count=np.int8(3))  # type: ignore[arg-type]
    assert settle(example, Inner=Inner) == []
    assert (type(example.number), example.number) == (float, 0.5)
    assert (type(example.count), example.count) == (int, 3)
    for whole in (2, Fraction(2), np.uint64(2)):
        example = Example(number=whole)  # type: ignore[arg-type]
        settle(example)
        assert (type(example.number), example.number) == (float, 2.0)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        *(("number", each, "a number") for each in ("1", None, True, [1.0], 1j, np.ones(1))),
        *(("count", each, "a whole number") for each in (1.5, 1.0, "1", True, np.float64(2))),
        *(("flag", each, "True or False") for each in (1, None, "yes")),
        *(("text", each, "a text") for each in (1, None, b"x")),
        *(("inner", each, "a Inner") for each in (1, "Inner", [Inner])),
    ],
)
def test_values_of_another_type_are_named(name: str, value: Any, said: str) -> None:
    (problem,) = problems(**{name: value})
    assert problem == f"{name} is {shown(value)}, not {said}"


def test_what_is_allowed_is_no_problem() -> None:
    assert problems(count=None, inner=None, number=math.nan) == []
    assert problems(inner=Inner(), other="anything") == []
    assert settle(Example(inner=3)) == []  # type: ignore[arg-type]  # a class that is not told


def test_lists_become_tuples_of_pythons_own() -> None:
    example = Example(counts=[np.int64(2), 3], names=["ab"])  # type: ignore[arg-type]
    assert settle(example, Inner=Inner) == []
    assert example.counts == (2, 3)
    assert [type(each) for each in example.counts] == [int, int]
    assert example.names == ("ab",)
    assert hash(example)


@pytest.mark.parametrize(
    ("name", "value", "item"),
    [
        *(("counts", each, "a whole number") for each in (2, (2.0,), (math.nan,), (3, True), None)),
        *(("names", each, "a text") for each in ("ab", (1,), {"ab"})),
        *(("inners", each, "a Inner") for each in (Inner(), ("Inner",))),
    ],
)
def test_what_is_no_tuple_of_these_is_named(name: str, value: Any, item: str) -> None:
    expected = f"{name} is {shown(value)}, not a tuple of which each item is {item}"
    assert problems(**{name: value}) == [expected]


def test_a_value_fits_what_settle_would_take() -> None:
    assert fits(2, "float | None")
    assert fits(None, "float | None")
    assert fits(Inner(), "Inner", Inner=Inner)
    assert fits("anything", "list[int]")
    for value, annotation in ((None, "float"), (True, "int"), (1.5, "int | None"), (1, "str")):
        assert not fits(value, annotation)
    assert not fits("Inner", "Inner", Inner=Inner)


def test_a_value_is_shown_whatever_it_is() -> None:
    class Bad:
        def __repr__(self) -> str:
            raise RuntimeError

    assert shown(Bad()) == "a Bad"
    assert len(shown("x" * 1000)) < 70


def test_a_number_beyond_all_floats_is_infinite() -> None:
    assert as_float(10**400) == math.inf
    assert as_float(-(10**400)) == -math.inf
    assert as_float("1") is None
