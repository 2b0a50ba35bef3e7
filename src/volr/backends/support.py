"""The table of what back ends and documents support, in Markdown, made from their records.

`python -m volr.backends.support FILE …` writes it into files, between the lines ``BEGIN`` and
``END``; a test compares the documentation with it.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from volr.backends import BACKENDS, DOCUMENTS
from volr.backends.base import ArtificialBackend, Document, SpikingBackend
from volr.network import Connector
from volr.system.storage import write_whole

if TYPE_CHECKING:
    from collections.abc import Iterable

    from volr.backends.base import Backend

BEGIN = "<!-- support table: `python -m volr.backends.support` writes it -->"
END = "<!-- end of the support table -->"
HEADER = (
    "name",
    "generation",
    "connectors",
    "merge",
    "activations",
    "neuron models",
    "resets",
    "codings",
    "readouts",
    "needs",
)
NOTHING = "–"


def support_table(targets: Iterable[Backend | Document] = (*BACKENDS, *DOCUMENTS)) -> str:
    """A row for each; no line break at the end.

    A neuron model in bold spikes as the engine does, spike for spike. A document has its suffix
    with its name.
    """
    rows = [HEADER, ("---",) * len(HEADER), *map(_row, targets)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def with_table(text: str) -> str:
    """``text`` with the table between the two lines; ``ValueError`` where it has not both."""
    return between(text, BEGIN, END, support_table())


def between(text: str, first: str, last: str, table: str) -> str:
    """``text`` with a table between two lines; ``ValueError`` where it has not both."""
    before, begin, rest = text.partition(f"{first}\n")
    _, end, after = rest.partition(f"\n{last}")
    if not begin or not end:
        raise ValueError(f"there is no line {last if begin else first}")
    return f"{before}{begin}{table}{end}{after}"


def _row(target: Backend | Document) -> tuple[str, ...]:
    match target:
        case ArtificialBackend():
            name, spiking = f"`{target.name}`", (NOTHING,) * 4
            activations = _listed(target.activations)
        case SpikingBackend():
            name, spiking = f"`{target.name}`", _spiking(target, target.exact)
            activations = NOTHING
        case Document():
            name, spiking = f"`{target.name}`, a `{target.suffix}` file", _spiking(target)
            activations = _listed(target.activations)
    kinds = "all" if Connector in target.connectors else _listed(k.name for k in target.connectors)
    return (
        name,
        target.generation,
        kinds,
        _listed(target.merges),
        activations,
        *spiking,
        _needs(target),
    )


def _spiking(target: SpikingBackend | Document, exact: tuple[str, ...] = ()) -> tuple[str, ...]:
    neurons = [f"**{each}**" if each in exact else each for each in target.neurons]
    return tuple(map(_listed, (neurons, target.resets, target.codings, target.readouts)))


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names) or NOTHING


def _needs(target: Backend | Document) -> str:
    extra = [f"`volr[{target.extra}]`"] if target.extra else []
    return _listed([*extra, *(f"the program `{name}`" for name in target.programs)])


if __name__ == "__main__":
    for each in map(Path, sys.argv[1:]):
        write_whole(each, with_table(each.read_text(encoding="utf-8")).encode())
