"""NEST: all 10,000 MNIST test images at 10 × 10, and how long it takes to build a projection.

python benchmarks/nest.py [--data DIR]
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time

from common import mnist

import volr
from volr.models.coding import decode_counts
from volr.system.cores import cores

# In a process of its own: the kernel is one per process, and it prints.
PROJECTION = """
import statistics, sys, time
import nest, numpy as np
from volr.backends.nest import kernel
times = []
for _ in range(9):
    nest.ResetKernel()
    pre = nest.Create("iaf_psc_delta", 784)
    post = nest.Create("iaf_psc_delta", 512)
    weights = np.random.default_rng(0).normal(size=784 * 512)
    source, target = np.divmod(np.arange(784 * 512), 512)
    started = time.perf_counter()
    kernel._connect(pre, post, source, target, weights, 1)
    times.append(time.perf_counter() - started)
print(statistics.median(times), file=sys.stderr)
"""


def main() -> None:
    parser = argparse.ArgumentParser()
    mnist.add_data_option(parser)
    data = mnist.load(parser.parse_args().data)
    model = mnist.trained(data)
    rows: list[tuple[str, float, float, float]] = []
    for dt in (1.0, 0.5, 0.2):
        settings = volr.TransferSettings(neuron=volr.IFCurrDelta(), dt=dt)
        with volr.simulator("nest") as simulator:
            spiking = volr.transfer_ann(model, data.train, simulator, settings).model
        # A simulator of its own, so that starting NEST is in the time.
        started = time.perf_counter()
        with volr.simulator("nest") as simulator:
            found = simulator.run(spiking, data.test.inputs)
        seconds = time.perf_counter() - started
        labels, _ = decode_counts(found.output_values(spiking))
        accuracy = float((labels == data.test.labels).mean())
        rows.append((f"{dt:g} ms", seconds, seconds / len(data.test) * 1000, accuracy))
    print(f"100-100-10, 10,000 images of 50 ms, construction included, {cores()} processes")
    print(f"{'dt':<8} {'seconds':>8} {'ms/image':>9} {'accuracy':>9}")
    for dt, seconds, each, accuracy in rows:
        print(f"{dt:<8} {seconds:>8.1f} {each:>9.2f} {accuracy:>9.4f}")
    printed = subprocess.run(
        [sys.executable, "-c", PROJECTION], check=True, capture_output=True, text=True
    ).stderr
    print(f"\na projection 784 → 512 built in {float(printed.split()[-1]) * 1000:.0f} ms")


if __name__ == "__main__":
    main()
