"""The causes that a gap is split into, their titles, and which causes each needs before it.

values     coding        the inputs' spikes are not the stimuli's values
wiring     sign          weights whose sign was lost, or driving forces that were not corrected for
           weights       weights that are not the ANN's
           bias          biases that are not the ANN's
           units         units that fire too much or too little, compared with their population
           scale         a population that as a whole fires too much or too little
rates      dead          neurons that should fire and never do
           saturation    more spikes are wanted than there are steps, or nearly
spikes     quantisation  counts are whole numbers
           ties          outputs with the same count: the lowest index wins
time       integration   leak, and charge that comes in lumps and at odd times
           reset         the charge above the threshold that is lost at a reset
           refractory    the pause after a spike, in the inputs too
           transient     spikes of deep layers come late
           driving       conductances whose driving force changes with the membrane
"""

from __future__ import annotations

from typing import Literal, TypeAlias

Cause: TypeAlias = Literal[
    "coding",
    "sign",
    "weights",
    "bias",
    "units",
    "scale",
    "dead",
    "saturation",
    "quantisation",
    "ties",
    "integration",
    "reset",
    "refractory",
    "transient",
    "driving",
]

TITLES: dict[Cause, str] = {
    "coding": "input coding",
    "sign": "sign of weights",
    "weights": "weights",
    "bias": "biases",
    "units": "badly scaled units",
    "scale": "scale of a population",
    "dead": "dead neurons",
    "saturation": "saturation",
    "quantisation": "quantisation by whole spikes",
    "ties": "ties",
    "integration": "leak and irregular arrival",
    "reset": "surplus charge at reset",
    "refractory": "refractoriness",
    "transient": "transient delay",
    "driving": "driving force",
}

NEEDS: dict[Cause, frozenset[Cause]] = {
    "ties": frozenset(
        {"quantisation", "integration", "reset", "refractory", "transient", "driving"}
    ),
    "integration": frozenset({"quantisation"}),
    "reset": frozenset({"quantisation", "integration"}),
    "refractory": frozenset({"quantisation", "integration"}),
    "transient": frozenset({"quantisation", "integration"}),
    "driving": frozenset({"quantisation", "integration"}),
}
"""Only whole counts can tie, and only spikes have a time. A tie is between final counts."""

FAMILIES: dict[Cause, tuple[str, frozenset[Cause]]] = {
    "quantisation": ("too few spikes", frozenset({"quantisation", "ties"})),
    "saturation": ("saturation", frozenset({"saturation", "reset", "ties"})),
}
"""For a cause that leads to others: a title for all, and the causes, if it costs anything."""

COME_OF_WEIGHTS: frozenset[Cause] = frozenset(
    {"scale", "saturation", "quantisation", "ties", "integration", "reset", "transient", "driving"}
)
"""The effects of weights that are not the ANN's: too many spikes, too few, or none."""

Dynamic: TypeAlias = Literal["reset", "refractory", "transient", "driving"]
DYNAMIC: tuple[Dynamic, ...] = ("reset", "refractory", "transient", "driving")
"""The causes that are removed in the simulator itself, and not in a model of it."""
