"""A run as JSON, there and back."""

from __future__ import annotations

import math
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any, cast

from volr.experiments.results import Activity, Row, Run
from volr.jsonable import jsonable
from volr.training import Epoch
from volr.transfer import PopulationReport, TransferReport

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def run_json(run: Run) -> dict[str, Any]:
    """A run as JSON, in which a number that is none is null."""
    return cast("dict[str, Any]", jsonable(asdict(run)))


def run_from(told: Mapping[str, Any]) -> Run:
    """The run that ``run_json`` wrote; ``KeyError``, ``TypeError`` or ``AttributeError`` for any
    other JSON.
    """
    said = cast("dict[str, Any]", _as_tuples(told))
    report: dict[str, Any] | None = said["transfer"]
    activity: dict[str, Any] | None = said["activity"]
    return Run(
        row=_row_from(said["row"]),
        history=tuple(Epoch(**each) for each in said["history"]),
        confusion=said["confusion"],
        over_time=said["over_time"],
        dt=said["dt"],
        transfer=None if report is None else _report_from(report),
        activity=None if activity is None else Activity(**activity),
        versions={f"{name}": f"{version}" for name, version in said["versions"].items()},
    )


def _row_from(told: dict[str, Any]) -> Row:
    row = Row(**told)
    kinds: dict[str, type | tuple[type, ...]] = {"str": str, "int": int, "float": (int, float)}
    for each in fields(row):
        if not isinstance(told[each.name], kinds[str(each.type)]):
            raise TypeError(f"{each.name} is {told[each.name]!r}")
    return row


def _report_from(told: dict[str, Any]) -> TransferReport:
    populations: list[PopulationReport] = []
    for each in told["populations"]:
        numbers: dict[str, Any] = {k: math.nan if v is None else v for k, v in each.items()}
        populations.append(PopulationReport(**numbers))
    others: dict[str, Any] = {**told, "populations": tuple(populations)}
    return TransferReport(**others)


def _as_tuples(value: object) -> object:
    match value:
        case dict():
            entries = cast("Mapping[str, object]", value)
            return {key: _as_tuples(each) for key, each in entries.items()}
        case list():
            return tuple(map(_as_tuples, cast("Sequence[object]", value)))
        case _:
            return value
