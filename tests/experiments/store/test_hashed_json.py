"""JSON with a hash."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest

from volr.experiments.store.hashed_json import sealed, unsealed

CONTENT: dict[str, Any] = {"b": [1, 2.5, None], "a": {"⦶": "x", "n": -0.1}, "t": (1, 2)}


def test_what_was_sealed_is_unsealed() -> None:
    there = json.loads(json.dumps(sealed(CONTENT)))
    assert unsealed(there) == {**CONTENT, "t": [1, 2]}
    rest = {key: value for key, value in there.items() if key != "sha256"}
    text = json.dumps(rest, sort_keys=True, separators=(",", ":"))
    assert there["sha256"] == hashlib.sha256(text.encode()).hexdigest()


def test_what_was_written_before_is_as_it_is() -> None:
    assert unsealed({"b": 1}) == {"b": 1}


@pytest.mark.parametrize(
    "change",
    [
        {"b": [1, 2.5, 0]},
        {"a": None},
        {"more": 1},
        {"layout": 3},
        {"layout": None},
        {"sha256": "0" * 64},
        {"sha256": None},
    ],
)
def test_what_was_changed_is_refused(change: dict[str, Any]) -> None:
    changed = {**sealed(CONTENT), **change}
    changed = {key: value for key, value in changed.items() if value is not None}
    with pytest.raises(ValueError, match="not what was written"):
        unsealed(changed)
