"""A model as a script for PyNN, which runs without Volr.

    script     =  what it is, imports, tables, program
    tables     =  NAME = literal, for each of ``_TABLES``; more than ``MOST_NUMBERS`` numbers stand
                  in a file of NumPy's beside the script

The program is the same for all models (``program.txt``): it does what ``kernel.py`` does, for one
copy of the network, and goes by the tables. Reading back parses them, and runs nothing.
"""

from __future__ import annotations

import ast
import math
from importlib import resources
from typing import TYPE_CHECKING, Any

import numpy as np

from volr.backends.base import check_supported
from volr.backends.identifiers import identifiers
from volr.backends.pynn.translation import CELLS, SOLUTIONS, tie
from volr.backends.readback import (
    PROGRAM,
    Asked,
    SpikingReadback,
    all_asked,
    asked_cells,
    precision_of,
)
from volr.backends.scripts import AS_TEXT, DAMAGED, arrays_beside, packed
from volr.errors import DataError
from volr.models.coding import ConstantCurrent
from volr.models.model import SpikingModel
from volr.models.parameters import bias_name, synapse_matrices, weight_name
from volr.neurons import neuron_model
from volr.neurons.response import count_levels

if TYPE_CHECKING:
    from collections.abc import Mapping

    from volr.backends.base import Document, Files
    from volr.checks.arrays import Floats
    from volr.models.model import Model

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
    "DT",
    "STEPS",
    "DELAY_STEPS",
    "REFRACTORY_STEPS",
    "CELL",
    "PARAMETERS",
    "I_OFFSET",
    "POPULATIONS",
    "NAMES",
    "PROJECTIONS",
    "INPUTS",
    "OUTPUTS",
    "CODING",
    "RATE_MAX",
    "EDGES",
    "CURRENTS",
    "TIE",
    "SOLUTION",
    "ARRAYS",
)


def write_script(document: Document, model: Model) -> Files:
    """The script, and where there are many parameters ``.npz`` beside it, with the same stem."""
    check_supported(document, model)
    assert isinstance(model, SpikingModel)  # noqa: S101 (the document has no others)
    network, neuron = model.network, model.neuron
    named = identifiers(population.name for population in network.populations)
    arrays: dict[str, Floats] = {}
    matrices = synapse_matrices(network, model.parameters, missing=math.nan)
    for p in network.projections:
        arrays[f"{named[p.source]}->{named[p.target]}.weight"] = matrices[weight_name(p)]
    for p in network.layers:
        arrays[f"{named[p.name]}.bias"] = model.parameters[bias_name(p)]
    sparse = any(np.isnan(each).any() for each in arrays.values())
    beside = sparse or sum(each.size for each in arrays.values()) > MOST_NUMBERS
    edges, currents = _levels(model)
    tables: dict[str, Any] = {
        "DT": model.dt,
        "STEPS": model.steps,
        "DELAY_STEPS": model.delay_steps,
        "REFRACTORY_STEPS": neuron.refractory_steps(model.dt),
        "CELL": CELLS[neuron.name],
        "PARAMETERS": {
            key: value
            for key, value in neuron.numbers.items()
            if key not in ("i_offset", "tau_refrac")
        },
        "I_OFFSET": neuron.i_offset,
        "POPULATIONS": {named[p.name]: p.size for p in network.populations},
        "NAMES": {theirs: ours for ours, theirs in named.items() if ours != theirs},
        "PROJECTIONS": [(named[p.source], named[p.target]) for p in network.projections],
        "INPUTS": [named[name] for name in network.inputs],
        "OUTPUTS": [named[name] for name in network.outputs],
        "CODING": model.coding.name,
        "RATE_MAX": model.coding.rate_max,
        "EDGES": edges,
        "CURRENTS": currents,
        "TIE": tie(neuron),
        "SOLUTION": SOLUTIONS[neuron.name],
        "ARRAYS": {name: each.tolist() for name, each in arrays.items()},
    }
    lines = [f"{name} = {_literal(tables[name])}" for name in _TABLES]
    if beside:
        lines[-1] = f"ARRAYS = {_BESIDE}"
    text = _HEAD + "\n".join(lines) + "\n" + _CONVERT + _program()
    files = {".py": text.encode()}
    if beside:
        files[".npz"] = packed(arrays)
    return files


def _levels(model: SpikingModel) -> tuple[list[float], list[float]]:
    """The spike counts between which the input currents change, and the currents, nA."""
    if not isinstance(model.coding, ConstantCurrent):
        return [], []
    counts, currents = count_levels(model.neuron, model.dt, model.steps)
    return ((counts[:-1] + counts[1:]) / 2.0).tolist(), currents.tolist()


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


def _program() -> str:
    return resources.files("volr.backends.pynn").joinpath("program.txt").read_text("utf-8")


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
    kinds = {theirs: ours for ours, theirs in CELLS.items()}
    kind = kinds[tables["CELL"]]
    numbers: dict[str, float] = dict(tables["PARAMETERS"])
    if (tables["TIE"], tables["SOLUTION"]) != (tie(neuron_model(kind, numbers)), SOLUTIONS[kind]):
        raise ValueError("another neuron on Brian2")
    numbers["tau_refrac"] = tables["REFRACTORY_STEPS"] * dt
    given = set(tables["INPUTS"]) if tables["CODING"] != ConstantCurrent.name else set[str]()
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
                names[each]: tables["I_OFFSET"] + _double(arrays[f"{each}.bias"])
                for each in tables["POPULATIONS"]
                if each not in tables["INPUTS"]
            }
        ),
        cells={
            ours: asked_cells(kind, "hard", numbers)
            for theirs, ours in names.items()
            if theirs not in given
        },
        delays=all_asked({(names[a], names[b]): tables["DELAY_STEPS"] * dt for a, b in ends}),
        dt=Asked(dt),
        precision=precision if tables["BESIDE"] else AS_TEXT,
        rest=PROGRAM,
    )


def _double(values: Floats) -> Floats:
    return np.asarray(values, dtype=np.float64)


def _tables(files: Files) -> dict[str, Any]:
    """The tables by name, ``ARRAYS`` as arrays, and whether these lie ``BESIDE`` the script."""
    text = files[".py"].decode()
    tail = _CONVERT + _program()
    if not text.startswith(_HEAD) or not text.endswith(tail):
        raise ValueError("another program")
    found = {_name(each): each for each in ast.parse(text[len(_HEAD) : -len(tail)]).body}
    if tuple(found) != _TABLES:
        raise ValueError("other tables")
    values = {name: each.value for name, each in found.items() if isinstance(each, ast.Assign)}
    arrays = values.pop("ARRAYS")
    tables = {name: ast.literal_eval(each) for name, each in values.items()}
    tables["BESIDE"] = ast.unparse(arrays) == _BESIDE
    if tables["BESIDE"]:
        tables["ARRAYS"] = arrays_beside(files)
    else:
        tables["ARRAYS"] = ast.literal_eval(arrays)
    tables["ARRAYS"] = {name: np.asarray(each) for name, each in tables["ARRAYS"].items()}
    return tables


def _name(statement: ast.stmt) -> str:
    """The table that a statement makes."""
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)]):
            return name
        case _:
            raise ValueError("not a table")
