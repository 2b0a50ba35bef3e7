"""`report`: the original's numbers, the ablation and the original's neuron on Volr's page."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from tests.experiments.report.conftest import ROW, write_runs, xor_runs

for package in ("jinja2", "matplotlib", "numba"):
    pytest.importorskip(package)

from studies.pedersen2019.report import ablation_table
from studies.pedersen2019.study import STUDY
from studies.pedersen2019.thesis import reported

from studies.pedersen2019 import report
from volr.errors import MissingError
from volr.experiments.conditions import condition
from volr.experiments.report.contents import page_of
from volr.experiments.report.groups import by_task
from volr.experiments.report.parts import Table, Words
from volr.experiments.results import Run

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.running import Volr

    from volr.experiments.report.parts import Section

RUNGS = ("original", "+ signs", "ours", "ours − biases")


def spec_key(rung: str) -> str:
    """The name of the file of a step's run."""
    return f"mnist-0-{condition(rung, STUDY.conditions).file_name}-if_cond_exp"


def runs() -> dict[str, Run]:
    """Two seeds of an ANN and of a transferred network, and some steps of another task."""
    step = replace(ROW, task="mnist", chance=0.1, backend="engine", neuron="if_cond_exp")
    return xor_runs() | {
        spec_key(rung): Run(row=replace(step, condition=rung, accuracy=0.1 + 0.2 * number))
        for number, rung in enumerate(RUNGS)
    }


def shown(section: Section) -> list[list[tuple[str, ...]]]:
    """The cells of a section's tables."""
    return [
        [tuple(cell.text.replace("\u00a0", " ") for cell in row) for row in part.rows]
        for part in section.parts
        if isinstance(part, Table)
    ]


def test_a_page_with_what_the_study_adds(tmp_path: Path) -> None:
    page = page_of(write_runs(tmp_path, runs()), study=STUDY)
    results, xor, ablation, neuron, _ = page.sections
    assert [section.title for section in page.sections] == [
        *("Results", "xor", "The original's method", "The original's neuron"),
        "Versions, seeds, commands",
    ]
    assert page.title == "Experiment: xor, mnist"
    [[ann, snn]] = shown(results)
    assert (ann[9], snn[9]) == ("1.000", "0.585 ± 0.033")
    assert xor.title == "xor"
    [steps], [numbers] = shown(ablation), shown(neuron)
    assert [(row[1], row[3], row[6]) for row in steps] == [
        ("original", "0.1000", "–"),
        ("+ signs", "0.3000", "+0.2000"),
        ("ours", "0.5000", "+0.2000"),
        ("ours − biases", "0.7000", "–"),
    ]
    assert numbers[0] == ("spikes in 50 ms at 2 nA", "5", "5")
    kinds = [each.name.partition("-")[0] for each in page.drawings]
    assert kinds[-4:] == ["ablation", "theory", "theory", "theory"]
    assert "diamonds the original's means with their deviations" in page.drawings[0].caption


def test_steps_stand_in_their_order_in_a_table() -> None:
    groups = [group for each in by_task(runs().values()) for group in each.groups]
    steps = [each for each in groups if each.first.condition in RUNGS]
    assert [row[1].text for row in ablation_table(steps).rows][:3] == [*RUNGS[:3]]


def test_without_the_engine_the_rest_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(_name: str) -> Any:
        raise MissingError("engine needs numba, which is not installed")

    monkeypatch.setattr(report, "simulator", missing)
    page = page_of(write_runs(tmp_path, {"xor-0-ann": xor_runs()["xor-0-ann"]}), study=STUDY)
    *_, neuron, _ = page.sections
    [said] = [part.text for part in neuron.parts if isinstance(part, Words)]
    assert (
        said
        == "The figures of the original are missing: engine needs numba, which is not installed"
    )
    assert [section.title for section in page.sections].count("The original's method") == 0


def test_the_command_writes_them(study: Volr, folder: Path) -> None:
    write_runs(folder / "r", runs())
    result = study("report", "r")
    assert result.code == 0
    assert "The original&#39;s neuron" in (folder / "r" / "report.html").read_text(encoding="utf-8")
    assert (folder / "r" / "figures" / "theory-membrane.svg").exists()


def test_volr_reports_the_runs_of_the_study_as_any_others(volr: Volr, folder: Path) -> None:
    write_runs(folder / "r", runs())
    assert volr("report", "r").code == 0
    page = (folder / "r" / "report.html").read_text(encoding="utf-8")
    assert "ours − biases" in page
    assert "riginal&#39;s" not in page


def test_a_copy_of_a_run_is_refused(study: Volr, folder: Path) -> None:
    step = replace(ROW, condition="+ signs", backend="engine", neuron="if_cond_exp")
    write_runs(folder / "r", {"xor-0-ablation-with-signs-if_cond_exp": Run(row=step)})
    assert study("report", "r").code == 0
    write_runs(folder / "r", {"copy": Run(row=step)})
    result = study("report", "r")
    assert result.code == 1
    assert "copy.json is the run xor-0-ablation-with-signs-if_cond_exp" in result.err


def test_the_original_has_no_number_where_its_network_crashed() -> None:
    assert reported("mnist", "snn-finetuned") is None
    for name in ("snn-random", "original-transferred"):
        crashed = reported("mnist-parallel", name)
        assert crashed is not None
        assert (crashed.mean, str(crashed)) == (None, "crashed")
    assert str(reported("xor", "snn-random")) == "0.530 ± 0.038"


def test_its_numbers_stand_beside_its_method_too() -> None:
    for again, name in (
        ("ann-original", "ann"),
        ("original-random", "snn-random"),
        ("original-transferred", "snn-transferred"),
    ):
        assert reported("mnist", again) == reported("mnist", name) is not None
