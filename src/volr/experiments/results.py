"""What an experiment found: a row for each run, and their summary, as tables and as JSON."""

from __future__ import annotations

import itertools
import json
import statistics
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from volr.errors import DataError
from volr.storage import write_whole

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

RESULTS = "results.json"
MODELS = "models"


@dataclass(frozen=True, kw_only=True)
class Row:
    """One model, measured once on ``samples`` test samples; ``seconds`` to make it and run it.

    ``chance`` is the accuracy of always giving the commonest label, ``ties`` the share of stimuli
    decided by the lowest index.
    """

    task: str
    condition: str
    backend: str
    seed: int
    accuracy: float
    chance: float
    seconds: float
    samples: int
    ties: float
    program: str


@dataclass(frozen=True, kw_only=True)
class Summary:
    """The ``n`` runs of one task, condition and back end: mean and sample standard deviation.

    ``std`` is 0 for a single run, ``chance`` the mean of the rows'.
    """

    task: str
    condition: str
    backend: str
    mean: float
    std: float
    n: int
    chance: float


def summarise(rows: Sequence[Row]) -> tuple[Summary, ...]:
    """One summary for each task, condition and back end, in the order of their first rows."""
    groups: dict[tuple[str, str, str], list[Row]] = {}
    for row in rows:
        groups.setdefault((row.task, row.condition, row.backend), []).append(row)
    return tuple(
        Summary(
            task=task,
            condition=condition,
            backend=backend,
            mean=statistics.fmean(row.accuracy for row in group),
            std=statistics.stdev(row.accuracy for row in group) if len(group) > 1 else 0.0,
            n=len(group),
            chance=statistics.fmean(row.chance for row in group),
        )
        for (task, condition, backend), group in groups.items()
    )


def results_json(rows: Sequence[Row]) -> dict[str, Any]:
    """``{"rows": […], "summary": […]}``, ready to be written."""
    return {
        "rows": [asdict(row) for row in rows],
        "summary": [
            {
                "task": each.task,
                "condition": each.condition,
                "backend": each.backend,
                "mean": each.mean,
                "std": each.std,
                "n": each.n,
            }
            for each in summarise(rows)
        ],
    }


def write_results(rows: Sequence[Row], folder: Path) -> None:
    """Write ``folder/results.json``, whole or not at all; ``DataError`` where it cannot be."""
    path = folder / RESULTS
    text = json.dumps(results_json(rows), indent=2, ensure_ascii=False, allow_nan=False)
    try:
        write_whole(path, f"{text}\n".encode())
    except OSError as error:
        raise DataError(f"cannot write {path}: {error.strerror or error}") from error


def keep_earlier(folder: Path) -> tuple[Path, ...]:
    """Rename what an earlier experiment left in ``folder``: its results and its models.

    ``results.json`` becomes ``results.1.json`` and ``models`` becomes ``models.1``, or whichever
    number is the first that is free for both. Returns the new names of what was there;
    ``DataError`` where it cannot be renamed.
    """
    paths = folder / RESULTS, folder / MODELS
    try:
        free = next(
            n for n in itertools.count(1) if not any(_numbered(p, n).exists() for p in paths)
        )
        return tuple(path.rename(_numbered(path, free)) for path in paths if path.exists())
    except OSError as error:
        raise DataError(f"cannot rename the earlier results in {folder}: {error}") from error


def _numbered(path: Path, number: int) -> Path:
    return path.with_name(f"{path.stem}.{number}{path.suffix}")
