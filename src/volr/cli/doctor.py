"""``doctor``: the installed versions, the back ends that work, and how to install the others.

A back end works if ``verify`` finds no difference for a small network.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from volr import __version__
from volr.cli import options
from volr.cli.output import emit, print_json, print_table
from volr.cli.progress import progress_bar
from volr.source import visible

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from volr.backends.base import Backend, Document

# Distributions by their names on PyPI, under Volr's extra that installs them; "" is Volr itself.
_BY_EXTRA = {
    "": "lark numpy psutil pygments rich typer safetensors threadpoolctl",
    "engine": "numba",
    "torch": "torch",
    "nest": "nest-simulator",
    "pynn": "pynn",
    "brian2": "brian2",
    "neuron": "neuron",
    "futhark": "futhark-ffi",
    "nir": "h5py",
    "onnx": "onnx onnxruntime",
    "tasks": "scikit-learn pillow pooch",
    "cluster": "distributed",
    "search": "optuna",
    "report": "matplotlib jinja2 fonttools",
    "analysis": "neo pandas",
    "lsp": "pygls",
}
PACKAGES = {name: extra for extra, names in _BY_EXTRA.items() for name in names.split()}
IMPORT = "import importlib, sys; [importlib.import_module(name) for name in sys.argv[1:]]"


# No layer is square, so a transposed matrix would show.
PROGRAM = "dense 3 4 ⦶ dense 4 2"
STIMULI = 2


def doctor(as_json: options.Json = False) -> None:
    """Print versions, and try every back end.

    The exit code is 1 if one that is installed does not work.
    """
    import platform

    from volr.backends import BACKENDS, DOCUMENTS
    from volr.engine.devices import cuda_problem, device_name

    versions = {"volr": __version__, "python": platform.python_version()}
    packages = {name: _version(name) for name in PACKAGES}
    backends: list[dict[str, str | list[str] | None]] = []
    everything = (*BACKENDS, *DOCUMENTS)
    imported: dict[tuple[str, ...], str | None] = {}
    with progress_bar() as progress:
        for done, backend in enumerate(everything):
            progress("trying the back ends", done, len(everything), backend.name)
            backends.append(_examined(backend, imported))
    # A machine without a GPU has no problem.
    gpu = cuda_problem()
    if as_json:
        device = {"usable": gpu is None, "what": device_name("cuda") if gpu is None else gpu}
        print_json({"versions": {**versions, **packages}, "backends": backends, "gpu": device})
    else:
        _print(versions, packages, backends)
        usable = f"{device_name('cuda')} (--device cuda)" if gpu is None else f"none is used: {gpu}"
        emit(f"\nGPU: {usable}\n")
    if any(each["problem"] for each in backends):
        raise typer.Exit(1)


def _print(
    versions: Mapping[str, str],
    packages: Mapping[str, str | None],
    backends: Sequence[Mapping[str, str | list[str] | None]],
) -> None:
    print_table(
        ("package", "version"),
        [
            *versions.items(),
            *((name, found or _missing(PACKAGES[name])) for name, found in packages.items()),
        ],
        left=2,
    )
    emit("\n")
    print_table(
        ("back end", "kind", "generation", "what it is", "status"),
        [
            (
                *(f"{each[key]}" for key in ("name", "kind", "generation", "summary")),
                f"{each['install'] or each['problem'] or 'works'}",
            )
            for each in backends
        ],
        left=5,
    )


def _examined(
    backend: Backend | Document, imported: dict[tuple[str, ...], str | None]
) -> dict[str, str | list[str] | None]:
    """A row of the table. ``imported`` has the problems of the modules that were tried before."""
    from volr.backends.base import Document
    from volr.backends.refusals import install_hint, missing_packages, missing_programs

    missing = [*missing_packages(backend), *missing_programs(backend)]
    problem = None
    if not missing:
        modules = tuple(backend.requires)
        if modules not in imported:
            imported[modules] = import_problem(modules)
        problem = imported[modules] or trial_problem(backend)
    return {
        "name": backend.name,
        "kind": "document" if isinstance(backend, Document) else "runs",
        "generation": backend.generation,
        "summary": backend.summary,
        "missing": missing,
        "install": install_hint(backend) if missing else None,
        "problem": problem,
    }


def trial_problem(backend: Backend | Document) -> str | None:
    """What is wrong with a small network on this back end; None if nothing is."""
    from volr.backends.base import ArtificialBackend, SpikingBackend
    from volr.backends.refusals import takes
    from volr.errors import VolrError
    from volr.language import to_network
    from volr.neurons import neuron_model
    from volr.transfer import TransferSettings
    from volr.verification import verify
    from volr.verification.examples import random_ann, random_snn, random_stimuli

    network, settings, exact = to_network(PROGRAM), TransferSettings(), True
    if not isinstance(backend, ArtificialBackend) and backend.neurons:
        faithful = backend.exact if isinstance(backend, SpikingBackend) else backend.neurons
        exact = bool(faithful)
        name, reset = (faithful or backend.neurons)[0], backend.resets[0]
        settings = TransferSettings(neuron=neuron_model(name, reset=reset))
    try:
        for model in (random_ann(network), random_snn(network, settings)):
            if takes(backend, model):
                found = verify(model, backend, random_stimuli(network, STIMULI))
                if found.differences:
                    return f"wrong: {found.differences[0]}"
                first = None if found.behaviour is None else found.behaviour.first_difference
                if exact and first is not None:
                    return f"wrong: {first.cause}"
    except VolrError as error:
        return f"broken: {visible(error.message.splitlines()[0])}"
    return None


def import_problem(modules: Sequence[str]) -> str | None:
    """Why the modules cannot be imported: the last line of the error; None if they can.

    The import runs in another process, because a broken package may end its process.
    """
    import os
    import signal
    import subprocess
    import sys

    from volr.system.current_folder import NEUTRAL, absolute_path_list

    if not modules:
        return None
    path = os.pathsep.join(absolute_path_list("PYTHONPATH"))
    tried = subprocess.run(
        # -P: a nest.py in the current folder is not NEST.
        [sys.executable, "-P", "-c", IMPORT, *modules],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        cwd=NEUTRAL,
        env={**os.environ, "PYTHONPATH": path} if path else None,
        check=False,
    )
    if tried.returncode == 0:
        return None
    lines = tried.stderr.decode(errors="replace").strip().splitlines()
    if tried.returncode < 0:
        return f"broken: ended by {signal.Signals(-tried.returncode).name}"
    return f"broken: {visible(lines[-1]) if lines else f'exit code {tried.returncode}'}"


def _version(distribution: str) -> str | None:
    from importlib import metadata

    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def _missing(extra: str) -> str:
    install = f"pip install 'volr[{extra}]'" if extra else "reinstall volr"
    return f"not installed: {install}"
