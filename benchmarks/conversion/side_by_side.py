"""All converted networks on the same images, in turns, and what comes of it as rows of a table."""

from __future__ import annotations

import statistics
import time
from collections import defaultdict
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
) -> list[Row]:
    """Rows for artificial ``networks``, the first of which is what all are compared with, and for
    each converted one and number of steps.

    A batch goes through one after the other, and each batch begins with another one, so what
    disturbs one disturbs all. Seconds are the median of the batches, for all images. Ctrl-C ends
    it early: the rows are then those of the batches that were finished.
    """
    float_labels: list[NDArray[np.int64]] = []
    of_networks: dict[str, list[tuple[NDArray[np.int64], float]]] = defaultdict(list)
    readings: dict[int, list[Sequence[Reading]]] = defaultdict(list)
    done = 0
    try:
        for number, first in enumerate(range(0, len(test), batch)):
            part = test.inputs[first : first + batch]
            answers = {name: _timed(labels_of, part) for name, labels_of in networks.items()}
            begins = number % len(converted)
            order = [*range(begins, len(converted)), *range(begins)]
            found = {which: converted[which].run(part, number) for which in order}
            for name, each in answers.items():
                of_networks[name].append(each)
            for which, each in found.items():
                readings[which].append(each)
            float_labels.append(next(iter(answers.values()))[0])
            done += len(part)
            say(f"{done:,} of {len(test):,} images")
    except KeyboardInterrupt:
        say(f"ended after {done:,} of {len(test):,} images")
        if not done:
            raise
    wanted, reference = np.asarray(test.labels[:done]), np.concatenate(float_labels)

    def row(labels: NDArray[np.int64], seconds: Sequence[float], **others: float | str) -> Row:
        correct = right(labels, wanted)
        return {
            **others,
            "images": done,
            "accuracy": correct / done,
            "lost": right(reference, wanted) - correct,
            "others": int((labels != reference).sum()),
            # The last batch may be smaller.
            "seconds": statistics.median(seconds[: done // batch] or seconds) * done / batch
            if done >= batch
            else sum(seconds),
        }

    rows: list[Row] = []
    for name, each in of_networks.items():
        labels = np.concatenate([labels for labels, _ in each])
        rows.append(row(labels, [s for _, s in each], converter="ANN", options=name))
    for which, network in enumerate(converted):
        for each in zip(*readings[which], strict=True):
            labels = np.concatenate([one.labels for one in each])
            rows.append(
                row(
                    labels,
                    [one.seconds for one in each],
                    converter=network.family,
                    options=network.name,
                    steps=each[0].steps,
                    spikes=sum(one.spikes for one in each) / done,
                    ACs=sum(one.acs for one in each) / done,
                    MACs=sum(one.macs for one in each) / done,
                )
            )
    return rows


def _timed(
    labels_of: Callable[[Floats], NDArray[np.int64]], images: Floats
) -> tuple[NDArray[np.int64], float]:
    started = time.perf_counter()
    labels = labels_of(images)
    return labels, time.perf_counter() - started
