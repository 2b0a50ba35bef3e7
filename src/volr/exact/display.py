"""What a proof shows: the populations with their margins, and what is proved."""

from __future__ import annotations

from typing import TYPE_CHECKING

from volr.display.parts import Table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from volr.display.parts import Part
    from volr.exact.proof import Proof
    from volr.network import Network


def proof_parts(proof: Proof, network: Network | None = None) -> Iterator[Part]:
    """The proof as a table with a sentence; sizes are those of populations of the ``network``."""
    columns = ["population", "size", "largest sum", "error below", "margin"]
    rows = [
        [
            each.name,
            "" if network is None else f"{network[each.name].size}",
            f"{each.largest:,}",
            f"{each.error:.2g}",
            f"{each.margin:.2g}",
        ]
        for each in proof.populations
    ]
    if network is None:
        columns, rows = _without(1, columns), [_without(1, row) for row in rows]
    yield Table(columns, rows)
    yield (
        f"{proof.levels} levels of {proof.step:,} steps of {proof.unit:.3g} mV; a stimulus takes "
        f"{proof.steps:,} time steps\n"
        "proved: for every stimulus, each neuron tells the whole number of the artificial network, "
        "and the outputs' membranes are its logits"
    )


def _without(column: int, cells: list[str]) -> list[str]:
    return cells[:column] + cells[column + 1 :]
