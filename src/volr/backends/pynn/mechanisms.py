"""The NEURON mechanisms of PyNN, compiled once for all processes.

PyNN compiles them into its own folder when it is first imported, if it can write there and finds
``nrnivmodl`` on the path; two processes at once get in each other's way. Here they are compiled
into the user's cache, by one process while the others wait. A process that is killed takes the
compiler with it.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import logging
import platform
import sys
import tempfile
from importlib import metadata
from pathlib import Path
from typing import Any

from volr.system.caches import cache_for, cache_path, close_to_others
from volr.system.commands import find_command, run_command
from volr.system.storage import open_lock
from volr.system.temporary import Workplace

logger = logging.getLogger("volr")

_LIBRARY = "libnrnmech.so"
_UNUSED = frozenset(
    (
        *("gap", "gif", "gsfa_grr", "hh_traub", "izhikevich", "quantal_stp"),
        *("stdwa_guetig", "stdwa_softlimits", "stdwa_songabbott", "stdwa_symm"),
        *("stdwa_vogels2011", "stochastic_synapse", "stochastic_tsodyksmarkram"),
        "tsodyksmarkram",
    )
)
"""Neurons and synapses that Volr does not use. PyNN asks for them only when one is made, and they
take more than half of the time to compile. Volr does not use AdExpIF either, but a test puts it in
the place of a cell's own reset."""


def load(neuron: Any) -> None:
    """Load them into this process, and tell ``neuron`` so, that PyNN does not look for them.

    Raises ``RuntimeError``, with what the compiler said, where they do not compile.
    """
    sources = _sources()
    if str(sources) in neuron.nrn_dll_loaded:
        return
    folder = sources
    if not _library(sources).exists():
        version = _version(sources, neuron.__version__)
        folder = cache_for("pynn", version) / version
        if not _library(folder).exists():
            _compile(sources, folder)
    neuron.load_mechanisms(str(folder))
    neuron.nrn_dll_loaded.append(str(sources))


def announce() -> None:
    """Log that they have to be compiled, where they have to: it takes some twenty seconds."""
    sources = _sources()
    folder = cache_path("pynn") / _version(sources, metadata.version("neuron"))
    if not (_library(sources).exists() or _library(folder).exists()):
        logger.warning("compiling PyNN's mechanisms for NEURON, once: half a minute")


def _sources() -> Path:
    found = importlib.util.find_spec("pyNN")
    assert found is not None and found.origin is not None  # noqa: S101, PT018 (it is imported)
    return Path(found.origin).parent / "neuron" / "nmodl"


def _library(folder: Path) -> Path:
    return folder / platform.machine() / _LIBRARY


def _version(sources: Path, version: str) -> str:
    """A name that depends on these sources, this NEURON and this interpreter."""
    digest = hashlib.sha256(f"{version} {sys.prefix}".encode())
    for source in _used(sources):
        digest.update(source.read_bytes())
    return f"neuron-{digest.hexdigest()[:16]}"


def _used(sources: Path) -> list[Path]:
    return sorted(each for each in sources.glob("*.mod") if each.stem not in _UNUSED)


def _compile(sources: Path, folder: Path) -> None:
    with open_lock(folder.parent / "neuron.lock") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if _library(folder).exists():
            return
        with Workplace("unfinished", folder.parent) as place, tempfile.TemporaryFile() as log:
            code = run_command([_compiler(), *map(str, _used(sources))], place, log)
            if code != 0 or not _library(place).exists():
                log.seek(0)
                output = log.read().decode(errors="replace")
                raise RuntimeError(f"PyNN's NEURON mechanisms do not compile:\n{output}")
            close_to_others(place)
            # Whole or not at all. What is there lacks the library.
            with Workplace("unfinished", folder.parent) as aside:
                if folder.exists():
                    folder.rename(aside / folder.name)
                place.rename(folder)


def _compiler() -> str:
    """NEURON's own compiler, beside the interpreter or on the path."""
    beside = Path(sys.executable).with_name("nrnivmodl")
    program = str(beside) if beside.exists() else find_command("nrnivmodl")
    if program is None:
        raise RuntimeError("NEURON's nrnivmodl is not there")
    return program
