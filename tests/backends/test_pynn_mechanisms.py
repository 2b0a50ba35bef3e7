"""NEURON's mechanisms: compiled once, and loaded only where nobody else has a hand in them."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("pyNN")

from volr.backends.pynn import mechanisms
from volr.system import caches
from volr.system.caches import cache_path, foreign_hands

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Path]:
    """Load them, with a compiler that makes an empty library, as anybody may write to it; where
    from."""
    sources = tmp_path / "sources"
    sources.mkdir()
    for name in ("a.mod", "izhikevich.mod"):
        (sources / name).write_text("NEURON {}\n")
    monkeypatch.setattr(mechanisms, "_sources", lambda: sources)
    monkeypatch.setattr(mechanisms, "_compiler", lambda: "nrnivmodl")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    caches._temporary.cache_clear()
    caches._tell.cache_clear()

    def run(command: Sequence[str], folder: Path, log: object) -> int:
        del log
        # There are no Izhikevich neurons.
        assert command == ["nrnivmodl", str(sources / "a.mod")]
        library = mechanisms._library(folder)
        library.parent.mkdir()
        library.touch()
        for each in (library.parent, library):
            each.chmod(0o777)
        return 0

    monkeypatch.setattr(mechanisms, "run_command", run)

    def loaded() -> Path:
        found: list[str] = []
        neuron = SimpleNamespace(
            nrn_dll_loaded=[], __version__="9.0.1", load_mechanisms=found.append
        )
        mechanisms.load(neuron)
        assert neuron.nrn_dll_loaded == [str(sources)]
        (folder,) = found
        return Path(folder)

    return loaded


def test_they_are_closed_to_others(load: Callable[[], Path]) -> None:
    folder = load()
    assert folder.parent == cache_path("pynn")
    assert foreign_hands(folder) is None
    assert load() == folder


def test_those_that_another_user_has_made_are_not_loaded(load: Callable[[], Path]) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give a folder to another user")
    folder = load()
    library = mechanisms._library(folder)
    for each in (folder, library.parent, library):
        os.chown(each, 12345, 12345)
        own = load()
        assert own.name == folder.name
        assert cache_path("pynn") not in own.parents
        os.chown(each, 0, 0)
    assert load() == folder
