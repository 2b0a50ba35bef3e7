"""What all tests share: back ends that must not be missing in CI, hypothesis profiles, MNIST."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

import pytest
from hypothesis import settings

CI = bool(os.environ.get("CI"))
OPTIONAL = (
    *("brian2", "distributed", "futhark_ffi", "jinja2", "matplotlib", "nest", "neuron", "nir"),
    *("numba", "onnx", "onnxruntime", "optuna", "pooch", "pyNN", "scipy", "selenium", "sklearn"),
    *("torch",),
)
SHARED = Path(__file__).resolve().parents[2] / "shared"

settings.register_profile("local", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, database=None, print_blob=True)
settings.load_profile("ci" if CI else "local")


def pytest_configure() -> None:
    """Tests of a back end begin with ``pytest.importorskip``; in CI there is nothing to skip."""
    missing = [name for name in OPTIONAL if importlib.util.find_spec(name) is None]
    if CI and missing:
        raise pytest.UsageError(f"CI is set, but these packages are missing: {', '.join(missing)}")


@pytest.fixture(scope="session")
def mnist_dir() -> Path:
    """The folder with MNIST's four files: beside the repository, or ``$VOLR_DATA``."""
    folders = [SHARED / "data" / "mnist"]
    if "VOLR_DATA" in os.environ:
        folders.append(Path(os.environ["VOLR_DATA"]))
    for folder in folders:
        if folder.is_dir():
            return folder
    places = " or ".join(map(str, folders))
    if CI and SHARED.is_dir():
        pytest.fail(f"MNIST is neither in {places}")
    pytest.skip(f"needs MNIST in {places}")
