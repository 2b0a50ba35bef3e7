"""An experiment's folder with a bit of everything, made up but for one model, and its page."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from tests.cli.running import made
from tests.experiments.examples import POPULATION

from volr.experiments.plan import key_in
from volr.experiments.results import Activity, Row, Run, write_json
from volr.experiments.store.hashed_json import sealed
from volr.experiments.store.runs import run_json
from volr.model_files.model_file import save_model
from volr.neurons import IFCurrExp
from volr.training import Epoch
from volr.transfer import PopulationReport, TransferReport

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from volr.experiments.report.parts import Page

PROGRAM = "dense 2 4 ⦶ dense 4 2"
ROW = Row(
    task="xor",
    condition="ann",
    source="torch",
    backend="torch",
    neuron="",
    seed=0,
    accuracy=1.0,
    chance=0.48,
    seconds=1.25,
    samples=102,
    ties=0.0,
    program=PROGRAM,
)
SPIKING = replace(ROW, condition="snn-transferred", backend="nest", neuron="if_curr_exp")
PLAN = {
    "command": "volr experiment xor mnist --repeats 2",
    "started": "2026-01-02T03:04:05+00:00",
    "tasks": {"xor": PROGRAM},
    "seeds": [0, 1],
    "versions": {"volr": "0.1.0", "numpy": "2.3.5"},
}


def population(name: str, size: int, wanted: float) -> PopulationReport:
    return replace(
        POPULATION,
        name=name,
        size=size,
        wanted=wanted,
        measured=wanted * 0.9,
        correlation=0.97,
        wanted_curve=(0.0, wanted, 2 * wanted),
        measured_curve=(1.0, wanted * 0.9, 1.7 * wanted),
    )


TRANSFER = TransferReport(
    populations=(population("input", 2, 120.0), population("dense_1", 4, 80.0)),
    samples=100,
    accuracy_before=1.0,
    accuracy_after=0.98,
    ties=0.01,
)


def xor_runs() -> dict[str, Run]:
    """Two seeds of an ANN and of what it was transferred to, by the names of their files."""
    found: dict[str, Run] = {}
    for seed in (0, 1):
        found[f"xor-{seed}-ann"] = Run(
            row=replace(ROW, seed=seed, accuracy=1.0 - 0.01 * seed),
            history=(Epoch(0.7, 0.6, 0.5), Epoch(0.1, 0.2, 0.9 + 0.05 * seed)),
            confusion=((50, 0), (seed, 52 - seed)),
            activity=Activity(
                spikes={"input": 1.0, "dense_1": 2.0}, effective=9.0, dense=16.0, sparsity=0.5
            ),
        )
        found[f"xor-{seed}-snn-transferred-if_curr_exp"] = Run(
            row=replace(SPIKING, seed=seed, accuracy=0.95 + 0.02 * seed),
            confusion=((45, 5), (0, 52)),
            over_time=tuple(0.5 + 0.045 * step for step in range(10)),
            dt=1.0,
            transfer=TRANSFER,
            activity=Activity(
                spikes={"input": 20.5, "dense_1": 30.0},
                effective=151.0,
                dense=1600.0,
                sparsity=0.94,
            ),
        )
    return found


def all_runs() -> dict[str, Run]:
    """The same, and a task with ten classes."""
    ten = tuple(tuple(90 if k == j else 1 for k in range(10)) for j in range(10))
    mnist = replace(ROW, task="mnist", accuracy=0.97, chance=0.1)
    return {**xor_runs(), "mnist-0-ann": Run(row=mnist, confusion=ten)}


def write_runs(folder: Path, runs: Mapping[str, Run], plan: object = PLAN) -> Path:
    """Write runs under their keys, or under the names that they have here where they have none."""
    for name, run in runs.items():
        settings = {"neuron": run.row.neuron} if run.row.neuron else {}
        spec = {
            "task": run.row.task,
            "condition": run.row.condition,
            "seed": run.row.seed,
            "settings": settings,
        }
        content = sealed({"spec": spec, "run": run_json(run)})
        write_json(content, folder / "runs" / f"{key_in(spec) or name}.json")
    if plan is not None:
        write_json(plan, folder / "plan.json")
    return folder


@pytest.fixture(scope="session")
def experiment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All of it, with the model of a spiking run."""
    folder = write_runs(tmp_path_factory.mktemp("experiment"), all_runs())
    model = made(PROGRAM, neuron=IFCurrExp(), dt=0.5, duration=20.0)
    save_model(model, folder / "models" / "xor-0-snn-transferred-if_curr_exp.safetensors")
    return folder


@pytest.fixture(scope="session")
def page(experiment: Path) -> Page:
    for package in ("matplotlib", "numba"):
        pytest.importorskip(package)
    from volr.experiments.report.contents import page_of

    return page_of(experiment)
