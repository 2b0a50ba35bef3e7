"""A user's own network as a spiking one: SpikingJelly, sinabs, Norse, snnTorch, and Volr.

python benchmarks/own_network.py [--images N] [--nest-images N] [--epochs N] [--training N]
    [--steps N …] [--only TEXT …] [--threads N] [--state FILE] [--json FILE] [--data DIR]

The network is VGG-like, with batch normalisation, dropout and maxima of windows. It is trained for
Fashion-MNIST in plain PyTorch (``bring/network.py``). What the user writes for each converter is a
function in ``bring/ways.py``. Each runs in a process of its own, first with one image:

    lines    that the user writes, imports included, from the module and data to right answers
    first    seconds from the start of the user's lines until the first image has been simulated:
             imports, conversion, calibration, compiling
    lost     right answers of the float network minus those of the spiking one
    told     what the user is told: the last line of the error, or the warnings

With --state the trained numbers are kept in a file, and read from it where it is there.
Peers that are missing are left out; `make benchmarks` installs them into `.venv-peers`.
"""

from __future__ import annotations

import argparse
import json
import logging
import subprocess
import sys
import time
import warnings
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from bring import network
from bring.ways import WAYS, Given, lines
from peers.tables import Row, say, show

import volr
from volr.experiments.versions import versions as made_with
from volr.system.cores import cores

FORMATS = {
    "way": "",
    "lines": "d",
    "first": ".0f",
    "steps": ",",
    "images": ",",
    "accuracy": ".4f",
    "lost": ",",
    "told": "",
}
"""The columns of the table, and how their numbers look."""
_LONGEST = 400
"""Characters of a message that are shown."""


def main() -> None:
    options = _options()
    torch.set_num_threads(options.threads)
    data = volr.task("fashion").load(seed=0, data_dir=options.data)
    train = data.train.first(options.training or len(data.train))
    data = volr.Data(train, data.test.first(options.images), data.classes)
    if options.way is not None:
        _report(options.way, options.steps[0], options.state, data)
        return
    print(f"{made_with()['processor']}, {cores()} cores, {options.threads} threads")
    with TemporaryDirectory() as folder:
        state: Path = options.state or Path(folder) / "state.pt"
        if not state.exists():
            say("training the network, which takes minutes")
            torch.save(network.trained(data.train, options.epochs).state_dict(), state)
        count, right = len(data.test), _right(state, data)
        rows: list[Row] = [
            {"way": "the module itself", "images": count, "accuracy": right / count, "told": ""}
        ]
        for name in WAYS:
            if options.only and not any(each in name for each in options.only):
                continue
            # Volr's network decides itself how many steps it takes, and rates are refused.
            for steps in options.steps[:1] if name.startswith("Volr") else options.steps:
                say(f"{name}, {steps} steps")
                rows.append(_row(name, steps, state, options))
                if options.json is not None:
                    options.json.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    show("a VGG-like network for Fashion-MNIST", rows, FORMATS)


def _row(name: str, steps: int, state: Path, options: argparse.Namespace) -> Row:
    """What one way comes to, in a process of its own."""
    count = options.nest_images if "NEST" in name else options.images
    given = {
        "--way": name,
        "--state": state,
        "--steps": steps,
        "--images": count,
        "--training": options.training,
        "--threads": options.threads,
        "--data": options.data,
    }
    done = subprocess.run(
        [
            *(sys.executable, __file__),
            *(str(part) for pair in given.items() if pair[1] is not None for part in pair),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    row: Row = {"way": name, "lines": lines(WAYS[name])}
    if done.returncode != 0:
        return {**row, "told": f"the process ended: {done.stderr.strip().splitlines()[-1]}"}
    return {**row, "images": count, **json.loads(done.stdout.splitlines()[-1])}


def _report(name: str, steps: int, state: Path, data: volr.Data) -> None:
    """Go one way, and print what comes of it as JSON: columns of the row."""
    said, way = _Said(), WAYS[name]
    logging.getLogger().addHandler(said)
    found: Row
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            started = time.perf_counter()
            way(Given(_module(state), network.SHAPE, data.train, data.test.first(1)), steps)
            first = time.perf_counter() - started
            right, taken = way(Given(_module(state), network.SHAPE, data.train, data.test), steps)
        except Exception as error:  # noqa: BLE001 - it is what the user sees
            found = {"images": None, "told": f"{type(error).__name__}: {_short(str(error))}"}
        else:
            messages = [*said.messages, *(str(each.message) for each in caught)]
            found = {
                "first": first,
                "steps": taken,
                "accuracy": right / len(data.test),
                "lost": _right(state, data) - right,
                "told": "; ".join(dict.fromkeys(map(_short, messages))),
            }
    print(f"\n{json.dumps(found)}")


class _Said(logging.Handler):
    """What libraries log."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage())


def _right(state: Path, data: volr.Data) -> int:
    """The right answers of the module itself."""
    return int((network.answers(_module(state), data.test.inputs) == data.test.labels).sum())


def _module(state: Path) -> torch.nn.Sequential:
    module = network.vgg()
    module.load_state_dict(torch.load(state, weights_only=True))
    return module.eval().requires_grad_(requires_grad=False)


def _short(message: str) -> str:
    """A message in one line, without places in files."""
    whole = " ".join(message.split())
    return whole if len(whole) <= _LONGEST else f"{whole[:_LONGEST]}…"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--images", type=int, default=1000, help="of the test data")
    parser.add_argument("--nest-images", type=int, default=100, help="of the test data, on NEST")
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--training", type=int, help="training images; default all")
    parser.add_argument("--steps", type=int, nargs="+", default=[32, 128], help="of the peers")
    parser.add_argument("--only", nargs="+", metavar="TEXT", help="ways that have it in their name")
    parser.add_argument("--threads", type=int, default=cores(), help="of PyTorch")
    parser.add_argument("--state", type=Path, metavar="FILE", help="the trained numbers")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the numbers there")
    parser.add_argument("--data", type=Path, metavar="DIR", help="where Fashion-MNIST is")
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
