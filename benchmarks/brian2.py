"""Brian2: MNIST at 10 × 10 on the targets of its code, and how far its spikes are the engine's.

python benchmarks/brian2.py [--target numpy|cython|cpp_standalone] [--data DIR]

Cython compiles for minutes when it first sees a shape of network; a program in C++ is built anew
for every batch, which the time contains.
"""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING

from common import mnist

import volr
from volr.backends.base import Record
from volr.backends.brian2 import TARGETS, Brian2Simulator
from volr.models.coding import decode_counts
from volr.neurons import IFCondExp, IFCurrDelta, IFCurrExp
from volr.system.cores import cores

if TYPE_CHECKING:
    from volr.models.model import SpikingModel

IMAGES = 1000


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--target", choices=TARGETS, default="numpy")
    mnist.add_data_option(parser)
    given = parser.parse_args()
    data = mnist.load(given.data)
    artificial = mnist.trained(data)
    images, labels = data.test.inputs[:IMAGES], data.test.labels[:IMAGES]
    print(f"100-100-10, {IMAGES:,} images, {given.target}, {cores()} processes")
    print("neuron          dt  steps  ms/image  accuracy  other spikes of")
    for neuron, dt in (
        (IFCurrDelta(), 1.0),
        (IFCurrExp(), 1.0),
        (IFCondExp(), 1.0),
        (IFCondExp(), 0.5),
        (IFCondExp(), 0.1),
    ):
        settings = volr.TransferSettings(neuron=neuron, dt=dt)
        with volr.simulator("engine") as engine:
            model = volr.transfer_ann(artificial, data.train, engine, settings).model
            wanted = engine.run(model, images, record=_everything(model))
        with Brian2Simulator(target=given.target) as brian2:
            brian2.run(model, images[: cores()])  # started, and compiled
            started = time.perf_counter()
            brian2.run(model, images)
            each = (time.perf_counter() - started) / len(images) * 1000
            found = brian2.run(model, images, record=_everything(model))
        guessed, _ = decode_counts(found.output_values(model))
        accuracy = float((guessed == labels).mean())
        pairs = [(found.spikes[n], wanted.spikes[n]) for n in wanted.spikes]
        others = sum(int((a.sum(axis=0) != b.sum(axis=0)).sum()) for a, b in pairs)
        trains = sum(int((a != b).any(axis=0).sum()) for a, b in pairs)
        neurons = sum(a[0].size for a, _ in pairs)
        print(
            f"{neuron.name:<14} {dt:>3g} {model.steps:>6} {each:>9.2f} {accuracy:>9.3f}  "
            f"{trains} of {neurons:,} neurons, another count of {others}",
            flush=True,
        )


def _everything(model: SpikingModel) -> Record:
    return Record(spikes=tuple(model.network.by_name))


if __name__ == "__main__":
    main()
