"""What all tests share: what must not be missing in CI, hypothesis profiles, MNIST."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

import pytest
from hypothesis import settings
from tests.needs import Lacks, missing_programs

CI = bool(os.environ.get("CI"))
# There is a worker for each core, so more threads would only wait. PyTorch reads it when imported.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")
OPTIONAL = (
    *("brian2", "distributed", "futhark_ffi", "jinja2", "matplotlib", "nest", "neuron", "nir"),
    *("numba", "onnx", "onnxruntime", "optuna", "pooch", "pyNN", "scipy", "selenium", "sklearn"),
    *("torch",),
)
SHARED = Path(__file__).resolve().parents[2] / "shared"

settings.register_profile("local", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, database=None, print_blob=True)
settings.load_profile("ci" if CI else "local")


def pytest_configure(config: pytest.Config) -> None:
    """Tests are skipped without what they need; in CI there is nothing to skip."""
    packages = [name for name in OPTIONAL if importlib.util.find_spec(name) is None]
    if CI and (missing := [*packages, *missing_programs()]):
        raise pytest.UsageError(f"CI is set, but these are missing: {', '.join(missing)}")
    config.pluginmanager.register(Lacks())


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
    pytest.skip("needs MNIST")
