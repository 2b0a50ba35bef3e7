"""A spiking model as a Brian2 script that runs without Volr.

The script begins with tables that hold the model; the code below them (``script_body``) goes by
these. Arrays of more than a few numbers are in an archive beside it. ``read_back`` parses the
tables without running them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np

from volr.backends.base import Document
from volr.backends.brian2.equations import NEURONS, REFRACTORY, RESETS, THRESHOLD
from volr.backends.brian2.read_back import read_back
from volr.backends.brian2.script_body import HEAD, PROGRAM
from volr.backends.brian2.translation import above_rest
from volr.backends.populations import neurons_of, nonspiking, one_neuron
from volr.backends.refusals import check_supported
from volr.backends.scripts import Kind, packed, program_for, synapses_of
from volr.models.coding import CODING_NAMES, ConstantCurrent, Poisson, ticking
from volr.models.first_spike import FirstSpike
from volr.models.model import READOUTS
from volr.models.parameters import unit_biases
from volr.network import Connector
from volr.neurons.response import count_levels

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from volr.backends.base import Files
    from volr.checks.arrays import Floats, Integers
    from volr.models.model import Model, SpikingModel
    from volr.network import Projection
    from volr.network.connectors.synapses import Synapses
    from volr.neurons import NeuronModel

# An array of more numbers than this goes into the archive.
MOST_IN_TEXT = 50
_UNITS = {"volt": "mV", "second": "ms", "farad": "nF", "amp": "nA", "siemens": "uS"}


def write(model: Model) -> Files:
    """The script, and the archive where there are arrays for it."""
    check_supported(BRIAN2_SCRIPT, model)
    # Others have been refused.
    spiking = cast("SpikingModel", model)
    archive: dict[str, Any] = {}
    held = synapses_of(spiking)
    kind = Kind.of(spiking, held)
    tables = _tables(spiking, held, archive, kind)
    program = program_for(PROGRAM, kind)
    load = 'DATA = np.load(Path(__file__).with_suffix(".npz"), allow_pickle=False)'
    parts = [HEAD, f"{load}\n", tables, program] if archive else [HEAD, tables, program]
    files = {".py": "\n".join(parts).encode()}
    if archive:
        files[".npz"] = packed(archive)
    return files


def _tables(
    model: SpikingModel,
    held: Mapping[Projection, Synapses],
    archive: dict[str, Any],
    kind: Kind,
) -> str:
    network, dt, neurons = model.network, model.dt, neurons_of(model)
    alike = one_neuron(model)
    if alike is None:
        entries = (
            f"{name!r}: {_dictionary(_entries(_neurons(model, each)))}"
            for name, each in neurons.items()
        )
        before = f"""\
# Of each population: its EQUATIONS, what solves them over a STEP under a constant I, its numbers,
# and of synapses onto it what a spike does (PATHWAYS; of two, the second is for negative weights),
# and where in a step (SLOT; before the thresholds, that is one step later than Brian2's delay).
NEURONS = {_dictionary(entries)}
THRESHOLD = {THRESHOLD!r}
# Brian2 counts the step of the spike.
REFRACTORY = {REFRACTORY!r}
"""
        after = ""
    else:
        told = _neurons(model, alike)
        before = f"""\
EQUATIONS = {told["EQUATIONS"]}
# What solves them over a step, under a constant I.
STEP = {told["STEP"]}
THRESHOLD = {THRESHOLD!r}
RESET = {told["RESET"]}
# Brian2 counts the step of the spike.
REFRACTORY = {REFRACTORY!r}
NEURON = {told["NEURON"]}
"""
        after = f"""\
WEIGHT = {told["WEIGHT"]}
# What a spike does that arrives; of two pathways the second is for negative weights.
PATHWAYS = {told["PATHWAYS"]}
# Where in a step it arrives. Before the thresholds, that is one step later than Brian2's delay.
SLOT = {told["SLOT"]}
DELAY = {told["DELAY"]}
"""
    currents: list[str] = []
    for p in network.layers:
        each = neurons[p.name].i_offset + unit_biases(p, model.parameters)
        currents.append(f"{p.name!r}: {_array(each, archive)}*nA")
    weights: list[str] = []
    delays: list[str] = []
    for p, those in held.items():
        equations = NEURONS[neurons[p.target].name]
        unit = _UNITS[equations.weight[0]]
        ends = (p.source, p.target, *([p.number] if p.number > 1 else []))
        if p.name in model.delays:
            told = (model.delay_steps_of(p) - equations.early) * dt
            delays.append(f"{ends!r}: {told!r}*ms")
        if kind.listed:
            pre, post = (_array(each, archive) for each in (those.pre, those.post))
            weights.append(f"{ends!r}: ({pre}, {post}, {_array(those.weight, archive)}*{unit})")
        else:
            matrix = those.weight.reshape(network[p.source].size, -1).T
            weights.append(f"{(p.source, p.target)!r}: {_array(matrix, archive)}*{unit}")
    title = (
        "# By source and target: the neurons of each synapse, source and target, and its weight.\n"
        "SYNAPSES"
        if kind.listed
        else "# By source and target, [target, source].\nWEIGHTS"
    )
    coding = _coding(model, archive, several=alike is None)
    says = "the mean of v, mV"
    if kind.final:
        says = "the last v, in units of UNIT" if kind.first else "the last v, mV"
    if kind.delays:
        after += f"# Those of projections that have another.\nDELAYS = {_dictionary(delays)}\n"
    return f"""\
