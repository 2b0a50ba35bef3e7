"""A library that cannot be imported is one error that says which, and where to look."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from tests.cli.running import XOR, made, piped
from tests.needs import needs

from volr.cli.libraries import failed_import
from volr.model_files.model_file import save_model

if TYPE_CHECKING:
    from collections.abc import Callable


def raised(action: Callable[[], object]) -> BaseException:
    try:
        action()
    except BaseException as error:  # noqa: BLE001 (of any type)
        return error
    raise AssertionError("nothing was raised")


@pytest.fixture
def broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], BaseException]:
    """What comes from the import of a package that does this in a module of its own."""
    monkeypatch.syspath_prepend(tmp_path)
    package = tmp_path / "nosuchlibrary"
    package.mkdir()
    (package / "__init__.py").write_text("from nosuchlibrary.deep import thing\n")

    def imported(line: str) -> BaseException:
        (package / "deep.py").write_text(f"{line}\nthing = int\n")
        for name in ("nosuchlibrary", "nosuchlibrary.deep"):
            monkeypatch.delitem(sys.modules, name, raising=False)
        importlib.invalidate_caches()
        return raised(lambda: importlib.import_module("nosuchlibrary"))

    return imported


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("raise KeyError('NONSENSE')", "KeyError: 'NONSENSE'"),
        ("raise ValueError('\\n  two\\nlines\\x1b[31m')", "ValueError: two lines\\x1b[31m"),
        ("raise OSError(2, 'No such file')", "FileNotFoundError: [Errno 2] No such file"),
        ("int('abc')", "ValueError: invalid literal for int() with base 10: 'abc'"),
        ("raise RuntimeError", "RuntimeError"),
        ("raise ValueError('x' * 301)", f"ValueError: {'x' * 300}…"),
        ("import nosuchdependency", "ModuleNotFoundError: No module named 'nosuchdependency'"),
    ],
)
def test_an_import_fails_in_any_way(
    broken: Callable[[str], BaseException], line: str, said: str
) -> None:
    told = failed_import(broken(line))
    assert told is not None
    assert told.message == f"nosuchlibrary cannot be imported: {said}"


def test_its_variables_are_named(
    broken: Callable[[str], BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    error = broken("raise ValueError")
    told = failed_import(error)
    assert told is not None
    assert told.help is not None
    assert told.help.startswith("look at its settings and at the environment variables")
    monkeypatch.setenv("NOSUCHLIBRARY_THREADS", "-1")
    monkeypatch.setenv("NOSUCHLIBRARY_LOGS", "x")
    told = failed_import(error)
    assert told is not None
    assert told.help is not None
    assert told.help.endswith(": NOSUCHLIBRARY_LOGS, NOSUCHLIBRARY_THREADS")


def test_the_library_that_fails_is_named_and_not_who_imports_it(
    broken: Callable[[str], BaseException], tmp_path: Path
) -> None:
    (tmp_path / "nosuchhelper.py").write_text("raise ValueError('helpless')\n")
    told = failed_import(broken("import nosuchhelper"))
    assert told is not None
    assert told.message == "nosuchhelper cannot be imported: ValueError: helpless"


def test_other_errors_are_not_said_to_be_imports() -> None:
    assert failed_import(raised(lambda: Path("nowhere").read_bytes())) is None
    assert failed_import(raised(lambda: importlib.import_module("nosuchlibrary"))) is None
    # In a library, but after its import.
    assert failed_import(raised(lambda: np.zeros(2).reshape(3))) is None


TRAIN = ("train", "xor.volr", "--task", "xor", "--epochs", "1", "--out", "t.safetensors")
EVALUATE = ("evaluate", "snn.safetensors", "--task", "xor", "--samples", "3")
EXPERIMENT = (
    *("experiment", "xor", "--repeats", "1", "--epochs", "1", "--conditions", "ann"),
    *("--dask", "tcp://127.0.0.1:1", "--out", "q"),
)


@pytest.mark.parametrize(
    ("command", "variable", "value", "library"),
    [
        pytest.param(TRAIN, "TORCH_LOGS", "nonsense", "torch", marks=needs("torch")),
        pytest.param(EVALUATE, "NUMBA_NUM_THREADS", "0", "numba", marks=needs("numba")),
        pytest.param(
            EXPERIMENT,
            "DASK_LOGGING__DISTRIBUTED",
            "nonsense",
            "distributed",
            marks=needs("distributed"),
        ),
    ],
)
def test_a_variable_that_a_library_does_not_take(
    tmp_path: Path, command: tuple[str, ...], variable: str, value: str, library: str
) -> None:
    (tmp_path / "xor.volr").write_text(f"{XOR}\n", encoding="utf-8")
    save_model(made("dense 2 4 ⦶ dense 4 2"), tmp_path / "snn.safetensors")
    told: dict[str, Any] = {variable: value}
    result = piped(*command, cwd=tmp_path, **told)
    assert result.code == 1
    assert "Traceback" not in result.err
    assert f"error: {library} cannot be imported: " in result.err
    help_line = result.err.splitlines()[-1]
    assert "environment variables" in help_line
    assert variable in help_line
