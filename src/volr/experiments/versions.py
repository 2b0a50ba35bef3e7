"""What a run is made with: versions, Volr's own source, and the processor.

The source and the processor decide the last bits: another kind of processor adds up matrix products
in another order, so that training gives other parameters.
"""

from __future__ import annotations

import hashlib
import platform
from functools import cache
from importlib import metadata
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import volr

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

PACKAGES = (
    *("numpy", "torch", "numba", "nest-simulator", "pynn", "brian2", "neuron", "futhark-ffi"),
    *("distributed", "optuna"),
)
_PROCESSORS = Path("/proc/cpuinfo")
_NUMBERS = {"family": "cpu family", "model": "model"}
# The vector instructions by which numerical libraries choose their code, the latest last.
_VECTORS = ("sse4_2", "avx", "avx2", "avx512f")


def versions() -> Mapping[str, str]:
    """The versions of Volr, Python and the installed ``PACKAGES``, by name; the beginning of the
    SHA-256 of Volr's source, and the processor.
    """
    return {
        "volr": volr.__version__,
        "volr source": _source(),
        "python": platform.python_version(),
        **_installed(),
        "processor": _processor(),
    }


def differing(made: Iterable[Mapping[str, str]]) -> dict[str, tuple[str, ...]]:
    """What several runs were made with that is not the same for all, by name."""
    every = list(made)
    names = dict.fromkeys(name for each in every for name in each)
    found = {name: tuple(dict.fromkeys(each.get(name, "none") for each in every)) for name in names}
    return {name: values for name, values in found.items() if len(values) > 1}


def differences(made: Iterable[Mapping[str, str]]) -> str:
    """``differing`` as a line; empty if nothing differs."""
    return "; ".join(f"{name} {', '.join(values)}" for name, values in differing(made).items())


@cache
def _installed() -> Mapping[str, str]:
    found: dict[str, str] = {}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return MappingProxyType(found)


@cache
def _source() -> str:
    """A hash of the path and the content of every module of this package."""
    root = Path(volr.__file__).parent
    found = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        content = path.read_bytes()
        found.update(f"{path.relative_to(root).as_posix()} {len(content)}\n".encode())
        found.update(content)
    return found.hexdigest()[:12]


@cache
def _processor() -> str:
    """Its name, family, model and widest vector instructions, as far as the system shows them."""
    try:
        lines = _PROCESSORS.read_text(encoding="utf-8", errors="replace").split("\n\n")[0]
    except OSError:
        return platform.processor() or platform.machine()
    lscpu = {
        name.strip(): value.strip()
        for name, _, value in (line.partition(":") for line in lines.splitlines())
    }
    if "model name" not in lscpu:
        return platform.machine()
    numbers = [f"{name} {lscpu[key]}" for name, key in _NUMBERS.items() if key in lscpu]
    flags = lscpu.get("flags", "").split()
    vectors = [each for each in _VECTORS if each in flags][-1:]
    return ", ".join([lscpu["model name"], *numbers, *vectors])
