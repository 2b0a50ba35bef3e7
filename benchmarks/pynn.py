"""PyNN: MNIST at 10 × 10, how many neurons count otherwise, how long a projection takes.

python benchmarks/pynn.py [--data DIR]
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time

import numpy as np
from common import mnist

import volr
from volr.backends.base import Record
from volr.backends.pynn import PynnSimulator
from volr.backends.pynn.translation import BRIAN2, NEST, NEURON
from volr.models.coding import decode_counts
from volr.neurons import IFCondExp, IFCurrExp
from volr.system.cores import cores

# Images evaluated on each simulator; NEST also takes all 10,000.
IMAGES = {"nest": 1_000, "brian2": 1_000, "neuron": 1_000}
COMPARED = 200

# In a process of its own: the kernel is one per process, and it prints. PyNN's own way of doing it
# is with an ArrayConnector, or an AllToAllConnector, and an array of weights.
PROJECTION = """
import sys, time
import numpy as np
from volr.backends.pynn import kernel
from volr.backends.pynn.workarounds import Synapses
name, how = sys.argv[1:]
sim = kernel.simulator(name)
settings = {"simulator": name, "dt": 0.5, "neurons": {}}
kernel._set_up(sim, settings)
pre, post = (sim.Population(n, sim.IF_curr_exp()) for n in (784, 512))
weights = np.random.default_rng(0).normal(size=(512, 784))
started = time.perf_counter()
if how == "ours":
    target, source = np.divmod(np.arange(weights.size), 784)
    synapses = Synapses(source, target, weights.ravel(), 0.5)
    kernel._project(sim, pre, post, synapses, 1, 0.5)
else:
    synapse = sim.StaticSynapse(weight=np.abs(weights.T), delay=0.5)
    connector = sim.AllToAllConnector()
    sim.Projection(pre, post, connector, synapse, receptor_type="excitatory")
print(time.perf_counter() - started, file=sys.stderr)
"""


def main() -> None:
    parser = argparse.ArgumentParser()
    mnist.add_data_option(parser)
    data = mnist.load(parser.parse_args().data)
    trained = mnist.trained(data)
    print(f"100-100-10, images of 50 ms, construction included, {cores()} processes")
    print(
        f"{'neurons':<12} {'dt':>6} {'simulator':<12} {'ms/image':>9} {'accuracy':>9} "
        f"{'engine':>9} {'otherwise':>10}"
    )
    for neuron in (IFCurrExp(tau_refrac=1.0), IFCondExp(tau_refrac=1.0)):
        for dt in (1.0, 0.5, 0.1):
            settings = volr.TransferSettings(neuron=neuron, dt=dt)
            with volr.simulator("engine") as engine:
                model = volr.transfer_ann(trained, data.train, engine, settings).model
                names = tuple(p.name for p in model.network.populations)
                record = Record(counts=names)
                wanted = engine.run(model, data.test.inputs[:COMPARED], record=record)
                everything = engine.run(model, data.test.inputs)
            for dialect in (NEST, BRIAN2, NEURON):
                inputs = data.test.inputs[: IMAGES[dialect.simulator]]
                with PynnSimulator(dialect) as simulator:
                    # The processes have started, and imported everything, when the clock runs.
                    found = simulator.run(model, inputs[:COMPARED], record=record)
                    started = time.perf_counter()
                    result = simulator.run(model, inputs)
                    each = (time.perf_counter() - started) / len(inputs) * 1000
                other = np.concatenate(
                    [(found.counts[n] != wanted.counts[n]).ravel() for n in names]
                ).mean()
                accuracies: list[float] = []
                for recordings in (result, everything):
                    labels, _ = decode_counts(recordings.output_values(model)[: len(inputs)])
                    right = labels == data.test.labels[: len(inputs)]
                    accuracies.append(float(right.mean()))
                print(
                    f"{neuron.name:<12} {dt:>6g} {dialect.simulator:<12} {each:>9.1f} "
                    f"{accuracies[0]:>9.4f} {accuracies[1]:>9.4f} {other:>10.4%}",
                    flush=True,
                )
    print("\na projection 784 → 512, seconds")
    print(f"{'':<8} {'Volr':>8} {'PyNN':>8}")
    for name in ("nest", "brian2", "neuron"):
        # Brian2 sets weights one by one there: several minutes.
        ways = ("ours",) if name == "brian2" else ("ours", "theirs")
        taken = [
            subprocess.run(
                [sys.executable, "-c", PROJECTION, name, how],
                check=True,
                capture_output=True,
                text=True,
            ).stderr.split()[-1]
            for how in ways
        ]
        print(f"{name:<8} " + " ".join(f"{float(each):>8.2f}" for each in taken), flush=True)


if __name__ == "__main__":
    main()
