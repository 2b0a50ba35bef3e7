"""The fuzzers of files in small, and that they see what they look for."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import pytest
from tests.fuzz import models, nir, settings
from tests.fuzz.damage import DAMAGES, Found, damaged, watched

from volr.errors import ModelFileError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.mark.parametrize(
    ("fuzz", "count"),
    [(models.fuzz, 150), (nir.fuzz, 40), (settings.fuzz, 150)],
    ids=["models", "nir", "settings"],
)
def test_no_damage_is_believed_or_a_traceback(
    fuzz: Callable[[int, int, Path], Found], count: int
) -> None:
    if fuzz is nir.fuzz:
        pytest.importorskip("h5py")
    found = watched(fuzz, count, seed=7)
    assert found.made.total() >= count
    assert found.is_sound, "\n".join(found.table())


@pytest.mark.parametrize("kind", DAMAGES)
def test_damages_are_damages(kind: str) -> None:
    body = bytes(range(256)) + b'{"a": 123}'
    changed = [damaged(body, kind, Random(seed)) for seed in range(20)]
    assert sum(each != body for each in changed) > 15
    assert changed == [damaged(body, kind, Random(seed)) for seed in range(20)]


def test_what_is_wrong_is_seen() -> None:
    def traceback() -> bool:
        raise ValueError("a bug")

    def nameless() -> bool:
        raise ModelFileError("some file is damaged")

    def named() -> bool:
        raise ModelFileError("cannot read a.nir")

    for read, attribute in (
        (traceback, "tracebacks"),
        (nameless, "nameless"),
        (lambda: False, "believed"),
    ):
        found = Found()
        found.attempt("kind", "a.nir", read)
        assert len(getattr(found, attribute)) == 1
        assert not found.is_sound
    found = Found()
    found.attempt("kind", "a.nir", named)
    found.attempt("kind", "a.nir", lambda: True)
    assert found.is_sound
    assert (found.made.total(), found.read.total()) == (2, 1)
    found.grown = 2_000_000_000
    assert not found.is_sound
