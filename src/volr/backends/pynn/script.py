"""A model as a script for PyNN, which runs without Volr.

    script     =  what it is, imports, tables, program
    tables     =  NAME = literal, for each of ``table_names``; more than ``MOST_NUMBERS`` numbers
                  stand in a file of NumPy's beside the script

The program (``program.txt``) does what ``kernel.py`` does, for one copy of the network, and goes by
the tables. Its lines, and those of ``head.txt``, depend on the ``Kind`` of script
(``volr.backends.scripts``). Reading back parses the tables, and runs nothing.
"""

from __future__ import annotations

import math
from dataclasses import replace
from importlib import resources
from typing import TYPE_CHECKING, Any

import numpy as np

from volr.backends.identifiers import identifiers
from volr.backends.populations import neurons_of, one_neuron
from volr.backends.pynn.solutions import SOLUTIONS
from volr.backends.pynn.translation import CELLS, tie
from volr.backends.refusals import check_supported
from volr.backends.scripts import Kind, packed, program_for, synapses_of
from volr.models.coding import ConstantCurrent, Poisson, ticking
from volr.models.first_spike import FirstSpike
from volr.models.model import SpikingModel
from volr.models.parameters import unit_biases
from volr.neurons.response import count_levels

if TYPE_CHECKING:
    from volr.backends.base import Document, Files
    from volr.checks.arrays import Floats, Integers
    from volr.models.model import Model
    from volr.neurons import NeuronModel

MOST_NUMBERS = 1_000
"""More weights and biases than this are written beside the script, not into it."""

BESIDE = "dict(np.load(Path(__file__).with_suffix('.npz'), allow_pickle=False))"
CONVERT = "ARRAYS = {name: np.asarray(each, dtype=np.float64) for name, each in ARRAYS.items()}\n"

# Each table, and the marks of the scripts that have it.
_TABLES = (
    *(("DT", ""), ("STEPS", ""), ("DELAY_STEPS", ""), ("DELAYS", "d"), ("REFRACTORY_STEPS", "1")),
    *(("CELL", "1"), ("PARAMETERS", "1"), ("I_OFFSET", "1"), ("POPULATIONS", ""), ("NAMES", "")),
    *(("PROJECTIONS", ""), ("INPUTS", ""), ("OUTPUTS", ""), ("READOUT", "v"), ("CODING", "")),
    *(("RATE_MAX", "r"), ("EDGES", "r"), ("CURRENTS", "r"), ("LEVELS", "f"), ("UNIT", "f")),
    *(("CLOCK", "f"), ("TICKS", "f"), ("TIE", "1"), ("SOLUTION", "1"), ("NEURONS", "n")),
    ("ARRAYS", ""),
)
OF_NEURONS = ("CELL", "PARAMETERS", "I_OFFSET", "REFRACTORY_STEPS", "TIE", "SOLUTION")
"""The tables that say what neurons are. Where there are several kinds, ``NEURONS`` has these of
each population, and ``EDGES`` and ``CURRENTS`` have those of each input.
"""


def table_names(kind: Kind) -> tuple[str, ...]:
    """The tables of such a script, in their order."""
    return tuple(name for name, marks in _TABLES if set(marks) <= kind.marks)


