"""How many cores are used: all there are, or as many as somebody says."""

from __future__ import annotations

import os

import pytest

from volr.cores import LIMIT, cores


def test_all_that_the_system_lets_us_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(LIMIT, raising=False)
    assert cores() == len(os.sched_getaffinity(0))


@pytest.mark.parametrize(("said", "used"), [("1", 1), ("7", 7)])
def test_as_many_as_the_environment_says(
    said: str, used: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(LIMIT, said)
    assert cores() == used


@pytest.mark.parametrize("said", ["", "0", "-1", "two", "1.5"])
def test_what_is_no_number_of_cores_says_nothing(
    said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(LIMIT, said)
    assert cores() == len(os.sched_getaffinity(0))
