"""On a machine without Futhark and a browser, the pages' tests pass or are skipped, and say why."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.bare import path_without
from tests.docs.snippets import Python, Shell
from tests.docs.test_snippets import RUNNING, needed_by
from tests.needs import PROGRAMS, needs_nest, needs_numba, skip_without

ROOT = Path(__file__).resolve().parents[2]
LACKING = ("futhark", "chromium", "chromedriver")
BROWSER = "tests/experiments/report/test_browser.py"
TRAINING = "tests/training/test_futhark.py"


def run_pytest(folder: Path, *arguments: str, ci: bool = False) -> tuple[int, list[str]]:
    """The exit code and the lines of pytest, without a browser and without Futhark."""
    environment = {**os.environ, "PATH": path_without(LACKING, folder)}
    for each in ("CI", "PYTEST_ADDOPTS", "PYTEST_XDIST_WORKER", "PYTEST_XDIST_WORKER_COUNT"):
        environment.pop(each, None)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments],
        cwd=ROOT,
        env={**environment, "CI": "true"} if ci else environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout.rstrip().split("\n")


def test_a_snippet_that_runs_futhark_says_so() -> None:
    running = [
        each
        for snippets in RUNNING.values()
        for each in snippets
        if isinstance(each, Shell | Python)
        and re.search(r"--on futhark|ann:futhark|backend=.futhark", code_of(each))
    ]
    assert running
    for each in running:
        assert {"futhark", "cc"} <= set(each.needs), code_of(each)


def code_of(snippet: Shell | Python) -> str:
    return snippet.code if isinstance(snippet, Python) else "\n".join(snippet.commands)


@needs_nest
@needs_numba
def test_the_pages_pass_without_futhark_and_the_last_lines_say_what_was_left_out(
    tmp_path: Path,
) -> None:
    for package in ("futhark_ffi", "jinja2", "selenium", "torch", "xdist"):
        pytest.importorskip(package)
    skip_without("cc")
    pages = [page for page, found in RUNNING.items() if any(map(needed_by, found))]
    assert pages
    test = "tests/docs/test_snippets.py::test_a_page_runs_from_top_to_bottom"
    ids = [f"{test}[{page}]" for page in pages]
    # By a worker, as `make test` does: modules that are skipped whole are known to it alone.
    code, lines = run_pytest(tmp_path, "-n1", *ids, BROWSER, TRAINING)
    assert code == 0, "\n".join(lines)
    *_, browser, tests, futhark, page, training = lines
    assert browser == f"Skipped for lack of chromium, chromedriver ({PROGRAMS['chromium']}):"
    assert tests.startswith(f"    {BROWSER}, ")
    assert futhark == f"Skipped for lack of futhark ({PROGRAMS['futhark']}):"
    assert [page, training] == ["    tests/docs/test_snippets.py", f"    {TRAINING}"]


def test_in_ci_nothing_may_be_left_out(tmp_path: Path) -> None:
    code, lines = run_pytest(tmp_path, TRAINING, ci=True)
    assert code == pytest.ExitCode.USAGE_ERROR
    said = lines[-1]
    assert said.startswith("ERROR: CI is set, but these are missing: ")
    assert set(LACKING) <= set(said.partition("missing: ")[2].split(", "))
