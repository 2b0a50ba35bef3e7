"""Plans, runs and settings for the tests of experiments, and a journal that is compared whole."""

from __future__ import annotations

import math
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from volr.experiments.conditions import condition
from volr.experiments.plan import ExperimentPlan
from volr.experiments.results import Activity, Row, Run
from volr.experiments.runner import carry_on
from volr.experiments.settings import Settings
from volr.experiments.store.folder import Journal, open_journal
from volr.neurons import RESETS
from volr.quantisation import PopulationCost, QuantisationReport
from volr.training import Epoch
from volr.transfer import PopulationReport, TransferReport

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from hypothesis.strategies import SearchStrategy

    from volr.experiments.execution.job import Execution

PROGRAM = "dense 2 4 ⦶ dense 4 2"
SMALL: dict[str, Any] = {"epochs": 2, "duration": 10.0, "dt": 1.0}
ROW = Row(
    task="xor",
    condition="snn-transferred",
    source="torch",
    backend="nest",
    neuron="if_curr_exp",
    seed=3,
    accuracy=0.5,
    chance=0.25,
    seconds=1.5,
    samples=100,
    ties=0.125,
    program=PROGRAM,
)
RUN = Run(
    row=ROW,
    history=(Epoch(0.5, None, 0.75),),
    confusion=((3, 1), (0, 4)),
    dt=0.5,
    versions={"volr": "1.2.3"},
)
POPULATION = PopulationReport(
    name="input",
    size=2,
    scale=1.0,
    excitation=1.0,
    inhibition=1.0,
    offset=0.0,
    wanted=8.0,
    measured=7.0,
    correlation=0.5,
    clipped=0.0,
    dead=0,
    silent=0,
    saturated=0,
    wanted_curve=(1.0, 2.0),
    measured_curve=(1.0, 1.5),
)


def plan_of(
    *labels: str,
    tasks: Sequence[str] = ("xor", "nand"),
    seeds: Sequence[int] = (0, 1),
    neurons: Sequence[str] = ("if_curr_exp",),
    on: str = "engine",
    **settings: Any,
) -> ExperimentPlan:
    """A plan of tasks with their own program, small by default."""
    base = Settings(**{**SMALL, **settings})
    return ExperimentPlan(
        tasks=dict.fromkeys(tasks, PROGRAM),
        seeds=seeds,
        conditions=[condition(label) for label in labels],
        on=on,
        settings=[replace(base, neuron=each) for each in neurons],
    )


def made_by(
    execution: Execution, plan: ExperimentPlan, folder: Path
) -> dict[str, tuple[Run, bytes]]:
    """What comes of a plan in a new folder: by key the run, without its seconds, and the model."""
    with open_journal(folder) as journal, execution:
        for _ in carry_on(plan, journal, execution):
            pass
        return kept(folder, plan)


def kept(folder: Path, plan: ExperimentPlan) -> dict[str, tuple[Run, bytes]]:
    """What a folder holds of a plan, in the form of ``made_by``."""
    journal = Journal(folder)
    return {
        key: (replace(run, row=replace(run.row, seconds=0.0)), journal.model(key))
        for key, run in journal.finished(plan.specs()).items()
    }


def _numbers() -> SearchStrategy[float]:
    return st.floats(-1e300, 1e300)


def _shares() -> SearchStrategy[float]:
    return st.floats(0.0, 1.0)


def _counts(least: int = 0) -> SearchStrategy[int]:
    return st.integers(least, 2**60)


def _tables() -> SearchStrategy[tuple[tuple[int, ...], ...]]:
    """As many columns as rows."""
    return st.integers(0, 3).flatmap(lambda n: st.tuples(*[st.tuples(*[_counts()] * n)] * n))


def _many(of: SearchStrategy[Any]) -> SearchStrategy[tuple[Any, ...]]:
    return st.lists(of, max_size=3).map(tuple)


