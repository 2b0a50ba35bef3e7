"""What runs inside a PyNN process, on one of its simulators.

NEST and Brian2 get many copies of the network side by side, each with its stimulus, and are built
anew for every batch: their ``reset`` leaves spikes in flight, or costs as much. Neuron j of copy c
is cell c · size + j. NEURON forgets everything at a reset, and its synapses are slow to make, so
there one copy takes one stimulus after another.

What PyNN has no words for is asked of the simulator that it imports, through PyNN's own modules.
The file is long because no other one imports PyNN.
"""

from __future__ import annotations

import importlib
import warnings
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

import numpy as np
import pyNN.core
from pyNN.connectors import Connector
from pyNN.parameters import Sequence
from pyNN.standardmodels import build_translations

from volr.backends.pynn import mechanisms
from volr.backends.pynn.recording import Built, contents, is_given, run

if TYPE_CHECKING:
    from collections.abc import Generator

    from numpy.typing import NDArray

    from volr.backends.processes import Arrays, Settings


def handle(arrays: Arrays, settings: Settings) -> Arrays:
    """Build one batch and simulate it, or say what was built; all in PyNN's names and units.

    ``settings``: ``simulator``; ``copies``, ``dt`` (ms) and ``steps``; the time ``first``, in
    steps, of a spike in the first step; ``neurons`` by population, each the ``cell`` type, its
    ``parameters``, the ``delay`` (ms) of synapses onto them, and the ``solution`` of its equations,
    for Brian2; ``populations`` with their sizes, ``inputs``, ``projections`` as pairs; what to
    record: ``spiking`` (counts), ``spikes``, ``membranes``, ``means``; ``watch``, populations to be
    looked after: see ``recording.run``. ``arrays``:
    ``source->target.weight`` ``[post, pre]``, signed; ``name.current`` ``[unit]``; for an input
    ``name.current`` ``[batch, unit]`` or ``name.spikes`` ``[time, batch, unit]``. The answer has
    ``name.counts`` and ``name.means`` ``[batch, unit]``, ``name.spikes`` and ``name.membranes``
    ``[time, batch, unit]``, ``name.stuck`` ``[batch]``.

    With ``ask``, the parameters wanted of each population's cells, nothing is simulated: see
    ``recording.contents``.
    """
    sim = _simulator(settings["simulator"])
    alone = "ask" in settings or settings["simulator"] == "neuron"
    side_by_side: int = 1 if alone else settings["copies"]
    built = _build(sim, arrays, settings, side_by_side)
    if "ask" in settings:
        answer = contents(built, settings["ask"])
    else:
        answer = _simulate(built, arrays, settings, side_by_side)
    if settings["simulator"] == "neuron":
        _let_go(built)
    return answer


def _simulate(built: Built, arrays: Arrays, settings: Settings, side_by_side: int) -> Arrays:
    parts = [run(built, settings, side_by_side)]
    for row in range(side_by_side, settings["copies"]):
        # Not PyNN's `reset`, which first makes Neo objects of all that was recorded.
        built.sim.simulator.state.reset()
        _stimulate(built, arrays, settings, slice(row, row + 1))
        parts.append(run(built, settings, 1))
    return {
        name: np.concatenate([part[name] for part in parts], axis=max(parts[0][name].ndim - 2, 0))
        for name in parts[0]
    }


def _let_go(built: Built) -> None:
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


def _simulator(name: str) -> Any:
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


def _set_up(sim: Any, settings: Settings) -> None:
    dt = settings["dt"]
    match settings["simulator"]:
        case "nest":
            sim.setup(
                timestep=dt,
                min_delay=dt,
                max_delay=max([dt, *(each["delay"] for each in settings["neurons"].values())]),
                spike_precision="on_grid",
                verbosity="error",
            )
        case "brian2":
            brian2 = sim.simulator.brian2
            # Compiling takes longer than all that small networks have to compute.
            brian2.prefs.codegen.target = "numpy"
            # PyNN's sources of spikes are on the default clock.
            brian2.defaultclock.dt = dt * brian2.ms
            sim.setup(timestep=dt, min_delay=dt)
        case _:
            sim.setup(timestep=dt, min_delay=dt)
            sim.simulator.h.secondorder = 2


