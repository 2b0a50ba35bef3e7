"""`report`: the page and the figures as files, and what is refused before anything is drawn."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING, Any

import pytest
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
    assert "wrote page.html and 6 figures" in result.err
    page = (folder / "page.html").read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    figures = {path.name for path in (folder / "results" / "figures").iterdir()}
    assert len(figures) == 6
    for name in figures:
        assert (folder / "results" / "figures" / name).read_text(encoding="utf-8") in page
    assert not (folder / "results" / "report.html").exists()


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
    for command in (("report", "x"), ("theory",)):
        result = volr(*command)
        assert result.code == 1
        said = "figures need packages that are not installed: fontTools, jinja2, matplotlib"
        assert said in result.err
        assert "pip install 'volr[report]'" in result.err
