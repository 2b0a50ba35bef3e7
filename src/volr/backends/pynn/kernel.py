"""What runs inside a PyNN process, on one of its simulators.

NEST and Brian2 get many copies of the network side by side, each with its stimulus. Neuron j of
copy c is cell c · size + j. On Brian2 every batch has a network of its own, since a reset costs as
much. On NEST, where PyNN takes several times as long to build a network as to run it, it is built
once and taken back to rest between batches. PyNN's own reset would leave spikes in flight. NEURON
forgets everything at a reset, and its synapses are slow to make, so there one copy takes one
stimulus after another.

What PyNN has no words for, or does wrong or slowly, is in ``workarounds``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from pyNN.parameters import Sequence

from volr.backends.pynn.recording import Built, contents, is_given, run
from volr.backends.pynn.resting import give_on_nest, put_back
from volr.backends.pynn.workarounds import (
    Synapses,
    cell_type,
    hold_together,
    let_go,
    simulator,
    source_type,
)
from volr.backends.reuse import padded, same_network

if TYPE_CHECKING:
    from volr.backends.messages import Arrays, Request, Settings


def handle(arrays: Arrays, settings: Settings) -> Arrays:
    """Build one batch and simulate it, or say what was built; all in PyNN's names and units.

    ``settings``: ``simulator``; ``copies``, ``dt`` (ms) and ``steps``; the time ``first``, in
    steps, of a spike in the first step; ``neurons`` by population, each the ``cell`` type, its
    ``parameters``, the ``solution`` of its equations, for Brian2, and whether a current ``stays``,
    for NEURON; ``populations`` with their sizes, ``inputs``, ``projections`` with their ends, and
    their ``delays`` (ms); what to record: ``spiking`` (counts), ``spikes``, ``membranes``,
    ``means``, ``finals``; ``watch``, populations to be looked after: see ``recording.run``.
    ``arrays``: ``source->target.pre``, ``.post`` and ``.weight`` (signed) ``[synapse]``;
    ``name.current`` ``[unit]``; for an input ``name.current`` ``[batch, unit]`` or ``name.spikes``
    ``[time, batch, unit]``. The answer has ``name.counts``, ``name.means`` and ``name.finals``
    ``[batch, unit]``, ``name.spikes`` and ``name.membranes`` ``[time, batch, unit]``,
    ``name.stuck`` ``[batch]``.

    With ``ask``, the parameters wanted of each population's cells, nothing is simulated: see
    ``recording.contents``.
    """
    sim = simulator(settings["simulator"])
    alone = "ask" in settings or settings["simulator"] == "neuron"
    side_by_side: int = 1 if alone else settings["copies"]
    kept = _KEPT.pop() if _KEPT else None
    if kept is not None and same_network(kept.made_of, (arrays, settings)):
        built, side_by_side = kept.built, kept.copies
        put_back(built, settings, kept.made_of[0], side_by_side)
        drives = padded(arrays, settings["inputs"], side_by_side)
        _stimulate(built, drives, settings, slice(None))
    else:
        built = _build(sim, arrays, settings, side_by_side)
        kept = _Kept(built, side_by_side, (arrays, settings))
    if "ask" in settings:
        answer = contents(built, settings["ask"], settings["first"])
    else:
        answer = _simulate(built, arrays, settings, side_by_side)
    match settings["simulator"]:
        case "neuron":
            let_go(built)
        case "nest" if "ask" not in settings:
            _KEPT.append(kept)
        case _:
            pass
    return answer


@dataclass(frozen=True)
class _Kept:
    """A network of some ``copies``, and the request that it was ``made_of``."""

    built: Built
    copies: int
    made_of: Request


_MEMBRANES = ("membranes", "means", "finals")
_KEPT: list[_Kept] = []
"""The network that NEST has, if it can be used again."""


def _simulate(built: Built, arrays: Arrays, settings: Settings, side_by_side: int) -> Arrays:
    parts = [run(built, settings, side_by_side)]
    for row in range(side_by_side, settings["copies"]):
        # Not PyNN's `reset`, which first makes Neo objects of all that was recorded.
        built.sim.simulator.state.reset()
        _stimulate(built, arrays, settings, slice(row, row + 1))
        parts.append(run(built, settings, 1))
    axes = {name: max(each.ndim - 2, 0) for name, each in parts[0].items()}
    whole = {
        name: np.concatenate([part[name] for part in parts], axis=axis)
        for name, axis in axes.items()
    }
    # Copies beyond the stimuli ran without one.
    stimuli: int = settings["copies"]
    return {name: each.take(range(stimuli), axis=axes[name]) for name, each in whole.items()}


def _set_up(sim: Any, settings: Settings) -> None:
    dt = settings["dt"]
    match settings["simulator"]:
        case "nest":
            sim.setup(
                timestep=dt,
                min_delay=dt,
                max_delay=max([dt, *settings["delays"].values()]),
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
    sources = source_type(sim, settings["simulator"])
    populations: dict[str, Any] = {}
    for name, size in settings["populations"].items():
        if name not in neurons:
            populations[name] = sim.Population(copies * size, sources(), label=name)
            continue
        cell = cell_type(sim, settings["simulator"], neurons[name]["cell"])
        # What differs by unit does so in every copy.
        told: dict[str, Any] = neurons[name]["parameters"]
        parameters = {
            key: np.tile(np.array(each), copies) if np.ndim(each) else each
            for key, each in told.items()
        }
        start = {"v": parameters["v_rest"]}
        population = sim.Population(
            copies * size, cell(**parameters), initial_values=start, label=name
        )
        if neurons[name]["solution"]:
            solver = _solver(neurons[name]["solution"])
            population.brian2_group.state_updater.method_choice = solver
        if neurons[name]["stays"]:
            hold_together(population)
        if name not in settings["inputs"]:
            population.set(i_offset=np.tile(arrays[f"{name}.current"], copies))
        populations[name] = population
    projections: dict[tuple[str, str], list[Any]] = {}
    for name, source, target in settings["projections"]:
        pre, post, weight = (arrays[f"{name}.{key}"] for key in ("pre", "post", "weight"))
        delay: float = settings["delays"][name]
        # By target, which is the order in which NEURON's synapses are made.
        order = np.argsort(post, kind="stable")
        synapses = Synapses(pre[order], post[order], weight[order], delay)
        made = _project(
            sim, populations[source], populations[target], synapses, copies, settings["dt"]
        )
        projections.setdefault((source, target), []).extend(made)
    built = Built(sim, populations, projections)
    _stimulate(built, arrays, settings, slice(0, copies))
    _record(built, settings)
    return built


def _solver(solution: str) -> Any:
    """A method of integration for Brian2: a function from equations to the code of a step."""

    def solve(*_: object) -> str:
        return solution

    return solve


def _project(
    sim: Any,
    source: Any,
    target: Any,
    synapses: Synapses,
    copies: int,
    dt: float,
) -> list[Any]:
    """A projection for each receptor, with the copies of the synapses in blocks."""
    pre, post = source.size // copies, target.size // copies
    conductances: bool = target.celltype.conductance_based
    copy = np.arange(copies)[:, None]
    found: list[Any] = []
    negative = synapses.values < 0.0
    for receptor, mask in (("excitatory", ~negative), ("inhibitory", negative)):
        if not mask.any():
            continue
        each = synapses.values[mask]
        connector = Synapses(
            (copy * pre + synapses.pre[mask]).ravel(),
            (copy * post + synapses.post[mask]).ravel(),
            np.tile(np.abs(each) if conductances else each, copies),
            synapses.delay,
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
        if settings["simulator"] == "nest":
            give_on_nest(population, [times[train] for train in trains])
            continue
        given = [Sequence(times[train]) for train in trains]
        # PyNN on Brian2 takes a list of one for that one.
        population.set(spike_times=given if len(given) > 1 else given[0])


def _record(built: Built, settings: Settings) -> None:
    seen = {name for kind in (*_MEMBRANES, "watch") for name in settings[kind]}
    for name, population in built.populations.items():
        # What is given as spikes is known, and NEST does not record its sources.
        if is_given(population):
            continue
        if name in settings["spiking"] or name in seen:
            population.record("spikes")
        if name in seen:
            population.record("v")
