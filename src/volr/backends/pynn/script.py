"""A model as a script for PyNN, which runs without Volr.

    script     =  what it is, imports, tables, program
    tables     =  NAME = literal, for each of ``_TABLES``; more than ``MOST_NUMBERS`` numbers stand
                  in a file of NumPy's beside the script

The program (``program.txt``) does what ``kernel.py`` does, for one copy of the network, and goes by
the tables. There is one for models whose populations have the same neurons, and one for all others
(``volr.backends.scripts``). Reading back parses the tables, and runs nothing.
"""

from __future__ import annotations

import ast
import math
from importlib import resources
from typing import TYPE_CHECKING, Any

import numpy as np

from volr.backends.identifiers import identifiers
from volr.backends.populations import neurons_of, one_neuron
from volr.backends.pynn.solutions import SOLUTIONS
from volr.backends.pynn.translation import CELLS, tie
from volr.backends.readback import (
    PROGRAM,
    Asked,
    Cells,
    SpikingReadback,
    all_asked,
    asked_cells,
    precision_of,
)
from volr.backends.refusals import check_supported
from volr.backends.scripts import AS_TEXT, DAMAGED, arrays_beside, packed, program_for
from volr.errors import DataError
from volr.models.coding import ConstantCurrent
from volr.models.model import SpikingModel
from volr.models.parameters import synapse_matrices, unit_biases, weight_name
from volr.neurons import neuron_model
from volr.neurons.response import count_levels

if TYPE_CHECKING:
    from collections.abc import Mapping

    from volr.backends.base import Document, Files
    from volr.checks.arrays import Floats
    from volr.models.model import Model
    from volr.neurons import NeuronModel

MOST_NUMBERS = 1_000
"""More weights and biases than this are written beside the script, not into it."""

_HEAD = '''\
"""A spiking network for PyNN, written by Volr.

    python THIS.py nest|brian2|neuron --stimulus VALUE VALUE ...    a value in [0, 1] for each input
    python THIS.py nest|brian2|neuron --stimuli FILE.npy            [stimulus, input]

It prints how often each output neuron spikes, a line for each stimulus, and needs NumPy, PyNN and
the simulator, not Volr. Units are PyNN's: ms, mV, nA, nF, uS; weights are [post, pre], in nA, of
IF_curr_delta in mV, of IF_cond_exp in uS with a sign.
"""

import argparse
import importlib
import os
import sys
from pathlib import Path

import numpy as np
from pyNN.connectors import Connector
from pyNN.parameters import Sequence
from pyNN.standardmodels import build_translations

'''
_BESIDE = "dict(np.load(Path(__file__).with_suffix('.npz'), allow_pickle=False))"
_CONVERT = "ARRAYS = {name: np.asarray(each, dtype=np.float64) for name, each in ARRAYS.items()}\n"

_TABLES = (
    *("DT", "STEPS", "DELAY_STEPS", "REFRACTORY_STEPS", "CELL", "PARAMETERS", "I_OFFSET"),
    *("POPULATIONS", "NAMES", "PROJECTIONS", "INPUTS", "OUTPUTS", "CODING", "RATE_MAX", "EDGES"),
    *("CURRENTS", "TIE", "SOLUTION", "ARRAYS"),
)
_OF_NEURONS = ("CELL", "PARAMETERS", "I_OFFSET", "REFRACTORY_STEPS", "TIE", "SOLUTION")
"""The tables that say what neurons are. Where there are several kinds, ``NEURONS`` has these of
each population, and ``EDGES`` and ``CURRENTS`` have those of each input.
"""
_TABLES_OF_SEVERAL = (
    *(name for name in _TABLES if name not in (*_OF_NEURONS, "ARRAYS")),
    *("NEURONS", "ARRAYS"),
)


def write_script(document: Document, model: Model) -> Files:
    """The script, and where there are many parameters ``.npz`` beside it, with the same stem."""
    check_supported(document, model)
    assert isinstance(model, SpikingModel)  # noqa: S101 (the document has no others)
    network, neurons = model.network, neurons_of(model)
    alike = one_neuron(model)
    named = identifiers(population.name for population in network.populations)
    arrays: dict[str, Floats] = {}
    matrices = synapse_matrices(network, model.parameters, missing=math.nan)
    for p in network.projections:
        arrays[f"{named[p.source]}->{named[p.target]}.weight"] = matrices[weight_name(p)]
    for p in network.layers:
        arrays[f"{named[p.name]}.bias"] = unit_biases(p, model.parameters)
    sparse = any(np.isnan(each).any() for each in arrays.values())
    beside = sparse or sum(each.size for each in arrays.values()) > MOST_NUMBERS
    levels = _levels(model)
    tables: dict[str, Any] = {
        "DT": model.dt,
        "STEPS": model.steps,
        "DELAY_STEPS": model.delay_steps,
        "POPULATIONS": {named[p.name]: p.size for p in network.populations},
        "NAMES": {theirs: ours for ours, theirs in named.items() if ours != theirs},
        "PROJECTIONS": [(named[p.source], named[p.target]) for p in network.projections],
        "INPUTS": [named[name] for name in network.inputs],
        "OUTPUTS": [named[name] for name in network.outputs],
        "CODING": model.coding.name,
        "RATE_MAX": model.coding.rate_max,
        "EDGES": {named[name]: edges for name, (edges, _) in levels.items()},
        "CURRENTS": {named[name]: currents for name, (_, currents) in levels.items()},
        "NEURONS": {named[name]: _neurons(each, model.dt) for name, each in neurons.items()},
        "ARRAYS": {name: each.tolist() for name, each in arrays.items()},
    }
    if alike is not None:
        edges, currents = levels.get(network.inputs[0], (list[float](), list[float]()))
        tables |= {**_neurons(alike, model.dt), "EDGES": edges, "CURRENTS": currents}
    names = _TABLES_OF_SEVERAL if alike is None else _TABLES
    lines = [f"{name} = {_literal(tables[name])}" for name in names]
    if beside:
        lines[-1] = f"ARRAYS = {_BESIDE}"
    text = _HEAD + "\n".join(lines) + "\n" + _CONVERT + _program(several=alike is None)
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


