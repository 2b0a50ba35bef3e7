"""`report`: the page and the figures as files, and what is refused before anything is drawn."""

from __future__ import annotations

import importlib.util
import json
from typing import TYPE_CHECKING, Any

import pytest
from tests.cli.running import snapshot
from tests.experiments.report.conftest import write_runs, xor_runs

pytest.importorskip("jinja2")
pytest.importorskip("matplotlib")
pytest.importorskip("numba")

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.running import Volr


def test_page_and_figures(volr: Volr, folder: Path) -> None:
    write_runs(folder / "results", {"xor-0-ann": xor_runs()["xor-0-ann"]})
    result = volr("report", "results", "--out", "page.html")
    assert result.code == 0
    assert "wrote page.html and 3 figures" in result.err
    page = (folder / "page.html").read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    figures = {path.name for path in (folder / "results" / "figures").iterdir()}
    assert len(figures) == 3
    for name in figures:
        assert (folder / "results" / "figures" / name).read_text(encoding="utf-8") in page
    assert not (folder / "results" / "report.html").exists()


def test_figures_are_not_written_through_a_link(volr: Volr, folder: Path) -> None:
    write_runs(folder / "r", {"xor-0-ann": xor_runs()["xor-0-ann"]})
    (folder / "mine").mkdir()
    (folder / "r" / "figures").symlink_to(folder / "mine")
    before = snapshot(folder)
    result = volr("report", "r")
    assert result.code == 1
    assert "error: r/figures is a link, and nothing is written through it" in result.err
    assert f"put what it leads to in its place: {folder / 'mine'}" in result.err
    assert snapshot(folder) == before


def test_a_report_does_not_write_over_what_it_is_made_of(volr: Volr, folder: Path) -> None:
    write_runs(folder / "r", {"xor-0-ann": xor_runs()["xor-0-ann"]})
    (folder / "page.html").symlink_to("r/runs/xor-0-ann.json")
    before = snapshot(folder)
    # Those that a command cut short has not written yet would be taken for its own.
    inside = (
        "results.json",
        "plan.json",
        "runs/xor-0-ann.json",
        "runs/new.json",
        "models/x",
        "best.json",
    )
    for out in (*(f"r/{name}" for name in inside), "r/../r/plan.json", "page.html"):
        result = volr("report", "r", "--out", out)
        assert result.code == 1
        assert f"cannot write {out}: r/" in result.err
        assert "is read from, and would be lost or damaged" in result.err
        assert snapshot(folder) == before


def test_figures_that_are_not_its_own_are_told_and_left(volr: Volr, folder: Path) -> None:
    write_runs(folder / "r", {"xor-0-ann": xor_runs()["xor-0-ann"]})
    (folder / "r" / "figures").mkdir()
    mine = folder / "r" / "figures" / "mine.svg"
    mine.write_text("drawn by hand", encoding="utf-8")
    result = volr("report", "r")
    assert result.code == 0
    assert result.err.endswith("not of this report, and left there: mine.svg\n")
    assert mine.read_text(encoding="utf-8") == "drawn by hand"
    mine.unlink()
    assert "not of this report" not in volr("report", "r").err


def test_runs_that_are_none_are_an_error_message(volr: Volr, folder: Path) -> None:
    write_runs(folder / "r", {"xor-0-ann": xor_runs()["xor-0-ann"]})
    path = folder / "r" / "runs" / "xor-0-ann.json"
    whole = {key: json.loads(path.read_text(encoding="utf-8"))[key] for key in ("spec", "run")}
    for name, value in {"confusion": "ab", "over_time": [None], "dt": "1"}.items():
        path.write_text(json.dumps({**whole, "run": {**whole["run"], name: value}}))
        result = volr("report", "r")
        assert result.code == 1
        assert "Traceback" not in result.err
        said = "r/runs/xor-0-ann.json is not what this version of Volr writes of a run"
        assert said in result.err


def test_a_file_is_no_folder(volr: Volr, folder: Path) -> None:
    write_runs(folder / "my runs", {"xor-0-ann": xor_runs()["xor-0-ann"]})
    (folder / "my runs" / "results.json").touch()
    before = snapshot(folder)
    result = volr("report", "my runs/results.json")
    assert (result.code, result.out) == (1, "")
    assert "my runs/results.json is a file" in result.err
    assert "name the folder: volr report 'my runs'" in result.err
    assert snapshot(folder) == before


def test_what_nobody_may_count_or_trust_is_told(volr: Volr, folder: Path) -> None:
    write_runs(folder / "r", {"xor-0-ann": xor_runs()["xor-0-ann"]})
    path = folder / "r" / "runs" / "xor-0-ann.json"
    told = json.loads(path.read_text(encoding="utf-8"))
    copy = path.with_name("xor-0-ann (1).json")
    copy.write_bytes(path.read_bytes())
    result = volr("report", "r")
    assert result.code == 1
    assert "r/runs/xor-0-ann (1).json is the run xor-0-ann" in result.err
    assert not (folder / "r" / "report.html").exists()
    copy.unlink()
    # As Volr 0.1.0 wrote it.
    path.write_text(json.dumps({"spec": told["spec"], "run": told["run"]}), encoding="utf-8")
    result = volr("report", "r")
    assert result.code == 0
    assert "xor-0-ann.json is of Volr 0.1.0, without a hash" in result.err


def test_a_folder_without_runs(volr: Volr, folder: Path) -> None:
    result = volr("report", "nowhere")
    assert result.code == 1
    assert "there are no finished runs in nowhere" in result.err
    assert not (folder / "nowhere").exists()


def test_what_draws_is_missing(volr: Volr, monkeypatch: pytest.MonkeyPatch) -> None:
    found = importlib.util.find_spec

    def without(name: str, *more: Any) -> Any:
        return None if name in {"fontTools", "jinja2", "matplotlib"} else found(name, *more)

    monkeypatch.setattr("volr.experiments.report.find_spec", without)
    result = volr("report", "x")
    assert result.code == 1
    said = "figures need packages that are not installed: fontTools, jinja2, matplotlib"
    assert said in result.err
    assert "pip install 'volr[report]'" in result.err
