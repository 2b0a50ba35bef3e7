"""Volr in a folder full of traps: nothing that lies there is run, or decides what is run."""

from __future__ import annotations

import getpass
import importlib
import inspect
import os
import pickle
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.cli.running import environment, made, piped
from tests.needs import needs, skip_without

from volr.cli.doctor import import_problem
from volr.model_files.model_file import save_model
from volr.neurons import IFCurrExp

if TYPE_CHECKING:
    from collections.abc import Callable

SPRUNG = "VOLR_TESTS_SPRUNG"
"""The variable that names the file into which traps write their names."""
SPRING = "import os; open(os.environ['{variable}'], 'a').write({name!r} + '\\n')"
MODULES = (
    *("sitecustomize", "usercustomize", "random", "yaml", "numpy", "numba", "llvmlite", "torch"),
    *("matplotlib", "nest", "brian2", "neuron", "pyNN", "h5py", "onnx", "onnxruntime", "cffi"),
    *("futhark_ffi", "sklearn", "optuna", "distributed", "typer", "rich", "volr"),
)
PROGRAMS = (
    *("futhark", "cc", "gcc", "g++", "c++", "nrnivmodl", "nest-config", "make", "sh", "env"),
    *("ld", "ldconfig", "objdump", "clang", "nm", "uname", "id", "dirname", "which", "hostname"),
    # What Matplotlib asks for fonts, PyTorch and Numba for the machine.
    *("fc-list", "lscpu", "nvidia-smi", "ptxas", "git"),
)
LIBRARY = """
#include <stdio.h>
#include <stdlib.h>
__attribute__((constructor)) static void spring(void) {
    FILE *file = fopen(getenv("VOLR_TESTS_SPRUNG"), "a");
    fputs("libnrnmech.so\\n", file);
    fclose(file);
}
"""


class Trap:
    """Writes the name of a file of pickles when it is read."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __reduce__(self) -> tuple[Any, ...]:
        return exec, (SPRING.format(variable=SPRUNG, name=self.name),)


def plant(folder: Path) -> None:
    """Everything that is known to be looked for in a current folder, by whatever Volr uses."""
    for name in MODULES:
        (folder / f"{name}.py").write_text(SPRING.format(variable=SPRUNG, name=name))
    for name in PROGRAMS:
        (folder / name).write_text(f'#!/bin/sh\necho {name} >> "${SPRUNG}"\nexit 1\n')
        (folder / name).chmod(0o755)
    # Numba's settings, and a cache that they name, with a trap for every kernel.
    (folder / ".numba_config.yaml").write_text("cache_dir: ./nc\ndisable_jit: 1\n")
    for index in kernel_indices():
        path = folder / "nc" / index
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(pickle.dumps(Trap("numba's cache")))
    # Brian2 evaluates its values.
    evaluated = SPRING.format(variable=SPRUNG, name="brian_preferences")
    (folder / "brian_preferences").write_text(f"logging.file_log = exec({evaluated!r}) or False\n")
    # A line that Matplotlib cannot read ends a command.
    (folder / "matplotlibrc").write_bytes(b"axes.facecolor: \xff\n")
    for name in ("nest-init.sli", ".nestrc", "nrn.defaults", ".nrn.defaults", "dask.yaml", ".env"):
        (folder / name).write_text("?\n")
    compiler = shutil.which("cc")
    if compiler is not None:
        library = folder / "x86_64" / "libnrnmech.so"
        library.parent.mkdir()
        subprocess.run(
            [compiler, "-shared", "-fPIC", "-x", "c", "-", "-o", library],
            input=LIBRARY.encode(),
            check=True,
        )


def kernel_indices() -> list[str]:
    """Where Numba would look, in a cache of its own, for what it knows of each kernel."""
    if find_spec("numba") is None:
        return []
    from numba.core.caching import UserProvidedCacheLocator

    found: list[str] = []
    for name in (
        "adjoints",
        "events",
        "fehlberg",
        "lists",
        "membranes",
        "pools",
        "sliding",
        "synapses",
        "tiles",
    ):
        module = importlib.import_module(f"volr.engine.cpu.{name}")
        folder = UserProvidedCacheLocator.get_suitable_cache_subpath(inspect.getfile(module))
        caches: list[Any] = [getattr(each, "_cache", None) for each in vars(module).values()]
        files = [each._cache_file for each in caches if hasattr(each, "_cache_file")]
        paths = {Path(each._index_path).name for each in files}
        found += [f"{folder}/{path}" for path in paths]
    assert found
    return found


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder, with two models and a program."""
    folder = tmp_path_factory.mktemp("planted")
    plant(folder)
    (folder / "xor.volr").write_text("dense 2 4 ⦶ dense 4 2\n", encoding="utf-8")
    origin = {"task": "xor", "seed": 3}
    for name, neuron in (("exp", IFCurrExp(tau_refrac=0.5)), ("delta", None)):
        told: dict[str, Any] = {} if neuron is None else {"neuron": neuron}
        save_model(made("dense 2 4 ⦶ dense 4 2", **told), folder / f"{name}.safetensors", origin)
    return folder