def _program(*, several: bool) -> str:
    text = resources.files("volr.backends.pynn").joinpath("program.txt").read_text("utf-8")
    return program_for(text, several=several)


def read_back_script(files: Files) -> SpikingReadback:
    """What a script says; nothing of it is run. Raises ``DataError`` for what is no such script."""
    try:
        return _contents(_tables(files))
    except DAMAGED as error:
        raise DataError("this is not a script for PyNN that Volr wrote") from error


def _contents(tables: Mapping[str, Any]) -> SpikingReadback:
    dt = float(tables["DT"])
    names = {each: tables["NAMES"].get(each, each) for each in tables["POPULATIONS"]}
    arrays: Mapping[str, Floats] = tables["ARRAYS"]
    given = set(tables["INPUTS"]) if tables["CODING"] != ConstantCurrent.name else set[str]()
    neurons: dict[str, dict[str, Any]] = {
        each: tables["NEURONS"][each] if "NEURONS" in tables else dict(tables)
        for each in names
        if each not in given
    }
    ends = [(each[0], each[1]) for each in tables["PROJECTIONS"]]
    precision = precision_of(each.dtype for each in arrays.values())
    return SpikingReadback(
        populations=all_asked({names[each]: size for each, size in tables["POPULATIONS"].items()}),
        inputs=Asked(tuple(names[each] for each in tables["INPUTS"])),
        outputs=Asked(tuple(names[each] for each in tables["OUTPUTS"])),
        weights=all_asked(
            {(names[a], names[b]): _double(arrays[f"{a}->{b}.weight"]) for a, b in ends}
        ),
        biases=all_asked(
            {
                names[each]: neurons[each]["I_OFFSET"] + _double(arrays[f"{each}.bias"])
                for each in tables["POPULATIONS"]
                if each not in tables["INPUTS"]
            }
        ),
        cells={names[theirs]: _cells(each, dt) for theirs, each in neurons.items()},
        delays=all_asked({(names[a], names[b]): tables["DELAY_STEPS"] * dt for a, b in ends}),
        dt=Asked(dt),
        precision=precision if tables["BESIDE"] else AS_TEXT,
        rest=PROGRAM,
    )


def _cells(neurons: Mapping[str, Any], dt: float) -> Cells:
    """The neurons that a population's tables describe."""
    (kind,) = (ours for ours, theirs in CELLS.items() if theirs == neurons["CELL"])
    numbers: dict[str, float] = dict(neurons["PARAMETERS"])
    if (neurons["TIE"], neurons["SOLUTION"]) != (tie(neuron_model(kind, numbers)), SOLUTIONS[kind]):
        raise ValueError("another neuron on Brian2")
    numbers["tau_refrac"] = neurons["REFRACTORY_STEPS"] * dt
    return asked_cells(kind, "hard", numbers)


def _double(values: Floats) -> Floats:
    return np.asarray(values, dtype=np.float64)


def _tables(files: Files) -> dict[str, Any]:
    """The tables by name, ``ARRAYS`` as arrays, and whether these lie ``BESIDE`` the script."""
    text = files[".py"].decode()
    several = "\nNEURONS = " in text
    tail = _CONVERT + _program(several=several)
    if not text.startswith(_HEAD) or not text.endswith(tail):
        raise ValueError("another program")
    found = {_name(each): each for each in ast.parse(text[len(_HEAD) : -len(tail)]).body}
    if tuple(found) != (_TABLES_OF_SEVERAL if several else _TABLES):
        raise ValueError("other tables")
    values = {name: each.value for name, each in found.items() if isinstance(each, ast.Assign)}
    arrays = values.pop("ARRAYS")
    tables = {name: ast.literal_eval(each) for name, each in values.items()}
    if any(tuple(each) != _OF_NEURONS for each in tables.get("NEURONS", {}).values()):
        raise ValueError("other tables of neurons")
    tables["BESIDE"] = ast.unparse(arrays) == _BESIDE
    if tables["BESIDE"]:
        tables["ARRAYS"] = arrays_beside(files)
    else:
        tables["ARRAYS"] = ast.literal_eval(arrays)
    tables["ARRAYS"] = {name: np.asarray(each) for name, each in tables["ARRAYS"].items()}
    return tables


def _name(statement: ast.stmt) -> str:
    """The name of the table that a statement defines."""
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)]):
            return name
        case _:
            raise ValueError("not a table")
