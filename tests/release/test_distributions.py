"""What is in the wheel and in the sdist, and what they say about themselves."""

from __future__ import annotations

import tarfile
import tomllib
from email import message_from_bytes
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import ZipFile

import pytest
from tests.release.building import ROOT, Distributions, hatchling

import volr

if TYPE_CHECKING:
    from email.message import Message

DATA = {".lark", ".txt", ".html", ".css", ".js", ".typed"}
"""The endings of files beside the source that Volr reads when it runs."""
PROJECT = {"Makefile", "README.md", "gitignore", "network.volr", "run.txt"}
"""What `volr new` writes, each as a file of its own."""


def contents(wheel: Path) -> dict[str, bytes]:
    with ZipFile(wheel) as file:
        return {name: file.read(name) for name in file.namelist()}


@pytest.fixture(scope="module")
def metadata(distributions: Distributions) -> Message:
    (found,) = (
        text for name, text in contents(distributions.wheel).items() if name.endswith("/METADATA")
    )
    return message_from_bytes(found)


def test_the_wheel_has_the_package_and_nothing_else(distributions: Distributions) -> None:
    found = {
        name: text
        for name, text in contents(distributions.wheel).items()
        if ".dist-info/" not in name
    }
    source = ROOT / "src"
    wanted = {
        str(path.relative_to(source)): path.read_bytes()
        for path in source.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert found.keys() == wanted.keys()
    assert found == wanted
    project = {name for name in found if name.startswith("volr/cli/new_project/")}
    assert {Path(name).name for name in project} == PROJECT
    assert {Path(name).suffix for name in found.keys() - project} == {".py", *DATA}


@pytest.mark.parametrize(
    "name",
    [
        "volr/py.typed",
        "volr/language/grammar.lark",
        "volr/backends/pynn/head.txt",
        "volr/experiments/report/templates/report.html",
        "volr/experiments/report/font.py",
    ],
)
def test_the_wheel_has_what_volr_reads(distributions: Distributions, name: str) -> None:
    assert contents(distributions.wheel)[name] is not None


def test_the_wheel_has_the_licence_and_the_command(distributions: Distributions) -> None:
    found = contents(distributions.wheel)
    home = f"volr-{volr.__version__}.dist-info"
    assert found[f"{home}/licenses/LICENSE"] == (ROOT / "LICENSE").read_bytes()
    command = b"[console_scripts]\nvolr = volr.cli:main\n"
    lexer = b"[pygments.lexers]\nvolr = volr.display.lexer:VolrLexer\n"
    assert found[f"{home}/entry_points.txt"] == command + b"\n" + lexer


def test_it_says_what_it_is(metadata: Message) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert (metadata["Name"], metadata["Version"]) == ("volr", volr.__version__)
    assert metadata["License-Expression"] == "Apache-2.0"
    assert metadata["Requires-Python"] == ">=3.11"
    assert metadata["Description-Content-Type"] == "text/markdown"
    readme = metadata.get_payload(decode=True)
    assert readme == (ROOT / "README.md").read_bytes()
    assert set(metadata.get_all("Provides-Extra", [])) == {*project["optional-dependencies"]}


def test_its_classifiers_have_the_pythons_that_it_takes(metadata: Message) -> None:
    found = metadata.get_all("Classifier", [])
    known = "Programming Language :: Python :: "
    pythons = [each.removeprefix(known) for each in found if each.startswith(known)]
    assert pythons == ["3.11", "3.12", "3.13"]
    assert "Typing :: Typed" in found


def test_all_asks_for_what_the_extras_ask_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras: dict[str, list[str]] = project["optional-dependencies"]
    (whole,) = extras.pop("all")
    assert whole == f"volr[{','.join(extras)}]"


def test_the_sdist_builds_the_same_wheel(distributions: Distributions, tmp_path: Path) -> None:
    with tarfile.open(distributions.sdist) as file:
        file.extractall(tmp_path, filter="data")
    (source,) = tmp_path.iterdir()
    hatchling(source, tmp_path / "built", "wheel")
    (again,) = (tmp_path / "built").glob("*.whl")
    assert again.name == distributions.wheel.name
    assert contents(again) == contents(distributions.wheel)


def test_the_sdist_has_what_the_tests_need(distributions: Distributions) -> None:
    with tarfile.open(distributions.sdist) as file:
        names = {name.partition("/")[2] for name in file.getnames()}
    assert {"pyproject.toml", "README.md", "CITATION.cff", "CHANGELOG.md", "LICENSE"} <= names
    for folder in ("benchmarks", "docs", "src", "studies", "tests", "tools", "typings"):
        assert any(name.startswith(f"{folder}/") for name in names)
    assert not any("__pycache__" in name or name.endswith(".pyc") for name in names)
