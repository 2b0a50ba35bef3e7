"""``doctor``: which versions are here, which back ends run, and what would install the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from volr import __version__
from volr.cli import options
from volr.cli.output import emit, print_json, print_table
from volr.cli.progress import progress_bar
from volr.source import visible

if TYPE_CHECKING:
    from collections.abc import Sequence

# Distributions under pip's names, and the extra of Volr's that installs each.
PACKAGES = {
    "lark": "",
    "numpy": "",
    "psutil": "",
    "rich": "",
    "typer": "",
    "safetensors": "",
    "numba": "engine",
    "torch": "torch",
    "nest-simulator": "nest",
    "scikit-learn": "tasks",
    "pooch": "tasks",
}
IMPORT = "import importlib, sys; [importlib.import_module(name) for name in sys.argv[1:]]"


def doctor(as_json: options.Json = False) -> None:
    """Print versions, and which back ends can run here."""
    import platform

    from volr.backends import BACKENDS
    from volr.backends.base import install_hint, missing_packages

    versions = {"volr": __version__, "python": platform.python_version()}
    packages = {name: _version(name) for name in PACKAGES}
    backends: list[dict[str, str | list[str] | None]] = []
    with progress_bar() as progress:
        for done, backend in enumerate(BACKENDS):
            progress("trying the back ends", done, len(BACKENDS), backend.name)
            missing = missing_packages(backend)
            backends.append(
                {
                    "name": backend.name,
                    "generation": backend.generation,
                    "summary": backend.summary,
                    "missing": list(missing),
                    "install": install_hint(backend) if missing else None,
                    "problem": None if missing else import_problem(backend.requires),
                }
            )
    if as_json:
        print_json({"versions": {**versions, **packages}, "backends": backends})
        return
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
        ("back end", "generation", "what it is", "status"),
        [
            (
                f"{each['name']}",
                f"{each['generation']}",
                f"{each['summary']}",
                f"{each['install'] or each['problem'] or 'ready'}",
            )
            for each in backends
        ],
        left=4,
    )


def import_problem(modules: Sequence[str]) -> str | None:
    """Why the modules cannot be imported, in Python's last line; None where they can.

    They are tried in a process of its own: a broken package may take its process with it.
    """
    import signal
    import subprocess
    import sys

    if not modules:
        return None
    tried = subprocess.run(
        # -P: a nest.py in the current folder is not NEST.
        [sys.executable, "-P", "-c", IMPORT, *modules],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        check=False,
    )
    if tried.returncode == 0:
        return None
    said = tried.stderr.decode(errors="replace").strip().splitlines()
    if tried.returncode < 0:
        return f"broken: ended by {signal.Signals(-tried.returncode).name}"
    return f"broken: {visible(said[-1]) if said else f'exit code {tried.returncode}'}"


def _version(distribution: str) -> str | None:
    from importlib import metadata

    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def _missing(extra: str) -> str:
    install = f"pip install 'volr[{extra}]'" if extra else "reinstall volr"
    return f"not installed: {install}"
