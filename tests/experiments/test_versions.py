"""With which versions a run is made."""

from __future__ import annotations

import platform
from importlib import metadata
from typing import TYPE_CHECKING

import volr
from volr.experiments import versions as module
from volr.experiments.versions import versions

if TYPE_CHECKING:
    import pytest


def test_what_is_installed_has_one() -> None:
    found = versions()
    assert found["volr"] == volr.__version__
    assert found["python"] == platform.python_version()
    assert found["numpy"] == metadata.version("numpy")


def test_what_is_not_installed_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PACKAGES", ("numpy", "no-such-package"))
    module._installed.cache_clear()
    assert set(versions()) == {"volr", "python", "numpy"}
    module._installed.cache_clear()
