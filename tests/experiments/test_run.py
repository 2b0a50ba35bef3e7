"""One run: what it is made of and measured on, which its spec decides about and nothing else."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from tests.experiments.examples import PROGRAM, plan_of
from tests.oracles import PlainSimulator

from volr.backends.reference import forward
from volr.errors import BackendError, ModelError, UnsupportedError
from volr.experiments import simulators
from volr.experiments.run import data_of, empty_model, perform
from volr.experiments.settings import Settings
from volr.experiments.simulators import Simulators
from volr.experiments.tasks import task
from volr.language import to_network
from volr.models.model import ArtificialModel, SpikingModel
from volr.training import TrainingSettings, train_in_loop, train_snn

if TYPE_CHECKING:
    from collections.abc import Generator

    from volr.backends.base import Simulator
    from volr.experiments.plan import Spec
    from volr.experiments.run import Outcome

PLAN = plan_of("snn-transferred", tasks=("xor", "nand"), seeds=(5, 2), rounds=0)
STARTED: list[str] = []


@contextmanager
def plain(name: str) -> Generator[Simulator]:
    STARTED.append(name)
    yield PlainSimulator()
    STARTED.append(f"end of {name}")


@pytest.fixture(autouse=True)
def _plain_simulators(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("numba")
    monkeypatch.setattr(simulators, "simulator", plain)
    STARTED.clear()


def performed(*specs: Spec) -> dict[str, Outcome]:
    found: dict[str, Outcome] = {}
    with Simulators() as simulators:
        for spec in specs:
            needed = [found[each.key].model for each in spec.needs]
            found[spec.key] = perform(spec, needed, simulators)
    return found


def test_rows_are_measured_on_the_test_data_of_their_seed() -> None:
    outcomes = performed(*PLAN.specs())
    assert len(outcomes) == 8
    for spec in PLAN.specs():
        outcome = outcomes[spec.key]
        row, model = outcome.run.row, outcome.model
        data = task(spec.task).load(seed=spec.seed)
        commonest = np.bincount(data.train.labels).argmax()
        assert row.chance == np.mean(data.test.labels == commonest)
        assert row.samples == len(data.test)
        if spec.condition.name == "ann":
            assert isinstance(model, ArtificialModel)
            labels = forward(model, data.test.inputs).argmax(axis=1)
            assert (row.backend, row.source, row.neuron) == ("torch", "torch", "")
            assert outcome.run.transfer is None
            assert outcome.run.dt == 0.0
            assert len(outcome.run.history) == 2
        else:
            assert isinstance(model, SpikingModel)
            assert (model.duration, model.dt) == (10.0, 1.0)
            counts = PlainSimulator().run(model, data.test.inputs).output_values(model)
            labels = counts.argmax(axis=1)
            shared = (counts == counts.max(axis=1, keepdims=True)).sum(axis=1) > 1
            assert row.ties == shared.mean()
            assert (row.backend, row.source, row.neuron) == ("engine", "torch", "if_curr_exp")
            assert outcome.run.transfer is not None
            assert outcome.run.dt == 1.0
            assert len(outcome.run.over_time) == 10
            assert outcome.run.history == ()
        assert row.accuracy == np.mean(labels == data.test.labels)
        assert np.array(outcome.run.confusion).sum() == row.samples
        assert (row.task, row.seed, row.program) == (spec.task, spec.seed, PROGRAM)
        assert row.seconds > 0
        expected = {"task": row.task, "seed": row.seed, "condition": row.condition}
        assert {key: outcome.origin[key] for key in expected} == expected
    # One simulator serves all runs, and ends when nobody wants it any more.
    assert STARTED == ["engine", "end of engine"]


def test_a_run_is_the_same_whatever_else_is_made() -> None:
    outcomes = performed(*PLAN.specs())
    spec = PLAN.specs()[2]
    (again,) = performed(spec).values()
    first = outcomes[spec.key]
    assert replace(again.run.row, seconds=0.0) == replace(first.run.row, seconds=0.0)
    assert replace(again.run, row=first.run.row) == first.run
    for name, each in again.model.parameters.items():
        np.testing.assert_array_equal(each, first.model.parameters[name])
    weights = [
        outcomes[f"xor-{seed}-ann"].model.parameters["input->dense_1.weight"] for seed in (5, 2)
    ]
    assert not np.array_equal(weights[0], weights[1])


def test_every_stage_is_told_in_its_order() -> None:
    stages: list[str] = []

    def tell(stage: str, done: int, total: int | None, detail: str = "") -> None:
        assert done >= 0
        assert total is None or done <= total
        assert isinstance(detail, str)
        if [stage] != stages[-1:]:
            stages.append(stage)

    ann, transferred = PLAN.specs()[:2]
    with Simulators() as simulators:
        made = perform(ann, [], simulators, progress=tell)
        perform(transferred, [made.model], simulators, progress=tell)
    assert stages == [
        *(f"xor 5 ann {step}" for step in ("loading", "training")),
        *(f"xor 5 snn-transferred {step}" for step in ("loading", "calibrating", "simulating")),
    ]


def test_no_more_samples_than_allowed() -> None:
    (spec,) = plan_of("ann", tasks=["xor"], seeds=[4]).specs()
    network, whole = to_network(PROGRAM), task("xor").load(seed=4)
    spec = replace(spec, settings=Settings(epochs=1, train_samples=30, test_samples=7))
    data = data_of(spec, network, None)
    np.testing.assert_array_equal(data.train.inputs, whole.train.inputs[:30])
    np.testing.assert_array_equal(data.test.labels, whole.test.labels[:7])
    assert performed(spec)[spec.key].run.row.samples == 7
    # What is chosen by validation samples has not seen the test samples.
    data = data_of(replace(spec, settings=Settings(), part="validation"), network, None)
    seen = {tuple(each) for each in np.concatenate([data.train.inputs, data.test.inputs])}
    assert seen == {tuple(each) for each in whole.train.inputs}
    assert len(data.train) + len(data.test) == len(whole.train)


def test_an_empty_model_is_of_the_kind_that_is_made() -> None:
    spec = PLAN.specs()[1]
    empty, made = empty_model(spec), performed(*PLAN.specs()[:2])[spec.key].model
    assert isinstance(made, SpikingModel)
    assert isinstance(empty, SpikingModel)
    assert (empty.network, empty.neuron, empty.coding) == (made.network, made.neuron, made.coding)
    assert (empty.dt, empty.duration, empty.delay) == (made.dt, made.duration, made.delay)


def test_models_of_the_wrong_kind() -> None:
    ann, transferred, finetuned = plan_of("snn-finetuned", tasks=["xor"], seeds=[5]).specs()
    with Simulators() as simulators:
        with pytest.raises(ModelError, match="a transfer starts from an artificial model"):
            perform(transferred, [empty_model(transferred)], simulators)
        artificial = perform(ann, [], simulators).model
        with pytest.raises(ModelError, match="fine-tuning starts from a spiking model"):
            perform(finetuned, [artificial, artificial], simulators)
        with pytest.raises((BackendError, UnsupportedError)):
            perform(replace(transferred, on="torch"), [artificial], simulators)


def test_a_spiking_model_says_which_ann_it_came_from() -> None:
    (ann, transferred) = plan_of("snn-transferred", tasks=["xor"], seeds=[5], rounds=0).specs()
    outcomes = performed(ann, transferred)
    assert outcomes[transferred.key].origin["ann"] == f"{ann.key}.safetensors"
    assert "ann" not in outcomes[ann.key].origin


@pytest.mark.parametrize("neurons", [["if_curr_exp"], ["if_cond_exp"]])
def test_calibrated_where_the_spikes_are_those_that_are_measured(neurons: list[str]) -> None:
    pytest.importorskip("brian2")
    plan = plan_of("snn-transferred", tasks=["xor"], seeds=[5], neurons=neurons, rounds=1)
    performed(*replace(plan, on="brian2").specs())
    # Conductances have other spikes there, now and then.
    assert ("engine" in STARTED) == (neurons == ["if_curr_exp"])


def test_training_in_the_engine_may_warm_up_through_rates() -> None:
    changes: dict[str, Any] = {
        "surrogate_epochs": 1,
        "warm_up_epochs": 2,
        "warm_up_learning_rate": 0.02,
    }
    (spec,) = plan_of("snn-surrogate", tasks=["xor"], seeds=[3], **changes).specs()
    (outcome,) = performed(spec).values()
    assert len(outcome.run.history) == 3
    assert "engine" in STARTED

    train, spiking = task("xor").load(seed=3).train, spec.settings.spiking()
    begun = train_in_loop(
        to_network(PROGRAM),
        train,
        PlainSimulator(),
        TrainingSettings(epochs=2, learning_rate=0.02, seed=3),
        spiking,
    )
    wanted = train_snn(
        to_network(PROGRAM), train, TrainingSettings(epochs=1, seed=3), start=begun.model
    )
    assert outcome.run.history == (*begun.history, *wanted.history)
    for name, each in wanted.model.parameters.items():
        np.testing.assert_array_equal(outcome.model.parameters[name], each)
