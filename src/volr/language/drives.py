"""What drives each population of a network: layers, each of which reads a boundary."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from volr.language.layer_expressions import (
    Item,
    fit_side_by_side,
    layer_of,
    pools_of,
    read_by,
)
from volr.network.connectors import AllToAll, Connector, Convolution, OneToOne

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from volr.language.syntax import Expression
    from volr.network.graph import Network, Projection

Boundary: TypeAlias = frozenset[Item]


@dataclass(frozen=True)
class Drive:
    """One layer that drives a population, with the pools that only it reads through.

    ``layer`` is None for a projection that no layer of the language makes.
    """

    items: tuple[Item, ...]
    connector: Connector
    projections: tuple[Projection, ...]
    parts: tuple[Expression, ...]
    layer: Expression | None

    @property
    def boundary(self) -> Boundary:
        return frozenset(self.items)

    @property
    def only_reads(self) -> bool:
        """Whether it passes on what it reads, as an `id` does."""
        return isinstance(self.connector, OneToOne)


class Drives:
    """The drives of each population, forward ones and those that close loops.

    A layer reads several populations side by side, or several layers are added up: a network does
    not say which. Here it is one layer, wherever this is possible. With ``split`` they are several
    if another layer reads only some of the populations.
    """

    def __init__(self, network: Network, *, split: bool) -> None:
        self._network = network
        rows = {
            (each.name, back): self._rows(each.name, back=back)
            for each in network.layers
            for back in (False, True)
        }
        self.outputs: Boundary = frozenset((name, ()) for name in network.outputs)
        self._found = {key: [self._drive(row) for row in found] for key, found in rows.items()}
        while split and self._split():
            pass

    def of(self, name: str, *, back: bool = False) -> list[Drive]:
        return self._found.get((name, back), [])

    def boundaries(self) -> dict[str, dict[Boundary, None]]:
        """The boundaries that each population is in."""
        found: dict[str, dict[Boundary, None]] = {p.name: {} for p in self._network.populations}
        for drives in self._found.values():
            for drive in drives:
                for name, _ in drive.items:
                    found[name][drive.boundary] = None
        for name, _ in self.outputs:
            found[name][self.outputs] = None
        return found

    def _rows(self, name: str, *, back: bool) -> list[list[Projection]]:
        rows: list[list[Projection]] = []
        for each in self._network.incoming[name]:
            if each.back == back:
                if rows and self._of_one_layer(rows[-1], each):
                    rows[-1].append(each)
                else:
                    rows.append([each])
        return rows

    def _of_one_layer(self, row: list[Projection], more: Projection) -> bool:
        item, connector = read_by(more)
        first, same = read_by(row[0])
        several = isinstance(connector, AllToAll) or (
            isinstance(connector, Convolution) and connector.groups == 1
        )
        return (
            several
            and connector == same
            and more.source not in {each.source for each in row}
            and fit_side_by_side(self._network, [first, item])
        )

    def _drive(self, row: list[Projection]) -> Drive:
        read = [read_by(each) for each in row]
        items, connector = tuple(item for item, _ in read), read[0][1]
        layer = layer_of(self._network, items, connector, row[0].target)
        parts: list[Expression] = []
        plain: tuple[Item, ...] = tuple((name, ()) for name, _ in items)
        same = len({pools for _, pools in items}) == 1
        if same and fit_side_by_side(self._network, plain):
            parts = pools_of(self._network, [name for name, _ in items], items[0][1])
            items = plain
        if layer is not None and not (parts and isinstance(connector, OneToOne)):
            parts.append(layer)
        return Drive(items, connector, tuple(row), tuple(parts), layer)

    def _split(self) -> bool:
        """Split layers that read a population of which another layer is a reader, too.

        First those are split of which a part is what another layer reads.
        """
        boundaries = self.boundaries()
        for cut in (_cut, _singles):
            changed = False
            for key, drives in self._found.items():
                row: list[Drive] = []
                for drive in drives:
                    alone = all(len(boundaries[name]) == 1 for name, _ in drive.items)
                    rows = None if alone else cut(drive, boundaries)
                    row += [drive] if rows is None else map(self._drive, rows)
                    changed = changed or rows is not None
                self._found[key] = row
            if changed:
                return True
        return False


_Rows: TypeAlias = "list[list[Projection]] | None"


def _singles(drive: Drive, _: object) -> _Rows:
    """The projections of a layer as those of one layer each; None if it has only one."""
    return [[each] for each in drive.projections] if len(drive.projections) > 1 else None


def _cut(drive: Drive, boundaries: Mapping[str, Iterable[Boundary]]) -> _Rows:
    """The projections of a layer as those of several: of a boundary that others read, and alone."""
    row = drive.projections
    smaller = [
        each
        for name, _ in drive.items
        for each in boundaries[name]
        if 1 < len(each) < len(row) and each < drive.boundary
    ]
    for each in smaller:
        places = [index for index, item in enumerate(drive.items) if item in each]
        first, last = places[0], places[-1] + 1
        if last - first == len(places):
            before, after = ([[single] for single in some] for some in (row[:first], row[last:]))
            return [*before, list(row[first:last]), *after]
    return None
