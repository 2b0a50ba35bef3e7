"""A spiking model as a Brian2 script of its own, which needs nothing of Volr.

The script opens with tables, in which everything of the model stands; the code below them
(``program``) is the same for all. Arrays of more than a few numbers lie in an archive beside it.
``read_back`` takes the tables apart without running them.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from volr.backends.base import Document, check_supported
from volr.backends.brian2.equations import NEURONS, REFRACTORY, RESETS, THRESHOLD
from volr.backends.brian2.read_back import read_back
from volr.backends.brian2.script_body import HEAD, PROGRAM
from volr.backends.brian2.translation import above_rest
from volr.backends.scripts import packed
from volr.models.coding import ConstantCurrent, Poisson
from volr.models.model import READOUTS
from volr.models.parameters import bias_name, synapse_matrices, weight_name
from volr.network import Connector
from volr.neurons.response import count_levels

if TYPE_CHECKING:
    from collections.abc import Iterable

    from volr.backends.base import Files
    from volr.checks.arrays import Floats
    from volr.models.model import Model, SpikingModel

# An array of more numbers than this goes into the archive.
MOST_IN_TEXT = 50
_UNITS = {"volt": "mV", "second": "ms", "farad": "nF", "amp": "nA", "siemens": "uS"}


def write(model: Model) -> Files:
    """The script, and the archive where there are arrays for it."""
    check_supported(BRIAN2_SCRIPT, model)
    # Others have been refused.
    spiking = cast("SpikingModel", model)
    archive: dict[str, Any] = {}
    tables = _tables(spiking, archive)
    load = 'DATA = np.load(Path(__file__).with_suffix(".npz"), allow_pickle=False)'
    parts = [HEAD, f"{load}\n", tables, PROGRAM] if archive else [HEAD, tables, PROGRAM]
    files = {".py": "\n".join(parts).encode()}
    if archive:
        files[".npz"] = packed(archive)
    return files


def _tables(model: SpikingModel, archive: dict[str, Any]) -> str:
    network, neuron, dt = model.network, model.neuron, model.dt
    equations = NEURONS[neuron.name]
    weight = equations.weight[0]
    nonspiking = tuple(p.name for p in network.populations if not model.is_spiking(p.name))
    above = above_rest(neuron, dt)
    numbers = [
        f"{name!r}: {above[ours]!r}*{_UNITS[unit]}" for ours, name, unit, _ in equations.rows
    ]
    currents = [
        f"{p.name!r}: {_array(neuron.i_offset + model.parameters[bias_name(p)], archive)}*nA"
        for p in network.layers
    ]
    matrices = synapse_matrices(network, model.parameters, missing=math.nan)
    weights = [
        f"{(p.source, p.target)!r}: {_array(matrices[weight_name(p)], archive)}*{_UNITS[weight]}"
        for p in network.projections
    ]
    return f'''\
DT = {dt!r}*ms
STEPS = {model.steps}

# v is the membrane above v_rest, and so are v_thresh, v_reset and the reversal potentials, and
# fires_at, which is v_thresh, or a hair less where tau_m is 1e+200 ms: there is no leak then.
EQUATIONS = """
{equations.model(neuron.reset)}
"""
# What solves them over a step, under a constant I.
STEP = """
{equations.step}
"""
THRESHOLD = {THRESHOLD!r}
RESET = {RESETS[neuron.reset]!r}
# Brian2 counts the step of the spike.
REFRACTORY = {REFRACTORY!r}
NEURON = {_dictionary(numbers)}

POPULATIONS = {_dictionary(f"{p.name!r}: {p.size}" for p in network.populations)}
INPUTS = {network.inputs!r}
OUTPUTS = {network.outputs!r}
# Outputs that never spike: what they say is the mean of v, mV.
SILENT = {nonspiking!r}

{_coding(model, archive)}
# The constant current into each neuron.
CURRENTS = {_dictionary(currents)}

# By source and target, [target, source].
WEIGHTS = {_dictionary(weights)}
WEIGHT = {f"w : {weight} (constant)"!r}
# What a spike does that arrives; of two pathways the second is for negative weights.
PATHWAYS = {tuple(equations.pathways.values())!r}
# Where in a step it arrives. Before the thresholds, that is one step later than Brian2's delay.
SLOT = {equations.slot!r}
DELAY = {(model.delay_steps - equations.early) * dt!r}*ms

'''


def _dictionary(entries: Iterable[str]) -> str:
    return "{\n" + "".join(f"    {each},\n" for each in entries) + "}"


def _coding(model: SpikingModel, archive: dict[str, Any]) -> str:
    """What makes currents or spikes out of the values of a stimulus."""
    match model.coding:
        case ConstantCurrent(rate_max=most):
            counts, currents = count_levels(model.neuron, model.dt, model.steps)
            edges = _array((counts[:-1] + counts[1:]) / 2.0, archive)
            levels = _array(model.neuron.i_offset + currents, archive)
            return (
                "# An input neuron gets the current whose number of spikes is nearest to value *\n"
                "# FULL: the first where that is below the first edge, and so on.\n"
                f"CODING = 'current'\nFULL = {most * model.steps * model.dt / 1000.0!r}\n"
                f"LEVEL_EDGES = np.array({edges})\nLEVEL_CURRENTS = {levels}*nA\n"
            )
        case Poisson(rate_max=most):
            return (
                "# An input neuron spikes in a step with the probability value * FULL.\n"
                f"CODING = 'poisson'\nFULL = {most * model.dt / 1000.0!r}\n"
            )


def _array(values: Floats, archive: dict[str, Any]) -> str:
    """The numbers in the script; where there are many, or some are none, their place in the
    archive."""
    if values.size <= MOST_IN_TEXT and not np.isnan(values).any():
        return repr(values.tolist())
    key = f"array_{len(archive)}"
    archive[key] = np.asarray(values, dtype=np.float64)
    return f"DATA[{key!r}]"


BRIAN2_SCRIPT = Document(
    name="brian2",
    summary="a stand-alone script for the Brian2 simulator",
    suffix=".py",
    neurons=tuple(NEURONS),
    resets=tuple(RESETS),
    codings=("current", "poisson"),
    readouts=READOUTS,
    connectors=(Connector,),
    write=write,
    read_back=read_back,
)