def _build(sim: Any, arrays: Arrays, settings: Settings, copies: int) -> Built:
    _set_up(sim, settings)
    neurons: dict[str, Settings] = settings["neurons"]
    sources = _source_type(sim, settings)
    populations: dict[str, Any] = {}
    for name, size in settings["populations"].items():
        if name not in neurons:
            populations[name] = sim.Population(copies * size, sources(), label=name)
            continue
        cell = _cell_type(sim, settings["simulator"], neurons[name]["cell"])
        parameters: dict[str, float] = neurons[name]["parameters"]
        start = {"v": parameters["v_rest"]}
        population = sim.Population(
            copies * size, cell(**parameters), initial_values=start, label=name
        )
        if neurons[name]["solution"]:
            solver = _solver(neurons[name]["solution"])
            population.brian2_group.state_updater.method_choice = solver
        if name not in settings["inputs"]:
            population.set(i_offset=np.tile(arrays[f"{name}.current"], copies))
        populations[name] = population
    projections: dict[tuple[str, str], list[Any]] = {}
    for source, target in settings["projections"]:
        matrix = arrays[f"{source}->{target}.weight"]
        ends = populations[source], populations[target]
        delay: float = neurons[target]["delay"]
        projections[source, target] = _project(sim, *ends, matrix, copies, settings["dt"], delay)
    built = Built(sim, populations, projections)
    _stimulate(built, arrays, settings, slice(0, copies))
    _record(built, settings)
    return built


def _solver(solution: str) -> Any:
    """A method of integration, to Brian2: it turns equations into what a step does."""

    def solve(*_: object) -> str:
        return solution

    return solve


def _cell_type(sim: Any, simulator: str, cell: str) -> Any:
    found = getattr(sim, cell)
    if simulator == "nest" and cell == "IF_curr_delta":
        # PyNN forgot to say where NEST keeps this neuron's membrane, so it starts at NEST's own
        # -70 mV and cannot be recorded.
        where = {"variable_map": {"v": "V_m"}, "scale_factors": {"v": 1}}
        return type(cell, (found,), where)
    return found


def _source_type(sim: Any, settings: Settings) -> Any:
    found = sim.SpikeSourceArray
    if settings["simulator"] == "nest":
        # PyNN sends spikes through neurons that repeat them, and so would have to send those of the
        # first step before there is time.
        same = build_translations(("spike_times", "spike_times"))
        return type("SpikeSource", (found,), {"uses_parrot": False, "translations": same})
    return found


class _Synapses(Connector):
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
    """NEST's numbers of the cells, which it gives out in a row."""
    size: int = population.size
    return int(population.all_cells[0]) + np.arange(size)


def _project(
    sim: Any,
    source: Any,
    target: Any,
    matrix: NDArray[Any],
    copies: int,
    dt: float,
    delay: float,
) -> list[Any]:
    """A projection for each receptor, the copies block by block."""
    post, pre = matrix.shape
    conductances: bool = target.celltype.conductance_based
    copy = np.arange(copies)[:, None]
    found: list[Any] = []
    for receptor, mask in (("excitatory", matrix >= 0.0), ("inhibitory", matrix < 0.0)):
        # The one place in which [post, pre] becomes PyNN's [pre, post].
        targets, sources = np.nonzero(mask)
        if not sources.size:
            continue
        each = matrix[targets, sources]
        connector = _Synapses(
            (copy * pre + sources).ravel(),
            (copy * post + targets).ravel(),
            np.tile(np.abs(each) if conductances else each, copies),
            delay,
        )
        synapse = sim.StaticSynapse(weight=0.0, delay=dt)
        found.append(sim.Projection(source, target, connector, synapse, receptor_type=receptor))
    return found


def _stimulate(built: Built, arrays: Arrays, settings: Settings, rows: slice) -> None:
    """Drive the inputs with some stimuli of the batch."""
    for name in settings["inputs"]:
        population = built.populations[name]
        if f"{name}.current" in arrays:
            population.set(i_offset=arrays[f"{name}.current"][rows].ravel())
            continue
        spikes = arrays[f"{name}.spikes"][:, rows]
        trains = spikes.reshape(len(spikes), -1).T
        times = (settings["first"] + np.arange(len(spikes))) * settings["dt"]
        given = [Sequence(times[train]) for train in trains]
        # PyNN on Brian2 takes a list of one for that one.
        population.set(spike_times=given if len(given) > 1 else given[0])


def _record(built: Built, settings: Settings) -> None:
    seen = {*settings["membranes"], *settings["means"], *settings["watch"]}
    for name, population in built.populations.items():
        # What is given as spikes is known, and NEST does not record its sources.
        if is_given(population):
            continue
        if name in settings["spiking"] or name in seen:
            population.record("spikes")
        if name in seen:
            population.record("v")
