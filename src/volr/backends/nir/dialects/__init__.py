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

import io
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from volr.backends.base import Document
from volr.backends.nir.dialects import importers
from volr.backends.nir.dialects.back import back, described
from volr.backends.nir.dialects.ring import Ring, ring
from volr.backends.nir.dialects.rules import DIALECT, lint
from volr.backends.nir.hdf5 import read_graph
from volr.errors import BackendError, ModelFileError, UnsupportedError
from volr.models.coding import CODINGS
from volr.models.model import ArtificialModel, Model, SpikingModel
from volr.models.neurons import IFCondExp, IFCurrDelta, IFCurrExp, NeuronModel
from volr.naming import named

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from volr.backends.base import Files
    from volr.backends.nir.graph import Graph
    from volr.backends.readback import Readback
    from volr.models.neurons import Reset

__all__ = [
    "DIALECTS",
    "DOCUMENTS",
    "Dialect",
    "graph_for",
    "how_to",
    "lint",
    "read_back",
    "write_for",
]


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """What is known of one importer: the ``version`` that was measured and how to ``install`` it,
    the ``resets`` that it has, what a ring is to it with the time step ``dt`` in s, and the Python
    lines that make a ``net`` of a ``graph``.
    """

    name: str
    version: str
    install: str
    resets: tuple[Reset, ...]
    graph: Callable[[Ring, float], Graph]
    call: tuple[str, ...]


_EACH = (
    Dialect(
        name="norse",
        version="1.1.0",
        install="norse",
        resets=("hard", "subtract"),
        graph=importers.norse,
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
        graph=importers.snntorch,
        call=("from snntorch.import_nir import import_from_nir", "net = import_from_nir(graph)"),
    ),
    Dialect(
        name="spikingjelly",
        version="2.0.0",
        install="'spikingjelly[nir]'",
        resets=("hard",),
        graph=importers.spikingjelly,
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
        graph=importers.sinabs,
        call=(
            "from sinabs.nir import from_nir",
            "net = from_nir(graph, batch_size=frames.shape[1], num_timesteps=1)",
        ),
    ),
)
DIALECTS: Mapping[str, Dialect] = MappingProxyType({each.name: each for each in _EACH})
"""The dialects that there are, by name."""

# What a file's metadata says: the step in s, norse's word for the reset, and the rest for ``back``.
_DT, _RESET, _RING = "volr.dt", "volr.reset", "volr.ring"
_METHODS = {"hard": "reset_value", "subtract": "reset_subtract"}

SUFFIX = ".nir"

# A ring in single precision tells e^(−dt/τ) from 1 and from 0 within these.
_FASTEST, _SLOWEST = 1e-6, 1.0 - 1e-5


def dialect(name: str) -> Dialect:
    """The dialect of that name; ``BackendError`` when there is none."""
    return named("dialect of NIR", name, DIALECTS, BackendError)


def graph_for(model: Model, name: str) -> Graph:
    """The graph from which the importer of that name gets the model's spike trains.

    Raises ``UnsupportedError``, with ways out, for a model that the importer cannot express,
    ``ModelError`` where there is not the memory for it.
    """
    found = dialect(name)
    return _graph(_spiking(model, found), found)


def write_for(model: Model, name: str) -> Files:
    """The file of ``graph_for``, as ``{".nir": …}``, in single precision. Raises as it does."""
    found = dialect(name)
    spiking = _spiking(model, found)
    metadata = {
        DIALECT: name,
        _DT: repr(_seconds(spiking)),
        _RESET: _METHODS[spiking.neuron.reset],
        _RING: described(spiking, ring(spiking)),
    }
    return {SUFFIX: _bytes(_graph(spiking, found), metadata)}


def read_back(files: Files, name: str) -> Readback:
    """What the file of ``write_for`` holds; ``ModelFileError`` for one that is none."""
    graph = read_graph(files.get(SUFFIX, b""))
    if graph.metadata.get(DIALECT) != name or _RING not in graph.metadata:
        raise ModelFileError(f"this NIR file is none that Volr wrote for {name}")
    return back(graph, name, graph.metadata[_RING])


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
        write=lambda model: write_for(model, found.name),
        read_back=lambda files: read_back(files, found.name),
        how_to=lambda file: how_to(found.name, file),
    )


