"""What the scripts for PyNN and Brian2 share.

A script begins with tables, which are Python literals. Large arrays are in a NumPy archive beside
it. Reading back parses the script and never runs it, so it is safe for files from anywhere.
"""

from __future__ import annotations

import io
import math
import re
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from volr.backends.populations import neurons_of, one_neuron
from volr.backends.readback import Told
from volr.models.first_spike import FirstSpike
from volr.models.parameters import synapses
from volr.neurons import stays

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from volr.backends.base import Files
    from volr.models.model import SpikingModel
    from volr.network import Projection
    from volr.network.connectors.synapses import Synapses

_MARK = re.compile(r"^([1nmsrfudcve]+)\|")

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


@dataclass(frozen=True, kw_only=True)
class Kind:
    """What a script has to do, beyond the simplest there is.

    ``several``  its populations have different neurons
    ``listed``   its synapses are lists, since matrices of weights cannot hold them
    ``first``    its inputs spike once, and so does a clock
    ``delays``   projections have delays of their own
    ``final``    its outputs are read as their last membranes
    ``endless``  currents stay: the time constants of synapses are infinite
    """

    several: bool = False
    listed: bool = False
    first: bool = False
    delays: bool = False
    final: bool = False
    endless: bool = False

    @staticmethod
    def of(model: SpikingModel, held: Mapping[Projection, Synapses]) -> Kind:
        """The kind of script for a model, whose synapses are ``held``."""
        return Kind(
            several=one_neuron(model) is None,
            listed=needs_lists(model, held),
            first=isinstance(model.coding, FirstSpike),
            delays=bool(model.delays),
            final=model.readout == "final",
            endless=any(map(stays, neurons_of(model).values())),
        )

    @property
    def marks(self) -> frozenset[str]:
        """The marks of the lines that such a script has."""
        return frozenset(
            (
                "n" if self.several else "1",
                "s" if self.listed else "m",
                "f" if self.first else "r",
                "d" if self.delays else "u",
                "v" if self.final else "c",
                *("e" if self.endless else ""),
            )
        )


def program_for(text: str, kind: Kind) -> str:
    """The program of a script, out of a ``text`` for all scripts.

    A line may begin with marks and a ``|``, and then it is only for scripts that have all of them:
    ``1`` for models whose populations all have the same neurons, ``n`` for ``several`` kinds; ``m``
    for matrices of weights, ``s`` for ``listed`` synapses; ``r`` for rates, ``f`` for ``first``
    spikes; ``u`` for one delay, ``d`` for ``delays`` by projection; ``c`` for the counts and the
    mean membranes of outputs, ``v`` for the ``final`` ones; ``e`` for ``endless`` currents.
    """
    kept: list[str] = []
    for line in text.splitlines(keepends=True):
        mark = _MARK.match(line)
        if mark is None:
            kept.append(line)
        elif set(mark[1]) <= kind.marks:
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
