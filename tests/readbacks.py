"""Readbacks and plain values, in both directions."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from volr.backends.expected import Expected, ExpectedCells
from volr.backends.readback import (
    ArtificialReadback,
    Asked,
    Cells,
    Readback,
    SpikingReadback,
    Told,
    all_asked,
    asked_cells,
)

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

    from volr.backends.readback import Answer

T = TypeVar("T")
K = TypeVar("K", bound="Hashable")


def said(held: Expected) -> Readback:
    """A readback of which all was asked, and which says this."""
    if held.dt is None:
        return ArtificialReadback(**_of_both(held), activations=all_asked(held.activations))
    return spiking(held)


def spiking(held: Expected) -> SpikingReadback:
    """The same of a spiking network."""
    assert held.dt is not None
    return SpikingReadback(
        **_of_both(held),
        cells={
            name: asked_cells(each.kind, each.reset, each.numbers)
            for name, each in held.cells.items()
        },
        delays=all_asked(held.delays),
        dt=Asked(held.dt),
    )


def _of_both(held: Expected) -> dict[str, Any]:
    """The fields that artificial and spiking readbacks share."""
    return {
        "populations": all_asked(held.populations),
        "inputs": Asked(held.inputs),
        "outputs": Asked(held.outputs),
        "weights": all_asked(held.weights),
        "biases": all_asked(held.biases),
        "precision": Asked(held.precision),
    }


def plain(found: Readback) -> Expected:
    """What a readback says that was asked; told parts are left out, inputs in some order."""
    cells: dict[str, ExpectedCells] = {}
    both = Expected(
        populations=asked(found.populations),
        inputs=tuple(value(found.inputs, ())),
        outputs=tuple(value(found.outputs, ())),
        weights=asked(found.weights),
        biases=asked(found.biases),
    )
    if isinstance(found, ArtificialReadback):
        return replace(both, activations=asked(found.activations))
    for name, each in found.cells.items():
        if isinstance(each, Cells):
            kind, reset = value(each.kind, "told"), value(each.reset, "told")
            cells[name] = ExpectedCells(kind, reset, asked(each.numbers))
    dt = value(found.dt, np.nan)
    return replace(both, cells=cells, delays=asked(found.delays), dt=dt)


def asked(each: Mapping[K, Answer[T]]) -> dict[K, T]:
    """The values of those that were asked."""
    return {key: said.value for key, said in each.items() if isinstance(said, Asked)}


def value(each: Answer[T], otherwise: T) -> T:
    """What was asked."""
    return otherwise if isinstance(each, Told) else each.value
