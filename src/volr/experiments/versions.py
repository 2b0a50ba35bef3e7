"""With which versions of what computes a run is made."""

from __future__ import annotations

import platform
from functools import cache
from importlib import metadata
from types import MappingProxyType
from typing import TYPE_CHECKING

from volr import __version__

if TYPE_CHECKING:
    from collections.abc import Mapping

PACKAGES = (
    *("numpy", "torch", "numba", "nest-simulator", "pynn", "brian2", "neuron", "futhark-ffi"),
    *("distributed", "optuna"),
)


def versions() -> Mapping[str, str]:
    """Those of Volr, Python and the installed ones of ``PACKAGES``, by name."""
    return {"volr": __version__, "python": platform.python_version(), **_installed()}


@cache
def _installed() -> Mapping[str, str]:
    found: dict[str, str] = {}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return MappingProxyType(found)