@pytest.fixture
def sprung(tmp_path: Path) -> Callable[[], list[str]]:
    """Which traps have been sprung so far, in this test."""
    file = tmp_path / "sprung"
    return lambda: file.read_text().splitlines() if file.exists() else []


# Numba, HDF5 and the data in the command's own process; the simulators in theirs.
COMMANDS = {
    "check xor.volr": (),
    "evaluate delta.safetensors --task xor --samples 1": ("numba", "sklearn"),
    "compile delta.safetensors --to nir --out delta.nir": ("h5py",),
    "evaluate exp.safetensors --task xor --samples 1 --on pynn.brian2": ("pyNN", "brian2"),
    "evaluate exp.safetensors --task xor --samples 1 --on pynn.neuron": (
        "pyNN",
        "neuron",
        "c++",
        "make",
    ),
}


@pytest.mark.parametrize(
    "command", [pytest.param(each, marks=needs(*packages)) for each, packages in COMMANDS.items()]
)
def test_no_trap_is_sprung(
    planted: Path, tmp_path: Path, sprung: Callable[[], list[str]], command: str
) -> None:
    path = os.pathsep.join(("", ".", os.environ["PATH"]))
    sprung_file = str(tmp_path / "sprung")
    result = piped(*command.split(), cwd=planted, PATH=path, VOLR_TESTS_SPRUNG=sprung_file)
    assert sprung() == []
    assert result.code == 0, result.err


@needs("futhark_ffi")
def test_no_trap_is_sprung_when_a_program_is_compiled(
    planted: Path, tmp_path: Path, sprung: Callable[[], list[str]]
) -> None:
    skip_without("futhark", "cc")
    options = ("--task", "xor", "--on", "futhark", "--epochs", "1", "--out", "f.safetensors")
    result = piped(
        *("train", "xor.volr", *options),
        cwd=planted,
        PATH=os.pathsep.join(("", ".", os.environ["PATH"])),
        VOLR_TESTS_SPRUNG=str(tmp_path / "sprung"),
        XDG_CACHE_HOME=str(tmp_path / "cache"),
    )
    assert sprung() == []
    assert result.code == 0, result.err


@needs("torch", "numba")
def test_pytorch_compiles_into_no_folder_that_others_can_make(tmp_path: Path) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    user = getpass.getuser()
    (temporary / f"torchinductor_{user}").touch()
    (tmp_path / "xor.volr").write_text("dense 2 2\n", encoding="utf-8")
    result = piped(
        *("train", "xor.volr", "--task", "xor", "--epochs", "1", "--out", "xor.safetensors"),
        cwd=tmp_path,
        TMPDIR=str(temporary),
        XDG_CACHE_HOME=str(tmp_path / "cache"),
    )
    assert result.code == 0, result.err
    assert [each.name for each in temporary.iterdir()] == [f"torchinductor_{user}"]


