"""The check that a reader of networks knows all that is in a network."""

from __future__ import annotations

from typing import TYPE_CHECKING

from volr.errors import UnsupportedError
from volr.network.connectors import Connector, Windows

if TYPE_CHECKING:
    from volr.network.graph import Network, Population


def check_connectors(
    network: Network,
    known: tuple[type[Connector], ...],
    reader: str,
    help: str | None = None,
    *,
    merges: tuple[str, ...] = ("sum",),
    several: bool = False,
) -> None:
    """Raise ``UnsupportedError`` for the first part of a network that a reader lacks.

    ``known`` are kinds of connectors. A reader that takes the synapses one by one knows all, and
    gives ``Connector`` itself. ``help`` is the help of the error; by default it lists ``known``.
    ``merges`` are how its populations merge what arrives, ``several`` says whether it takes several
    projections between the same two populations. No reader has loops. Only one that knows all has
    the largest of what arrives over anything but windows.
    """
    for population in network.populations:
        if population.merge not in merges:
            raise UnsupportedError(
                f"{reader} lacks `maxpool`, which {population.name} is",
                help="write `avgpool`, or transfer by first spikes, which take `maxpool`: "
                "`volr transfer --coding first-spike`, or `volr.quantise` and "
                "`volr.to_first_spikes`",
                source=network.source,
                span=population.span,
                label=f"{population.name} has it",
            )
        if population.merge == "max" and Connector not in known:
            _check_windows(network, population, reader)
    for projection in network.projections:
        if projection.back or (projection.number > 1 and not several):
            what = "loops" if projection.back else "several projections between two populations"
            raise UnsupportedError(
                f"{reader} lacks {what}, and {projection.name} is one",
                help="write the network without `↺` and what follows it"
                if projection.back
                else "write one projection",
                source=network.source,
                span=projection.span,
                label=f"{projection.target} has it",
            )
        lacks = [each for each in projection.connector.parts if not isinstance(each, known)]
        if lacks:
            raise UnsupportedError(
                f"{reader} lacks the connector '{lacks[-1]}' of the projection {projection.name}",
                help=help or f"it has {', '.join(each.name for each in known)}",
                source=network.source,
                span=projection.span,
                label=f"{projection.target} has it",
            )


def _check_windows(network: Network, population: Population, reader: str) -> None:
    """Refuse a population of the largest that anything but windows leads to."""
    for projection in network.incoming[population.name]:
        if not isinstance(projection.connector.parts[-1], Windows):
            raise UnsupportedError(
                f"{reader} has the largest of what arrives over windows alone, and the projection "
                f"{projection.name} is '{projection.connector}'",
                help="run it on reference, which keeps the network",
                source=network.source,
                span=projection.span,
                label=f"{projection.target} takes the largest",
            )
