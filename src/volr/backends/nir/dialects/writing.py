"""Writing a model as a file for one importer, and reading it back."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from volr.backends.nir.dialects.read_back import back, metadata_text
from volr.backends.nir.dialects.ring import neuron_of_layers, ring
from volr.backends.nir.graph import DIALECT
from volr.backends.nir.hdf5_read import read_graph
from volr.backends.nir.hdf5_write import write_graph
from volr.backends.refusals import elsewhere, otherwise, written_for
from volr.errors import ModelFileError, UnsupportedError
from volr.models.model import ArtificialModel, Model, SpikingModel
from volr.network import Connector
from volr.network.supported import check_connectors
from volr.neurons import IFCurrDelta, IFCurrExp

if TYPE_CHECKING:
    from collections.abc import Iterator

    from volr.backends.base import Files
    from volr.backends.nir.dialects.dialect import Dialect
    from volr.backends.readback import SpikingReadback

SUFFIX = ".nir"

# What a file's metadata says: the step in s, norse's word for the reset, and the rest for ``back``.
_DT, _RESET, _RING = "volr.dt", "volr.reset", "volr.ring"
_METHODS = {"hard": "reset_value", "subtract": "reset_subtract"}

# A ring in single precision tells e^(−dt/τ) from 1 and from 0 within these.
_FASTEST, _SLOWEST = 1e-6, 1.0 - 1e-5


def write_for(model: Model, dialect: Dialect) -> Files:
    """The file from which the importer gets the model's spike trains, in single precision.

    Raises ``UnsupportedError``, with ways out, for a model that the importer cannot express,
    ``ModelError`` where there is not the memory for it.
    """
    if isinstance(model, ArtificialModel):
        raise UnsupportedError(
            f"nir for {dialect.name} is for spiking models, and this one is artificial",
            help="make it one with `volr transfer`, or write nir or onnx",
        )
    way = elsewhere("reference")
    check_connectors(model.network, (Connector,), f"nir for {dialect.name}", way, several=True)
    _check_expressible(model, dialect)
    made, dt = ring(model), model.dt / 1000.0
    metadata = {
        DIALECT: dialect.name,
        _DT: repr(dt),
        _RESET: _METHODS[neuron_of_layers(model).reset],
        _RING: metadata_text(model, made),
    }
    graph = replace(dialect.graph(made, dialect.dt or dt), metadata=metadata)
    return {SUFFIX: write_graph(graph, np.float32)}


def read_back(files: Files, dialect: Dialect) -> SpikingReadback:
    """What a file of ``write_for`` holds; ``ModelFileError`` for any other file."""
    graph = read_graph(files.get(SUFFIX, b""))
    if graph.metadata.get(DIALECT) != dialect.name or _RING not in graph.metadata:
        raise ModelFileError(f"Volr did not write this NIR file for {dialect.name}")
    return back(graph, dialect, graph.metadata[_RING])


def _check_expressible(model: SpikingModel, dialect: Dialect) -> None:
    found = list(_inexpressible(model, dialect))
    if not found:
        return
    wrong, ways = zip(*found, strict=True)
    # A transfer has no other readout.
    makers = "`volr train`" if model.readout != "count" else "`volr train` or `volr transfer`"
    another_way = f"{makers} with {', '.join(dict.fromkeys(ways))}"
    raise UnsupportedError(
        f"nir for {dialect.name} cannot express this model: " + "; ".join(wrong),
        help=f"{written_for('brian2')}; {otherwise(another_way)}",
    )


def _inexpressible(model: SpikingModel, dialect: Dialect) -> Iterator[tuple[str, str]]:
    """What the importer cannot express, each with options for a model that it can."""
    neuron = neuron_of_layers(model)
    if neuron.has_conductances:
        ways = f"--neuron {IFCurrDelta.name} or {IFCurrExp.name}"
        yield f"it has no neuron model {neuron.name!r}", ways
    if neuron.reset not in dialect.resets:
        way = "subtracts the threshold" if neuron.reset == "hard" else "resets to a value"
        wrong = f"its importer {way} at a spike, whatever the file says"
        yield wrong, f"--reset {dialect.resets[0]}"
    if neuron.refractory_steps(model.dt) > 0:
        wrong = f"it has no refractory period, and tau_refrac is {neuron.tau_refrac:g} ms"
        yield wrong, "--neuron-parameter tau_refrac=0"
    if neuron.has_currents and len(neuron.channels) > 1:
        e, i = (neuron.numbers[key] for key in ("tau_syn_E", "tau_syn_I"))
        taus = f"tau_syn_E is {e:g} ms but tau_syn_I {i:g} ms"
        wrong = f"a neuron has only one synaptic current there, and {taus}"
        yield wrong, f"--neuron-parameter tau_syn_I={e:g}"
    if model.readout != "count":
        wrong = "its neurons all spike, and this model's readout is the membrane"
        yield wrong, "--readout count"
    if not neuron.leaks:
        yield "all its neurons leak, and tau_m is infinite", "--neuron-parameter tau_m=1000"
    decays = {"tau_m": neuron.decay(model.dt)} if neuron.leaks else {}
    if neuron.leaks and neuron.has_currents:
        decays["tau_syn_E"] = neuron.synaptic_decays(model.dt)[0]
    for key, decay in decays.items():
        if not _FASTEST <= decay <= _SLOWEST:
            kept = "none" if decay < _FASTEST else "endless"
            wrong = f"{key} is {neuron.numbers[key]:g} ms, which single precision cannot tell from "
            yield (
                f"{wrong}{kept} at steps of {model.dt:g} ms",
                f"another --neuron-parameter {key} or --dt",
            )
