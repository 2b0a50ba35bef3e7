"""The wheel in empty environments: with no extra, with each alone, and with what the README uses.

In each, `volr doctor` tries all back ends, and every line of the README either works or is refused
with the extra that it lacks.
"""

from __future__ import annotations

import re
import shlex
import shutil
import tomllib
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from tests.cli.running import piped
from tests.docs.snippets import Python, Shell, snippets
from tests.needs import missing_programs, needs, needs_numba
from tests.release.building import ROOT, Distributions
from tests.release.environments import Outcome, environment

import volr
from volr.backends import BACKENDS, DOCUMENTS
from volr.cli.doctor import PACKAGES
from volr.models.parameters import parameter_shapes

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [needs("uv"), needs_numba]

EXTRAS = sorted(
    tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"][
        "optional-dependencies"
    ].keys()
    - {"all"}
)
README = snippets((ROOT / "README.md").read_text(encoding="utf-8"))
PROGRAM = next(
    line
    for each in README
    if isinstance(each, Shell)
    for line in each.commands
    if line.startswith("echo ")
)
"""The README's program, as it is written into a file."""
USED = ("engine", "nest", "nir", "tasks", "torch")
"""The extras that the README's snippets need together."""
MODULES = {
    "brian2": {"brian2"},
    "engine": {"numba"},
    "futhark": {"cffi", "futhark_ffi"},
    "nest": {"nest"},
    "neuron": {"neuron", "pyNN"},
    "nir": {"h5py"},
    "onnx": {"onnx", "onnxruntime"},
    "pynn": {"pyNN"},
    "torch": {"torch"},
}
"""What back ends import, by the extra that installs it."""
MORE = {
    "import net.nir --out nir.safetensors": {"nir"},
    "import net.onnx --out onnx.safetensors": {"onnx"},
    "report results": {"report"},
    "search xor --trials 1 --out search": {"search", "torch"},
    "explain spiking.safetensors --ann digits.safetensors --task digits": {"engine", "tasks"},
    "evaluate spiking.safetensors --task digits --dask tcp://127.0.0.1:1": {
        *("cluster", "engine", "tasks"),
    },
}
"""Commands that the README does not show, and the extras that they need."""


def commands() -> list[list[str]]:
    """The README's lines of `volr`, with the options that make them short."""
    found: list[list[str]] = []
    for each in README:
        if isinstance(each, Shell) and each.skipped is None:
            for line in each.commands:
                program, *arguments = shlex.split(line, comments=True)
                if program == "volr":
                    found.append([*arguments, *each.options.get(arguments[0], ())])
    return found


def program() -> str:
    (found,) = (each for each in README if isinstance(each, Python))
    return found.code


def needed(arguments: list[str]) -> set[str]:
    """The extras without which this command cannot do its work."""
    command = arguments[0]
    given = dict(pairwise(arguments))
    found = {"tasks"} if "digits" in arguments else set[str]()
    match command:
        case "check" | "quantise":
            pass
        case "train":
            found |= {"torch", "engine"} if given.get("--as") == "snn" else {"torch"}
        case "transfer":
            found |= set() if given.get("--coding") == "first-spike" else {"engine"}
        case "evaluate":
            found |= {given.get("--on", "engine")}
        case "verify":
            found |= {given["--on"]}
        case "compile":
            found |= {given["--to"]} & {"nir"}
        case "experiment":
            found |= {"torch"}
        case _:
            raise AssertionError(f"what does {command} need?")
    return found


def check(outcome: Outcome, wanted: set[str], extras: set[str], what: str) -> None:
    """It worked, or it was refused for what is missing, and named the extra."""
    missing = wanted - extras
    assert outcome.code == (1 if missing else 0), f"{what}\n{outcome.printed}"
    if missing:
        said = re.search(r"= help: pip install 'volr\[([a-z0-9,]+)\]'", outcome.printed)
        assert said, f"{what}\n{outcome.printed}"
        named = set(said[1].split(","))
        assert named <= wanted, outcome.printed
        assert named & missing, outcome.printed


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the files that these commands read, with random weights."""
    folder = tmp_path_factory.mktemp("models")
    network, rng = volr.to_network(shlex.split(PROGRAM)[1]), np.random.default_rng(0)
    values = {
        name: rng.normal(0.0, 0.3, shape) for name, shape in parameter_shapes(network).items()
    }
    model = volr.ArtificialModel(network, values)
    samples = volr.Samples(rng.random((20, 64)), np.zeros(20, dtype=np.int64))
    whole = volr.quantise(model, samples).model
    settings = volr.TransferSettings(samples=5, rounds=0, duration=5.0)
    spiking = volr.transfer_ann(model, samples, settings=settings).model
    made = {"digits": model, "whole": whole, "spiking": spiking}
    for name, each in {**made, "exact": volr.to_first_spikes(whole)}.items():
        volr.save_model(each, folder / f"{name}.safetensors", {"task": "digits", "seed": 0})
    for name, each in {"onnx": model, "nir": spiking}.items():
        (content,) = volr.document(name).write(each).values()
        (folder / f"net.{name}").write_bytes(content)
    short = ("--repeats=1", "--conditions=ann", "--epochs=2", "--processes=1")
    done = piped("experiment", "xor", *short, "--out", str(folder / "results"))
    assert done.code == 0, done.err
    return folder


def check_doctor(found: dict[str, Any], extra: str | None) -> None:
    """What the extra brings is there and works, and of all else it is said what is missing."""
    for name, of in PACKAGES.items():
        if of in {"", extra}:
            assert found["versions"][name], name
    modules = MODULES.get(extra or "", set[str]())
    for each, record in zip(found["backends"], (*BACKENDS, *DOCUMENTS), strict=True):
        packages = set(record.requires) - modules
        assert set(each["missing"]) == packages | {*missing_programs(record.programs)}, each
        assert each["problem"] is None, each
        if packages:
            assert each["install"].startswith(f"pip install 'volr[{record.extra}]'"), each


@pytest.mark.parametrize("extra", [None, *EXTRAS])
def test_an_extra_alone(
    extra: str | None, distributions: Distributions, models: Path, tmp_path: Path
) -> None:
    extras = set[str]() if extra is None else {extra}
    made = environment(tmp_path / "environment", distributions.wheel, extras)
    folder = shutil.copytree(models, tmp_path / "work")
    (folder / PROGRAM.split()[-1]).write_text(shlex.split(PROGRAM)[1], encoding="utf-8")
    lines = commands()
    *outcomes, ran = made.run([*lines, *(each.split() for each in MORE), program()], folder)
    wanted = [*map(needed, lines), *MORE.values()]
    for line, outcome, lacking in zip([*lines, *MORE], outcomes, wanted, strict=True):
        check(outcome, lacking, extras, f"volr {line}")
    check(ran, {"torch", "engine", "nest"}, extras, "the README's Python")
    check_doctor(made.doctor(folder), extra)


def test_the_readme_runs_with_what_it_needs(distributions: Distributions, tmp_path: Path) -> None:
    made = environment(tmp_path / "environment", distributions.wheel, USED)
    folder = tmp_path / "work"
    folder.mkdir()
    (folder / PROGRAM.split()[-1]).write_text(shlex.split(PROGRAM)[1], encoding="utf-8")
    assert made.call("volr", "--version", cwd=folder) == f"volr {volr.__version__}\n"
    what = [*commands(), program()]
    for each, outcome in zip(what, made.run(what, folder), strict=True):
        assert outcome.code == 0, f"{each}\n{outcome.printed}"
