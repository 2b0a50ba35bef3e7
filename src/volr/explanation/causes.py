"""The causes that a gap is split into, what each is called, and which it needs before it.

values     coding        the inputs' spikes are not the stimuli's values
wiring     sign          weights whose sign was lost, or driving forces nobody allowed for
           weights       weights that are not the ANN's
           bias          biases that are not the ANN's
           units         units of a population that fire too much or too little beside the others
           scale         a population that as a whole fires too much or too little
rates      dead          neurons that should fire and never do
           saturation    more spikes are wanted than there are steps, or nearly
spikes     quantisation  counts are whole numbers
           ties          outputs with the same count: the lowest index wins
time       integration   leak, and charge that comes in lumps and at odd times
           reset         the charge above the threshold that a reset throws away
           refractory    the pause after a spike, in the inputs too
           transient     spikes of deep layers come late
           driving       conductances whose force moves with the membrane
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
"""Only whole counts can tie, and only spikes have a time. A tie is one of the final counts."""

FAMILIES: dict[Cause, tuple[str, frozenset[Cause]]] = {
    "quantisation": ("too few spikes", frozenset({"quantisation", "ties"})),
    "saturation": ("saturation", frozenset({"saturation", "reset", "ties"})),
}
"""Causes that come of another, if that one costs anything, with words for them together."""

COME_OF_WEIGHTS: frozenset[Cause] = frozenset(
    {"scale", "saturation", "quantisation", "ties", "integration", "reset", "transient", "driving"}
)
"""What spikes and counts do where weights are not the ANN's: too many of them, too few, or none."""

Dynamic: TypeAlias = Literal["reset", "refractory", "transient", "driving"]
DYNAMIC: tuple[Dynamic, ...] = ("reset", "refractory", "transient", "driving")
"""Those that are taken out in the simulator, and not in a model of it."""
