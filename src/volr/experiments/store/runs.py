"""A run as JSON, there and back.

What is read is checked to its last number: files are copied between machines and mended by hand,
and what averages and draws runs relies on them.
"""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from volr.checks.json_values import entries_of, jsonable
from volr.experiments.results import Activity, Row, Run
from volr.training import Epoch
from volr.transfer import PopulationReport, TransferReport

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    _Read: TypeAlias = Callable[[Any], Any]

# Numbers near the largest there are can neither be added up nor drawn.
_LARGEST = 1e300


def run_json(run: Run) -> dict[str, Any]:
    """A run as JSON, in which a number that is none is null."""
    return cast("dict[str, Any]", jsonable(asdict(run)))


def run_from(told: object) -> Run:
    """The run that ``run_json`` wrote; ``KeyError``, ``TypeError`` or ``ValueError`` for any other
    JSON, and for numbers that nothing measures.
    """
    said = _entries(told)
    return Run(
        row=Row(**_fields(said["row"], _ROW)),
        history=_each(_epoch)(said["history"]),
        confusion=_square(said["confusion"]),
        over_time=_each(_share)(said["over_time"]),
        dt=_number(said["dt"], 0),
        transfer=_or_none(_transfer)(said["transfer"]),
        activity=_or_none(_activity)(said["activity"]),
        versions=_by_name(_text)(said["versions"]),
    )


def spec_told(told: object) -> dict[str, Any]:
    """The spec of a run as JSON, of whatever version; raises as ``run_from`` where it is none."""
    spec = _entries(told)
    for each in (spec["task"], spec["condition"], _entries(spec["settings"]).get("neuron", "")):
        _text(each)
    return spec


def _epoch(told: object) -> Epoch:
    return Epoch(**_fields(told, _EPOCH))


def _transfer(told: object) -> TransferReport:
    return TransferReport(**_fields(told, _TRANSFER))


def _population(told: object) -> PopulationReport:
    report = PopulationReport(**_fields(told, _POPULATION))
    if len(report.wanted_curve) != len(report.measured_curve):
        raise ValueError("the two halves of a curve differ in length")
    return report


def _activity(told: object) -> Activity:
    return Activity(**_fields(told, _ACTIVITY))


def _square(told: object) -> tuple[tuple[int, ...], ...]:
    rows = _each(_each(_count))(told)
    if any(len(row) != len(rows) for row in rows):
        raise ValueError("the confusion is not square")
    return rows


def _fields(told: object, reads: Mapping[str, _Read]) -> dict[str, Any]:
    """The entries of an object, each as the one of ``reads`` by its name has it; no others."""
    entries = _entries(told)
    if entries.keys() != reads.keys():
        raise KeyError(*entries.keys() ^ reads.keys())
    return {name: read(entries[name]) for name, read in reads.items()}


def _entries(told: object) -> dict[str, Any]:
    entries = entries_of(told)
    if entries is None:
        raise TypeError("no object")
    return entries


def _by_name(read: _Read) -> _Read:
    return lambda told: {name: read(each) for name, each in _entries(told).items()}


def _each(read: _Read) -> _Read:
    def tuple_of(told: object) -> tuple[Any, ...]:
        # A text has parts, too.
        if not isinstance(told, list):
            raise TypeError("no list")
        return tuple(map(read, cast("list[object]", told)))

    return tuple_of


def _or_none(read: _Read) -> _Read:
    return lambda told: None if told is None else read(told)


def _text(told: object) -> str:
    if not isinstance(told, str):
        raise TypeError("no text")
    return told


def _number(told: object, least: float = -_LARGEST, most: float = _LARGEST) -> float:
    # To Python, true is a number.
    if isinstance(told, bool) or not isinstance(told, int | float):
        raise TypeError("no number")
    # Never true of NaN, which Python reads from JSON as well as infinities.
    if not least <= told <= most:
        raise ValueError(f"not between {least} and {most}")
    return told


def _share(told: object) -> float:
    return _number(told, 0, 1)


def _count(told: object, least: int = 0) -> int:
    if not isinstance(told, int):
        raise TypeError("no whole number")
    return int(_number(told, least))


def _samples(told: object) -> int:
    return _count(told, 1)


def _correlation(told: object) -> float:
    return math.nan if told is None else _number(told)


_ROW: Mapping[str, _Read] = {
    **dict.fromkeys(("task", "condition", "source", "backend", "neuron", "program"), _text),
    **dict.fromkeys(("accuracy", "chance", "ties"), _share),
    "seed": _count,
    "seconds": _number,
    "samples": _samples,
}
_EPOCH: Mapping[str, _Read] = {
    "loss": _number,
    "validation_loss": _or_none(_number),
    "validation_accuracy": _or_none(_share),
}
_POPULATION: Mapping[str, _Read] = {
    "name": _text,
    **dict.fromkeys(("size", "dead", "silent", "saturated"), _count),
    **dict.fromkeys(("scale", "excitation", "inhibition", "offset"), _number),
    **dict.fromkeys(("wanted", "measured", "clipped"), _number),
    "correlation": _correlation,
    **dict.fromkeys(("wanted_curve", "measured_curve"), _each(_number)),
}
_TRANSFER: Mapping[str, _Read] = {
    "populations": _each(_population),
    "samples": _samples,
    **dict.fromkeys(("accuracy_before", "accuracy_after", "ties"), _share),
}
_ACTIVITY: Mapping[str, _Read] = {
    "spikes": _by_name(_number),
    **dict.fromkeys(("effective", "dense", "sparsity"), _number),
}
