"""All 10,000 MNIST test images on 100-100-10, 50 steps: Volr's engine and NEST, the same spikes."""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from common import mnist

import volr
from peers.tables import Row, say, show
from peers.timing import Task, medians
from volr.models.coding import decode_counts

if TYPE_CHECKING:
    from volr.checks.arrays import Floats

BACKENDS = ("engine", "nest")
TRACED = 200
"""Images of which every spike of every neuron is compared; of all others, every output count."""


def evaluate(data: volr.Data, rounds: int) -> list[Row]:
    """Train, transfer, compare, time; starting the simulators is not in the time."""
    say("training and transferring 100-100-10 for MNIST")
    train, test = data.train, data.test
    artificial = mnist.trained(data)
    with ExitStack() as started:
        simulators = {name: started.enter_context(volr.simulator(name)) for name in BACKENDS}
        settings = volr.TransferSettings(neuron=volr.IFCurrDelta(), dt=1.0, duration=50.0)
        model = volr.transfer_ann(artificial, train, simulators["engine"], settings).model
        say("comparing the spikes of the engine and NEST")
        everything = volr.Record(spikes=tuple(p.name for p in model.network.populations))

        def outputs(name: str) -> Floats:
            return simulators[name].run(model, test.inputs).output_values(model)

        traces = {
            name: simulator.run(model, test.inputs[:TRACED], record=everything).spikes
            for name, simulator in simulators.items()
        }
        counts = {name: outputs(name) for name in BACKENDS}
        ours, theirs = (traces[name] for name in BACKENDS)
        differing = sum(int(np.count_nonzero(ours[each] != theirs[each])) for each in ours)
        spikes = sum(int(np.count_nonzero(each)) for each in theirs.values())
        unequal = int(np.count_nonzero(counts[BACKENDS[0]] != counts[BACKENDS[1]]))
        say(f"timing {len(test):,} images on each")
        seconds = medians(
            {name: Task(partial(outputs, name)) for name in BACKENDS},
            rounds,
            warm_up=0,
            first=0,
            timed=1,
        ).seconds
    rows: list[Row] = []
    for name in BACKENDS:
        labels, _ = decode_counts(counts[name])
        rows.append(
            {
                "back end": name,
                "seconds": seconds[name],
                "ms/image": seconds[name] / len(test) * 1000.0,
                "× nest": seconds["nest"] / seconds[name],
                "accuracy": float((labels == test.labels).mean()),
            }
        )
    show(
        f"{len(test):,} MNIST images, 100-100-10, 50 steps of 1 ms. Of {spikes:,} spikes of all "
        f"neurons for the first {min(TRACED, len(test))} images\n{differing} differ; of "
        f"{counts['nest'].size:,} output counts of all images {unequal} differ",
        rows,
        {"back end": "", "seconds": ".2f", "ms/image": ".3f", "× nest": ".1f", "accuracy": ".4f"},
    )
    return [{**row, "differing spikes": differing, "differing counts": unequal} for row in rows]