def write_script(document: Document, model: Model) -> Files:
    """The script, and where there are many parameters ``.npz`` beside it, with the same stem."""
    check_supported(document, model)
    assert isinstance(model, SpikingModel)  # noqa: S101 (the document has no others)
    network, neurons = model.network, neurons_of(model)
    alike = one_neuron(model)
    named = identifiers(population.name for population in network.populations)
    arrays: dict[str, Floats | Integers] = {}
    held = synapses_of(model)
    kind = Kind.of(model, held)
    projections: list[tuple[str, ...]] = []
    delays: dict[str, int] = {}
    for p, those in held.items():
        ends = named[p.source], named[p.target]
        key = replace(p, source=ends[0], target=ends[1]).name
        projections.append((*ends, key) if kind.listed else ends)
        if p.name in model.delays:
            delays[key] = model.delay_steps_of(p)
        if kind.listed:
            arrays[f"{key}.post"], arrays[f"{key}.pre"] = those.post, those.pre
            arrays[f"{key}.weight"] = those.weight
        else:
            matrix = those.weight.reshape(network[p.source].size, -1).T
            arrays[f"{key}.weight"] = np.ascontiguousarray(matrix)
    for p in network.layers:
        arrays[f"{named[p.name]}.bias"] = unit_biases(p, model.parameters)
    beside = sum(each.size for each in arrays.values()) > MOST_NUMBERS
    levels = _levels(model)
    tables: dict[str, Any] = {
        "DT": model.dt,
        "STEPS": model.steps,
        "DELAY_STEPS": model.delay_steps,
        "DELAYS": delays,
        "POPULATIONS": {named[p.name]: p.size for p in network.populations},
        "NAMES": {theirs: ours for ours, theirs in named.items() if ours != theirs},
        "PROJECTIONS": projections,
        "INPUTS": [named[name] for name in network.inputs],
        "OUTPUTS": [named[name] for name in network.outputs],
        "READOUT": model.readout,
        "CODING": model.coding.name,
        "EDGES": {named[name]: edges for name, (edges, _) in levels.items()},
        "CURRENTS": {named[name]: currents for name, (_, currents) in levels.items()},
        "NEURONS": {named[name]: _neurons(each, model.dt) for name, each in neurons.items()},
        "ARRAYS": {name: each.tolist() for name, each in arrays.items()},
    }
    match model.coding:
        case FirstSpike(levels=most):
            clock = "" if network.clock is None else named[network.clock]
            tables |= {"LEVELS": most, "UNIT": model.coding.unit}
            tables |= {"CLOCK": clock, "TICKS": ticking(model).tolist()}
        case ConstantCurrent() | Poisson():
            tables["RATE_MAX"] = model.coding.rate_max
    if alike is not None:
        edges, currents = levels.get(network.inputs[0], (list[float](), list[float]()))
        tables |= {**_neurons(alike, model.dt), "EDGES": edges, "CURRENTS": currents}
    lines = [f"{name} = {_literal(tables[name])}" for name in table_names(kind)]
    if beside:
        lines[-1] = f"ARRAYS = {BESIDE}"
    text = head(kind) + "\n".join(lines) + "\n" + CONVERT + program(kind)
    files = {".py": text.encode()}
    if beside:
        files[".npz"] = packed(arrays)
    return files


def _neurons(neuron: NeuronModel, dt: float) -> dict[str, Any]:
    """The tables about neurons."""
    aside = ("i_offset", "tau_refrac")
    return {
        "CELL": CELLS[neuron.name],
        "PARAMETERS": {key: each for key, each in neuron.numbers.items() if key not in aside},
        "I_OFFSET": neuron.i_offset,
        "REFRACTORY_STEPS": neuron.refractory_steps(dt),
        "TIE": tie(neuron),
        "SOLUTION": SOLUTIONS[neuron.name],
    }


def _levels(model: SpikingModel) -> dict[str, tuple[list[float], list[float]]]:
    """The spike counts between which the currents of an input change, and the currents, nA."""
    found: dict[str, tuple[list[float], list[float]]] = {}
    if isinstance(model.coding, ConstantCurrent):
        for name in model.network.inputs:
            counts, currents = count_levels(model.neuron_of(name), model.dt, model.steps)
            found[name] = ((counts[:-1] + counts[1:]) / 2.0).tolist(), currents.tolist()
    return found


def _literal(value: Any) -> str:
    """A Python literal in ASCII, rows of numbers and entries of tables on lines of their own."""
    match value:
        case dict():
            entries: list[tuple[Any, Any]] = list(value.items())  # pyright: ignore[reportUnknownArgumentType]
            inside = "".join(f"    {key!a}: {_literal(each)},\n" for key, each in entries)
            return f"{{\n{inside}}}" if entries else "{}"
        case [[*_], *_]:
            rows: list[Any] = list(value)
            return "[\n" + "".join(f"        {each!r},\n" for each in rows) + "    ]"
        case float() if value == math.inf:
            # Python reads a number that is too large as infinite; it has no word for that.
            return "1e999"
        case str() if "\n" in value:
            inside = "".join(f"    {line!a}\n" for line in value.splitlines(keepends=True))
            return f"(\n{inside})"
        case _:
            return ascii(value)


def head(kind: Kind) -> str:
    """What precedes the tables."""
    return program_for(_text("head.txt"), kind)


def program(kind: Kind) -> str:
    """What follows the tables."""
    return program_for(_text("program.txt"), kind)


def _text(name: str) -> str:
    return resources.files("volr.backends.pynn").joinpath(name).read_text("utf-8")
