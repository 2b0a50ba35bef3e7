"""A Brian2 script that ``script`` wrote, parsed back: its tables are taken apart, never run."""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from volr.backends.brian2.equations import MILLI, NANO, RESTS, UNREACHABLE
from volr.backends.brian2.translation import Neurons, Pathway, in_our_words
from volr.backends.readback import PROGRAM, Asked, precision_of
from volr.backends.scripts import AS_TEXT, DAMAGED, arrays_beside, float_types
from volr.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from volr.backends.base import Files
    from volr.backends.readback import Answer, SpikingReadback
    from volr.checks.arrays import Floats, Integers

UNITS = {"ms": MILLI, "mV": MILLI, "nA": NANO, "nF": NANO, "uS": 1e-6}
"""The units of a script, and how many of SI's make one."""

_WANTED = (
    *("DT", "THRESHOLD", "REFRACTORY", "POPULATIONS", "INPUTS", "OUTPUTS", "SILENT", "CURRENTS"),
    "CODING",
)
_SOMETIMES = ("DELAYS", "CLOCK", "TICKS")
"""What only some scripts have: delays by projection, and the steps in which a clock spikes."""
_WIRING = ("WEIGHTS", "SYNAPSES")
"""One of the two: matrices ``[target, source]``, or lists of source, target and weight."""
_OF_NEURONS = ("EQUATIONS", "STEP", "RESET", "NEURON", "PATHWAYS", "SLOT", "DELAY")
"""What is said of neurons, once; or of each population, in ``NEURONS``."""


def read_back(files: Files) -> SpikingReadback:
    """What a script and its archive say. Raises ``DataError`` for what is no such script."""
    try:
        archive = arrays_beside(files) if ".npz" in files else {}
        held = _contents(_tables(ast.parse(files[".py"]), archive), _precision(archive))
    except DAMAGED as error:
        raise DataError(f"this is not a Brian2 script of Volr's: {error}") from error
    return replace(held, rest=PROGRAM)


def _tables(tree: ast.Module, archive: Mapping[str, Floats]) -> dict[str, Any]:
    """The values of the assignments at the top, in SI units."""
    found: dict[str, Any] = {}
    known = (*_WANTED, *_OF_NEURONS, "NEURONS", *_WIRING, *_SOMETIMES)
    for statement in tree.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if name in known:
                found[name] = _value(value, archive)
            case _:
                pass
    wanted = _WANTED if "NEURONS" in found else (*_WANTED, *_OF_NEURONS)
    missing = [name for name in wanted if name not in found]
    if len(found.keys() & set(_WIRING)) != 1:
        missing += [" or ".join(_WIRING)]
    if missing:
        raise ValueError(f"it has no {', '.join(missing)}")
    return found


def _value(node: ast.expr, archive: Mapping[str, Floats]) -> Any:
    match node:
        case ast.Dict(keys=keys, values=values):
            pairs = zip(keys, values, strict=True)
            return {ast.literal_eval(k): _value(v, archive) for k, v in pairs if k is not None}
        case ast.BinOp(left=left, op=ast.Mult(), right=ast.Name(id=unit)):
            return np.asarray(_value(left, archive), dtype=np.float64) * UNITS[unit]
        case ast.Tuple(elts=values):
            return tuple(_value(each, archive) for each in values)
        case ast.Subscript(value=ast.Name(id="DATA"), slice=ast.Constant(value=str(key))):
            return archive[key]
        case _:
            return ast.literal_eval(node)


def _precision(archive: Mapping[str, Floats]) -> Answer[float]:
    if not archive:
        return AS_TEXT
    return precision_of(float_types(archive.values()))


def _synapses(
    tables: Mapping[str, Any],
) -> Iterator[tuple[tuple[Any, ...], tuple[Integers, Integers, Floats]]]:
    """The key of each projection, and the source, target and weight of its synapses."""
    for ends, (before, after, weights) in tables.get("SYNAPSES", {}).items():
        yield ends, (np.asarray(before, np.int64), np.asarray(after, np.int64), weights)
    for ends, weights in tables.get("WEIGHTS", {}).items():
        after, before = np.nonzero(~np.isnan(weights))
        yield ends, (before, after, weights[after, before])


def _contents(tables: dict[str, Any], precision: Answer[float]) -> SpikingReadback:
    sizes: dict[str, int] = tables["POPULATIONS"]
    inputs: tuple[str, ...] = tables["INPUTS"]
    silent: tuple[str, ...] = tables["SILENT"]
    told: dict[str, dict[str, Any]] = tables.get("NEURONS") or dict.fromkeys(sizes, tables)
    neurons: dict[str, Neurons] = {}
    clock: str | None = tables.get("CLOCK")
    for name in sizes:
        if name == clock or (name in inputs and tables["CODING"] != "current"):
            continue
        numbers = {key: np.array([float(value)]) for key, value in told[name]["NEURON"].items()}
        if name in silent:
            numbers["fires_at"] = np.array([UNREACHABLE])
        neurons[name] = Neurons(
            told[name]["EQUATIONS"],
            f"{RESTS.format(tables['REFRACTORY'])}\n{told[name]['STEP'].strip()}",
            tables["THRESHOLD"],
            told[name]["RESET"],
            numbers,
            np.zeros(0) if name in inputs else tables["CURRENTS"][name],
        )
    pathways: list[Pathway] = []
    delays: dict[tuple[Any, ...], Any] = tables.get("DELAYS", {})
    for ends, (i, j, w) in _synapses(tables):
        source, target, *_ = ends
        codes: tuple[str, ...] = told[target]["PATHWAYS"]
        delay, slot = float(delays.get(ends, told[target]["DELAY"])), told[target]["SLOT"]
        masks = [w >= 0.0, w < 0.0] if len(codes) == 2 else [np.isfinite(w)]
        for code, mask in zip(codes, masks, strict=True):
            if mask.any():
                those = i[mask], j[mask], w[mask]
                pathways.append(Pathway(source, target, *those, delay, code, slot))
    outputs: tuple[str, ...] = tables["OUTPUTS"]
    held = in_our_words(
        sizes,
        Asked(inputs),
        Asked(outputs),
        neurons,
        pathways,
        float(tables["DT"]),
        precision,
    )
    ticks = {} if clock is None else {clock: Asked(np.asarray(tables["TICKS"], np.int64))}
    return replace(held, ticks=ticks)