DOCUMENTS: tuple[Document, ...] = tuple(map(_document, _EACH))
"""``nir.norse`` and so on."""


def _spiking(model: Model, found: Dialect) -> SpikingModel:
    if isinstance(model, ArtificialModel):
        raise UnsupportedError(
            f"{_title(found)} is for spiking models, and this one is artificial",
            help="make it one with `volr transfer`, or write nir or onnx",
        )
    return model


def _graph(model: SpikingModel, found: Dialect) -> Graph:
    _check_expressible(model, found)
    return found.graph(ring(model), _seconds(model))


def _seconds(model: SpikingModel) -> float:
    return model.dt / 1000.0


def _title(found: Dialect) -> str:
    return f"nir for {found.name}"


def _check_expressible(model: SpikingModel, found: Dialect) -> None:
    neuron = model.neuron
    wrong: list[str] = []
    ways: list[str] = []
    if isinstance(neuron, IFCondExp):
        wrong.append(f"it has no neuron model {neuron.name!r}")
        ways.append(f"--neuron {IFCurrDelta.name} or {IFCurrExp.name}")
    if neuron.reset not in found.resets:
        way = "subtracts the threshold" if neuron.reset == "hard" else "resets to a value"
        wrong.append(f"its importer {way} at a spike, whatever the file says")
        ways.append(f"--reset {found.resets[0]}")
    if neuron.refractory_steps(model.dt) > 0:
        wrong.append(f"it has no refractoriness, and tau_refrac is {neuron.tau_refrac:g} ms")
        ways.append("--neuron-parameter tau_refrac=0")
    if isinstance(neuron, IFCurrExp) and neuron.tau_syn_E != neuron.tau_syn_I:
        wrong.append(
            "a neuron has one synaptic current there, and tau_syn_E is "
            f"{neuron.tau_syn_E:g} ms but tau_syn_I {neuron.tau_syn_I:g} ms"
        )
        ways.append("--neuron-parameter tau_syn_I=" + format(neuron.tau_syn_E, "g"))
    if model.readout != "count":
        wrong.append("its neurons all spike, and this model's readout is the membrane")
        ways.append("--readout count")
    for key, decay in _decays(neuron, model.dt).items():
        if not _FASTEST <= decay <= _SLOWEST:
            wrong.append(
                f"{key} is {getattr(neuron, key):g} ms, which single precision cannot tell from "
                f"{'none' if decay < _FASTEST else 'endless'} at steps of {model.dt:g} ms"
            )
            ways.append(f"another {key} or --dt")
    if wrong:
        raise UnsupportedError(
            f"{_title(found)} cannot say this model: " + "; ".join(wrong),
            help="transfer or train it with " + ", ".join(dict.fromkeys(ways)),
        )


def _decays(neuron: NeuronModel, dt: float) -> dict[str, float]:
    if isinstance(neuron, IFCurrExp):
        return {"tau_m": neuron.decay(dt), "tau_syn_E": neuron.synaptic_decays(dt)[0]}
    return {"tau_m": neuron.decay(dt)}


def _bytes(graph: Graph, metadata: Mapping[str, str]) -> bytes:
    """The graph as a NIR file, in h5py's own words.

    nir adds a v_reset to every neuron, which the nir that sinabs asks for cannot read.
    """
    import h5py

    body = io.BytesIO()
    with h5py.File(body, "w") as file:
        file.create_dataset("version", data="1.0.4")
        root = file.create_group("node")
        root.create_dataset("type", data="NIRGraph")
        told = root.create_group("metadata")
        for key, text in metadata.items():
            told.create_dataset(key, data=text)
        nodes = root.create_group("nodes")
        for key, node in graph.nodes.items():
            group = nodes.create_group(key)
            group.create_dataset("type", data=node.kind)
            for parameter, values in node.values.items():
                dtype = np.int64 if parameter == "shape" else np.float32
                group.create_dataset(parameter, data=values.astype(dtype))
        ends = np.array(graph.edges, dtype=np.bytes_)
        root.create_dataset("edges", data=ends)
    return body.getvalue()
