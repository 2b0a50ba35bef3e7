"""Which units can have scales of their own, as far as connectors share weights among them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from volr.network.graph import Network


def has_channels(network: Network, name: str) -> bool:
    """Whether units of a channel have one scale, because a projection shares weights among them."""
    ends = [p for p in network.projections if name in (p.source, p.target)]
    return any(each.connector.scaling != "unit" for each in ends)


def tied(network: Network, names: Iterable[str]) -> set[str]:
    """These populations, and all whose channels have the scales of theirs.

    Projections such as identities tie their two ends to each other.
    """
    ties = [p for p in network.projections if p.connector.scaling == "tied"]
    found, before = set(names), 0
    while len(found) > before:
        before = len(found)
        for tie in ties:
            if tie.source in found or tie.target in found:
                found |= {tie.source, tie.target}
    return found
