"""A search, with runs whose accuracies are a closed form: what it makes, keeps and finds."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Self

import numpy as np
import pytest
import safetensors.numpy

from volr.errors import VolrError
from volr.experiments.conditions import condition
from volr.experiments.execution.job import Done, Failed
from volr.experiments.plan import spec_from, spec_json
from volr.experiments.results import Row, Run
from volr.experiments.run import data_of
from volr.experiments.search.rungs import Rung
from volr.experiments.search.space import Choice, Range
from volr.experiments.search.store import begin, best_json, write_found
from volr.experiments.search.trial import Trial
from volr.experiments.search.trials import Search, rungs_of, search_on
from volr.experiments.settings import Settings
from volr.experiments.store.folder import Journal
from volr.experiments.tasks import task
from volr.language import to_network

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from volr.experiments.execution.job import Job
    from volr.experiments.plan import Spec
    from volr.experiments.search.trials import Found

pytest.importorskip("optuna")

LADDER = (
    Rung(train=30, loop=10, validation=20, seeds=1),
    Rung(train=90, loop=30, validation=60, seeds=1),
    Rung(train=270, loop=90, validation=180, seeds=2),
)
SEARCH = Search(
    task="xor",
    program="dense 2 4 ⦶ dense 4 2",
    condition=condition("snn-transferred"),
    on="engine",
    settings=Settings(rate_max=990.0),
    space=(Range("rate_max", 100.0, 1000.0, log=False, whole=False), Choice("dt", (0.5, 1.0))),
    trials=14,
    batch=6,
    seeds=2,
    seed=3,
)


def accuracy(spec: Spec) -> float:
    """Best at 700 Hz and a step of 0.5 ms; noisier with fewer samples."""
    rate = spec.settings.rate_max
    if not spec.condition.is_spiking or rate is None:
        return 0.9
    assert spec.settings.train_samples is not None
    noise = math.sin(rate * 7 + spec.seed) / spec.settings.train_samples
    return 0.95 - abs(rate - 700.0) / 2000 - 0.05 * (spec.settings.dt == 1.0) + noise


def made(spec: Spec) -> Done:
    row = Row(
        task=spec.task,
        condition=spec.condition.name,
        source=spec.condition.source,
        backend=spec.on,
        neuron=spec.settings.neuron,
        seed=spec.seed,
        accuracy=accuracy(spec),
        chance=0.5,
        seconds=0.0,
        samples=10,
        ties=0.0,
        program=spec.program,
    )
    return Done(Run(row=row), model(spec))


def model(spec: Spec) -> bytes:
    """A file of the format of models, which says whose it is."""
    return safetensors.numpy.save({}, {"key": spec.key})


class Closed:
    """Answers up to ``room`` jobs at once, in an order of its own; ``dies`` after some of them."""

    def __init__(self, room: int = 1, dies: int | None = None, refuses: float = math.inf) -> None:
        self.room = room
        self.jobs: list[Job] = []
        self.done: list[Spec] = []
        self._dies = dies
        self._refuses = refuses
        self._order = np.random.default_rng(room)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def submit(self, job: Job) -> None:
        # The models that a run needs are those of the runs that its spec names.
        assert [*job.models] == [model(each) for each in job.spec.needs]
        # Whoever makes it may be elsewhere.
        assert spec_from(spec_json(job.spec)) == job.spec
        self.jobs.append(job)
        assert len(self.jobs) <= self.room

    def finished(self) -> Iterator[tuple[Spec, Done | Failed]]:
        for _ in range(self._order.integers(1, len(self.jobs) + 1)):
            if self._dies is not None and len(self.done) >= self._dies:
                raise KeyboardInterrupt
            job = self.jobs.pop(self._order.integers(len(self.jobs)))
            self.done.append(job.spec)
            rate = job.spec.settings.rate_max
            refused = rate is not None and rate > self._refuses
            yield job.spec, Failed(f"{rate} Hz is too much", None) if refused else made(job.spec)


def run(search: Search, folder: Path, execution: Closed) -> Found:
    *_, last = search_on(search, LADDER, Journal(folder), execution)
    return last


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Found:
    return run(SEARCH, tmp_path_factory.mktemp("undisturbed"), Closed())


def test_what_is_found_is_near_what_is_best(undisturbed: Found) -> None:
    found = best_json(SEARCH, undisturbed)
    assert found["values"]["dt"] == 0.5
    assert abs(found["values"]["rate_max"] - 700) < 100
    # What was tried is told, be it what it is elsewhere unless told.
    assert found["settings"] == {"neuron": SEARCH.settings.neuron, **found["values"]}
    assert found["validation accuracy"] > found["unless told"]
    # Means over the two seeds of the last rung, after the closed form.
    for trial in undisturbed.trials:
        rate, dt = trial.values["rate_max"], trial.values["dt"]
        for height, score in enumerate(trial.scores):
            rung = LADDER[height]
            expected = np.mean(
                [
                    0.95
                    - abs(rate - 700.0) / 2000  # type: ignore[operator]
                    - 0.05 * (dt == 1.0)
                    + math.sin(rate * 7 + 1000 + seed) / rung.train  # type: ignore[operator]
                    for seed in range(rung.seeds)
                ]
            )
            assert score == pytest.approx(expected, abs=1e-12)


def test_trials_are_pruned_by_what_is_known_after_their_batch(undisturbed: Found) -> None:
    trials = undisturbed.trials
    assert [each.number for each in trials] == list(range(14))
    states = [each.state for each in trials]
    assert states.count("pruned") > 6
    assert "finished" in states
    for begin_, end in ((0, 6), (6, 12), (12, 14)):
        for height in range(2):
            known = [t.scores[height] for t in trials[:end] if len(t.scores) > height]
            for each in trials[begin_:end]:
                if len(each.scores) <= height:
                    continue
                above = 3 * sum(other > each.scores[height] for other in known) < len(known)
                assert above == (len(each.scores) > height + 1)
    for each in trials:
        assert (each.state == "finished") == (len(each.scores) == 3)


def test_no_run_is_made_twice_and_none_on_test_samples(tmp_path: Path) -> None:
    execution = Closed(room=4)
    found = run(SEARCH, tmp_path, execution)
    keys = [each.key for each in execution.done]
    assert len(set(keys)) == len(keys)
    assert {each.part for each in execution.done} == {"validation"}
    assert {each.seed for each in execution.done} == {1000, 1001}
    # One artificial network for each rung and seed, whatever the number of trials.
    artificial = [each for each in execution.done if each.condition.name == "ann"]
    assert len(artificial) == 4
    scores = sum(len(each.scores) for each in found.trials)
    doubled = sum(each.state == "finished" for each in found.trials)
    assert len(execution.done) == 4 + 2 + scores + doubled


@pytest.mark.parametrize("room", [2, 5, 1000])
def test_it_does_not_matter_how_many_are_made_at_once(
    undisturbed: Found, tmp_path: Path, room: int
) -> None:
    assert run(SEARCH, tmp_path, Closed(room)) == undisturbed


@pytest.mark.parametrize("dies", [0, 3, 12])
def test_cut_short_it_goes_on_and_makes_only_what_is_missing(
    undisturbed: Found, tmp_path: Path, dies: int
) -> None:
    first = Closed(room=3, dies=dies)
    with pytest.raises(KeyboardInterrupt):
        run(SEARCH, tmp_path, first)
    # A file that was not finished is no run.
    (tmp_path / "runs").mkdir(exist_ok=True)
    (tmp_path / "runs" / ".xor.json.123.part").write_text('{"spec": {"ta')
    second = Closed(room=2)
    assert run(SEARCH, tmp_path, second) == undisturbed
    again = {each.key for each in first.done} & {each.key for each in second.done}
    assert not again
    third = Closed()
    assert run(SEARCH, tmp_path, third) == undisturbed
    assert third.done == []


@pytest.mark.parametrize("fewer", [1, 6, 8])
def test_more_trials_are_what_they_would_have_been(
    undisturbed: Found, tmp_path: Path, fewer: int
) -> None:
    shorter = run(replace(SEARCH, trials=fewer), tmp_path, Closed())
    assert len(shorter.trials) == fewer
    whole = fewer // 6 * 6
    assert shorter.trials[:whole] == undisturbed.trials[:whole]
    assert run(SEARCH, tmp_path, Closed()) == undisturbed


def test_another_seed_finds_other_trials(undisturbed: Found, tmp_path: Path) -> None:
    other = run(replace(SEARCH, seed=4), tmp_path, Closed())
    assert other.trials[0].values != undisturbed.trials[0].values


def test_time_that_is_up_begins_no_other_batch(undisturbed: Found, tmp_path: Path) -> None:
    answers = iter([False, True])
    found = list(
        search_on(SEARCH, LADDER, Journal(tmp_path), Closed(), enough=lambda: next(answers))
    )
    assert [len(each.trials) for each in found] == [0, 6]
    assert found[-1].trials == undisturbed.trials[:6]


def test_trials_that_fail_say_why_and_the_others_go_on(tmp_path: Path) -> None:
    found = run(replace(SEARCH, settings=Settings(rate_max=300.0)), tmp_path, Closed(3, None, 600))
    failed = [each for each in found.trials if each.state == "failed"]
    assert failed
    for each in found.trials:
        too_much = float(each.values["rate_max"]) > 600
        assert (each.state == "failed") == too_much
        assert each.why == (f"{each.values['rate_max']} Hz is too much" if too_much else "")
        assert (each.scores == ()) == too_much


def test_values_that_do_not_go_together_fail_without_a_run(tmp_path: Path) -> None:
    # 1,500 Hz is possible at 0.5 ms, and not at 1 ms.
    space = (Choice("rate_max", (500.0, 1500.0)), Choice("dt", (0.5, 1.0)))
    execution = Closed()
    found = run(replace(SEARCH, space=space), tmp_path, execution)
    failed = [each for each in found.trials if each.state == "failed"]
    assert failed
    assert all(each.values == {"rate_max": 1500.0, "dt": 1.0} for each in failed)
    assert all("a step of 1 ms allows 1000 Hz" in each.why for each in failed)
    assert all(
        (each.settings.rate_max, each.settings.dt) != (1500.0, 1.0) for each in execution.done
    )


def test_where_nothing_can_be_made_it_stops(tmp_path: Path) -> None:
    with pytest.raises(VolrError, match=r"as they are cannot be made: 990\.0 Hz"):
        run(SEARCH, tmp_path / "a", Closed(refuses=100))
    search = replace(SEARCH, settings=Settings(rate_max=50.0))
    with pytest.raises(VolrError, match="none of the trials 0 to 5 could be made\n") as caught:
        run(search, tmp_path / "b", Closed(refuses=99))
    assert "Hz is too much" in caught.value.message


def test_settings_that_nothing_beats_are_the_best(tmp_path: Path) -> None:
    search = replace(SEARCH, settings=Settings(rate_max=700.0), trials=6)
    found = best_json(search, run(search, tmp_path, Closed()))
    assert (found["trial"], found["values"], found["settings"]) == (
        None,
        {},
        {"neuron": "if_curr_exp", "rate_max": 700.0},
    )
    assert found["validation accuracy"] == found["unless told"]


def test_another_search_leaves_the_earlier_one_and_shares_its_runs(tmp_path: Path) -> None:
    assert begin(SEARCH, tmp_path, ["volr", "search"], fresh=False) is None
    run(SEARCH, tmp_path, Closed())
    assert begin(replace(SEARCH, trials=50), tmp_path, ["volr"], fresh=False) is None
    other = replace(SEARCH, seed=4)
    assert begin(other, tmp_path, ["volr"], fresh=False) == tmp_path / "earlier-1"
    assert (tmp_path / "earlier-1" / "search.json").exists()
    execution = Closed()
    run(other, tmp_path, execution)
    assert {each.condition.name for each in execution.done} == {"snn-transferred"}
    assert begin(other, tmp_path, ["volr"], fresh=True) == tmp_path / "earlier-2"
    assert (tmp_path / "earlier-2" / "runs").is_dir()
    assert not (tmp_path / "runs").exists()


def test_fewer_trials_than_are_known_overwrite_nothing(undisturbed: Found, tmp_path: Path) -> None:
    assert write_found(SEARCH, LADDER, undisturbed, tmp_path, {"dt": 0.25})
    kept = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert set(kept) == {"best.json", "trials.json"}
    for count in (0, 6, 13):
        fewer = replace(undisturbed, trials=undisturbed.trials[:count])
        assert not write_found(SEARCH, LADDER, fewer, tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == kept
    assert write_found(SEARCH, LADDER, undisturbed, tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} != kept


@pytest.mark.parametrize("name", ["xor", "digits"])
def test_validation_samples_are_a_part_of_the_training_samples(name: str) -> None:
    if name == "digits":
        pytest.importorskip("sklearn")
    search = replace(SEARCH, task=name, program=task(name).program)
    spec = search.spec(Settings(), search.program, 0)
    whole = task(name).load(seed=spec.seed)
    part = data_of(spec, to_network(spec.program), None)

    def rows(*halves: object) -> list[tuple[float, ...]]:
        return sorted(
            (*row, label)
            for half in halves
            for row, label in zip(half.inputs, half.labels, strict=True)  # type: ignore[attr-defined]
        )

    assert rows(part.train, part.test) == rows(whole.train)
    assert len(part.test) == pytest.approx(len(whole.train) / 5, abs=part.classes / 2)
    measured = replace(spec, part="test")
    assert rows(data_of(measured, to_network(spec.program), None).test) == rows(whole.test)
    top = rungs_of(search, None)[-1]
    assert (top.train, top.validation) == (len(part.train), len(part.test))


def test_no_search_has_seen_what_an_experiment_is_measured_on() -> None:
    pytest.importorskip("sklearn")
    search = replace(SEARCH, task="digits", program=task("digits").program)
    spec = search.spec(Settings(), search.program, 1)
    seen = data_of(spec, to_network(spec.program), None)
    for seed in (0, 7):
        measured = replace(spec, part="test", seed=seed)
        test = data_of(measured, to_network(spec.program), None).test.inputs
        images = {each.tobytes() for each in test}
        assert images.isdisjoint(each.tobytes() for each in seen.train.inputs)
        assert images.isdisjoint(each.tobytes() for each in seen.test.inputs)


def test_a_trial_is_told_apart_by_all_that_its_run_depends_on() -> None:
    spec = SEARCH.spec(Settings(), SEARCH.program, 0)
    others = (
        replace(spec, settings=Settings(percentile=99.0)),
        replace(spec, program="dense 2 5 ⦶ dense 5 2"),
        replace(spec, seed=1),
        replace(spec, on="nest"),
        replace(spec, part="test"),
    )
    assert len({spec.key, *(each.key for each in others)}) == 6
    assert Trial(number=0, values={}, state="pruned").scores == ()
