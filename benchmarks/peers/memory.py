"""Peak memory of a forward pass and of a training step, each in a fresh process.

The process builds the engine, warms it up on two stimuli so that its code is loaded and compiled,
makes the input, and then measures how far its resident memory rises: weights and input excluded,
everything else included.

python -m peers.memory ENGINE forward|step KIND SIZES BATCH STEPS DENSITY
"""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from peers.workloads import DECAY, KINDS, Workload

MIB = 2**20


def peak(engine: str, what: str, workload: Workload) -> float:
    """MiB that ``forward`` or ``step`` takes beyond weights and input."""
    command = [
        *(sys.executable, "-W", "ignore", "-m", "peers.memory", engine, what),
        type(workload).__name__,
        json.dumps(workload.sizes),
        *map(str, (workload.batch, workload.steps, workload.density)),
    ]
    printed = subprocess.run(
        command, check=True, capture_output=True, text=True, cwd=Path(__file__).parents[1]
    ).stdout
    return float(printed.split()[-1])


def _measure(engine: str, what: str, workload: Workload) -> float:
    import torch

    from peers.catalogue import entry

    network = entry(engine).build(workload.weights(), DECAY)
    for each in (replace(workload, batch=2), workload):
        given = network.prepare(each.spikes())
        wanted = torch.zeros(each.batch, each.sizes[-1])
        gc.collect()
        before = _start()
        if what == "step":
            network.step(given, wanted)
        else:
            network.forward(given)
        risen = _highest() - before
        network.forget()
    return risen / MIB


# Linux counts the highest resident memory since it was last told to start over.
def _start() -> int:
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def _highest() -> int:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    line = next(each for each in status.splitlines() if each.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024


def main() -> None:
    engine, what, kind, sizes, batch, steps, density = sys.argv[1:]
    workload = KINDS[kind](tuple(json.loads(sizes)), int(batch), int(steps), float(density))
    print(_measure(engine, what, workload))


if __name__ == "__main__":
    main()
