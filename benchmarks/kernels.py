"""LeNet with average pools on simulators: its spikes against the engine's, and NEST's time.

python benchmarks/kernels.py [--model FILE] [--images N] [--timed N] [--on NAMES] [--data DIR]

``--model`` is a spiking model, for example one that `volr transfer` made. Without it the weights
are random, with rates like those of trained networks. ``--images`` are compared in each neuron and
step: 37 are ten million neuron-steps. ``--timed`` images are run on NEST.
"""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING

import numpy as np
from common import mnist

import volr
from volr.backends.base import Record
from volr.experiments.programs import PROGRAMS
from volr.models.model import SpikingModel
from volr.models.parameters import parameter_shapes
from volr.neurons import IFCurrDelta, IFCurrExp
from volr.system.cores import cores

if TYPE_CHECKING:
    from collections.abc import Iterator

    from volr.checks.arrays import Floats
    from volr.network import Network
    from volr.neurons import NeuronModel

PROGRAM = PROGRAMS["lenet-avgpool"]
SIMULATORS = "nest,pynn.nest,brian2"
# With weights of this size, in the unit of each, some 5 to 30 % of neurons spike in a step.
NEURONS: tuple[tuple[NeuronModel, float], ...] = ((IFCurrDelta(), 10.0), (IFCurrExp(), 2.0))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", metavar="FILE")
    parser.add_argument("--images", type=int, default=37)
    parser.add_argument("--timed", type=int, default=1000)
    parser.add_argument("--on", default=SIMULATORS, metavar="NAMES")
    mnist.add_data_option(parser)
    given = parser.parse_args()
    images = mnist.load(given.data, 28).test.inputs
    models = [_loaded(given.model)] if given.model else list(_random(volr.to_network(PROGRAM)))
    print(f"{'simulator':<12} {'neuron':<14} {'neuron-steps':>13} {'spikes':>11} {'differ':>7}")
    for model in models:
        for name in filter(None, given.on.split(",")):
            print(_compared(model, images[: given.images], name), flush=True)
    if given.timed:
        print(f"\nNEST, {given.timed:,} images, {cores()} processes")
        print(f"{'neuron':<14} {'seconds':>8} {'s/image':>8} {'construction':>13}")
        for model in models:
            print(_timed(model, images[: given.timed]), flush=True)


def _loaded(file: str) -> SpikingModel:
    model = volr.load_model(file)
    assert isinstance(model, SpikingModel), f"{file} is no spiking model"
    return model


def _random(network: Network) -> Iterator[SpikingModel]:
    for neuron, scale in NEURONS:
        rng = np.random.default_rng(0)
        values: dict[str, Floats] = {}
        for name, shape in parameter_shapes(network).items():
            if name.endswith("bias"):
                values[name] = rng.normal(0.0, 0.05, shape)
                continue
            fan_in = np.prod(shape[1:])
            values[name] = scale * rng.normal(0.3, 1.0, shape) / np.sqrt(fan_in)
        yield SpikingModel(
            network=network, parameters=values, neuron=neuron, dt=1.0, delay=1.0, duration=50.0
        )


def _compared(model: SpikingModel, images: Floats, name: str) -> str:
    record = Record(spikes=tuple(model.network.by_name))
    with volr.simulator("engine") as engine, volr.simulator(name) as simulator:
        wanted = engine.run(model, images, record=record).spikes
        found = simulator.run(model, images, record=record).spikes
    total = sum(each.size for each in wanted.values())
    spikes = sum(int(each.sum()) for each in wanted.values())
    differ = sum(int((found[key] != each).sum()) for key, each in wanted.items())
    return f"{name:<12} {model.neuron.name:<14} {total:>13,} {spikes:>11,} {differ:>7,}"


def _timed(model: SpikingModel, images: Floats) -> str:
    """Construction is what is left of the time for one image in each process."""
    taken: list[float] = []
    with volr.simulator("nest") as simulator:
        # The processes have started when the clock runs.
        simulator.run(model, images[: cores()])
        for some in (images[: cores()], images):
            started = time.perf_counter()
            simulator.run(model, some)
            taken.append(time.perf_counter() - started)
    first, whole = taken
    later = (whole - first) / (len(images) - cores())
    construction = max(0.0, first - cores() * later)
    name = model.neuron.name
    each = whole / len(images)
    return f"{name:<14} {whole:>8.1f} {each:>8.3f} {construction / whole:>13.1%}"


if __name__ == "__main__":
    main()
