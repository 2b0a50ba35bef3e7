"""What the scripts for PyNN and Brian2 share.

A script begins with tables, which are Python literals. Large arrays are in a NumPy archive beside
it. Reading back parses the script and never runs it, so it is safe for files from anywhere.
"""

from __future__ import annotations

import io
import math
import re
import zipfile
from typing import TYPE_CHECKING, Any

import numpy as np

from volr.backends.readback import Told
from volr.models.parameters import synapses

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from volr.backends.base import Files
    from volr.models.model import SpikingModel
    from volr.network import Projection
    from volr.network.connectors.synapses import Synapses

_MARK = re.compile(r"^(?=[1nms])([1n]?)([ms]?)\|")

DAMAGED = (
    AttributeError,
    IndexError,
    KeyError,
    MemoryError,
    OSError,
    RecursionError,
    SyntaxError,
    TypeError,
    ValueError,
    zipfile.BadZipFile,
)
"""The errors that another script, or another archive beside it, can raise."""

AS_TEXT = Told("its numbers are text, and Python reads them as float64")
"""The precision of a script without an archive."""


def program_for(text: str, *, several: bool, listed: bool) -> str:
    """The program of a script, out of a ``text`` for all scripts.

    A line that begins with ``1|`` is only for models whose populations all have the same neurons,
    one with ``n|`` for those with ``several`` kinds. One with ``m|`` is for scripts with matrices
    of weights, one with ``s|`` for those in which synapses are ``listed``; ``1s|`` and so on for
    both.
    """
    kept: list[str] = []
    for line in text.splitlines(keepends=True):
        mark = _MARK.match(line)
        if mark is None:
            kept.append(line)
        elif mark[1] in ("", "n" if several else "1") and mark[2] in ("", "s" if listed else "m"):
            kept.append(line[mark.end() :])
    return "".join(kept)


def synapses_of(model: SpikingModel) -> dict[Projection, Synapses]:
    """The synapses of each projection."""
    network = model.network
    return {each: synapses(network, each, model.parameters) for each in network.projections}


def needs_lists(model: SpikingModel, held: Mapping[Projection, Synapses]) -> bool:
    """Whether matrices cannot hold the synapses: some are missing, or are between the same two."""
    network = model.network
    return any(
        each.number > 1 or len(those.weight) != math.prod(map(math.prod, network.ends(each)))
        for each, those in held.items()
    )


def float_types(arrays: Iterable[NDArray[Any]]) -> list[np.dtype[Any]]:
    """The types of those that are not whole numbers."""
    return [each.dtype for each in arrays if each.dtype.kind == "f"]


def packed(arrays: Mapping[str, Any]) -> bytes:
    """The bytes of an archive with these arrays."""
    body = io.BytesIO()
    np.savez(body, **arrays)
    return body.getvalue()


def arrays_beside(files: Files) -> dict[str, NDArray[Any]]:
    """The arrays of the archive beside a script; ``KeyError`` where there is none."""
    with np.load(io.BytesIO(files[".npz"]), allow_pickle=False) as beside:
        return {name: beside[name] for name in beside.files}