DT = {dt!r}*ms
STEPS = {model.steps}

# v is the membrane above v_rest, and so are v_thresh, v_reset and the reversal potentials, and
# fires_at, which is v_thresh, or a hair less where tau_m is 1e+200 ms: there is no leak then.
{before}
POPULATIONS = {_dictionary(f"{p.name!r}: {p.size}" for p in network.populations)}
INPUTS = {network.inputs!r}
OUTPUTS = {network.outputs!r}
# Outputs that never spike: what they say is {says}.
SILENT = {nonspiking(model)!r}

{coding}
# The constant current into each neuron.
CURRENTS = {_dictionary(currents)}

{title} = {_dictionary(weights)}
{after}
"""


def _neurons(model: SpikingModel, neuron: NeuronModel) -> dict[str, str]:
    """What a script says about neurons, and about synapses onto them, by table."""
    equations, above = NEURONS[neuron.name], above_rest(neuron, model.dt)
    numbers = [
        f"{name!r}: {above[ours]!r}*{_UNITS[unit]}" for ours, name, unit, _ in equations.rows
    ]
    return {
        "EQUATIONS": f'"""\n{equations.model(neuron.reset)}\n"""',
        "STEP": f'"""\n{equations.step}\n"""',
        "RESET": repr(RESETS[neuron.reset]),
        "NEURON": _dictionary(numbers),
        "WEIGHT": repr(f"w : {equations.weight[0]} (constant)"),
        "PATHWAYS": repr(tuple(equations.pathways.values())),
        "SLOT": repr(equations.slot),
        "DELAY": f"{(model.delay_steps - equations.early) * model.dt!r}*ms",
    }


def _entries(literals: Mapping[str, str]) -> list[str]:
    return [f"{key!r}: {each}" for key, each in literals.items()]


def _dictionary(entries: Iterable[str]) -> str:
    return "{\n" + "".join(f"    {each},\n" for each in entries) + "}"


def _coding(model: SpikingModel, archive: dict[str, Any], *, several: bool) -> str:
    """The tables that turn the values of a stimulus into currents or spikes."""
    match model.coding:
        case FirstSpike(levels=levels, unit=unit):
            return (
                "# A value x is the whole number nearest to x * LEVELS, and its neuron spikes\n"
                "# once, that many steps before step LEVELS. The neurons of the CLOCK spike in\n"
                "# the steps TICKS, whatever the stimulus; -1 is never.\n"
                f"CODING = 'first-spike'\nLEVELS = {levels}\nUNIT = {unit!r}*mV\n"
                f"CLOCK = {model.network.clock!r}\nTICKS = {ticking(model).tolist()!r}\n"
            )
        case ConstantCurrent(rate_max=most):
            edges: dict[str, str] = {}
            shown: dict[str, str] = {}
            for name in model.network.inputs[: None if several else 1]:
                neuron = model.neuron_of(name)
                counts, currents = count_levels(neuron, model.dt, model.steps)
                edges[name] = f"np.array({_array((counts[:-1] + counts[1:]) / 2.0, archive)})"
                shown[name] = f"{_array(neuron.i_offset + currents, archive)}*nA"
            both = [
                _dictionary(_entries(each)) if several else each[model.network.inputs[0]]
                for each in (edges, shown)
            ]
            return (
                "# An input neuron gets the current whose number of spikes is nearest to value *\n"
                "# FULL: the first where that is below the first edge, and so on.\n"
                f"CODING = 'current'\nFULL = {most * model.steps * model.dt / 1000.0!r}\n"
                f"LEVEL_EDGES = {both[0]}\nLEVEL_CURRENTS = {both[1]}\n"
            )
        case Poisson(rate_max=most):
            return (
                "# An input neuron spikes in a step with the probability value * FULL.\n"
                f"CODING = 'poisson'\nFULL = {most * model.dt / 1000.0!r}\n"
            )


def _array(values: Floats | Integers, archive: dict[str, Any]) -> str:
    """The numbers in the script; where there are many, their place in the archive."""
    if values.size <= MOST_IN_TEXT:
        return repr(values.tolist())
    key = f"array_{len(archive)}"
    archive[key] = np.ascontiguousarray(values)
    return f"DATA[{key!r}]"


BRIAN2_SCRIPT = Document(
    name="brian2",
    summary="a stand-alone script for the Brian2 simulator",
    suffix=".py",
    neurons=tuple(NEURONS),
    resets=tuple(RESETS),
    codings=CODING_NAMES,
    readouts=READOUTS,
    delays=True,
    connectors=(Connector,),
    several=True,
    write=write,
    read_back=read_back,
)
