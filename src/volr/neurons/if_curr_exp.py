"""``if_curr_exp``: a spike brings a current, which decays."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from volr.neurons.base import NeuronModel

if TYPE_CHECKING:
    from volr.checks.arrays import Booleans, Floats
    from volr.neurons.base import Arriving, State


@dataclass(frozen=True, kw_only=True, slots=True)
class IFCurrExp(NeuronModel):
    """Leaky integrate-and-fire neuron with currents that jump by w nA and decay exponentially.

        τ_m dV/dt = v_rest − V + R (I_E + I_I + I),    τ_x dI_x/dt = −I_x + τ_x Σ_j w_j δ(t − t_j)

    Positive weights go to I_E and negative ones to I_I. Exact integration (Rotter & Diesmann 1999)
    over one step dt, with b_x = e^(−dt/τ_x):

        V ← v_rest + (V − v_rest) a + Σ_x p_x I_x + R (1 − a) (i_offset + I_bias)
        I_x ← b_x I_x + s_x[k]
        p_x = R τ_x / (τ_m − τ_x) (a − b_x),    or R (dt/τ_m) a where τ_x = τ_m,
                                                or τ_x (1 − b_x) / c_m without leak

    What arrives in a step moves the membrane from the next step on. With an infinite τ_x a current
    stays: b_x = 1, and p_x = R (1 − a).

    Units as in ``NeuronModel``; ``tau_syn_E``, ``tau_syn_I`` ms.
    """

    name: ClassVar[str] = "if_curr_exp"
    weight_unit: ClassVar[str] = "nA"
    has_currents: ClassVar[bool] = True
    endless: ClassVar[tuple[str, ...]] = ("tau_m", "tau_syn_E", "tau_syn_I")

    tau_syn_E: float = 5.0
    tau_syn_I: float = 5.0

    @property
    def unit_weight(self) -> float:
        """The excitatory weight, nA, whose charge lifts a membrane by ``theta``: θ c_m / τ_E.

        Where a current stays, the weight that does so in 1 ms.
        """
        return self.theta * self.cm / (self.tau_syn_E if math.isfinite(self.tau_syn_E) else 1.0)

    @property
    def inhibitory_unit(self) -> float:
        if math.isfinite(self.tau_syn_E) and math.isfinite(self.tau_syn_I):
            return self.unit_weight * self.tau_syn_E / self.tau_syn_I
        return self.theta * self.cm / (self.tau_syn_I if math.isfinite(self.tau_syn_I) else 1.0)

    @property
    def channels(self) -> tuple[int, ...]:
        return (0,) if self.tau_syn_E == self.tau_syn_I else (1, -1)

    def synaptic_decays(self, dt: float) -> tuple[float, float]:
        """What is left of each current after ``dt`` ms: b_E and b_I."""
        return math.exp(-dt / self.tau_syn_E), math.exp(-dt / self.tau_syn_I)

    def synaptic_rises(self, dt: float) -> tuple[float, float]:
        """What 1 nA of each current adds to the membrane in ``dt`` ms, in mV: p_E and p_I."""
        return self._rise_of(self.tau_syn_E, dt), self._rise_of(self.tau_syn_I, dt)

    def added(self, dt: float) -> float | None:
        if self.leaks or not (math.isinf(self.tau_syn_E) and math.isinf(self.tau_syn_I)):
            return None
        return self._rise_of(self.tau_syn_E, dt)

    def initial(self, dt: float, shape: tuple[int, ...]) -> State:
        del dt
        return np.zeros(shape), np.zeros(shape)

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
        """V ← V a + p_E I_E + p_I I_I + R (1 − a) I,  then  I_x ← b_x I_x + s_x."""
        del held, bound
        i_e, i_i = state
        p_e, p_i = self.synaptic_rises(dt)
        b_e, b_i = self.synaptic_decays(dt)
        v = v * self.decay(dt) + i_e * p_e + i_i * p_i + current * self.rise(dt)
        return v, (b_e * i_e + arrive[0], b_i * i_i + arrive[1])

    def _rise_of(self, tau: float, dt: float) -> float:
        # a − b = a (1 − e^x) with x = dt (1/τ_m − 1/τ); (1 − e^x)/x has no hole at x = 0.
        x = dt * (1.0 / self.tau_m - 1.0 / tau)
        slope = -1.0 if x == 0.0 else -math.expm1(x) / x
        per_step = self.resistance * (dt / self.tau_m) if self.leaks else dt / self.cm
        return -per_step * self.decay(dt) * slope
