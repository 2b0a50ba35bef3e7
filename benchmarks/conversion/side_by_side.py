"""All converted networks on the same images, in turns, and what comes of it as rows of a table."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from peers.tables import say

from conversion.base import right

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray
    from peers.tables import Row

    from conversion.base import Converted, Reading
    from volr.checks.arrays import Floats
    from volr.models.samples import Samples

FORMATS = {
    "converter": "",
    "options": "",
    "steps": ",",
    "accuracy": ".4f",
    "lost": ",",
    "others": ",",
    "spikes": ",.0f",
    "ACs": ",.0f",
    "MACs": ",.0f",
    "seconds": ".1f",
}
"""The columns of the table, and how their numbers look."""


def run(
    converted: Sequence[Converted],
    networks: dict[str, Callable[[Floats], NDArray[np.int64]]],
    test: Samples,
    batch: int,
    keep: Callable[[list[Row]], None],
) -> list[Row]:
    """Rows for artificial ``networks``, the first of which is what all are compared with, and for
    each converted one and number of steps.

    A batch goes through one after the other, and each batch begins with another one, so what
    disturbs one disturbs all. Seconds are the median of the batches, for all images. ``keep`` gets
    the rows so far after each batch. Ctrl-C ends it early: the rows are then those of the batches
    that were finished.
    """
    finished: list[_Batch] = []
    rows: list[Row] = []
    try:
        for number, first in enumerate(range(0, len(test), batch)):
            part = test.inputs[first : first + batch]
            answers = {name: _timed(labels_of, part) for name, labels_of in networks.items()}
            begins = number % len(converted)
            order = [*range(begins, len(converted)), *range(begins)]
            found = {which: converted[which].run(part, number) for which in order}
            finished.append(_Batch(answers, [found[which] for which in range(len(converted))]))
            done = min(first + batch, len(test))
            rows = _rows(finished, converted, np.asarray(test.labels[:done]))
            keep(rows)
            say(f"{done:,} of {len(test):,} images")
    except KeyboardInterrupt:
        say(f"ended after {len(finished)} batches")
        if not finished:
            raise
    return rows


@dataclass(frozen=True)
class _Batch:
    """Of artificial networks by name the labels and seconds, of converted ones the readings."""

    answers: dict[str, tuple[NDArray[np.int64], float]]
    readings: Sequence[Sequence[Reading]]


def _rows(
    finished: Sequence[_Batch], converted: Sequence[Converted], wanted: NDArray[np.int64]
) -> list[Row]:
    names = list(finished[0].answers)
    reference = np.concatenate([each.answers[names[0]][0] for each in finished])
    done = len(wanted)

    def row(parts: Sequence[tuple[NDArray[np.int64], float]], **others: float | str) -> Row:
        labels = np.concatenate([labels for labels, _ in parts])
        correct = right(labels, wanted)
        an_image = statistics.median(seconds / len(labels) for labels, seconds in parts)
        return {
            **others,
            "images": done,
            "accuracy": correct / done,
            "lost": right(reference, wanted) - correct,
            "others": int((labels != reference).sum()),
            "seconds": an_image * done,
        }

    rows = [
        row([each.answers[name] for each in finished], converter="ANN", options=name)
        for name in names
    ]
    rows += [
        row(
            [(one.labels, one.seconds) for one in each],
            converter=network.family,
            options=network.name,
            steps=each[0].steps,
            spikes=sum(one.spikes for one in each) / done,
            ACs=sum(one.acs for one in each) / done,
            MACs=sum(one.macs for one in each) / done,
        )
        for which, network in enumerate(converted)
        for each in zip(*(batch.readings[which] for batch in finished), strict=True)
    ]
    return rows


def _timed(
    labels_of: Callable[[Floats], NDArray[np.int64]], images: Floats
) -> tuple[NDArray[np.int64], float]:
    started = time.perf_counter()
    labels = labels_of(images)
    return labels, time.perf_counter() - started
