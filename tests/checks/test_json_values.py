"""JSON as it is written and as it is read."""

from __future__ import annotations

import json
import math
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from volr.checks.json_values import jsonable, read_json

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.floats(allow_nan=False),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def test_numbers_that_json_lacks_are_null() -> None:
    value = {"a": [1.5, math.nan, (math.inf, True)], "b": {"c": -math.inf}}
    assert jsonable(value) == {"a": [1.5, None, [None, True]], "b": {"c": None}}


@given(VALUES, st.sampled_from([None, 2]), st.booleans())
def test_what_json_writes_is_read(value: object, indent: int | None, plain: bool) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=plain)
    assert read_json(text) == value


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"a": 1, "a": 1}', "'a' twice, in line 1"),
        ('{"x": [{"a": 1,\n"b": {"a": 2},\n"a": 3}]}', "'a' twice, in lines 1 and 3"),
        ('{"\\u0061": 1,\n\n"a": 2}', "'a' twice, in lines 1 and 3"),
        ('{"a\\"b": 1,\n"a\\"b": 2}', "twice, in lines 1 and 2"),
        ("{", "line 1"),
        ("[" * 100_000, "nested too deep"),
        ("9" * 5000, "digits"),
    ],
)
def test_what_is_no_json_is_told_with_its_line(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        read_json(text)


def test_one_key_in_several_objects_is_none_twice() -> None:
    text = '[{"a": {"a": 1}}, {"a": [{"a": ",:{}"}, {"a": "{\\"a\\": 1, \\"a\\": 2}"}]}]'
    assert read_json(text) == json.loads(text)


def test_bytes_that_are_no_text() -> None:
    with pytest.raises(ValueError, match="byte 6 is not UTF-8"):
        read_json(b'{"a": \xff}')


def test_a_long_text_takes_no_more_memory_than_json_itself() -> None:
    # A model keeps its program as one string, and some programs are long.
    text = json.dumps({"program": "dense 2 2 >>\n" * 100_000, "seed": 0})
    peaks: list[int] = []
    for read in (json.loads, read_json):
        tracemalloc.start()
        read(text)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + 100_000
