"""The layers of the house hold, and whoever breaks one is told."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from graphlib import TopologicalSorter
from pathlib import Path

import pytest
from grimp import build_graph

ROOT = Path(__file__).resolve().parents[1]
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
CONTRACTS = {each["name"]: each["id"] for each in SETTINGS["tool"]["importlinter"]["contracts"]}
FRAMEWORKS = {
    *(
        "brian2",
        "cffi",
        "futhark_ffi",
        "h5py",
        "lark",
        "lsprotocol",
        "matplotlib",
        "nest",
        "neuron",
        "numba",
    ),
    *("onnx", "onnxruntime", "pooch", "pyNN", "sklearn", "torch"),
    *("IPython", "neo", "pandas", "pygments", "rich"),
}


def lint_imports(root: Path) -> subprocess.CompletedProcess[str]:
    """Check the contracts on ``root/src``, whatever volr is installed."""
    return subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-logo", "--no-cache"],
        cwd=root,
        env=os.environ | {"PYTHONPATH": str(root / "src"), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A copy of the source tree to damage."""
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_layers_hold(house: Path) -> None:
    result = lint_imports(house)
    assert result.returncode == 0, result.stdout
    assert "0 broken" in result.stdout


def test_no_imports_go_in_a_circle() -> None:
    """Neither at the top of a module nor where a function begins; types are another matter."""
    graph = build_graph("volr", exclude_type_checking_imports=True, cache_dir=None)
    imported = {each: graph.find_modules_directly_imported_by(each) for each in graph.modules}
    assert len(imported) > 100
    list(TopologicalSorter(imported).static_order())


def test_every_folder_is_a_package() -> None:
    """The contracts do not see modules in a folder without ``__init__.py``."""
    folders = {path.parent for path in (ROOT / "src").rglob("*.py")}
    assert {folder for folder in folders if not (folder / "__init__.py").exists()} == set()


@pytest.mark.parametrize(
    ("module", "line", "broken"),
    [
        ("errors", "import volr.network", "layers"),
        ("network.graph", "import volr.language.terms", "layers"),
        ("models.coding", "import volr.engine.schedule", "layers"),
        ("training.planted", "import volr.experiments.tasks", "layers"),
        ("planted", "import math", "layers"),
        ("backends.nest.planted", "import volr.backends.torch", "backends"),
        ("backends.torch.planted", "import volr.backends.reference", "backends"),
        ("backends.processes", "import volr.backends.reference", "backends"),
        ("backends.planted", "import volr.backends.nir", "backends"),
        ("backends.base", "import volr.backends.worker", "shared"),
        ("backends.base", "import volr.language.terms", "language"),
        ("transfer.planted", "import volr.language.terms", "language"),
        ("models.coding", "import torch", "torch"),
        ("backends.nest.planted", "import torch.nn", "torch"),
        ("training.planted", "import numba", "numba"),
        ("backends.engine", "from numba import njit", "numba"),
        ("engine.simulation", "import numba", "numba"),
        ("engine.cpu.work", "import triton.language", "numba"),
        ("backends.base", "import nest", "nest"),
        ("backends.pynn.script", "import pyNN.nest", "pynn"),
        ("backends.brian2.script", "import brian2", "brian2"),
        ("importing.nir", "import h5py", "nir"),
        ("training.futhark", "import onnxruntime", "onnx"),
        ("backends.base", "import safetensors.numpy", "safetensors"),
        ("training.planted", "import sklearn.datasets", "datasets"),
        ("model_files.model_file", "import pooch", "datasets"),
        ("network.graph", "import lark", "lark"),
        ("display.html", "import volr.network", "layers"),
        ("notebook", "import volr.experiments.tasks", "layers"),
        ("display.html", "import pygments.token", "pygments"),
        ("display.html", "from IPython.display import display", "ipython"),
        ("experiments.results", "import pandas", "analysis"),
        ("backends.recordings.display", "import neo", "analysis"),
        ("experiments.tasks", "import typer", "typer"),
        ("experiments.search.trials", "import optuna", "optuna"),
        ("backends.shares", "import distributed", "dask"),
        ("lsp.server", "import volr.experiments.tasks", "layers"),
        ("cli.lsp", "import pygls.lsp.server", "lsp"),
        ("language.analysis", "from lsprotocol import types", "lsp"),
        ("cli.report", "import jinja2", "report"),
        ("experiments.results", "import matplotlib.figure", "report"),
    ],
)
def test_planted_violation_is_found(house: Path, module: str, line: str, broken: str) -> None:
    path = house.joinpath("src", "volr", *module.split(".")).with_suffix(".py")
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    path.write_text(f"{text}\n{line}\n", encoding="utf-8")
    result = lint_imports(house)
    assert result.returncode == 1, result.stdout + result.stderr
    names = re.findall(r"^(.+) BROKEN", result.stdout, flags=re.MULTILINE)
    assert [CONTRACTS[name] for name in names] == [broken]


def test_nobody_but_a_neuron_asks_which_model_it_is() -> None:
    """What depends on the model is its own, or stands in a table by model."""
    models = {"IFCondExp", "IFCurrDelta", "IFCurrExp"}
    asking: list[str] = []
    for path in (ROOT / "src" / "volr").rglob("*.py"):
        if path.parent.name == "neurons":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            named = {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}
            asks = isinstance(node, ast.Call) and ast.unparse(node.func) == "isinstance"
            if (asks or isinstance(node, ast.MatchClass)) and named & models:
                asking.append(f"{path.name}: {ast.unparse(node)}")
    assert asking == []


def test_no_study_is_known_to_the_package() -> None:
    """A study uses Volr, and is not shipped with it."""
    names = [path.name for path in (ROOT / "studies").iterdir() if path.is_dir()]
    text = "\n".join(
        path.read_text(encoding="utf-8") for path in (ROOT / "src" / "volr").rglob("*.py")
    )
    assert [name for name in ("studies", *names) if f"{name}." in text] == []


def test_importing_volr_loads_no_framework() -> None:
    program = "import json, sys, volr; print(json.dumps([*sys.modules]))"
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    loaded = {name.partition(".")[0] for name in json.loads(result.stdout)}
    assert "volr" in loaded
    assert not loaded & FRAMEWORKS
