"""The results of an experiment: a row and details for every run, and their summary.

    Run  ::=  Row, training history, confusion, accuracy over time, transfer report, activity

A row is what is compared and averaged. The rest is for the report. All of it can be JSON.
"""

from __future__ import annotations

import json
import math
import statistics
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from volr.checks.json_values import jsonable
from volr.errors import DataError
from volr.system.storage import failing_as, write_whole

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from volr.quantisation import QuantisationReport
    from volr.training.result import Epoch
    from volr.transfer.summary import TransferReport

RESULTS = "results.json"


@dataclass(frozen=True, kw_only=True)
class Row:
    """One model, measured once on ``samples`` test samples; ``seconds`` to make it and run it.

    ``source`` is where its parameters were learned: ``torch``, ``futhark``, the simulator of the
    loop, or ``engine``. ``backend`` is what it was measured on. ``neuron`` is the name of its
    neuron model, empty for an artificial network. ``chance`` is the accuracy of always giving the
    commonest label, ``ties`` the share of stimuli for which the lowest index decided.
    """

    task: str
    condition: str
    source: str
    backend: str
    neuron: str
    seed: int
    accuracy: float
    chance: float
    seconds: float
    samples: int
    ties: float
    program: str


@dataclass(frozen=True, kw_only=True)
class Activity:
    """The operations for one stimulus on average, after NeuroBench (Yik et al. 2025).

    ``spikes`` are those of all neurons of a population; for an artificial network, the number of
    activations that are not 0. ``effective`` synaptic operations are, for every spike or activation
    that is not 0, its outgoing weights that are not 0: accumulations in a spiking network,
    multiply-accumulations in an artificial one, where a mean that is passed on, or the largest,
    multiplies nothing. ``dense`` is the same if nothing were 0, in every step. ``sparsity`` is the
    share of neurons and steps without a spike, or of activations that are 0, without the inputs.
    """

    spikes: Mapping[str, float]
    effective: float
    dense: float
    sparsity: float


@dataclass(frozen=True, kw_only=True)
class Run:
    """Everything that is kept of one run, beside its model.

    ``history`` is empty if nothing was trained. ``confusion`` counts the test samples,
    ``[label][answer]``. ``over_time`` is the accuracy if the outputs had been read at the end of
    each step, empty for artificial networks; ``dt`` (ms) is the step, 0 for these. ``transfer`` is
    the report of the transfer, if there was one, and ``quantisation`` that of the quantisation.
    ``versions`` are those of all software, by name. ``differing`` counts the test samples whose
    label is not the one of the network of whole numbers that a spiking one computes.
    """

    row: Row
    history: tuple[Epoch, ...] = ()
    confusion: tuple[tuple[int, ...], ...] = ()
    over_time: tuple[float, ...] = ()
    dt: float = 0.0
    transfer: TransferReport | None = None
    activity: Activity | None = None
    versions: Mapping[str, str] = field(default_factory=dict[str, str])
    quantisation: QuantisationReport | None = None
    differing: int | None = None


@dataclass(frozen=True, kw_only=True)
class Summary:
    """The ``n`` runs of one task, condition, source and back end: mean and sample deviation.

    ``chance`` is the mean over the rows. ``half`` is half the width of the 95 % interval of the
    mean (Student's t): t · std / √n. For a single run it is None, as is ``std``.
    """

    task: str
    condition: str
    source: str
    backend: str
    neuron: str
    mean: float
    std: float | None
    half: float | None
    n: int
    chance: float


def summarise(rows: Sequence[Row]) -> tuple[Summary, ...]:
    """One summary for each task, condition, source and back end, in the order of first rows."""
    groups: dict[tuple[str, str, str, str, str], list[Row]] = {}
    for row in rows:
        key = (row.task, row.condition, row.source, row.backend, row.neuron)
        groups.setdefault(key, []).append(row)
    return tuple(_summary(group) for group in groups.values())


def _summary(group: Sequence[Row]) -> Summary:
    n, first = len(group), group[0]
    std = statistics.stdev(row.accuracy for row in group) if n > 1 else None
    return Summary(
        task=first.task,
        condition=first.condition,
        source=first.source,
        backend=first.backend,
        neuron=first.neuron,
        mean=statistics.fmean(row.accuracy for row in group),
        std=std,
        half=None if std is None else _student(n) * std / math.sqrt(n),
        n=n,
        chance=statistics.fmean(row.chance for row in group),
    )


# The 97.5th percentile of Student's t, for 1, 2, … degrees of freedom.
_T = (
    *(12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646, 2.3060, 2.2622, 2.2281),
    *(2.2010, 2.1788, 2.1604, 2.1448, 2.1314, 2.1199, 2.1098, 2.1009, 2.0930, 2.0860),
)


def _student(n: int) -> float:
    """Student's t for the 95 % interval of the mean of ``n`` values, 2 or more.

    Beyond the table it is the Cornish-Fisher expansion around the normal distribution, exact to
    0.0001.
    """
    freedom = n - 1
    if freedom <= len(_T):
        return _T[freedom - 1]
    z = statistics.NormalDist().inv_cdf(0.975)
    first = (z**3 + z) / 4
    second = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    return z + first / freedom + second / freedom**2 + third / freedom**3


def results_json(rows: Sequence[Row]) -> dict[str, Any]:
    """``{"rows": […], "summary": […]}``, ready to be written."""
    summaries = [asdict(each) for each in summarise(rows)]
    return jsonable({"rows": [asdict(row) for row in rows], "summary": summaries})


def write_results(rows: Sequence[Row], folder: Path) -> None:
    """Write ``folder/results.json`` atomically; ``DataError`` if that fails."""
    write_json(results_json(rows), folder / RESULTS)


def write_json(content: object, path: Path) -> None:
    """Write JSON atomically; ``DataError`` if that fails."""
    text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)
    # A command line may have bytes that are not text. They stay as JSON's escapes.
    body = f"{text}\n".encode(errors="backslashreplace")
    with failing_as(DataError, f"cannot write {path}"):
        write_whole(path, body)
