"""That NEURON's mechanisms are compiled takes a minute, and is said before."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("pyNN")
pytest.importorskip("neuron")

from tests.needs import skip_without

from volr.backends.pynn import PYNN_NEURON, mechanisms

if TYPE_CHECKING:
    from pathlib import Path

skip_without("c++", "make")


def test_what_takes_a_minute_is_said_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    # Where PyNN is installed anew nothing is compiled yet.
    sources = tmp_path / "nmodl"
    sources.mkdir()
    (sources / "cell.mod").write_text("NEURON { }", encoding="utf-8")
    monkeypatch.setattr(mechanisms, "_sources", lambda: sources)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with caplog.at_level(logging.WARNING), PYNN_NEURON.start():
        assert caplog.messages == ["compiling PyNN's mechanisms for NEURON, once: a minute or two"]
    caplog.clear()
    library = mechanisms._library(sources)
    library.parent.mkdir()
    library.touch()
    with caplog.at_level(logging.WARNING), PYNN_NEURON.start():
        assert caplog.messages == []
