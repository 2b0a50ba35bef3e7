"""A ring in a file as the network that it is, for ``volr verify``.

Weights, currents, decays, thresholds, and the units that are read come from the arrays. The order
of the units, the number of relays, the neuron model, and its resting potential and capacitance are
in the metadata. All other entries of the arrays, and the edges, must be those of a ring: see
``entries``. The nodes must make the importer compute the ring's update; each importer's file has
the rules for that.
"""

from __future__ import annotations

import itertools
import json
import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from volr.backends.nir.dialects.entries import wrong_entries
from volr.backends.nir.dialects.ring import Ring, neuron_of_layers
from volr.backends.readback import (
    METADATA,
    Answer,
    Asked,
    Cells,
    SpikingReadback,
    Told,
    all_asked,
    all_told,
    precision_of,
    uniform,
)
from volr.errors import ModelError, ModelFileError, NetworkError
from volr.network import Network, Population, Projection
from volr.neurons import NeuronModel, neuron_model

if TYPE_CHECKING:
    from collections.abc import Iterator

    from volr.backends.nir.dialects.dialect import Dialect, Held
    from volr.backends.nir.graph import Graph
    from volr.backends.readback import Ends
    from volr.checks.arrays import Floats
    from volr.models.model import SpikingModel


def metadata_text(model: SpikingModel, ring: Ring) -> str:
    """The metadata that ``back`` needs, as JSON."""
    network, neuron = model.network, neuron_of_layers(model)
    return json.dumps(
        {
            "populations": [[each.name, each.size] for each in network.populations],
            # One row for all projections between the same two populations, which add up.
            "projections": [list(each) for each in dict.fromkeys(_ends(network))],
            "inputs": network.inputs,
            "outputs": network.outputs,
            "chains": ring.chains,
            "clocks": ring.clocks,
            "neuron": neuron.name,
            "numbers": neuron.numbers,
            "reset": neuron.reset,
            "dt": model.dt,
        }
    )


def back(graph: Graph, dialect: Dialect, text: str) -> SpikingReadback:
    """What a file of ``dialect``, described by ``text``, holds.

    Raises ``ModelFileError`` for one that is none of ours.
    """
    try:
        with np.errstate(all="ignore"):
            return _Back(graph, dialect, json.loads(text)).read()
    except (LookupError, TypeError, ValueError, ModelError, NetworkError, ArithmeticError) as error:
        raise ModelFileError(f"this NIR file is none of Volr's: {error}") from error


