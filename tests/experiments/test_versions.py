"""With what a run is made."""

from __future__ import annotations

import platform
import shutil
from importlib import metadata
from pathlib import Path

import pytest

import volr
from volr.experiments import versions as module
from volr.experiments.versions import differing, versions

CACHED = (module._installed, module._source, module._processor)


@pytest.fixture(autouse=True)
def forgotten() -> None:
    for each in CACHED:
        each.cache_clear()


def test_what_is_installed_has_one() -> None:
    found = versions()
    assert found["volr"] == volr.__version__
    assert found["python"] == platform.python_version()
    assert found["numpy"] == metadata.version("numpy")


def test_what_is_not_installed_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PACKAGES", ("numpy", "no-such-package"))
    assert set(versions()) == {"volr", "volr source", "python", "numpy", "processor"}
    module._installed.cache_clear()


def test_another_source_is_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "volr"
    shutil.copytree(Path(volr.__file__).parent, package)

    def source() -> str:
        module._source.cache_clear()
        return versions()["volr source"]

    ours = source()
    monkeypatch.setattr(volr, "__file__", str(package / "__init__.py"))
    # Where it lies, and what Python compiles beside it, is nothing of it.
    (package / "__pycache__").mkdir(exist_ok=True)
    (package / "__pycache__" / "other.pyc").write_bytes(b"compiled")
    assert source() == ours
    changed = package / "training" / "adam.py"
    found = {ours}
    changed.write_text("RATE = 1\n", encoding="utf-8")
    found.add(source())
    changed.write_text("RATE = 2\n", encoding="utf-8")
    found.add(source())
    changed.rename(package / "training" / "other.py")
    found.add(source())
    assert len(found) == 4
    module._source.cache_clear()


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (
            "cpu family\t: 25\nmodel\t: 1\nmodel name\t: EPYC\nflags\t: avx avx2\n\nflags\t: no\n",
            "EPYC, family 25, model 1, avx2",
        ),
        (
            "model name\t: Intel(R) Xeon(R)\nflags\t\t: avx2 avx512f avx sse4_2\n",
            "Intel(R) Xeon(R), avx512f",
        ),
        ("processor\t: 0\nBogoMIPS\t: 243.75\n", platform.machine()),
    ],
)
def test_the_processor_is_the_systems(
    told: str, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "cpuinfo"
    file.write_text(told, encoding="utf-8")
    monkeypatch.setattr(module, "_PROCESSORS", file)
    assert versions()["processor"] == expected
    module._processor.cache_clear()


def test_without_the_file_it_has_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PROCESSORS", tmp_path / "none")
    assert versions()["processor"] == (platform.processor() or platform.machine())
    module._processor.cache_clear()


def test_what_differs_is_named_with_what_it_was() -> None:
    made = [
        {"volr": "1", "torch": "2.9"},
        {"volr": "1"},
        {"volr": "1", "torch": "3.0", "nest": "3"},
    ]
    assert differing(made) == {"torch": ("2.9", "none", "3.0"), "nest": ("none", "3")}
    assert differing(made[:1]) == differing([]) == {}