@needs("neuron", "brian2")
def test_no_trap_is_sprung_when_packages_are_tried(
    planted: Path,
    tmp_path: Path,
    sprung: Callable[[], list[str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(planted)
    monkeypatch.setenv(SPRUNG, str(tmp_path / "sprung"))
    assert import_problem(("neuron", "brian2")) is None
    assert sprung() == []


@pytest.mark.parametrize(
    ("trap", "code", "found"),
    [
        pytest.param("x86_64", "import neuron", "libnrnmech.so", marks=needs("neuron")),
        pytest.param(
            "brian_preferences", "import brian2", "brian_preferences", marks=needs("brian2")
        ),
        pytest.param(
            "nc",
            "import pickle, glob; pickle.load(open(glob.glob('nc/*/*.nbi')[0], 'rb'))",
            "numba's cache",
            marks=needs("numba"),
        ),
        ("make", "import subprocess; subprocess.run('./make')", "make"),
    ],
)
def test_the_traps_are_sharp(
    planted: Path,
    tmp_path: Path,
    sprung: Callable[[], list[str]],
    trap: str,
    code: str,
    found: str,
) -> None:
    if not (planted / trap).exists():
        skip_without("cc")
    # Alone: Brian2 does not get past the one for Matplotlib.
    folder = tmp_path / "alone"
    folder.mkdir()
    (folder / trap).symlink_to(planted / trap)
    subprocess.run(
        [sys.executable, "-P", "-c", code],
        cwd=folder,
        env=environment(VOLR_TESTS_SPRUNG=str(tmp_path / "sprung")),
        check=False,
        capture_output=True,
    )
    assert found in sprung()


@needs("matplotlib")
def test_matplotlib_reads_nothing_there(planted: Path) -> None:
    code = "import volr.experiments.report; from matplotlib import rcParams"
    subprocess.run([sys.executable, "-P", "-c", code], cwd=planted, check=True)


@needs("matplotlib")
@pytest.mark.parametrize(
    ("first", "is_started"),
    [("pass", True), ("from volr.cli import main; main(['--version'])", False)],
)
def test_matplotlib_starts_nothing_there(
    planted: Path, tmp_path: Path, sprung: Callable[[], list[str]], first: str, is_started: bool
) -> None:
    # Alone: Matplotlib by itself does not get past its trap.
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "fc-list").symlink_to(planted / "fc-list")
    code = f"try:\n    {first}\nexcept SystemExit:\n    pass\nimport matplotlib.font_manager"
    subprocess.run(
        [sys.executable, "-P", "-c", code],
        cwd=tmp_path / "here",
        env=environment(
            PATH=os.pathsep.join(("", ".", os.environ["PATH"])),
            VOLR_TESTS_SPRUNG=str(tmp_path / "sprung"),
            # It asks for the system's fonts where it has no list of its own yet.
            MPLCONFIGDIR=str(tmp_path / "settings"),
        ),
        check=True,
        capture_output=True,
    )
    assert sprung() == (["fc-list"] if is_started else [])


@needs("matplotlib")
def test_a_backend_that_matplotlib_does_not_know(tmp_path: Path) -> None:
    result = piped("report", tmp_path, MPLBACKEND="none such")
    assert (result.code, result.out) == (1, "")
    assert result.err.startswith("error: Matplotlib cannot be imported: ")
    assert "= help: unset MPLBACKEND" in result.err


@needs("matplotlib")
@pytest.mark.parametrize("said", ["/dev/zero", "folder"])
def test_settings_of_matplotlib_that_have_no_end(tmp_path: Path, said: str) -> None:
    named = tmp_path / said
    if said == "folder":
        named.mkdir()
        os.mkfifo(named / "matplotlibrc")
    result = piped("report", tmp_path, MATPLOTLIBRC=str(named))
    assert (result.code, result.out) == (1, "")
    assert f"error: MATPLOTLIBRC: {named}" in result.err
    assert "is not an ordinary file" in result.err
    assert "= help: unset MATPLOTLIBRC" in result.err


@needs("matplotlib")
@pytest.mark.parametrize("said", ["file", "folder", "missing"])
def test_settings_of_matplotlib_that_are_ordinary(tmp_path: Path, said: str) -> None:
    (tmp_path / "file").write_text("lines.linewidth: 7\n")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "matplotlibrc").write_text("lines.linewidth: 7\n")
    code = (
        "import volr.experiments.report; from matplotlib import rcParams; "
        "print(rcParams['lines.linewidth'])"
    )
    found = subprocess.check_output(
        [sys.executable, "-P", "-c", code],
        env=environment(MATPLOTLIBRC=str(tmp_path / said), MPLCONFIGDIR=str(tmp_path)),
        text=True,
    )
    assert float(found) == (1.5 if said == "missing" else 7.0)


@needs("numba")
def test_numba_believes_the_folder_that_it_is_imported_in(planted: Path) -> None:
    code = "import numba; print(numba.config.CACHE_DIR, numba.config.DISABLE_JIT)"
    alone = subprocess.check_output([sys.executable, "-P", "-c", code], cwd=planted, text=True)
    assert alone == "./nc 1\n"
    ours = subprocess.check_output(
        [sys.executable, "-P", "-c", f"import volr.engine.cpu.compiler; {code}"],
        cwd=planted,
        text=True,
    )
    assert ours.split()[-1] == "0"
    assert "nc" not in ours.replace("func", "")