@dataclass
class _Back:
    graph: Graph
    dialect: Dialect
    metadata: dict[str, Any]

    def read(self) -> SpikingReadback:
        metadata, network, dt = self.metadata, self._network(), float(self.metadata["dt"])
        neuron = neuron_model(metadata["neuron"], metadata["numbers"], metadata["reset"])
        step = self.dialect.dt or dt / 1000.0
        held = self.dialect.held(self.graph, step, neuron.reset, neuron.has_currents)
        ring = self._ring(held, neuron.reset)
        neuron = _as_held(neuron, held, dt)
        unit = 1.0 if ring.b is None else neuron.synaptic_rises(dt)[0]
        start = neuron.v_rest - neuron.v_reset

        delays: dict[str, float] = {}
        for name, starts in ring.chains.items():
            steps = 1 if ring.b is None else 0
            for stage in range(1, len(starts)):
                here, before = (ring.rows(network[name], each) for each in (stage, stage - 1))
                block = ring.recurrent[here, before]
                steps += int((block > 0.0).sum() == len(block) and (block.diagonal() > 0.0).all())
            delays[name] = steps * dt
        weights: dict[Ends, Floats] = {}
        for p in network.projections:
            rows, columns = ring.rows(network[p.target]), ring.rows(network[p.source], -1)
            weights[p.source, p.target] = ring.recurrent[rows, columns] / unit
        biases: dict[str, Floats] = {}
        for population in network.layers:
            rows = ring.rows(population)
            first, later = ring.bias[rows], np.zeros(population.size)
            if ring.clocks:
                later = ring.recurrent[rows, ring.clocks[0]]
            each = first + later + (0.0 if ring.b is None else ring.b * first)
            biases[population.name] = (each - (1.0 - ring.a) * start) / neuron.rise(dt)
        rest = {
            **wrong_entries(network, ring, start),
            "cells": tuple(self._wrong_cells(step, held)),
            "edges": tuple(self._wrong_edges()),
        }
        cells = _cells(neuron)
        why = "the file has no neurons for the inputs: it takes their spikes"
        inputs = all_told(network.inputs, why)
        return SpikingReadback(
            populations=all_asked({p.name: p.size for p in network.populations}, METADATA),
            inputs=Asked(_inputs(network, ring)),
            outputs=Asked(_outputs(network, ring)),
            weights=all_asked(weights),
            biases=all_asked(biases),
            cells={**{p.name: cells for p in network.layers}, **inputs},
            # That each relay passes its spike on is asked; how many there are says the metadata.
            delays=all_asked({ends: delays[ends[0]] for ends in weights}, METADATA),
            dt=Asked(dt, METADATA),
            precision=precision_of(self.graph.types),
            rest=all_asked(rest),
        )

    def _network(self) -> Network:
        metadata = self.metadata
        return Network(
            populations=tuple(Population(name, (size,)) for name, size in metadata["populations"]),
            projections=tuple(Projection(*ends) for ends in metadata["projections"]),
            inputs=tuple(metadata["inputs"]),
            outputs=tuple(metadata["outputs"]),
        )

    def _ring(self, held: Held, reset: str) -> Ring:
        """The ring in the file, mV."""
        nodes = self.graph.nodes
        recurrent = nodes["recurrent"].values["weight"] / held.scale
        if "recurrent_rows" in nodes:
            recurrent = nodes["recurrent_rows"].values["weight"] @ recurrent
        drive = nodes["drive"].values
        return Ring(
            into=drive["weight"] / held.scale,
            bias=drive["bias"] / held.scale,
            recurrent=recurrent,
            select=nodes["select"].values["weight"],
            a=held.a,
            b=held.b,
            theta=held.theta,
            reset=reset,
            chains=self.metadata["chains"],
            clocks=self.metadata["clocks"],
        )

    def _wrong_cells(self, step: float, held: Held) -> Iterator[str]:
        """How the nodes differ from those of a ring, in words."""
        nodes = self.graph.nodes
        cells = nodes["cells"].values
        for key, values in (("v_leak", cells["v_leak"]), ("v_reset", cells.get("v_reset", 0.0))):
            if (value := uniform(values)) != 0.0:
                yield f"{key} is {value:g}, expected 0"
        yield from self.dialect.wrong(self.graph, step, held)
        for name in ("recurrent", "select", "recurrent_rows"):
            if name in nodes and nodes[name].values.get("bias", np.zeros(1)).any():
                yield f"{name} has a bias, expected none"

    def _wrong_edges(self) -> Iterator[str]:
        """The edges that are missing, and the extra ones, in words."""
        wanted = set[tuple[str, str]]()
        for path in self.dialect.paths:
            names = path.split()
            if "currents" not in self.graph.nodes:
                names = [each for each in names if each != "currents"]
            wanted |= set(itertools.pairwise(names))
        edges = set(self.graph.edges)
        for before, after in sorted(wanted - edges):
            yield f"the edge {before} → {after} is missing"
        for before, after in sorted(edges - wanted):
            yield f"the edge {before} → {after} is too many"


def _as_held(neuron: NeuronModel, held: Held, dt: float) -> NeuronModel:
    """The neuron with the numbers that the arrays hold."""
    tau_m = -dt / math.log(held.a)
    found = replace(neuron, tau_m=tau_m, v_thresh=neuron.v_reset + held.theta, tau_refrac=0.0)
    if held.b is None or not found.has_currents:
        return found
    tau = -dt / math.log(held.b)
    return neuron_model(
        found.name, {**found.numbers, "tau_syn_E": tau, "tau_syn_I": tau}, found.reset
    )


def _cells(neuron: NeuronModel) -> Cells:
    """The neurons: time constants and threshold from the arrays, the rest from the metadata."""
    held = ("tau_m", "v_thresh", "tau_syn_E", "tau_syn_I")
    numbers: dict[str, Answer[float]] = {
        name: Asked(value, "" if name in held else METADATA)
        for name, value in neuron.numbers.items()
        if name != "i_offset"
    }
    numbers["tau_refrac"] = Told("no importer has a refractory period")
    return Cells(Asked(neuron.name, METADATA), Asked(neuron.reset, METADATA), numbers)


def _ends(network: Network) -> Iterator[Ends]:
    return ((each.source, each.target) for each in network.projections)


def _inputs(network: Network, ring: Ring) -> tuple[str, ...]:
    """The inputs whose units each receive one column of the input, in the order of the columns."""
    found: list[str] = []
    column = 0
    for name in network.inputs:
        size = network[name].size
        block = ring.into[ring.rows(network[name]), column : column + size]
        if block.shape == (size, size) and ((block > 0.0) == np.eye(size, dtype=bool)).all():
            found.append(name)
        column += size
    return tuple(found)


def _outputs(network: Network, ring: Ring) -> tuple[str, ...]:
    """The populations that ``select`` reads completely, in the order of its rows."""
    shown = ring.select.argmax(axis=1).tolist()
    found: list[str] = []
    names = {starts[0]: name for name, starts in ring.chains.items()}
    while shown:
        name = names.get(shown[0], "")
        size = network[name].size if name else 1
        whole = shown[:size] == list(range(shown[0], shown[0] + size))
        found.append(name if name and whole else f"unit {shown[0]}")
        shown = shown[size:]
    return tuple(found)
