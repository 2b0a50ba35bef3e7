"""``if_curr_delta``: a spike lifts the membrane at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from volr.neurons.base import NeuronModel

if TYPE_CHECKING:
    from volr.checks.arrays import Booleans, Floats
    from volr.neurons.base import Arriving, State


@dataclass(frozen=True, kw_only=True, slots=True)
class IFCurrDelta(NeuronModel):
    """Leaky integrate-and-fire neuron whose membrane jumps by w mV at each incoming spike.

        τ_m dV/dt = v_rest − V + R I + τ_m Σ_j w_j δ(t − t_j)

    Exact integration (Rotter & Diesmann 1999) over one step dt:

        V ← v_rest + (V − v_rest) a + R (1 − a) (i_offset + I_bias) + s[k]
    """

    name: ClassVar[str] = "if_curr_delta"
    weight_unit: ClassVar[str] = "mV"
    moves_at_once: ClassVar[bool] = True

    @property
    def unit_weight(self) -> float:
        """The weight, mV, whose charge lifts a membrane by ``theta``."""
        return self.theta

    @property
    def channels(self) -> tuple[int, ...]:
        return (0,)

    def initial(self, dt: float, shape: tuple[int, ...]) -> State:
        del dt, shape
        return ()

    def step(
        self,
        dt: float,
        v: Floats,
        state: State,
        current: Floats,
        arrive: Arriving,
        held: Booleans,
        bound: float = np.inf,
    ) -> tuple[Floats, State]:
        """V ← V a + R (1 − a) I + s."""
        del held, bound
        return v * self.decay(dt) + self.rise(dt) * current + (arrive[0] + arrive[1]), state
