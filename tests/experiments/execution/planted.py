"""Runs that take no time and no training, and that die, fail or wait where a test says so.

``perform`` stands for ``volr.experiments.run.perform``. Processes that the tests start take
it, or put it before the real one, because a ``sitecustomize`` that they find says so.
"""

from __future__ import annotations

import hashlib
import os
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from tests.oracles import random_parameters

from volr.errors import TrainingError
from volr.experiments.execution import job
from volr.experiments.results import Row, Run
from volr.experiments.run import Outcome
from volr.language import to_network
from volr.models.model import ArtificialModel, SpikingModel
from volr.system.cores import LIMIT

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pytest

    from volr.experiments.plan import Spec
    from volr.models.model import Model

REPOSITORY = Path(__file__).parents[3]


def perform(spec: Spec, needed: Sequence[Model], *_: Any) -> Outcome:
    """A run whose result is drawn from its key and the models that it needs, and nothing else."""
    digest = hashlib.sha256(spec.key.encode())
    for model in needed:
        for name in sorted(model.parameters):
            digest.update(name.encode() + model.parameters[name].tobytes())
    rng = np.random.default_rng(list(digest.digest()))
    network = to_network(spec.program)
    values = random_parameters(network, rng, weight=1.0, bias=0.5)
    row = Row(
        task=spec.task,
        condition=spec.condition.name,
        source=spec.condition.source,
        backend=spec.on,
        neuron=spec.settings.neuron if spec.condition.is_spiking else "",
        seed=spec.seed,
        accuracy=rng.random(),
        chance=0.5,
        seconds=time.perf_counter() % 1,
        samples=100,
        ties=0.0,
        program=spec.program,
    )
    made = (
        SpikingModel(network=network, parameters=values)
        if spec.condition.is_spiking
        else ArtificialModel(network, values)
    )
    return Outcome(Run(row=row), made, {"task": spec.task, "seed": spec.seed})


class Plants:
    """A folder that says what happens in which runs, to processes of their own too."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def deaths(self, key: str, count: int) -> None:
        """The process of this run is killed within it, so many times."""
        (self.folder / f"{key}.deaths").write_text(f"{count}")

    def fails(self, key: str, word: str) -> None:
        """This run ends in an error: ``volr``'s, ``python``'s or ``exit``."""
        (self.folder / f"{key}.fails").write_text(word)

    def waits(self, key: str) -> Path:
        """This run goes on when the file is gone."""
        path = self.folder / f"{key}.waits"
        path.touch()
        return path

    def begun(self, key: str) -> list[int]:
        """How many cores each of those had that began this run."""
        path = self.folder / f"{key}.begun"
        return [*map(int, path.read_text().split())] if path.exists() else []


def plant(folder: Path, monkeypatch: pytest.MonkeyPatch, *, real: bool = False) -> Plants:
    """Let the processes that are started from here on make planted runs."""
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(
        "from tests.experiments.execution.planted import install\n"
        f"install({str(folder)!r}, real={real})\n"
    )
    # The source beside these tests, wherever the installed one is.
    path = folder, REPOSITORY, REPOSITORY / "src"
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(map(str, path)))
    # Those that are killed leave what they were writing.
    monkeypatch.setenv("TMPDIR", str(folder))
    return Plants(folder)


def install(folder: str, *, real: bool) -> None:
    """Make this process's runs planted ones."""
    made = job.perform if real else perform
    job.perform = planted(Path(folder), made)


def planted(folder: Path, made: Any) -> Any:
    """``made``, after what ``folder`` says about the run."""

    def run(spec: Spec, *others: Any) -> Outcome:
        with (folder / f"{spec.key}.begun").open("a") as file:
            file.write(f"{os.environ.get(LIMIT, '0')}\n")
        deaths = folder / f"{spec.key}.deaths"
        if deaths.exists() and (left := int(deaths.read_text())) > 0:
            deaths.write_text(f"{left - 1}")
            os.kill(os.getpid(), signal.SIGKILL)
        while (folder / f"{spec.key}.waits").exists():
            time.sleep(0.02)
        fails = folder / f"{spec.key}.fails"
        match fails.read_text() if fails.exists() else "":
            case "volr":
                raise TrainingError("it diverged", help="take a lower rate")
            case "python":
                raise KeyError("the run's own words")
            case "exit":
                sys.exit(7)
            case _:
                return made(spec, *others)

    return run
