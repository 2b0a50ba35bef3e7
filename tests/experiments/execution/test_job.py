"""A job carried out: models come in the order that they are needed in, and nothing is left."""

from __future__ import annotations

import os
import signal
import tempfile
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from tests.cli.running import wait_until
from tests.experiments.examples import made_by, plan_of
from tests.experiments.execution.planted import perform
from tests.needs import needs

from volr.backends.processes import ProcessEnded, WorkerPool
from volr.errors import TrainingError
from volr.experiments.execution import job as module
from volr.experiments.execution.here import Here
from volr.experiments.execution.job import TRIES, Done, Failed, Job, carry_out
from volr.experiments.execution.local import Local
from volr.experiments.simulators import Simulators
from volr.model_files.model_file import read_model_file
from volr.models.model import ArtificialModel, SpikingModel

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from volr.experiments.plan import Spec
    from volr.experiments.run import Outcome
    from volr.models.model import Model

ANN, TRANSFERRED, FINETUNED = plan_of("snn-finetuned", tasks=["xor"], seeds=[4]).specs()


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_a_run_is_handed_the_models_that_it_needs(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, temporary: Path
) -> None:
    seen: list[tuple[type, ...]] = []

    def watch(spec: Spec, needed: Sequence[Model], *others: object) -> Outcome:
        # Nothing to be left behind while a run lasts, which may be when its process is killed.
        assert list(temporary.iterdir()) == []
        seen.append(tuple(map(type, needed)))
        assert others[1] == tmp_path
        return perform(spec, needed, *others)

    monkeypatch.setattr(module, "perform", watch)
    models: list[bytes] = []
    with Simulators() as simulators:
        for spec in (ANN, TRANSFERRED, FINETUNED):
            given = tuple(models[: len(spec.needs)])
            done = carry_out(Job(spec, given, str(tmp_path)), simulators)
            assert isinstance(done, Done)
            models.append(done.model)
        again = carry_out(Job(FINETUNED, tuple(models[:2]), str(tmp_path)), simulators)
    assert seen[:3] == [(), (ArtificialModel,), (ArtificialModel, SpikingModel)]
    # Equal models are equal files.
    assert isinstance(again, Done)
    assert again.model == models[2]
    assert list(temporary.iterdir()) == []
    path = tmp_path / "m"
    path.write_bytes(models[2])
    assert read_model_file(path).origin == {"task": "xor", "seed": 4}


def test_errors_of_ours_are_answers_and_others_are_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    def diverge(*_: object) -> Outcome:
        raise TrainingError("it diverged", help="take a lower rate")

    def break_down(*_: object) -> Outcome:
        raise KeyError("a bug")

    with Simulators() as simulators:
        monkeypatch.setattr(module, "perform", diverge)
        failed = Failed("it diverged", "take a lower rate")
        assert carry_out(Job(ANN, (), None), simulators) == failed
        monkeypatch.setattr(module, "perform", break_down)
        with pytest.raises(KeyError, match="a bug"):
            carry_out(Job(ANN, (), None), simulators)
        damaged = carry_out(Job(TRANSFERRED, (b"{}",), None), simulators)
    assert isinstance(damaged, Failed)
    key = TRANSFERRED.needs[0].key
    said = f"the model of {key} cannot be read: {key}.safetensors is cut short: it has 2 bytes"
    assert damaged.message == said
    assert damaged.help == f"remove {key}.safetensors from the models, and that run is made again"


@pytest.mark.parametrize(
    ("codes", "tries"),
    [((-9,), 2), ((-9,) * (TRIES - 1), TRIES), ((-9,) * TRIES, TRIES), ((1,), 1), ((-11, 1), 2)],
)
def test_a_run_whose_simulator_was_killed_is_made_again(
    codes: tuple[int, ...], tries: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[int] = []

    def end(*others: object) -> Outcome:
        begun.append(len(begun))
        if begun[-1] < len(codes):
            raise ProcessEnded(f"ended by {codes[begun[-1]]}", codes[begun[-1]])
        return perform(*others)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "perform", end)
    with Simulators() as simulators:
        found = carry_out(Job(ANN, (), None), simulators)
    assert len(begun) == tries
    if tries == len(codes):
        assert found == Failed(f"ended by {codes[-1]}", None)
    else:
        assert isinstance(found, Done)


@needs("torch", "nest")
def test_a_killed_nest_is_started_again_and_the_run_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = plan_of("snn-random", tasks=["xor"], seeds=[1], on="nest", loop_samples=60)
    expected = made_by(Here(), plan, tmp_path / "undisturbed")
    pools: list[WorkerPool] = []
    start = WorkerPool.__init__

    def watch(pool: WorkerPool, *others: object) -> None:
        start(pool, *others)  # type: ignore[arg-type]
        pools.append(pool)

    monkeypatch.setattr(WorkerPool, "__init__", watch)
    killed: list[int] = []

    def kill() -> None:
        wait_until(lambda: bool(pools and pools[0].identifiers()))
        killed.extend(pools[0].identifiers())
        for each in killed:
            os.kill(each, signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    found = made_by(Here(), plan, tmp_path / "killed")
    killer.join()
    assert killed
    assert found == expected


@needs("torch", "numba", "sklearn")
def test_results_do_not_depend_on_how_many_threads_there_are(tmp_path: Path) -> None:
    plan = plan_of("snn-transferred", tasks=["digits"], seeds=[0], epochs=3)
    plan = replace(plan, tasks={"digits": "dense 64 300 ⦶ dense 300 10"})
    assert made_by(Here(), plan, tmp_path / "here") == made_by(Local(2), plan, tmp_path / "local")


def test_arithmetic_is_done_on_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    threadpoolctl = pytest.importorskip("threadpoolctl")
    counts: list[int] = []

    def watch(*others: object) -> Outcome:
        counts.extend(each["num_threads"] for each in threadpoolctl.threadpool_info())
        return perform(*others)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "perform", watch)
    with Simulators() as simulators, threadpoolctl.threadpool_limits(limits=2):
        carry_out(Job(ANN, (), None), simulators)
        after = [each["num_threads"] for each in threadpoolctl.threadpool_info()]
    assert set(counts) == {1}
    assert 1 not in after
