"""NIR as one importer reads it: files from which norse, snnTorch, SpikingJelly and sinabs get the
engine's spike trains.

A NIR file carries the graph, not its meaning: each importer has a discretisation, units and a reset
of its own. A dialect is a file for one of them alone, and says nothing to the others. It holds the
network as a ring (``ring``), in that importer's words (``importers``): frame k of its input are the
spikes of the network's inputs in step k, side by side, and frame k of its output are those of the
outputs, without any delay between the two but the network's own.

The importers compute in single precision and the engine in double. A membrane that comes within
some millionths of its threshold, one in 100,000 or so, may spike on one side only.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from volr.backends.base import Document
from volr.checks.names import named
from volr.errors import BackendError
from volr.models.coding import CODINGS
from volr.neurons import IFCurrDelta, IFCurrExp

if TYPE_CHECKING:
    from collections.abc import Mapping

    from volr.backends.base import Files
    from volr.backends.readback import SpikingReadback
    from volr.models.model import Model
    from volr.neurons import Reset

SUFFIX = ".nir"
PRECISION = 1e-5
"""The relative error of what is read back: some of it is a difference of numbers in float32."""


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """What is known of one importer: the ``version`` that was measured and how to ``install`` it,
    the ``resets`` that it has, and the Python lines that make a ``net`` of a ``graph``.
    """

    name: str
    version: str
    install: str
    resets: tuple[Reset, ...]
    call: tuple[str, ...]


_EACH = (
    Dialect(
        name="norse",
        version="1.1.0",
        install="norse",
        resets=("hard", "subtract"),
        call=(
            "import norse.torch",
            'reset = getattr(norse.torch.functional.reset, graph.metadata["volr.reset"])',
            'dt = float(graph.metadata["volr.dt"])',
            "net = norse.torch.from_nir(graph, reset_method=reset, dt=dt)",
        ),
    ),
    Dialect(
        name="snntorch",
        version="1.0.0",
        install="snntorch nir nirtorch",
        resets=("hard",),
        call=("from snntorch.import_nir import import_from_nir", "net = import_from_nir(graph)"),
    ),
    Dialect(
        name="spikingjelly",
        version="2.0.0",
        install="'spikingjelly[nir]'",
        resets=("hard",),
        call=(
            "from spikingjelly.activation_based.nir_exchange import import_from_nir",
            'net = import_from_nir(graph, dt=float(graph.metadata["volr.dt"]))',
        ),
    ),
    Dialect(
        name="sinabs",
        version="3.1.3",
        install="sinabs",
        resets=("subtract",),
        call=(
            "from sinabs.nir import from_nir",
            "net = from_nir(graph, batch_size=frames.shape[1], num_timesteps=1)",
        ),
    ),
)
DIALECTS: Mapping[str, Dialect] = MappingProxyType({each.name: each for each in _EACH})
"""The dialects that there are, by name."""


def dialect(name: str) -> Dialect:
    """The dialect of that name; ``BackendError`` when there is none."""
    return named("dialect of NIR", name, DIALECTS, BackendError)


def how_to(name: str, file: str = "FILE.nir") -> tuple[str, ...]:
    """The lines of Python that run a file of ``write_for``: from ``frames`` to ``spikes``.

    ``frames`` are the spikes of the model's inputs side by side, float32 ``[time, batch, unit]``.
    """
    found = dialect(name)
    return (
        f"# {found.name} {found.version}: pip install {found.install}",
        "import nir",
        f"graph = nir.read({file!r})",
        *found.call,
        "state, spikes = None, []",
        "for frame in frames:  # the inputs' spikes, one step after another, [batch, unit]",
        "    out, state = net(frame, state)",
        "    spikes.append(out)",
    )


def _write(model: Model, name: str) -> Files:
    from volr.backends.nir.dialects.writing import write_for

    return write_for(model, name)


def _read_back(files: Files, name: str) -> SpikingReadback:
    from volr.backends.nir.dialects.writing import read_back

    return read_back(files, name)


def _document(found: Dialect) -> Document:
    return Document(
        name=f"nir.{found.name}",
        summary=f"NIR from which {found.name} gets the same spikes",
        suffix=SUFFIX,
        requires=("h5py",),
        extra="nir",
        neurons=(IFCurrDelta.name, IFCurrExp.name),
        resets=found.resets,
        codings=tuple(each.name for each in CODINGS),
        readouts=("count",),
        write=lambda model: _write(model, found.name),
        read_back=lambda files: _read_back(files, found.name),
        precision=PRECISION,
        how_to=lambda file: how_to(found.name, file),
    )


DOCUMENTS: tuple[Document, ...] = tuple(map(_document, _EACH))
"""``nir.norse`` and so on."""
