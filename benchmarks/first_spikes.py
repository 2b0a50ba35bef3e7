"""LeNet with max pooling as first spikes on the engine, beside PyTorch's float LeNet.

python benchmarks/first_spikes.py [--model FILE] [--levels N,N] [--images N] [--data DIR]

``--model`` is an artificial model with ReLU, for example one that `volr train` made. Without it the
weights are random. It is quantised for each number of levels, and PyTorch and the engine classify
the same test images of MNIST in turns. A number of levels is allowed a quarter of it times the time
of PyTorch. Some images are compared in each neuron with the whole numbers of the network.
"""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING

import numpy as np
from common import mnist

import volr
from volr.backends.reference import activations
from volr.engine.simulation import ready, simulate
from volr.exact.decoding import telling, told
from volr.exact.first_spikes import to_first_spikes
from volr.experiments.programs import PROGRAMS
from volr.models.model import ArtificialModel
from volr.models.parameters import parameter_shapes
from volr.quantisation import QuantisationSettings, quantise

if TYPE_CHECKING:
    from volr.checks.arrays import Floats
    from volr.models.model import SpikingModel

COMPARED = 200


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", metavar="FILE")
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--levels", default="8,32", metavar="N,N")
    parser.add_argument("--rounds", type=int, default=5)
    mnist.add_data_option(parser)
    given = parser.parse_args()
    data = mnist.load(given.data, 28)
    test = data.test.take(np.arange(given.images))
    model = _loaded(given.model) if given.model else _random()
    for levels in map(int, given.levels.split(",")):
        whole = quantise(model, data.train, QuantisationSettings(levels=levels)).model
        spiking = to_first_spikes(whole)
        wrong, numbers = _compared(whole, spiking, test.inputs[:COMPARED])
        (single, *_) = (each.dtype for each in ready(spiking).programs)
        print(f"{levels} levels, {spiking.steps} steps, {single}: {wrong} of {numbers:,} differ")
        print(f"{'PyTorch s':>10} {'engine s':>10} {'ratio':>7} {'allowed':>8} {'accuracy':>9}")
        for _ in range(given.rounds):
            float_seconds, _ = _timed(model, test, "torch")
            seconds, accuracy = _timed(spiking, test, "engine")
            ratio = seconds / float_seconds
            print(
                f"{float_seconds:10.2f} {seconds:10.2f} {ratio:7.2f} {levels / 4:8.1f} "
                f"{accuracy:9.4f}",
                flush=True,
            )


def _loaded(path: str) -> ArtificialModel:
    model = volr.load_model(path)
    if not isinstance(model, ArtificialModel):
        raise SystemExit(f"{path} is no artificial model")
    return model


def _random() -> ArtificialModel:
    network = volr.to_network(PROGRAMS["lenet"])
    rng = np.random.default_rng(0)
    values = {
        # As large as what arrives stays about as large, from layer to layer.
        name: rng.normal(0.0, np.sqrt(2.0 / max(1, np.prod(shape[1:]))), shape)
        if len(shape) > 1
        else np.ones(shape) * name.endswith("weight")
        for name, shape in parameter_shapes(network).items()
    }
    return ArtificialModel(network, values)


def _timed(
    model: ArtificialModel | SpikingModel, test: volr.Samples, on: str
) -> tuple[float, float]:
    """Seconds of the wall clock, and the accuracy."""
    volr.evaluate(model, test.take(np.arange(10)), on=on)
    started = time.perf_counter()
    found = volr.evaluate(model, test, on=on)
    return time.perf_counter() - started, found.accuracy


def _compared(whole: ArtificialModel, spiking: SpikingModel, images: Floats) -> tuple[int, int]:
    """How many whole numbers differ, of how many."""
    expected = activations(whole, images)
    run = simulate(ready(spiking), images, spikes=telling(spiking))
    finals = {name: run.totals[name] for name in whole.network.outputs}
    found, _ = told(spiking, run.spikes, finals)
    wrong = sum(int((found[name] != expected[name]).sum()) for name in found)
    return wrong, sum(each.size for each in found.values())


if __name__ == "__main__":
    main()
