"""An experiment: what is made and when, what is kept, and what is found out beforehand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Self

import pytest
from tests.experiments.examples import PROGRAM, kept, made_by, plan_of
from tests.experiments.execution.planted import perform
from tests.oracles import chain

from volr.backends import backend
from volr.backends.base import SpikingBackend
from volr.errors import (
    BackendError,
    DataError,
    MissingError,
    ModelError,
    TrainingError,
    UnsupportedError,
    VolrError,
)
from volr.experiments import runner
from volr.experiments import tasks as task_module
from volr.experiments.execution import job
from volr.experiments.execution.here import Here
from volr.experiments.execution.job import Done, Failed, carry_out
from volr.experiments.runner import carry_on, check_possible, task_network
from volr.experiments.simulators import Simulators
from volr.experiments.store.folder import open_journal
from volr.experiments.tasks import task
from volr.language import to_network

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from volr.backends.base import Backend
    from volr.experiments.execution.job import Job
    from volr.experiments.plan import Spec
    from volr.experiments.run import Outcome
    from volr.experiments.settings import Settings
    from volr.models.samples import Data

PLAN = plan_of("snn-finetuned", "snn-random")


@pytest.fixture(autouse=True)
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The keys of the runs that have been made."""
    keys: list[str] = []

    def watch(spec: Spec, *others: object) -> Outcome:
        keys.append(spec.key)
        return perform(spec, *others)  # type: ignore[arg-type]

    monkeypatch.setattr(job, "perform", watch)
    return keys


