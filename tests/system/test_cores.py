"""How many cores are used: all there are, or as many as somebody says."""

from __future__ import annotations

import os
from unittest.mock import Mock

import pytest

from volr.errors import BackendError
from volr.system.cores import LIMIT, cores


def test_all_that_the_system_lets_us_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(LIMIT, raising=False)
    assert cores() == len(os.sched_getaffinity(0))


@pytest.mark.parametrize(
    ("said", "used"),
    [("1", 1), ("7", 7), ("007", 7), ("12", 12), ("13", 12), ("99999", 12), (f"1{20 * '0'}", 12)],
)
def test_as_many_as_the_environment_says_and_there_are(
    said: str, used: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", Mock(return_value=range(12)))
    monkeypatch.setenv(LIMIT, said)
    assert cores() == used


def test_an_empty_limit_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(LIMIT, "")
    assert cores() == len(os.sched_getaffinity(0))


@pytest.mark.parametrize(
    "said", ["0", "00", "-1", "abc", "1.5", " ", "²", "٣", "1_0", f"1{5000 * 'x'}"]
)
def test_what_is_no_number_of_cores_is_refused(said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", Mock(return_value=range(12)))
    monkeypatch.setenv(LIMIT, said)
    with pytest.raises(BackendError, match="a whole number from 1 up") as caught:
        cores()
    assert caught.value.help == "set it to one from 1 to 12, or unset it"
