"""What PyNN has no words for, or does wrong or slowly, on one of its simulators.

It is done through the simulators that PyNN imports, and through PyNN's own modules.
"""

from __future__ import annotations

import importlib
import warnings
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

import numpy as np
import pyNN.core
from pyNN.connectors import Connector
from pyNN.standardmodels import build_translations

from volr.backends.pynn import mechanisms

if TYPE_CHECKING:
    from collections.abc import Generator

    from numpy.typing import NDArray

    from volr.backends.pynn.recording import Built


AXIAL = 1e12
"""The resistivity, Ω cm, within a cell whose currents stay."""


def simulator(name: str) -> Any:
    """PyNN's module for a simulator, ready to be set up."""
    if name == "neuron":
        mechanisms.load(importlib.import_module("neuron"))
    find = pyNN.core.find
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Cannot find nest-config")
        # Importing the module would compile NEST models of PyNN's, of which no cell here is one.
        pyNN.core.find = lambda _: None
        try:
            with _no_modules_for_nest() if name == "nest" else nullcontext():
                return importlib.import_module(f"pyNN.{name}")
        finally:
            pyNN.core.find = find


@contextmanager
def _no_modules_for_nest() -> Generator[None]:
    """Let nobody load a module into NEST within, as PyNN tries to.

    NEST looks for modules where it was built as well. Its wheels were built in a folder in /tmp,
    which any user of the machine could make anew, with a library in it.
    """
    # Through its names, since the module does not let its attributes be set.
    nest: Any = importlib.import_module("nest")
    names: dict[str, Any] = nest.__dict__
    install = names["Install"]

    def refuse(name: str) -> None:
        raise nest.NESTError(f"{name} is not loaded")

    names["Install"] = refuse
    try:
        yield
    finally:
        names["Install"] = install


def cell_type(sim: Any, name: str, cell: str) -> Any:
    """PyNN's cells on the simulator of this name."""
    found = getattr(sim, cell)
    if name == "nest" and cell == "IF_curr_delta":
        # PyNN forgot to say where NEST keeps this neuron's membrane, so it starts at NEST's own
        # -70 mV and cannot be recorded.
        where = {"variable_map": {"v": "V_m"}, "scale_factors": {"v": 1}}
        return type(cell, (found,), where)
    return found


def source_type(sim: Any, name: str) -> Any:
    """PyNN's sources of given spikes on the simulator of this name."""
    found = sim.SpikeSourceArray
    if name == "nest":
        # PyNN sends spikes through neurons that repeat them, and so would have to send those of the
        # first step before there is time.
        same = build_translations(("spike_times", "spike_times"))
        return type("SpikeSource", (found,), {"uses_parrot": False, "translations": same})
    return found


class Synapses(Connector):
    """Cell ``pre[i]`` to cell ``post[i]`` with the weight ``values[i]``, in one go.

    PyNN's own connectors go through the targets one by one. On NEST each asks all sources for all
    their parameters, to learn their numbers; on Brian2 each synapse's weight is set by itself.
    """

    parameter_names = ()

    def __init__(
        self, pre: NDArray[Any], post: NDArray[Any], values: NDArray[Any], delay: float
    ) -> None:
        super().__init__()
        self.pre, self.post, self.values, self.delay = pre, post, values, delay

    def connect(self, projection: Any) -> None:
        simulator = projection._simulator
        cell = projection.post.celltype
        jumps = getattr(cell, "voltage_based_synapses", False)
        match simulator.name:
            case "NEST":
                scale = 1.0 if jumps else 1000.0
                if cell.conductance_based and projection.receptor_type == "inhibitory":
                    scale = -scale
                sources = _numbers(projection.pre)[self.pre]
                simulator.nest.Connect(
                    sources,
                    _numbers(projection.post)[self.post],
                    "one_to_one",
                    {
                        "synapse_model": projection.nest_synapse_model,
                        "synapse_label": projection.nest_synapse_label,
                        "weight": scale * self.values,
                        "delay": np.full(self.values.size, self.delay),
                    },
                )
                projection._sources.update(np.unique(sources).tolist())
            case "Brian2":
                brian2 = simulator.brian2
                currents = brian2.uS if cell.conductance_based else brian2.nA
                synapses = projection._brian2_synapses[0][0]
                synapses.connect(i=self.pre, j=self.post)
                synapses.weight = self.values * (brian2.mV if jumps else currents)
                synapses.delay = self.delay * brian2.ms
                if jumps:
                    # The threshold of the same step is to see a jump of the membrane.
                    synapses.pre.when = "before_thresholds"
                projection._n_connections = self.values.size
            case _:
                order = np.argsort(self.post, kind="stable")
                targets, first = np.unique(self.post[order], return_index=True)
                for target, those in zip(targets, np.split(order, first[1:]), strict=True):
                    projection._convergent_connect(
                        self.pre[those], int(target), weight=self.values[those], delay=self.delay
                    )


def _numbers(population: Any) -> NDArray[Any]:
    """NEST's numbers of the cells, which are consecutive."""
    size: int = population.size
    return int(population.all_cells[0]) + np.arange(size)


def hold_together(population: Any) -> None:
    """Let hardly any current flow within each of NEURON's cells.

    A section has a second node at its end, without area, whose membrane is that of the first but
    for rounding. What flows between the two is that rounding times the axial conductance, which is
    thousands of times c_m/dt. Where currents stay, so does what it adds to a membrane.
    """
    for each in population:
        each._cell.Ra = AXIAL


def let_go(built: Built) -> None:
    """Have NEURON forget the cells, or it would simulate them with every network to come.

    PyNN lists every projection ever made, and its objects refer to each other in rings through an
    array of objects and through a section's segment, neither of which Python's collector looks
    into.
    """
    built.sim.projections._projections.clear()
    # First the sources that NEURON knows by number: it must not meet one that is gone.
    built.sim.simulator.state.clear()
    for population in built.populations.values():
        for each in population:
            cell: Any = each._cell
            # A source of given spikes has no section.
            for name in ("seg", "source_section"):
                if hasattr(cell, name):
                    delattr(cell, name)
            del each._cell, each.parent
