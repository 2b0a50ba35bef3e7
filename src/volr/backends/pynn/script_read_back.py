"""A script for PyNN that ``script`` wrote, parsed back: its tables are taken apart, never run."""

from __future__ import annotations

import ast
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from volr.backends.held_synapses import HeldBlocks
from volr.backends.pynn.script import (
    BESIDE,
    CONVERT,
    OF_NEURONS,
    head,
    program,
    table_names,
)
from volr.backends.pynn.solutions import SOLUTIONS
from volr.backends.pynn.translation import CELLS, tie
from volr.backends.readback import (
    PROGRAM,
    Asked,
    Cells,
    SpikingReadback,
    all_asked,
    asked_cells,
    distinct,
    precision_of,
)
from volr.backends.scripts import AS_TEXT, DAMAGED, Kind, arrays_beside, float_types
from volr.errors import DataError
from volr.models.coding import ConstantCurrent
from volr.neurons import neuron_model

if TYPE_CHECKING:
    from collections.abc import Mapping

    from volr.backends.base import Files
    from volr.backends.held_synapses import SynapseArrays
    from volr.backends.readback import Ends
    from volr.checks.arrays import Floats

# The head of a script is in so many characters.
_HEAD = 1_000


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
    clock: str | None = tables.get("CLOCK")
    starts = {*tables["INPUTS"], clock}
    given = starts if tables["CODING"] != ConstantCurrent.name else {clock}
    neurons: dict[str, dict[str, Any]] = {
        each: tables["NEURONS"][each] if "NEURONS" in tables else dict(tables)
        for each in names
        if each not in given
    }
    sizes: dict[str, int] = {names[each]: size for each, size in tables["POPULATIONS"].items()}
    matrices: dict[Ends, Floats] = {}
    held: dict[Ends, list[SynapseArrays]] = {}
    delays: dict[Ends, list[float]] = {}
    usual, own = tables["DELAY_STEPS"], tables.get("DELAYS", {})
    for source, target, *listed in tables["PROJECTIONS"]:
        ends = names[source], names[target]
        for key in listed:
            post, pre = (np.asarray(arrays[f"{key}.{end}"], np.int64) for end in ("post", "pre"))
            held.setdefault(ends, []).append((post, pre, _double(arrays[f"{key}.weight"])))
        if not listed:
            matrices[ends] = _double(arrays[f"{source}->{target}.weight"])
        for key in listed or [f"{source}->{target}"]:
            delays.setdefault(ends, []).append(own.get(key, usual) * dt)
    silent: list[str] = tables["OUTPUTS"] if "READOUT" in tables else []
    precision = precision_of(float_types(arrays.values()))
    return SpikingReadback(
        populations=all_asked(sizes),
        inputs=Asked(tuple(names[each] for each in tables["INPUTS"])),
        outputs=Asked(tuple(names[each] for each in tables["OUTPUTS"])),
        weights=HeldBlocks(held, sizes) if held else all_asked(matrices),
        biases=all_asked(
            {
                names[each]: neurons[each]["I_OFFSET"] + _double(arrays[f"{each}.bias"])
                for each in tables["POPULATIONS"]
                if each not in starts
            }
        ),
        cells={
            names[theirs]: _cells(each, dt, spiking=theirs not in silent)
            for theirs, each in neurons.items()
        },
        delays=all_asked({ends: distinct(each) for ends, each in delays.items()}),
        ticks={} if clock is None else {names[clock]: Asked(np.asarray(tables["TICKS"]))},
        dt=Asked(dt),
        precision=precision if tables["BESIDE"] else AS_TEXT,
        rest=PROGRAM,
    )


def _cells(neurons: Mapping[str, Any], dt: float, *, spiking: bool) -> Cells:
    """The neurons that a population's tables describe; the program lets some never spike."""
    (kind,) = (ours for ours, theirs in CELLS.items() if theirs == neurons["CELL"])
    numbers: dict[str, float] = dict(neurons["PARAMETERS"])
    if (neurons["TIE"], neurons["SOLUTION"]) != (tie(neuron_model(kind, numbers)), SOLUTIONS[kind]):
        raise ValueError("another neuron on Brian2")
    numbers["tau_refrac"] = neurons["REFRACTORY_STEPS"] * dt
    if not spiking:
        numbers["v_thresh"] = math.inf
    return asked_cells(kind, "hard", numbers)


def _double(values: Floats) -> Floats:
    return np.asarray(values, dtype=np.float64)


def _tables(files: Files) -> dict[str, Any]:
    """The tables by name, ``ARRAYS`` as arrays, and whether these lie ``BESIDE`` the script."""
    text = files[".py"].decode()
    # Texts in tables have no line breaks, so that none of them begins a line.
    kind = Kind(
        several="\nNEURONS = " in text,
        listed="; synapses have post, pre and a weight," in text[:_HEAD],
        first="\nTICKS = " in text,
        delays="\nDELAYS = " in text,
        final="\nREADOUT = " in text,
        endless="\n        # Such a current stays.\n" in text,
    )
    before, after = head(kind), CONVERT + program(kind)
    if not text.startswith(before) or not text.endswith(after):
        raise ValueError("another program")
    found = {_name(each): each for each in ast.parse(text[len(before) : -len(after)]).body}
    if tuple(found) != table_names(kind):
        raise ValueError("other tables")
    values = {name: each.value for name, each in found.items() if isinstance(each, ast.Assign)}
    arrays = values.pop("ARRAYS")
    tables = {name: ast.literal_eval(each) for name, each in values.items()}
    if any(tuple(each) != OF_NEURONS for each in tables.get("NEURONS", {}).values()):
        raise ValueError("other tables of neurons")
    tables["BESIDE"] = ast.unparse(arrays) == BESIDE
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
