"""What an operation takes, pJ: published figures, from which energy is estimated.

They are those of M. Horowitz, "Computing's energy problem (and what we can do about it)", ISSCC
2014, for 45 nm and 0.9 V. With 32 bits, an addition takes 0.9 pJ and a multiplication 3.7 pJ in
floating point, 0.1 pJ and 3.1 pJ with whole numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from volr.models.activations import Staircase
from volr.models.first_spike import FirstSpike
from volr.models.model import ArtificialModel, SpikingModel

if TYPE_CHECKING:
    from volr.models.model import Model

SOURCE = "Horowitz, ISSCC 2014, 45 nm"


@dataclass(frozen=True)
class Figures:
    """What a multiplication with its addition (``mac``) and an addition (``ac``) take, pJ, and for
    which ``numbers``.
    """

    numbers: str
    mac: float
    ac: float


FLOATS = Figures("32-bit floating point", mac=4.6, ac=0.9)
WHOLE_NUMBERS = Figures("32-bit whole numbers", mac=3.2, ac=0.1)


def figures_of(model: Model) -> Figures:
    """The figures for the numbers that a model computes with: whole ones with stairs, and with
    first spikes.
    """
    match model:
        case ArtificialModel(activation=Staircase()) | SpikingModel(coding=FirstSpike()):
            return WHOLE_NUMBERS
        case _:
            return FLOATS
