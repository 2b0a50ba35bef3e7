"""Arithmetic on one thread, also in libraries that are loaded within."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from tests.needs import needs

from volr.system.threads import VARIABLE, one_thread

LOADED_WITHIN = """
from volr.system.threads import one_thread
with one_thread():
    import torch
    print(torch.get_num_threads())
"""


@pytest.mark.parametrize("before", [None, "3"])
def test_the_environment_is_as_before(before: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    if before is None:
        monkeypatch.delenv(VARIABLE, raising=False)
    else:
        monkeypatch.setenv(VARIABLE, before)
    with one_thread():
        assert os.environ[VARIABLE] == "1"
    assert os.environ.get(VARIABLE) == before


@needs("torch")
def test_what_is_loaded_within_has_one_thread_too() -> None:
    environment = {name: value for name, value in os.environ.items() if name != VARIABLE}
    said = subprocess.run(
        [sys.executable, "-c", LOADED_WITHIN],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout == "1\n"


@needs("torch")
def test_pytorch_obeys_also_where_it_was_told_another_number() -> None:
    import torch

    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        with one_thread():
            assert torch.get_num_threads() == 1
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
