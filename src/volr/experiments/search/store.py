"""The files of a search, beside its runs.

DIR/search.json    what is searched, the versions, and the command
DIR/trials.json    every trial so far, and which parameters matter
DIR/best.json      the best settings so far, and the program, for `--settings`

The last two are never replaced by those of fewer trials.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, cast

from volr.experiments.results import write_json
from volr.experiments.search.space import parameter_text
from volr.experiments.search.trial import best
from volr.experiments.search.variation import varied
from volr.experiments.settings import settings_json
from volr.experiments.store.folder import MODELS, RUNS, read_plan, set_aside
from volr.experiments.store.hashed_json import sealed
from volr.experiments.store.plans import surroundings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from volr.experiments.search.rungs import Rung
    from volr.experiments.search.trials import Found, Search
    from volr.experiments.search.variation import Value

SEARCH, TRIALS, BEST = "search.json", "trials.json", "best.json"


def begin(search: Search, folder: Path, command: Sequence[str], *, fresh: bool) -> Path | None:
    """Write ``search.json``. If ``folder`` has another search, or with ``fresh``, move the earlier
    files aside first, and return where to.

    Runs stay unless ``fresh``: they are found by everything that they depend on, and can be used
    again.
    """
    asked = _asked(search)
    aside = None
    if fresh:
        aside = set_aside(folder, (SEARCH, TRIALS, BEST, RUNS, MODELS))
    elif read_plan(folder, SEARCH).get("search", asked) != asked:
        aside = set_aside(folder, (SEARCH, TRIALS, BEST))
    write_json(sealed({"search": asked, **surroundings(command)}), folder / SEARCH)
    return aside


def write_found(
    search: Search,
    ladder: Sequence[Rung],
    found: Found,
    folder: Path,
    weights: Mapping[str, float] | None = None,
) -> bool:
    """Write ``trials.json`` and ``best.json``; ``DataError`` if that fails.

    False if the files are of the same search with more trials; then they stay.
    """
    there = read_plan(folder, TRIALS).get("trials")
    if isinstance(there, list) and len(cast("list[object]", there)) > len(found.trials):
        return False
    write_json(sealed(trials_json(ladder, found, weights)), folder / TRIALS)
    write_json(best_json(search, found), folder / BEST)
    return True


def trials_json(
    ladder: Sequence[Rung], found: Found, weights: Mapping[str, float] | None = None
) -> dict[str, Any]:
    """All trials; ``weights`` are how much each parameter matters."""
    return {
        "rungs": [asdict(each) for each in ladder],
        "unless told": found.baseline,
        "trials": [asdict(each) for each in found.trials],
        "weights": dict(weights or {}),
    }


def best_json(search: Search, found: Found) -> dict[str, Any]:
    """The settings and the program of the best trial.

    If it is not better than the original ones, these; ``trial`` is then null.
    """
    chosen = best(found.trials)
    if chosen is not None and chosen.scores[-1] <= found.baseline:
        chosen = None
    values: Mapping[str, Value] = {} if chosen is None else chosen.values
    settings, program = varied(values, search.settings, search.program)
    # Always with the neuron of a spiking network: a study may have another default.
    neuron = {"neuron": settings.neuron} if search.condition.is_spiking else {}
    return {
        "settings": {**neuron, **settings_json(settings)},
        "task": search.task,
        "program": program,
        "condition": search.condition.label,
        "on": search.on,
        "trial": None if chosen is None else chosen.number,
        "values": dict(values),
        "validation accuracy": found.baseline if chosen is None else chosen.scores[-1],
        "unless told": found.baseline,
        "trials": len(found.trials),
    }


def _asked(search: Search) -> dict[str, Any]:
    return {
        "task": search.task,
        "program": search.program,
        "condition": search.condition.label,
        "on": search.on,
        "settings": settings_json(search.settings),
        "over": [parameter_text(each) for each in search.space],
        "batch": search.batch,
        "seeds": search.seeds,
        "seed": search.seed,
    }
