"""A model for one importer: the ring in that importer's words, as a file, and read back from it."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from volr.backends.base import elsewhere, otherwise
from volr.backends.nir.dialects import SUFFIX, dialect, importers
from volr.backends.nir.dialects.read_back import back, described
from volr.backends.nir.dialects.ring import Ring, ring
from volr.backends.nir.dialects.rules import DIALECT
from volr.backends.nir.hdf5_read import read_graph
from volr.backends.nir.hdf5_write import write_graph
from volr.errors import ModelFileError, UnsupportedError
from volr.models.model import ArtificialModel, Model, SpikingModel
from volr.neurons import IFCurrDelta, IFCurrExp, NeuronModel

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from volr.backends.base import Files
    from volr.backends.nir.dialects import Dialect
    from volr.backends.nir.graph import Graph
    from volr.backends.readback import SpikingReadback

# What a ring is to each importer, with the time step in s.
_GRAPHS: Mapping[str, Callable[[Ring, float], Graph]] = MappingProxyType(
    {
        "norse": importers.norse,
        "snntorch": importers.snntorch,
        "spikingjelly": importers.spikingjelly,
        "sinabs": importers.sinabs,
    }
)

# What a file's metadata says: the step in s, norse's word for the reset, and the rest for ``back``.
_DT, _RESET, _RING = "volr.dt", "volr.reset", "volr.ring"
_METHODS = {"hard": "reset_value", "subtract": "reset_subtract"}


# A ring in single precision tells e^(−dt/τ) from 1 and from 0 within these.
_FASTEST, _SLOWEST = 1e-6, 1.0 - 1e-5


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
    graph = replace(_graph(spiking, found), metadata=metadata)
    return {SUFFIX: write_graph(graph, np.float32)}


def read_back(files: Files, name: str) -> SpikingReadback:
    """What the file of ``write_for`` holds; ``ModelFileError`` for one that is none."""
    graph = read_graph(files.get(SUFFIX, b""))
    if graph.metadata.get(DIALECT) != name or _RING not in graph.metadata:
        raise ModelFileError(f"this NIR file is none that Volr wrote for {name}")
    return back(graph, name, graph.metadata[_RING])


def _spiking(model: Model, found: Dialect) -> SpikingModel:
    if isinstance(model, ArtificialModel):
        raise UnsupportedError(
            f"{_title(found)} is for spiking models, and this one is artificial",
            help="make it one with `volr transfer`, or write nir or onnx",
        )
    return model


def _graph(model: SpikingModel, found: Dialect) -> Graph:
    _check_expressible(model, found)
    return _GRAPHS[found.name](ring(model), _seconds(model))


def _seconds(model: SpikingModel) -> float:
    return model.dt / 1000.0


def _title(found: Dialect) -> str:
    return f"nir for {found.name}"


def _check_expressible(model: SpikingModel, found: Dialect) -> None:
    neuron = model.neuron
    wrong: list[str] = []
    ways: list[str] = []
    if neuron.has_conductances:
        wrong.append(f"it has no neuron model {neuron.name!r}")
        ways.append(f"--neuron {IFCurrDelta.name} or {IFCurrExp.name}")
    if neuron.reset not in found.resets:
        way = "subtracts the threshold" if neuron.reset == "hard" else "resets to a value"
        wrong.append(f"its importer {way} at a spike, whatever the file says")
        ways.append(f"--reset {found.resets[0]}")
    if neuron.refractory_steps(model.dt) > 0:
        wrong.append(f"it has no refractoriness, and tau_refrac is {neuron.tau_refrac:g} ms")
        ways.append("--neuron-parameter tau_refrac=0")
    if neuron.has_currents and len(neuron.channels) > 1:
        e, i = (neuron.numbers[key] for key in ("tau_syn_E", "tau_syn_I"))
        wrong.append(
            "a neuron has one synaptic current there, and tau_syn_E is "
            f"{e:g} ms but tau_syn_I {i:g} ms"
        )
        ways.append(f"--neuron-parameter tau_syn_I={e:g}")
    if model.readout != "count":
        wrong.append("its neurons all spike, and this model's readout is the membrane")
        ways.append("--readout count")
    if not neuron.leaks:
        wrong.append("its neurons leak, and tau_m is infinite")
        ways.append("--neuron-parameter tau_m=1000")
    for key, decay in _decays(neuron, model.dt).items():
        if neuron.leaks and not _FASTEST <= decay <= _SLOWEST:
            wrong.append(
                f"{key} is {getattr(neuron, key):g} ms, which single precision cannot tell from "
                f"{'none' if decay < _FASTEST else 'endless'} at steps of {model.dt:g} ms"
            )
            ways.append(f"another --neuron-parameter {key} or --dt")
    if wrong:
        # A transfer has no other readout.
        makers = "`volr train`" if model.readout != "count" else "`volr train` or `volr transfer`"
        told = f"{makers} with {', '.join(dict.fromkeys(ways))}"
        raise UnsupportedError(
            f"{_title(found)} cannot say this model: " + "; ".join(wrong),
            help=f"{elsewhere('brian2', verb='write it for')}; {otherwise(told)}",
        )


def _decays(neuron: NeuronModel, dt: float) -> dict[str, float]:
    if neuron.has_currents:
        return {"tau_m": neuron.decay(dt), "tau_syn_E": neuron.synaptic_decays(dt)[0]}
    return {"tau_m": neuron.decay(dt)}
