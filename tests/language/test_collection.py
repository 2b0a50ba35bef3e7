from __future__ import annotations

import gc

import pytest

from volr.errors import ProgramError
from volr.language import check, lower
from volr.language.collection import collector_paused


def test_the_collector_is_as_it_was_before() -> None:
    assert gc.isenabled()
    lower(check("dense 2 3").term)
    with pytest.raises(ProgramError):
        check("dense 2")
    assert gc.isenabled()
    gc.disable()
    try:
        check("dense 2 3")
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_within_it_is_paused() -> None:
    with collector_paused():
        assert not gc.isenabled()
        with collector_paused():
            pass
        assert not gc.isenabled()
    assert gc.isenabled()
