"""What the costs of a model show: its populations, their sums, and an estimate of energy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from volr.display.parts import Table
from volr.experiments.costs.figures import SOURCE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from volr.display.parts import Part
    from volr.experiments.costs.result import Operations

_PER_MICROJOULE = 1e6


def operations_parts(found: Operations) -> Iterator[Part]:
    """The populations in a table, the sums in a list, and what energy is estimated from."""
    spiking = found.steps is not None
    sent = "spikes" if spiking else "values not 0"
    head = ["population", "size", sent, "synaptic operations", "MACs", "ACs", "dense"]
    own = [each for each in found.populations if each.population != found.clock]
    clock = [each for each in found.populations if each.population == found.clock]
    rows = [
        [
            each.population,
            f"{each.size:,}",
            *map(_number, (each.active, each.synaptic, each.macs, each.acs)),
            f"{each.dense:,}",
        ]
        for each in own + clock
    ]
    sums = map(_number, (found.active, found.synaptic, found.macs, found.acs))
    size = sum(each.size for each in found.populations)
    rows.append(["all", f"{size:,}", *sums, f"{found.dense:,}"])
    yield Table(head, rows)
    yield Table(["a stimulus", f"mean of {found.evaluation.samples:,}"], _lines(found), left=2)
    yield (
        f"energy is an estimate, from the figures for {found.figures.numbers} of {SOURCE}:\n"
        f"{found.figures.mac:g} pJ for a MAC, {found.figures.ac:g} pJ for an AC; memory, leakage "
        "and communication are left out"
    )


def _lines(found: Operations) -> list[list[str]]:
    lines: list[list[str]] = []
    if found.steps is not None and found.decided is not None and found.updates is not None:
        lines += [
            ["time steps", f"{found.steps:,}"],
            ["the decision stays after", f"{found.decided:.1f} steps"],
            ["updates of neurons", f"{found.updates:,}"],
        ]
    lines += [
        ["activation sparsity", f"{found.activation_sparsity:.4f}"],
        ["connection sparsity", f"{found.connection_sparsity:.4f}"],
        ["footprint", f"{found.footprint:,} bytes"],
        ["energy of effective operations", _energy(found.energy)],
        ["energy of dense operations", _energy(found.dense_energy)],
    ]
    if found.updates is not None:
        lines.append(["energy of updates, at least", _energy(found.update_energy)])
    return lines


def _number(value: float) -> str:
    return f"{value:,.1f}"


def _energy(picojoules: float) -> str:
    return f"{picojoules / _PER_MICROJOULE:.3g} µJ"
