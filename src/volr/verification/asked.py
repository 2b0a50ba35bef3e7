"""What each back end can be asked for, as a table in Markdown that is made from its answers.

`python -m volr.verification.asked FILE …` runs all back ends and documents on small models. It
writes the table into the files, between the lines ``BEGIN`` and ``END``. A test compares the
documentation with it.
"""

from __future__ import annotations

import itertools
import sys
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from volr.backends import BACKENDS, DOCUMENTS
from volr.backends.base import ArtificialBackend, Document, SpikingBackend
from volr.backends.expected import expected
from volr.backends.readback import METADATA
from volr.backends.refusals import check_supported, takes
from volr.backends.support import between
from volr.errors import UnsupportedError
from volr.models.activations import Identity, ReLU
from volr.models.coding import ConstantCurrent, Poisson
from volr.network import Network, Population, Projection
from volr.network.connectors import Windows
from volr.neurons import NEURON_MODELS, RESETS
from volr.system.storage import write_whole
from volr.transfer.settings import TransferSettings
from volr.verification.comparison import compare
from volr.verification.differences import FIELDS, Tally
from volr.verification.examples import random_ann, random_first_spikes, random_snn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from volr.backends.base import Backend
    from volr.backends.readback import Readback
    from volr.models.model import ArtificialModel, Model, SpikingModel

ModelT = TypeVar("ModelT", "ArtificialModel", "SpikingModel", "Model")

BEGIN = "<!-- what is asked: `python -m volr.verification.asked` writes it -->"
END = "<!-- end of what is asked -->"
NOTHING = "–"
# Two inputs and two outputs, one of which has projections.
NETWORK = Network(
    populations=tuple(
        Population(name, (size,))
        for name, size in {"a": 3, "b": 2, "hidden": 4, "c": 3, "d": 2}.items()
    ),
    projections=tuple(
        Projection(*ends)
        for ends in (("a", "hidden"), ("b", "hidden"), ("hidden", "c"), ("c", "d"))
    ),
    inputs=("a", "b"),
    outputs=("c", "d"),
)


LARGEST = Network(
    populations=(Population("a", (1, 4)), Population("b", (1, 2), merge="max")),
    projections=(Projection("a", "b", Windows((2,))),),
    inputs=("a",),
    outputs=("b",),
)
# First spikes read outputs as sums.
SUMMED = replace(
    LARGEST,
    populations=(*LARGEST.populations, Population("c", (3,))),
    projections=(*LARGEST.projections, Projection("b", "c")),
    outputs=("c",),
)


@dataclass
class Answers:
    """How values of each field were found: ``asked``, ``measured``, ``metadata`` or ``told``."""

    ways: dict[str, set[str]] = field(default_factory=dict[str, set[str]])
    why: dict[str, set[str]] = field(default_factory=dict[str, set[str]])

    def add(self, fields: Mapping[str, Tally]) -> None:
        for name, tally in fields.items():
            ways = self.ways.setdefault(name, set())
            if tally.told:
                ways.add("told")
                for why in tally.why:
                    self.why.setdefault(why, set()).add(name.rpartition(".")[2])
            notes = tally.notes or ("",) * bool(tally.asked)
            ways.update(map(_way, notes))


def _way(note: str) -> str:
    if note == METADATA:
        return "metadata"
    return "measured" if note.startswith("measured") else "asked"


def asking_table(targets: Iterable[Backend | Document] = (*BACKENDS, *DOCUMENTS)) -> str:
    """A row for each target, and under the table what each is told and why.

    Raises ``MissingError`` if one is not installed.
    """
    header = ("name", *FIELDS)
    rows = [header, ("---",) * len(header)]
    reasons: list[str] = []
    for target in targets:
        answers = answers_of(target)
        name = f"`{target.name}`"
        if isinstance(target, Document):
            name += f", a `{target.suffix}` file"
        rows.append((name, *(_cell(answers, each) for each in FIELDS)))
        for why, fields in sorted(answers.why.items()):
            reasons.append(f"- {name}, {', '.join(sorted(fields))}: {why}.")
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    return table + "\n\nWhat is told, and why:\n\n" + "\n".join(reasons)


def answers_of(target: Backend | Document) -> Answers:
    """The answers of one back end or document for all models that it can run."""
    match target:
        case ArtificialBackend():
            return _answers(target, _artificial(target), target.read_back)
        case SpikingBackend():
            with target.start() as simulator:
                return _answers(target, _spiking(target), simulator.read_back)
        case Document():
            models: tuple[Model, ...] = (*_artificial(target), *_spiking(target))
            return _answers(target, models, lambda model: target.read_back(target.write(model)))


def _answers(
    target: Backend | Document, models: Iterable[ModelT], read: Callable[[ModelT], Readback]
) -> Answers:
    found = Answers()
    for model in models:
        # Two things may be supported one by one, and not together.
        with suppress(UnsupportedError):
            found.add(compare(expected(model, target.precision), read(model)).fields)
    return found


def _artificial(target: Backend | Document) -> Iterator[ArtificialModel]:
    for activation in (ReLU(), Identity()):
        model = random_ann(NETWORK, activation)
        if takes(target, model):
            yield model
    model = random_ann(LARGEST)
    with suppress(UnsupportedError):
        check_supported(target, model)
        yield model


def _spiking(target: Backend | Document) -> Iterator[SpikingModel]:
    """Each neuron and reset that it has, with and without a refractory period, and each coding of
    rates; and first spikes.
    """
    for kind, reset, rest in itertools.product(NEURON_MODELS, RESETS, (1.0, 0.0)):
        for coding in (ConstantCurrent(), Poisson()):
            neuron = kind(tau_refrac=rest, reset=reset)
            settings = TransferSettings(neuron=neuron, coding=coding, duration=20.0, delay=1.5)
            model = random_snn(NETWORK, settings)
            with suppress(UnsupportedError):
                check_supported(target, model)
                yield model
    model = random_first_spikes(SUMMED)
    with suppress(UnsupportedError):
        check_supported(target, model)
        yield model


def _cell(answers: Answers, name: str) -> str:
    """One cell. For neurons and the rest it lists the parts that are not plainly asked."""
    if name not in ("cells", "rest"):
        return ", ".join(sorted(answers.ways.get(name, ()))) or NOTHING
    ways: dict[str, list[str]] = {}
    for key, each in answers.ways.items():
        if key.startswith(f"{name}."):
            ways.setdefault(", ".join(sorted(each)), []).append(key.removeprefix(f"{name}."))
    plain = ["asked"] if "asked" in ways else []
    others = [
        f"{way}: {', '.join(sorted(each))}" for way, each in sorted(ways.items()) if way != "asked"
    ]
    return "; ".join([*plain, *others]) or NOTHING


if __name__ == "__main__":
    table = asking_table()
    for each in map(Path, sys.argv[1:]):
        text = each.read_text(encoding="utf-8")
        write_whole(each, between(text, BEGIN, END, table).encode())
