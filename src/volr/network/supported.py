"""The check that a reader of networks knows all connectors of a network."""

from __future__ import annotations

from typing import TYPE_CHECKING

from volr.errors import UnsupportedError

if TYPE_CHECKING:
    from volr.network.connectors import Connector
    from volr.network.graph import Network


def check_connectors(
    network: Network, known: tuple[type[Connector], ...], reader: str, help: str | None = None
) -> None:
    """Raise ``UnsupportedError`` for the first projection whose connector is not ``known``.

    ``known`` are kinds of connectors. A reader that takes the synapses one by one knows all, and
    gives ``Connector`` itself. ``help`` is the help of the error; by default it lists ``known``.
    """
    for projection in network.projections:
        if not isinstance(projection.connector, known):
            raise UnsupportedError(
                f"{reader} lacks the connector '{projection.connector}' of the projection "
                f"{projection.name}",
                help=help or f"it has {', '.join(each.name for each in known)}",
                source=network.source,
                span=projection.span,
                label=f"{projection.target} has it",
            )
