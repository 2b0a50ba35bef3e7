"""A run as JSON, written and read.

Every value is checked when it is read: files are copied between machines and edited by hand, and
averages and figures rely on them.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from types import UnionType
from typing import Any, cast, get_args, get_origin, get_type_hints

from volr.checks.json_values import entries_of, jsonable
from volr.experiments.results import Run
from volr.quantisation import QuantisationReport
from volr.training import Epoch
from volr.transfer import TransferReport

# Numbers near the largest float can neither be added up nor drawn.
_LARGEST = 1e300
_SHARE = 0.0, 1.0
_RANGES = {
    **dict.fromkeys(("accuracy", "validation_accuracy", "accuracy_before"), _SHARE),
    **dict.fromkeys(("accuracy_after", "over_time", "chance", "ties", "agreement"), _SHARE),
    "samples": (1, _LARGEST),
    "dt": (0.0, _LARGEST),
}
"""The ranges of numbers, by the names of their fields."""
_KNOWN = {each.__name__: each for each in (Mapping, Epoch, TransferReport, QuantisationReport)}
_OPTIONAL = ("quantisation", "differing")
_MAYBE_NAN = ("correlation", "height")


def run_json(run: Run) -> dict[str, Any]:
    """A run as JSON, with null for NaN; without what only whole numbers have, if it has none."""
    entries = {k: each for k, each in asdict(run).items() if k not in _OPTIONAL or each is not None}
    return cast("dict[str, Any]", jsonable(entries))


def run_from(value: object) -> Run:
    """The run that ``run_json`` wrote.

    Raises ``KeyError``, ``TypeError`` or ``ValueError`` for any other JSON, and for numbers that no
    run can have.
    """
    run = Run(**_fields(Run, dict.fromkeys(_OPTIONAL) | _entries(value)))
    if any(len(row) != len(run.confusion) for row in run.confusion):
        raise ValueError("the confusion is not square")
    for each in () if run.transfer is None else run.transfer.populations:
        if len(each.wanted_curve) != len(each.measured_curve):
            raise ValueError("the two halves of a curve differ in length")
    return run


def spec_entries(value: object) -> dict[str, Any]:
    """The spec of a run as JSON, of any version; raises as ``run_from`` for anything else."""
    spec = _entries(value)
    for each in (spec["task"], spec["condition"], _entries(spec["settings"]).get("neuron", "")):
        _read(each, str)
    return spec


def _read(value: object, kind: Any, name: str = "") -> Any:
    """The value of a field ``name`` that is annotated as ``kind``."""
    match get_origin(kind), get_args(kind):
        case (origin, [inner, *_]) if origin is tuple:
            # A text is a sequence too.
            if not isinstance(value, list):
                raise TypeError("no list")
            return tuple(_read(each, inner, name) for each in cast("list[object]", value))
        case (origin, [_, inner]) if origin is Mapping:
            return {key: _read(each, inner) for key, each in _entries(value).items()}
        case (origin, [inner, _]) if origin is UnionType:  # … or None
            return None if value is None else _read(value, inner, name)
        case _ if is_dataclass(kind):
            entries = _entries(value)
            if entries.keys() != _hints(kind).keys():
                raise KeyError(*entries.keys() ^ _hints(kind).keys())
            return cast("Any", kind)(**_fields(kind, entries))
        case _ if kind is str:
            if not isinstance(value, str):
                raise TypeError("no text")
            return value
        case _:
            return math.nan if value is None and name in _MAYBE_NAN else _number(value, kind, name)


def _number(value: object, kind: type, name: str) -> float:
    # In Python, true is a number.
    if isinstance(value, bool) or not isinstance(value, int if kind is int else int | float):
        raise TypeError("no number, or no whole one")
    least, most = _RANGES.get(name, (0 if kind is int else -_LARGEST, _LARGEST))
    # This is false for NaN, which Python reads from JSON, as it does infinities.
    if not least <= value <= most:
        raise ValueError(f"not between {least} and {most}")
    return value


def _fields(kind: Any, entries: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _read(entries[name], each, name) for name, each in _hints(kind).items()}


@functools.cache
def _hints(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind, localns=_KNOWN)


def _entries(value: object) -> dict[str, Any]:
    entries = entries_of(value)
    if entries is None:
        raise TypeError("no object")
    return entries
