"""The NEURON mechanisms of PyNN, compiled once for all processes.

PyNN compiles them into its own folder when it is first imported, if it can write there and finds
``nrnivmodl`` on the path; two processes at once get in each other's way. Here they are compiled
into the user's cache, by one process while the others wait.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

_LIBRARY = "libnrnmech.so"


def load(neuron: Any) -> None:
    """Load them into this process, and tell ``neuron`` so, that PyNN does not look for them.

    Raises ``RuntimeError``, with what the compiler said, where they do not compile.
    """
    sources = _sources()
    if str(sources) in neuron.nrn_dll_loaded:
        return
    folder = sources
    if not _library(sources).exists():
        folder = cache_folder() / _version(sources, neuron.__version__)
        if not _library(folder).exists():
            _compile(sources, folder)
    neuron.load_mechanisms(str(folder))
    neuron.nrn_dll_loaded.append(str(sources))


def cache_folder() -> Path:
    """``volr/pynn`` in ``$XDG_CACHE_HOME`` or ``~/.cache``."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(base) if base.startswith("/") else Path.home() / ".cache") / "volr" / "pynn"


def _sources() -> Path:
    found = importlib.util.find_spec("pyNN")
    assert found is not None and found.origin is not None  # noqa: S101, PT018 (it is imported)
    return Path(found.origin).parent / "neuron" / "nmodl"


def _library(folder: Path) -> Path:
    return folder / platform.machine() / _LIBRARY


def _version(sources: Path, version: str) -> str:
    """A name for what comes of these sources, this NEURON and this interpreter."""
    said = hashlib.sha256(f"{version} {sys.prefix}".encode())
    for source in sorted(sources.glob("*.mod")):
        said.update(source.read_bytes())
    return f"neuron-{said.hexdigest()[:16]}"


def _compile(sources: Path, folder: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / "neuron.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if _library(folder).exists():
            return
        bin_folder = Path(sys.executable).parent
        program = shutil.which("nrnivmodl", path=f"{bin_folder}{os.pathsep}{os.environ['PATH']}")
        if program is None:
            raise RuntimeError("NEURON's nrnivmodl is not there")
        with tempfile.TemporaryDirectory(dir=folder.parent) as place:
            done = subprocess.run(
                [program, str(sources)],
                cwd=place,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
            )
            if done.returncode != 0 or not _library(Path(place)).exists():
                raise RuntimeError(f"PyNN's NEURON mechanisms do not compile:\n{done.stdout}")
            # Whole or not at all.
            shutil.rmtree(folder, ignore_errors=True)
            shutil.copytree(place, folder.with_suffix(".part"), dirs_exist_ok=True)
            folder.with_suffix(".part").rename(folder)
