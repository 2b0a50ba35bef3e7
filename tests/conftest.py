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
    *("torch", "IPython", "ipykernel", "nbclient", "neo", "pandas"),
)
SHARED = Path(__file__).resolve().parents[2] / "shared"

EXAMPLES = 60  # of a property test; with Hypothesis's own 100, they take half a minute more
settings.register_profile("local", deadline=None, max_examples=EXAMPLES)
settings.register_profile(
    "ci",
    deadline=None,
    max_examples=EXAMPLES,
    derandomize=True,
    database=None,
    print_blob=True,
)
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
    return _folder("MNIST", SHARED / "data" / "mnist", *_given(""))


@pytest.fixture(scope="session")
def fashion_dir() -> Path:
    """The folder with the four files of Fashion-MNIST: beside the repository, in
    ``$VOLR_DATA/fashion-mnist``, or of Debian's package."""
    debian = Path("/usr/share/datasets/fashion-mnist")
    return _folder(
        "Fashion-MNIST",
        SHARED / "data" / "fashion-mnist",
        *_given("fashion-mnist"),
        debian,
    )


def _given(name: str) -> list[Path]:
    return [Path(os.environ["VOLR_DATA"]) / name] if "VOLR_DATA" in os.environ else []


def _folder(what: str, *folders: Path) -> Path:
    for folder in folders:
        if folder.is_dir():
            return folder
    places = " or ".join(map(str, folders))
    if CI and SHARED.is_dir():
        pytest.fail(f"{what} is neither in {places}")
    pytest.skip(f"needs {what}")
