"""The study's command line in this process, in a folder of its own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from studies.pedersen2019.__main__ import commands
from tests.cli.conftest import folder, model, spiking, volr, volr_of

if TYPE_CHECKING:
    from tests.cli.running import Volr

__all__ = ["folder", "model", "spiking", "study", "volr"]


@pytest.fixture
def study(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Volr:
    """Run the study's commands as ``volr`` runs Volr's."""
    del folder
    # Where the processes of an experiment find it.
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[3]))
    return volr_of(capsys, monkeypatch, commands)
