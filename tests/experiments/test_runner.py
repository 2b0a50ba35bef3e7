"""Repeats: their order, seeds and rows; and that bad data is found before anything is trained."""

from __future__ import annotations

from dataclasses import replace
from importlib.util import find_spec
from typing import TYPE_CHECKING

import numpy as np
import pytest
from tests.oracles import PlainSimulator, chain

from volr.backends.reference import forward
from volr.errors import DataError
from volr.experiments import runner
from volr.experiments.runner import ExperimentSettings, repeats_of, task_network
from volr.experiments.tasks import task
from volr.language import to_network
from volr.models.model import ArtificialModel, SpikingModel
from volr.training import TrainingSettings
from volr.transfer import TransferSettings

if TYPE_CHECKING:
    from pathlib import Path

    from volr.experiments.runner import Outcome
    from volr.models.samples import Data

SETTINGS = ExperimentSettings(
    training=TrainingSettings(epochs=2, candidates=2, seed=99),
    transfer=TransferSettings(duration=10.0, dt=1.0, rounds=0, samples=30, seed=99),
)

PLAIN = (PlainSimulator(), PlainSimulator())


@pytest.fixture
def stages() -> list[str]:
    return []


@pytest.fixture
def outcomes(stages: list[str]) -> list[Outcome]:
    pytest.importorskip("torch")
    if find_spec("nest") is None:
        pytest.skip("needs nest-simulator")

    def tell(stage: str, done: int, total: int | None, detail: str = "") -> None:
        assert done >= 0
        assert total is None or done <= total
        assert isinstance(detail, str)
        if [stage] != stages[-1:]:
            stages.append(stage)

    own = to_network("dense 2 3 ⦶ dense 3 2\n")
    planned = [(task("xor"), task_network(task("xor"))), (task("nand"), own)]
    return list(repeats_of(planned, (5, 2), PLAIN, SETTINGS, tell))


def test_every_task_with_every_seed_first_as_ann_then_as_snn(outcomes: list[Outcome]) -> None:
    runs = [("xor", 5), ("xor", 2), ("nand", 5), ("nand", 2)]
    expected = [
        (task, seed, *condition)
        for task, seed in runs
        for condition in (("ann", "torch"), ("snn-transferred", "nest"))
    ]
    rows = [each.row for each in outcomes]
    assert [(r.task, r.seed, r.condition, r.backend) for r in rows] == expected
    for outcome in outcomes:
        row = outcome.row
        assert outcome.origin == {"task": row.task, "seed": row.seed, "condition": row.condition}
        kind = ArtificialModel if row.condition == "ann" else SpikingModel
        assert isinstance(outcome.model, kind)
        assert row.seconds > 0
    assert {row.program for row in rows if row.task == "xor"} == {"dense 2 4 ⦶ dense 4 2"}
    assert {row.program for row in rows if row.task == "nand"} == {"dense 2 3 ⦶ dense 3 2"}


def test_rows_are_measured_on_the_test_data_of_their_seed(outcomes: list[Outcome]) -> None:
    for outcome in outcomes:
        row, model = outcome.row, outcome.model
        data = task(row.task).load(seed=row.seed)
        commonest = np.bincount(data.train.labels).argmax()
        assert row.chance == np.mean(data.test.labels == commonest)
        assert row.samples == len(data.test)
        if isinstance(model, ArtificialModel):
            labels = forward(model, data.test.inputs).argmax(axis=1)
        else:
            counts = PlainSimulator().run(model, data.test.inputs).output_values(model)
            labels = counts.argmax(axis=1)
            shared = (counts == counts.max(axis=1, keepdims=True)).sum(axis=1) > 1
            assert row.ties == shared.mean()
        assert row.accuracy == np.mean(labels == data.test.labels)


def test_each_repeat_has_its_own_seed_for_everything(outcomes: list[Outcome]) -> None:
    models = {
        (each.row.task, each.row.seed): each.model
        for each in outcomes
        if each.row.condition == "ann"
    }
    first = [models["xor", seed].parameters["input->dense_1.weight"] for seed in (5, 2)]
    assert not np.array_equal(first[0], first[1])
    # The settings' seed is not used, so a repeat is the same whatever else is in the experiment.
    planned = [(task("xor"), task_network(task("xor")))]
    settings = replace(SETTINGS, training=replace(SETTINGS.training, seed=0))
    again = next(repeats_of(planned, (2,), PLAIN, settings))
    assert again.row == replace(outcomes[2].row, seconds=again.row.seconds)
    np.testing.assert_array_equal(again.model.parameters["input->dense_1.weight"], first[1])


@pytest.mark.usefixtures("outcomes")
def test_every_stage_is_told_in_its_order(stages: list[str]) -> None:
    steps = ("loading", "training", "calibrating", "simulating")
    runs = [("xor", 5), ("xor", 2), ("nand", 5), ("nand", 2)]
    assert stages == [
        "loading xor",
        "loading nand",
        *(f"{name} {seed} {step}" for name, seed in runs for step in steps),
    ]


def test_the_data_of_the_last_task_are_missed_before_the_first_is_trained(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked: list[tuple[int, int, Path | None]] = []

    def missing(seed: int, inputs: int, data_dir: Path | None) -> Data:
        asked.append((seed, inputs, data_dir))
        raise DataError("not there")

    def training(*_: object, **__: object) -> None:
        pytest.fail("it trained")

    monkeypatch.setattr(runner, "train_ann", training)
    last = replace(task("digits"), loader=missing)
    planned = [(task("xor"), task_network(task("xor"))), (last, task_network(last))]
    settings = replace(SETTINGS, data_dir=tmp_path)
    with pytest.raises(DataError, match="not there"):
        next(repeats_of(planned, (7, 8), PLAIN, settings))
    assert asked == [(7, 64, tmp_path)]


def test_a_network_is_the_tasks_own_or_one_that_fits() -> None:
    xor = task("xor")
    assert task_network(xor) == to_network(xor.program)
    assert task_network(xor, chain(2, 7, 2)) == chain(2, 7, 2)
    with pytest.raises(DataError, match="takes 3 inputs"):
        task_network(xor, chain(3, 2))
