"""`doctor`: versions, and back ends that are there, missing or broken."""

from __future__ import annotations

import json
import platform
import re
import tomllib
from contextlib import nullcontext
from dataclasses import replace
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.conftest import CI
from tests.verification import planted
from tests.verification.planted import Mistaken

from volr import __version__
from volr.backends import BACKENDS, DOCUMENTS, ENGINE
from volr.backends.refusals import is_ready
from volr.cli.doctor import PACKAGES, import_problem, trial_problem
from volr.errors import SimulatorError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.cli.running import Volr

    from volr.models.model import SpikingModel

ROOT = Path(__file__).parents[2]


EVERYTHING = (*BACKENDS, *DOCUMENTS)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is tried."""
    monkeypatch.setattr("volr.cli.doctor.import_problem", sound)
    monkeypatch.setattr("volr.cli.doctor.trial_problem", sound)


def sound(tried: object) -> None:
    """Nothing is wrong with it."""


def _failing(_: SpikingModel) -> SpikingModel:
    raise SimulatorError("it is out of order")


def broken(modules: Sequence[str]) -> str | None:
    return "broken: X" if modules else None


def nowhere(package: str) -> None:
    """No package is installed."""


@pytest.mark.usefixtures("quick")
def test_versions_are_those_of_the_installed_packages(volr: Volr) -> None:
    found = json.loads(volr("doctor", "--json").out)["versions"]
    assert found.pop("volr") == __version__
    assert found.pop("python") == platform.python_version()
    installed = {each.name.lower(): each.version for each in metadata.distributions()}
    assert found == {name: installed.get(name) for name in PACKAGES}


def test_the_packages_are_those_of_the_project_and_so_are_their_extras() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = {"": project["dependencies"], **project["optional-dependencies"]}
    del extras["all"]
    # An extra may narrow down what the project itself asks for, which comes first.
    found: dict[str, str] = {}
    for extra, packages in extras.items():
        for each in packages:
            found.setdefault(re.split("[<>=]", each)[0], extra)
    assert found == PACKAGES


def test_every_back_end_that_is_installed_works(volr: Volr) -> None:
    """In CI all are installed: a small network is built, read back and run on each."""
    result = volr("doctor")
    assert result.code == 0
    for backend in EVERYTHING:
        (line,) = (each for each in result.out.splitlines() if backend.summary in each)
        assert line.split()[0] == backend.name
        if CI or is_ready(backend):
            assert line.endswith("  works")


@pytest.mark.parametrize(
    ("mistake", "said"),
    [
        (planted.late, "wrong: input->dense_1: the delay 1 ms, expected 0.5 ms (1 step more)"),
        (_failing, "broken: it is out of order"),
    ],
)
def test_a_back_end_that_computes_something_else_does_not_work(
    mistake: Callable[[SpikingModel], SpikingModel], said: str
) -> None:
    backend = replace(ENGINE, start=lambda: nullcontext(Mistaken(mistake)))
    assert trial_problem(backend) == said
    assert trial_problem(ENGINE) is None
    hidden = replace(ENGINE, start=lambda: nullcontext(Mistaken(mistake, hidden=True)))
    assert trial_problem(hidden) != trial_problem(backend) or mistake is _failing


@pytest.mark.usefixtures("quick")
def test_missing_packages_are_told_with_what_installs_them(
    volr: Volr, monkeypatch: pytest.MonkeyPatch
) -> None:
    def version(name: str) -> str:
        if name in ("torch", "pooch"):
            raise metadata.PackageNotFoundError
        return "1.0"

    monkeypatch.setattr("volr.backends.refusals.importlib.util.find_spec", nowhere)
    monkeypatch.setattr("importlib.metadata.version", version)
    shown = volr("doctor").out
    assert "\ntorch           not installed: pip install 'volr[torch]'\n" in shown
    assert "\npooch           not installed: pip install 'volr[tasks]'\n" in shown
    assert "\nnumpy           1.0\n" in shown
    found = {each["name"]: each for each in json.loads(volr("doctor", "--json").out)["backends"]}
    assert found["nest"]["missing"] == ["nest"]
    assert found["nest"]["install"] == "pip install 'volr[nest]'"
    assert (found["reference"]["missing"], found["reference"]["install"]) == ([], None)


def test_a_broken_package_is_told_with_its_reason(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packages = folder / "packages"
    packages.mkdir()
    monkeypatch.setenv("PYTHONPATH", str(packages))
    for name, text in {
        "volr_sound": "print('chatter')",
        "volr_broken": "raise ImportError('libgone.so: cannot open')",
        "volr_crashing": "import os; os.abort()",
        "volr_mute": "import os; os._exit(3)",
    }.items():
        (packages / f"{name}.py").write_text(text, encoding="utf-8")
    # A file of the same name in the current folder is not the package.
    (folder / "volr_sound.py").write_text("raise SystemExit('not me')", encoding="utf-8")
    assert import_problem([]) is None
    assert import_problem(["volr_sound"]) is None
    assert import_problem(["volr_sound", "volr_broken"]) == (
        "broken: ImportError: libgone.so: cannot open"
    )
    assert import_problem(["volr_crashing"]) == "broken: ended by SIGABRT"
    assert import_problem(["volr_mute"]) == "broken: exit code 3"


@pytest.mark.usefixtures("quick")
def test_a_broken_back_end_does_not_work(volr: Volr, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("volr.cli.doctor.import_problem", broken)
    shown = volr("doctor").out.splitlines()
    states = {line.split()[0]: line for line in shown if "ANN  " in line or "SNN  " in line}
    assert states["reference"].endswith("works")
    if find_spec("torch"):
        assert states["torch"].endswith("broken: X")
