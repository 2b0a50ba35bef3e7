"""Values by name, of which most have the usual one."""

from __future__ import annotations

import copy
import pickle

import pytest

from volr.models.by_name import ByName


def test_they_are_sorted_and_cannot_be_changed() -> None:
    delays = ByName({"b": 2.0, "a": 1.0}, 3.0)
    assert list(delays) == ["a", "b"]
    assert repr(delays) == "{'a': 1.0, 'b': 2.0}"
    with pytest.raises(TypeError):
        delays["a"] = 3.0  # pyright: ignore[reportIndexIssue]


def test_what_is_usual_is_left_out_so_equal_ones_are_equal() -> None:
    delays = ByName({"b": 2.0, "a": 1.0}, 2.0)
    assert dict(delays) == {"a": 1.0}
    assert delays == ByName({"a": 1.0}, 5.0)
    assert hash(delays) == hash(ByName({"a": 1.0}, 5.0))
    assert copy.deepcopy(delays) == delays == pickle.loads(pickle.dumps(delays))