def runs() -> SearchStrategy[Run]:
    """Any run that there can be, also with what is no number where there can be such."""
    row = st.builds(
        Row,
        **{name: st.text() for name in ("task", "condition", "source", "backend", "neuron")},
        **{name: _shares() for name in ("accuracy", "chance", "ties")},
        seconds=_numbers(),
        seed=_counts(),
        samples=_counts(1),
        program=st.text(),
    )
    epoch = st.builds(Epoch, _numbers(), st.none() | _numbers(), st.none() | _shares())
    return st.builds(
        Run,
        row=row,
        history=_many(epoch),
        confusion=_tables(),
        over_time=_many(_shares()),
        dt=st.floats(0.0, 1e300),
        transfer=st.none() | _reports(),
        activity=st.none()
        | st.builds(
            Activity,
            spikes=st.dictionaries(st.text(), _numbers(), max_size=3),
            **{name: _numbers() for name in ("effective", "dense", "sparsity")},
        ),
        quantisation=st.none() | _quantisations(),
        differing=st.none() | _counts(),
    )


def _quantisations() -> SearchStrategy[QuantisationReport]:
    population = st.builds(
        PopulationCost,
        name=st.text(),
        height=_numbers() | st.just(math.nan),
        **{name: _numbers() for name in ("clipped", "error")},
        **{name: _counts() for name in ("size", "largest")},
    )
    return st.builds(
        QuantisationReport,
        populations=_many(population),
        **{name: _counts() for name in ("levels", "step")},
        percentile=_numbers(),
        samples=_counts(1),
        **{name: _shares() for name in ("accuracy_before", "accuracy_after", "agreement")},
    )


def _reports() -> SearchStrategy[TransferReport]:
    population = st.builds(
        PopulationReport,
        name=st.text(),
        **{
            each.name: _numbers()
            for each in fields(PopulationReport)
            if str(each.type) == "float" and each.name != "correlation"
        },
        **{each.name: _counts() for each in fields(PopulationReport) if str(each.type) == "int"},
        correlation=_numbers() | st.just(math.nan),
        wanted_curve=_many(_numbers()),
        measured_curve=st.just(()),
    ).map(lambda each: replace(each, measured_curve=each.wanted_curve[::-1]))
    return st.builds(
        TransferReport,
        populations=_many(population),
        samples=_counts(1),
        **{name: _shares() for name in ("accuracy_before", "accuracy_after", "ties")},
    )


def settings() -> SearchStrategy[Settings]:
    """Any settings that are accepted."""
    positive = st.floats(1e-3, 1e3)
    few = st.integers(1, 1000)
    steps = st.sampled_from([0.1, 0.25, 0.5, 1.0])
    return st.builds(
        Settings,
        neuron=st.sampled_from(["if_curr_exp", "if_curr_delta", "if_cond_exp"]),
        neuron_parameters=st.fixed_dictionaries({}, optional={"tau_m": st.floats(5.0, 50.0)}),
        reset=st.sampled_from(RESETS),
        coding=st.sampled_from(["current", "poisson"]),
        rate_max=st.none() | st.floats(10.0, 900.0),
        dt=steps,
        duration=st.sampled_from([10.0, 50.0, 100.0]),
        delay=st.none() | st.just(1.0),
        percentile=st.none() | st.floats(50.0, 100.0),
        rounds=st.none() | st.integers(0, 5),
        calibration_samples=st.none() | few,
        levels=st.none() | st.integers(2, 256),
        quantisation_percentile=st.none() | st.floats(50.0, 100.0),
        quantisation_samples=st.none() | few,
        epochs=st.none() | few,
        batch_size=st.none() | few,
        learning_rate=st.none() | positive.filter(lambda each: each < 1),
        weight_decay=st.none() | st.floats(0.0, 1.0),
        schedule=st.none() | st.sampled_from(["cosine", "constant", "one_cycle"]),
        normalise=st.none() | st.just("batch"),
        dropout=st.none() | st.floats(0.0, 1.0, exclude_max=True),
        shift=st.none() | st.integers(0, 3),
        loop_samples=st.none() | st.integers(2, 9000),
        test_samples=st.none() | st.integers(2, 9000),
    )
