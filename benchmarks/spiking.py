"""The spiking engine beside SpikingJelly, sinabs, Norse, snnTorch, NEST and the dense product.

python benchmarks/spiking.py [--quick] [--rounds N] [--only SECTION …] [--json FILE] [--data DIR]

Everything is timed in one process, in turns; the numbers are medians. `× peer` is how many times
faster than the fastest of the four libraries, `× dense` than the matrix products, or convolutions,
alone. A step is forward, loss on spike counts, and back to all weights. Every engine gets spikes in
its own layout, but for Volr, which gets them as bool and whose conversion is in the time.

Libraries that are missing are left out; `make benchmarks` installs them into `.venv-peers`.
"""

from __future__ import annotations

import argparse
import json
import warnings
from importlib.metadata import version
from pathlib import Path

import torch
from common import mnist
from peers import evaluation, speed
from peers.catalogue import VOLR, installed
from peers.tables import say
from peers.workloads import DENSITIES, LeNet, growing, open_neuromorphic, standard

import volr
from volr.experiments.versions import versions as made_with
from volr.system.cores import cores

SECTIONS = ("check", "speed", "memory", "lenet", "open", "mnist", "curve")


def main() -> None:
    options = _options()
    # What the libraries warn of on import is not ours to mend.
    warnings.filterwarnings("ignore")
    torch.set_num_threads(options.threads)
    entries, missing = installed()
    versions = {each.package: each.version for each in entries} | {"numpy": version("numpy")}
    print(f"{_machine()}, {options.threads} threads, {options.rounds} rounds")
    print(", ".join(f"{name} {number}" for name, number in versions.items()))
    for name, reason in missing.items():
        print(f"{name} is missing: {reason}")
    # First, since this is what may be missing.
    wanted = "mnist" in options.only and VOLR in entries
    images = mnist.load(options.data) if wanted else None
    if images is not None and options.quick:
        images = volr.Data(images.train.first(2_000), images.test.first(500), images.classes)
    report: dict[str, object] = {"machine": _machine(), "versions": versions}

    if options.quick:
        workloads, layers = [standard(0.1)[0]], [open_neuromorphic(256)]
    else:
        workloads = [each for density in DENSITIES for each in standard(density)]
        layers = [open_neuromorphic(size) for size in (256, 512, 1024)]
    devices = ("cpu", "cuda") if torch.cuda.is_available() else ("cpu",)
    wrong: set[str] = set()
    for device in devices:
        if "check" in options.only:
            rows = speed.check(entries, [*workloads, *layers], device)
            report[f"check {device}"] = rows
            wrong |= speed.unlike(rows)
        for section, each in (("speed", workloads), ("open", layers)):
            if section in options.only:
                report[f"{section} {device}"] = [
                    row
                    for workload in each
                    for row in speed.compete(entries, workload, options.rounds, wrong, device)
                ]
    if "lenet" in options.only:
        kernels = [LeNet(density=density) for density in ((0.1,) if options.quick else DENSITIES)]
        rows = speed.check(entries, kernels, "cpu")
        report["check lenet"] = rows
        wrong |= speed.unlike(rows)
        report["lenet"] = [
            row
            for workload in kernels
            # Some engines take seconds, beside which it is little to find data in memory again.
            for row in speed.compete(
                entries, workload, options.rounds, wrong, "cpu", warm_up=0, first=1, timed=2
            )
        ]
        passes = ("step",) if options.quick else ("forward", "step")
        report["memory lenet"] = speed.occupy(entries, [LeNet()], passes)
    if "memory" in options.only:
        most = workloads if options.quick else standard(0.1)
        passes = ("step",) if options.quick else ("forward", "step")
        report["memory"] = speed.occupy(entries, most, passes)
    if images is not None:
        report["mnist"] = evaluation.evaluate(images, 1 if options.quick else 3)
    if "curve" in options.only and VOLR in entries:
        factors = (1, 2) if options.quick else (1, 2, 4, 7, 10)
        report["curve"] = speed.grow(growing(factors), options.rounds)
    if options.json is not None:
        options.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
        say(f"written to {options.json}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="a smoke test of under a minute")
    parser.add_argument("--rounds", type=int, help="of five runs each; default 4")
    parser.add_argument("--only", nargs="+", choices=SECTIONS, default=SECTIONS)
    parser.add_argument("--threads", type=int, default=cores(), help="of PyTorch")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the numbers there too")
    mnist.add_data_option(parser)
    options = parser.parse_args()
    if options.rounds is None:
        options.rounds = 1 if options.quick else 4
    return options


def _machine() -> str:
    """The processor, and how many of its cores there are for us."""
    return f"{made_with()['processor']}, {cores()} cores"


if __name__ == "__main__":
    main()
