"""The study's conditions: their names, what they depend on, and what travels to other processes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from studies.pedersen2019.conditions import ABLATION, CONDITIONS, MEASURED
from studies.pedersen2019.study import STUDY
from tests.experiments.examples import PROGRAM, SMALL

from volr.errors import ModelError
from volr.experiments.conditions import ANN, condition
from volr.experiments.execution.job import Job
from volr.experiments.execution.transport import job_from, job_text
from volr.experiments.plan import ExperimentPlan
from volr.experiments.run import perform
from volr.experiments.runner import check_possible
from volr.experiments.settings import Settings
from volr.experiments.simulators import Simulators

if TYPE_CHECKING:
    from volr.experiments.condition import Condition


def plan_of(*conditions: Condition, **settings: Any) -> ExperimentPlan:
    told = Settings(neuron="if_cond_exp", **{**SMALL, **settings})
    return ExperimentPlan(
        tasks={"xor": PROGRAM}, seeds=[5], conditions=conditions, on="engine", settings=[told]
    )


def named(label: str) -> Condition:
    return condition(label, STUDY.conditions)


def test_names_of_files() -> None:
    assert [spec.key for spec in plan_of(*MEASURED).specs()] == [
        "xor-5-ann-original",
        "xor-5-ann",
        *(
            f"xor-5-{name}-if_cond_exp"
            for name in (
                *("original-random", "original-transferred", "ablation-original"),
                *("ablation-with-initialisation", "ablation-with-signs", "ablation-with-biases"),
                *("ablation-with-scaling", "ablation-ours", "ablation-ours-without-initialisation"),
                *("ablation-ours-without-signs", "ablation-ours-without-biases"),
                "ablation-ours-without-scaling",
            )
        ),
    ]


def test_a_step_begins_with_the_network_that_its_recipe_trains() -> None:
    needed = {each.name: each.needs[0].name for each in ABLATION}
    assert {name for name, ann in needed.items() if ann == "ann-original"} == {
        *("original", "ours − initialisation"),
    }
    assert named("ours - signs") is named("ours − signs")


@pytest.mark.parametrize("each", CONDITIONS, ids=lambda each: each.name)
def test_what_does_not_matter_to_a_run_is_no_part_of_it(each: Condition) -> None:
    plan = plan_of(each)
    [told] = plan.settings
    other = replace(told, loop_epochs=3, surrogate_width=0.7)
    assert replace(plan, settings=[other]).specs() == plan.specs()


@pytest.mark.parametrize("each", CONDITIONS, ids=lambda each: each.name)
def test_a_run_there_and_back(each: Condition) -> None:
    (*_, spec) = plan_of(each).specs()
    job = Job(spec, (b"model",), None)
    assert job_from(job_text(job), job.models) == job


def test_inputs_of_a_fixed_rate_need_a_short_step() -> None:
    pytest.importorskip("torch")
    pytest.importorskip("numba")
    check_possible(plan_of(*MEASURED))
    for each in ("original", "original-random"):
        with pytest.raises(ModelError, match="760 Hz, but a step of 2 ms allows 500 Hz"):
            check_possible(plan_of(named(each), dt=2.0))
    check_possible(plan_of(ANN, dt=2.0))


def test_what_the_original_trained_has_a_history() -> None:
    pytest.importorskip("torch")
    pytest.importorskip("numba")
    specs = plan_of(named("ann-original"), named("original-random")).specs()
    with Simulators() as simulators:
        ann, random = (perform(each, [], simulators).run.history for each in specs)
    assert len(ann) == 2
    assert len(random) == 1
    assert random[0].loss > 0
