"""A ring in a file back in our words, for ``volr verify``.

What the arrays hold is taken out of them: weights, currents, decays, thresholds, and which units
are read. How the units stand in a row, how many of them a spike passes on its way, which neuron
model it was, and where its mV and nF begin, no array tells: that is in the metadata. All other
entries of the arrays, and the edges, have to be those of a ring: see ``entries`` and ``updates``.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from volr.backends.nir.dialects import importers
from volr.backends.nir.dialects.entries import Entries
from volr.backends.nir.dialects.updates import wrong_cells, wrong_edges
from volr.backends.readback import (
    METADATA,
    Asked,
    Cells,
    Said,
    SpikingReadback,
    Told,
    all_asked,
    precision_of,
)
from volr.errors import ModelError, ModelFileError, NetworkError
from volr.network import Network, Population, Projection
from volr.neurons import NeuronModel, neuron_model

if TYPE_CHECKING:
    from volr.backends.nir.dialects.ring import Ring
    from volr.backends.nir.graph import Graph
    from volr.checks.arrays import Floats
    from volr.models.model import SpikingModel


def described(model: SpikingModel, ring: Ring) -> str:
    """The metadata that ``back`` needs, as JSON."""
    network, neuron = model.network, model.neuron
    return json.dumps(
        {
            "populations": [[each.name, each.size] for each in network.populations],
            "projections": [[each.source, each.target] for each in network.projections],
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


def back(graph: Graph, dialect: str, text: str) -> SpikingReadback:
    """What a file of ``dialect``, described by ``text``, holds.

    Raises ``ModelFileError`` for one that is none of ours.
    """
    try:
        with np.errstate(all="ignore"):
            return _Back(graph, dialect, json.loads(text)).read()
    except (LookupError, TypeError, ValueError, ModelError, NetworkError, OverflowError) as error:
        raise ModelFileError(f"this NIR file is none of Volr's: {error}") from error


@dataclass
class _Back:
    graph: Graph
    dialect: str
    told: dict[str, Any]

    def read(self) -> SpikingReadback:
        network, neuron, dt = self._network(), self._neuron(), float(self.told["dt"])
        a, b, theta, scale = importers.held(
            self.graph, self.dialect, dt / 1000.0, neuron.reset, currents=self._has_currents(neuron)
        )
        recurrent = self._weight("recurrent") / scale
        if "recurrent_rows" in self.graph.nodes:
            recurrent = self._weight("recurrent_rows") @ recurrent
        drive = self.graph.nodes["drive"].values
        into, bias = drive["weight"] / scale, drive["bias"] / scale
        neuron = self._as_held(neuron, a, b, theta, dt)
        chains = cast("dict[str, list[int]]", self.told["chains"])
        unit = 1.0 if b is None else neuron.synaptic_rises(dt)[0]

        def units(name: str, stage: int = 0) -> slice:
            start = chains[name][stage]
            return slice(start, start + network[name].size)

        delays: dict[str, float] = {}
        for name, starts in chains.items():
            steps = 1
            for stage in range(1, len(starts)):
                block = recurrent[units(name, stage), units(name, stage - 1)]
                steps += int((block > 0.0).sum() == len(block) and (block.diagonal() > 0.0).all())
            delays[name] = (steps if b is None else steps - 1) * dt
        weights = {
            (p.source, p.target): recurrent[units(p.target), units(p.source, -1)] / unit
            for p in network.projections
        }
        biases: dict[str, Floats] = {}
        start = neuron.v_rest - neuron.v_reset
        for population in network.layers:
            rows = units(population.name)
            first, later = bias[rows], np.zeros(population.size)
            if self.told["clocks"]:
                later = recurrent[rows, self.told["clocks"][0]]
            each = first + later + (0.0 if b is None else b * first)
            biases[population.name] = (each - (1.0 - a) * start) / neuron.rise(dt)
        entries = Entries(
            network=network,
            chains=chains,
            clocks=self.told["clocks"],
            into=into,
            bias=bias,
            recurrent=recurrent,
            select=self._weight("select"),
            a=a,
            b=b or 0.0,
            theta=theta,
            start=start,
            reset=neuron.reset,
        )
        rest = {
            **entries.check(),
            "cells": wrong_cells(self.graph, self.dialect, dt / 1000.0, (a, b, theta)),
            "edges": wrong_edges(self.graph, self.dialect),
        }
        cells = self._cells(neuron)
        inputs = dict.fromkeys(network.inputs, Told("the file takes the spikes of the inputs"))
        return SpikingReadback(
            populations=all_asked({p.name: p.size for p in network.populations}, METADATA),
            inputs=Asked(self._inputs(network, into, units)),
            outputs=Asked(self._outputs(network, chains)),
            weights=all_asked(weights),
            biases=all_asked(biases),
            cells={**{p.name: cells for p in network.layers}, **inputs},
            # That each relay passes its spike on is asked; how many there are says the metadata.
            delays=all_asked({ends: delays[ends[0]] for ends in weights}, METADATA),
            dt=Asked(dt, METADATA),
            precision=precision_of(self.graph.types),
            rest=all_asked(rest),
        )

    def _cells(self, neuron: NeuronModel) -> Cells:
        """Time constants and the distance to the threshold are the arrays'."""
        held = ("tau_m", "v_thresh", "tau_syn_E", "tau_syn_I")
        numbers: dict[str, Said[float]] = {
            name: Asked(value, "" if name in held else METADATA)
            for name, value in neuron.numbers.items()
            if name != "i_offset"
        }
        numbers["tau_refrac"] = Told("no importer has refractoriness")
        return Cells(Asked(neuron.name, METADATA), Asked(neuron.reset, METADATA), numbers)

    def _network(self) -> Network:
        return Network(
            populations=tuple(Population(name, (size,)) for name, size in self.told["populations"]),
            projections=tuple(Projection(*ends) for ends in self.told["projections"]),
            inputs=tuple(self.told["inputs"]),
            outputs=tuple(self.told["outputs"]),
        )

    def _neuron(self) -> NeuronModel:
        return neuron_model(self.told["neuron"], self.told["numbers"], self.told["reset"])

    @staticmethod
    def _has_currents(neuron: NeuronModel) -> bool:
        return neuron.has_currents

    @staticmethod
    def _as_held(
        neuron: NeuronModel, a: float, b: float | None, theta: float, dt: float
    ) -> NeuronModel:
        """The neuron with what the arrays hold of it."""
        tau_m = -dt / math.log(a)
        held = replace(neuron, tau_m=tau_m, v_thresh=neuron.v_reset + theta, tau_refrac=0.0)
        if b is None or not held.has_currents:
            return held
        tau = -dt / math.log(b)
        return neuron_model(
            held.name, {**held.numbers, "tau_syn_E": tau, "tau_syn_I": tau}, held.reset
        )

    def _weight(self, name: str) -> Floats:
        return self.graph.nodes[name].values["weight"]

    def _inputs(self, network: Network, into: Floats, units: Any) -> tuple[str, ...]:
        """Those whose units hear a column of the input each, in the order of the columns."""
        found: list[str] = []
        column = 0
        for name in network.inputs:
            size = network[name].size
            block = into[units(name), column : column + size]
            if block.shape == (size, size) and ((block > 0.0) == np.eye(size, dtype=bool)).all():
                found.append(name)
            column += size
        return tuple(found)

    def _outputs(self, network: Network, chains: dict[str, list[int]]) -> tuple[str, ...]:
        """The populations that ``select`` shows whole, in the order of its rows."""
        select = self._weight("select")
        shown = select.argmax(axis=1).tolist()
        found: list[str] = []
        starts = {starts[0]: name for name, starts in chains.items()}
        while shown:
            name = starts.get(shown[0], "")
            size = network[name].size if name else 1
            whole = shown[:size] == list(range(shown[0], shown[0] + size))
            found.append(name if name and whole else f"unit {shown[0]}")
            shown = shown[size:]
        return tuple(found)
