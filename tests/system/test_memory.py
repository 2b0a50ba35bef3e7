"""Room is asked for before it is taken."""

from __future__ import annotations

import psutil
import pytest

from volr.errors import ModelError
from volr.system import memory
from volr.system.memory import available, check_room, in_words


def test_what_is_available_is_what_the_system_says() -> None:
    there = psutil.virtual_memory()
    assert 0 < available() < there.total


def test_a_little_is_there_without_asking(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "available", lambda: pytest.fail("asked"))
    check_room({}, "for nothing")
    check_room({"a": 50_000_000, "b": 49_999_999}, "for little")


def test_the_largest_part_is_named_and_all_are_summed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "available", lambda: 300_000_000)
    check_room({"dense_1": 100_000_000, "dense_2": 200_000_000}, "to simulate it")
    with pytest.raises(ModelError) as caught:
        check_room({"dense_1": 100_000_000, "dense_2": 200_000_001}, "to do it", help="do less")
    assert str(caught.value).splitlines()[0] == (
        "there is not enough memory to do it: it takes 300 MB, most of it (200 MB) for dense_2, "
        "and 300 MB are free"
    )
    assert caught.value.help == "do less"


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1000, "1 KB"),
        (1_234_567, "1.23 MB"),
        (99_900_000_000, "99.9 GB"),
        (5_000_000_000_000_000, "5e+03 TB"),
    ],
)
def test_bytes_in_words(count: int, words: str) -> None:
    assert in_words(count) == words
