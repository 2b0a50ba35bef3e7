"""LeNet, trained once, as a spiking network: SpikingJelly's converter, sinabs', and Volr's.

python benchmarks/converters.py [--model FILE …] [--images N] [--only FAMILY …] [--json FILE]
    [--batch N] [--training N] [--threads N] [--data DIR]

The networks are `lenet-avgpool`, and `lenet` with the maxima of windows, for those that take them.
They are trained by Volr on MNIST, as docs/how-to/train.md has it, and carried into PyTorch; logits
are compared. Without --model this is done once, and the user's cache keeps the models.

Each converter has the options that its own documentation recommends: ``conversion/spikingjelly.py``
and ``conversion/sinabs.py`` say which, and on which page. The peers' networks are read after 8, 16,
32, 64 and 128 time steps. Of each there are

    lost     images of the test data that the float ANN answers correctly, minus those of the SNN
    others   images with another answer than the float ANN's
    spikes   of all neurons for one image: input neurons, outputs and a clock too, where they spike
    ACs      spikes times the synapses that they go through, for one image (NeuroBench's effective
             accumulate operations); all synapses behind an average pool count
    MACs     values other than 0 and 1 times synapses: images that are no spikes, in every step
    seconds  for all images: the median of the batches, in which all networks take turns

NeuroBench's definitions: J. Yik et al., Nature Communications 16, 1545 (2025); the help page of
`volr evaluate --operations` has more. Biases are not counted, as there.

``own_network.py`` beside this has a network that was trained in PyTorch, and what a user writes.

Peers that are missing are left out; `make benchmarks` installs them into `.venv-peers`.
"""

from __future__ import annotations

import argparse
import json
import warnings
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from common import mnist
from conversion import own, side_by_side, sinabs, spikingjelly, training
from conversion.carried import carried, check
from peers.tables import Row, say, show

import volr
from volr.experiments.versions import versions as made_with
from volr.system.cores import cores

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy as np
    from conversion.base import Converted
    from numpy.typing import NDArray

    from volr.checks.arrays import Floats
    from volr.models.model import ArtificialModel

FAMILIES = {"spikingjelly": "spikingjelly", "sinabs": "sinabs", "volr": "volr"}
"""The converters, and the package that each is from."""


def main() -> None:
    options = _options()
    # What the libraries warn of is not ours to mend.
    warnings.filterwarnings("ignore")
    torch.set_num_threads(options.threads)
    found: dict[str, str] = {}
    for name, package in FAMILIES.items():
        try:
            found[name] = version(package)
        except PackageNotFoundError:
            print(f"{name} is missing")
    versions = {**found, "torch": version("torch")}
    print(f"{made_with()['processor']}, {cores()} cores, {options.threads} threads")
    print(", ".join(f"{name} {number}" for name, number in versions.items()))
    data = mnist.load(options.data, 28)
    if options.model:
        models = {path.stem: training.artificial(path) for path in options.model}
    else:
        models = {name: training.trained(name, data) for name in training.NAMES}
    data = volr.Data(
        data.train.first(options.training or len(data.train)),
        data.test.first(options.images),
        data.classes,
    )
    wanted = [name for name in options.only if name in found]
    report: dict[str, object] = {"versions": versions}
    for name, model in models.items():

        def keep(rows: list[Row], name: str = name) -> None:
            report[name] = rows
            if options.json is not None:
                options.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")

        compare(model, name, data, wanted, options.batch, keep)


def compare(
    model: ArtificialModel,
    name: str,
    data: volr.Data,
    wanted: list[str],
    batch: int,
    keep: Callable[[list[Row]], None],
) -> None:
    """Convert, run, and print the table of one network."""
    modules = carried(model)
    check(modules, data.test.inputs[:100])
    networks: dict[str, Callable[[Floats], NDArray[np.int64]]] = {"float": modules.labels}
    with volr.simulator("engine") as engine:
        converted: list[Converted] = []

        def made() -> Iterator[Converted]:
            if "spikingjelly" in wanted:
                yield from spikingjelly.networks(modules, data.train.inputs)
            if "sinabs" in wanted:
                yield from sinabs.networks(modules, data.train, batch)
            if "volr" in wanted:
                yield from own.networks(model, data.train, engine)

        for each in made():
            say(f"{name}: {each.family}, {each.name}")
            converted.append(each)
        exact = [each for each in converted if isinstance(each, own.FirstSpikes)]
        for each in exact:
            networks[f"{each.levels} levels"] = each.quantised_labels
        rows = side_by_side.run(converted, networks, data.test, batch, keep)
    show(f"{name}, {rows[0]['images']:,} images of MNIST", rows, side_by_side.FORMATS)
    for each in exact:
        print(
            f"{each.name}: {each.other_labels} of {each.images:,} labels and {each.different} of "
            f"{each.compared:,} whole numbers of all neurons differ from the ANN of {each.levels} "
            "levels"
        )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", type=Path, nargs="+", metavar="FILE", help="trained networks")
    parser.add_argument("--images", type=int, default=10_000, help="of the test data")
    parser.add_argument("--batch", type=int, default=500, help="images at once")
    parser.add_argument("--training", type=int, help="training images; default all")
    parser.add_argument("--only", nargs="+", choices=FAMILIES, default=list(FAMILIES))
    parser.add_argument("--threads", type=int, default=cores(), help="of PyTorch")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the numbers there")
    mnist.add_data_option(parser)
    options = parser.parse_args()
    options.batch = min(options.batch, options.images)
    return options


if __name__ == "__main__":
    main()
