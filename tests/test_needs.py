"""What is lacking is told by what it is, with the way to get it and the tests that were skipped."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from tests.bare import path_without
from tests.needs import ELSE, PACKAGES, PROGRAMS, Lacks, missing_programs, needs, skip_without, told


def skipped(reason: str, test: str) -> pytest.TestReport:
    where = ("conftest.py", 1, f"Skipped: {reason}")
    return pytest.TestReport(test, ("", None, ""), {}, "skipped", where, "setup")


def test_every_lack_is_told_once_with_its_way_and_its_tests() -> None:
    lacks = Lacks()
    for report in (
        skipped("needs futhark, cc", "tests/b.py::one"),
        skipped("needs MNIST", "tests/a.py::one"),
        skipped("needs MNIST", "tests/a.py::two[x::y]"),
        skipped("needs MNIST", "tests/a.py::two[x::y]"),
        skipped("needs chromium, chromedriver", "tests/c.py"),
        skipped("could not import 'brian2': No module named 'brian2'", "tests/d.py"),
        skipped("root may read everything", "tests/e.py::one"),
    ):
        lacks.pytest_runtest_logreport(report)
    assert told(lacks.found) == [
        f"Skipped for lack of MNIST ({ELSE['MNIST']}):",
        "    tests/a.py, 2 tests",
        f"Skipped for lack of brian2 ({PACKAGES}):",
        "    tests/d.py",
        "Skipped for lack of chromium, chromedriver (apt install chromium chromium-driver):",
        "    tests/c.py",
        f"Skipped for lack of futhark, cc ({PROGRAMS['futhark']}; {PROGRAMS['cc']}):",
        "    tests/b.py",
    ]


def test_what_has_run_is_no_lack() -> None:
    lacks = Lacks()
    passed = pytest.TestReport("tests/a.py::one", ("", None, ""), {}, "passed", None, "call")
    lacks.pytest_runtest_logreport(passed)
    assert told(lacks.found) == []


def test_a_missing_program_skips(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert missing_programs(("futhark", "cc")) == ["futhark", "cc"]
    with pytest.raises(pytest.skip.Exception, match=r"^needs futhark, cc$"):
        skip_without("futhark", "cc")
    (tmp_path / "cc").write_text("")
    (tmp_path / "cc").chmod(0o755)
    with pytest.raises(pytest.skip.Exception, match=r"^needs futhark$"):
        skip_without("cc", "futhark")
    skip_without("cc")


def test_missing_packages_are_named() -> None:
    assert needs("numpy").args == (False,)
    assert needs("numpy", "no_such_package").kwargs == {"reason": "needs no_such_package"}


def test_a_path_without_programs_has_all_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    for folder, names in ((one, ("futhark", "cat")), (two, ("ls",))):
        folder.mkdir()
        for name in names:
            (folder / name).write_text("")
            (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{one}{os.pathsep}{two}{os.pathsep}{one}")
    found = path_without({"futhark", "chromium"}, tmp_path / "links")
    assert shutil.which("futhark", path=found) is None
    assert Path(shutil.which("cat", path=found) or "").resolve() == one / "cat"
    assert shutil.which("ls", path=found) == str(two / "ls")