class Backwards:
    """Takes on several jobs, and hands back the last first."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.most = 0
        self.data_dirs: set[str | None] = set()
        self._jobs: list[Job] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None: ...

    def submit(self, job: Job) -> None:
        self._jobs.append(job)
        self.data_dirs.add(job.data_dir)
        self.most = max(self.most, len(self._jobs))

    def finished(self) -> Iterator[tuple[Spec, Done | Failed]]:
        job = self._jobs.pop()
        with Simulators() as simulators:
            yield job.spec, carry_out(job, simulators)


def test_all_runs_in_their_order_and_each_kept_as_it_is_made(
    made: list[str], tmp_path: Path
) -> None:
    keys = [spec.key for spec in PLAN.specs()]
    with open_journal(tmp_path) as journal, Here() as here:
        for count, done in enumerate(carry_on(PLAN, journal, here), 1):
            assert (done.spec.key, done.count, done.total) == (keys[count - 1], count, 16)
            assert list(journal.finished(PLAN.specs())) == keys[:count]
            assert (tmp_path / "results.json").read_text().count('"seed"') == count
    assert made == keys
    assert list(kept(tmp_path, PLAN)) == keys


@pytest.mark.parametrize("room", [1, 2, 5, 100])
def test_results_do_not_depend_on_the_order_in_which_runs_end(room: int, tmp_path: Path) -> None:
    expected = made_by(Here(), PLAN, tmp_path / "here")
    execution = Backwards(room)
    assert made_by(execution, PLAN, tmp_path / "backwards") == expected
    # Of a hundred, no more than the runs that need no other's model.
    assert execution.most == min(room, 8)
    names = [(tmp_path / name / "results.json").read_text() for name in ("here", "backwards")]
    rows = [[each for each in text.splitlines() if '"seconds"' not in each] for text in names]
    assert rows[0] == rows[1]


def test_what_is_there_is_not_made_again(made: list[str], tmp_path: Path) -> None:
    small = plan_of("snn-transferred", seeds=(0,))
    first = made_by(Here(), small, tmp_path)
    assert len(made) == len(first) == 4
    made.clear()
    assert made_by(Here(), small, tmp_path) == first
    assert made == []
    second = made_by(Here(), PLAN, tmp_path)
    assert len(second) == 16
    assert made == [spec.key for spec in PLAN.specs() if spec.key not in first]
    assert second == made_by(Here(), PLAN, tmp_path / "at once")


def test_what_cannot_be_kept_is_not_made(made: list[str], tmp_path: Path) -> None:
    (tmp_path / "models" / "nand-0-ann.safetensors").mkdir(parents=True)
    with pytest.raises(DataError, match=r"nand-0-ann\.safetensors: it is a folder"):
        made_by(Here(), plan_of("ann"), tmp_path)
    assert made == []


def test_a_run_that_fails_costs_those_that_need_it(
    made: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = made_by(Here(), PLAN, tmp_path / "expected")
    whole = job.perform
    transferred = "xor-1-snn-transferred-if_curr_exp"

    def fail(spec: Spec, *others: object) -> Outcome:
        if spec.key == "xor-1-ann":
            raise TrainingError("it diverged", help="take a lower rate")
        return whole(spec, *others)  # type: ignore[arg-type]

    monkeypatch.setattr(job, "perform", fail)
    for execution, name in ((Here(), "here"), (Backwards(5), "backwards")):
        with pytest.raises(VolrError) as caught:
            made_by(execution, PLAN, tmp_path / name)
        assert sorted(caught.value.message.splitlines()) == [
            "3 of the runs failed; the others are kept",
            "xor-1-ann: it diverged",
            f"xor-1-snn-finetuned-if_curr_exp: it needs xor-1-ann, {transferred}, which failed",
            f"{transferred}: it needs xor-1-ann, which failed",
        ]
        assert caught.value.help == (
            "take a lower rate; the same command, without --fresh, makes those that are missing"
        )
        found = kept(tmp_path / name, PLAN)
        assert len(found) == 13
        assert found == {key: expected[key] for key in found}
    monkeypatch.setattr(job, "perform", whole)
    made.clear()
    assert made_by(Here(), PLAN, tmp_path / "here") == expected
    assert len(made) == 3


def test_how_far_it_is_fits_on_a_line(tmp_path: Path) -> None:
    told: list[tuple[int, int | None, str]] = []

    def tell(stage: str, done: int, total: int | None, detail: str = "") -> None:
        assert stage == "runs"
        told.append((done, total, detail))

    with open_journal(tmp_path) as journal:
        for _ in carry_on(PLAN, journal, Backwards(5), progress=tell):
            pass
    names = "xor-0-ann, xor-0-snn-random-if_curr_exp"
    assert told[0] == (0, 16, f"{names} and 3 more")
    assert [done for done, _, _ in told] == list(range(16))
    assert all(len(detail) < 80 for _, _, detail in told)


def test_whoever_makes_the_runs_may_be_in_another_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    execution = Backwards(5)
    with open_journal(tmp_path) as journal:
        list(carry_on(plan_of("ann"), journal, execution, Path("data")))
    assert execution.data_dirs == {str(tmp_path / "data")}


def test_what_would_stop_the_last_run_is_found_before_the_first(
    made: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("numba")
    check_possible(PLAN)
    with pytest.raises(BackendError, match="torch runs artificial models"):
        check_possible(plan_of("ann", "snn-surrogate", on="torch"))
    with pytest.raises(BackendError, match="no back end"):
        check_possible(plan_of("snn-surrogate", on="nests"))
    with monkeypatch.context() as patch:
        engine = backend("engine")
        assert isinstance(engine, SpikingBackend)
        poor = replace(engine, neurons=("if_curr_delta",))
        patch.setattr(runner, "spiking_backend", {"engine": poor}.__getitem__)
        neurons = ("if_curr_delta", "if_cond_exp")
        check_possible(plan_of("snn-transferred", neurons=neurons[:1]))
        with pytest.raises(UnsupportedError, match="if_cond_exp"):
            check_possible(plan_of("snn-transferred", neurons=neurons))
    fast = replace(PLAN.conditions[0], backends=too_fast)
    with pytest.raises(ModelError, match="no room"):
        check_possible(replace(PLAN, conditions=[fast]))
    with monkeypatch.context() as patch:
        patch.setattr(runner, "require", without("engine"))
        check_possible(plan_of("ann"))
        with pytest.raises(MissingError, match="no engine"):
            check_possible(plan_of("snn-transferred", on="nest"))
        patch.setattr(runner, "require", without("torch"))
        with pytest.raises(MissingError, match="no torch"):
            check_possible(plan_of("snn-random"))
    asked: list[tuple[int, int, Path | None]] = []

    def missing(seed: int, inputs: int, data_dir: Path | None) -> Data:
        asked.append((seed, inputs, data_dir))
        raise DataError("not there")

    last = replace(task("nand"), loader=missing)
    monkeypatch.setattr(task_module, "TASKS", (task("xor"), last))
    with pytest.raises(DataError, match="not there"):
        check_possible(plan_of("ann", seeds=(7, 8)), tmp_path)
    assert asked == [(7, 2, tmp_path)]
    assert made == []


def too_fast(settings: Settings, on: str) -> tuple[str, ...]:
    raise ModelError(f"no room for {settings.neuron} on {on}")


def without(name: str) -> Callable[[Backend], None]:
    """As if one back end, and none other, were not installed."""

    def require(each: Backend) -> None:
        if each.name == name:
            raise MissingError(f"no {name}")

    return require


def test_a_network_is_the_tasks_own_or_one_that_fits() -> None:
    xor = task("xor")
    assert task_network(xor) == to_network(PROGRAM)
    assert task_network(xor, chain(2, 7, 2)) == chain(2, 7, 2)
    with pytest.raises(DataError, match="takes 3 inputs"):
        task_network(xor, chain(3, 2))
