"""``if_cond_exp``: a spike opens a conductance, which decays."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from volr.neurons.base import NeuronModel, parameter_names
from volr.neurons.if_curr_exp import IFCurrExp

if TYPE_CHECKING:
    from volr.checks.arrays import Booleans, Floats
    from volr.neurons.base import Arriving, State

# Fehlberg's formula 4(5) (1969): the weights of the slopes so far in each stage, in the result of
# the fifth order, and in the estimate of its error. The equations do not name the time.
RKF_STAGES: tuple[tuple[float, ...], ...] = (
    (),
    (1 / 4,),
    (3 / 32, 9 / 32),
    (1932 / 2197, -7200 / 2197, 7296 / 2197),
    (439 / 216, -8.0, 3680 / 513, -845 / 4104),
    (-8 / 27, 2.0, -3544 / 2565, 1859 / 4104, -11 / 40),
)
RKF_RESULT = (16 / 135, 0.0, 6656 / 12825, 28561 / 56430, -9 / 50, 2 / 55)
RKF_ERROR = (1 / 360, 0.0, -128 / 4275, -2197 / 75240, 1 / 50, 2 / 55)
# The nodes of Gauss–Legendre quadrature with two nodes, as fractions of the step.
NODES = (0.5 - 0.5 / math.sqrt(3.0), 0.5 + 0.5 / math.sqrt(3.0))
# 1e-3 of NEST's units: mV and, twice, nS.
TOLERANCES = np.array([1e-3, 1e-6, 1e-6])
# mV: inhibition that only shunts has no driving force, and no weight makes up for that.
_LEAST_DRIVE = 1.0


@dataclass(frozen=True, slots=True)
class Instant:
    """Constants of the formula of ``IFCondExp`` at time t of a step; two numbers are of E and I.

    ``left`` is e^(−t/τ_x); ``spent``, 1/µS, is the integral of that from t to dt, over c_m;
    ``leak`` is (dt − t)/τ_m. So E(t) = exp(−leak − Σ g_x spent_x), with the conductances at the
    start of the step.
    """

    left: tuple[float, float]
    spent: tuple[float, float]
    leak: float


@dataclass(frozen=True, kw_only=True, slots=True)
class IFCondExp(NeuronModel):
    """Leaky integrate-and-fire neuron with conductances that jump by |w| µS and then decay.

        c_m dV/dt = (c_m/τ_m) (v_rest − V) + g_E (e_rev_E − V) + g_I (e_rev_I − V) + I
        τ_x dg_x/dt = −g_x + τ_x Σ_j |w_j| δ(t − t_j)

    Positive weights go to g_E and negative ones to g_I. NEST integrates V, g_E and g_I together by
    the Runge–Kutta–Fehlberg method 4(5); a V above v_thresh, which the end of the step will put to
    v_reset, moves until then as if it were at v_thresh. The method's step h adapts, neuron by
    neuron, to an error estimate e, the largest of the three, in units of 0.001 mV and 0.001 nS:

        h ← min(h, what is left of dt)
        e > 1.1:  undo,  h ← max(0.9 e^(−1/5), 0.2) h
        e < 0.5:  h ← min(max(0.9 e^(−1/6), 1), 5) h

    from h = dt at the start, and h lasts from one time step to the next. ``step`` does
    the same, and so its spikes are NEST's. Then g_x ← g_x + |s_x[k]|: what arrives in a step
    moves the membrane from the next step on.

    Between spikes the equation is linear in V,

        dV/dt = −A(t) V + B(t),    A = (c_m/τ_m + g_E + g_I) / c_m

    and with V∞ = B(dt)/A(dt), and E(t) = exp(−∫_t^dt A), which is known in closed form,

        V ← V∞ + E(0) (V − V∞) + ∫_0^dt E(t) (B(t) − A(t) V∞) dt,
        g_x ← e^(−dt/τ_x) g_x + |s_x[k]|

    the integral by Gauss–Legendre quadrature with two nodes (error of the order dt⁵). That is
    smooth and needs no trials, and some 1e-5 mV from NEST; but NEST's own error, where V crosses
    the threshold within a step, reaches 0.01 mV at dt = 1 ms. So one neuron in a thousand has
    another spike count there, by one spike, and next to none at 0.5 ms and below.

    Units as in ``NeuronModel``; ``tau_syn_E``, ``tau_syn_I`` ms; ``e_rev_E``, ``e_rev_I`` mV.
    """

    name: ClassVar[str] = "if_cond_exp"
    weight_unit: ClassVar[str] = "µS"
    has_conductances: ClassVar[bool] = True
    # Where inputs are fast the membrane follows them at once, and the rate jumps where they exceed
    # the threshold; slow inputs fluctuate more, and fluctuations smooth the jump.
    input_rate: ClassVar[float] = 200.0
    full_rate: ClassVar[float] = 1000.0
    """The default rate, Hz, of a population at its full activation."""

    tau_syn_E: float = 5.0
    tau_syn_I: float = 5.0
    e_rev_E: float = 0.0
    e_rev_I: float = -70.0

    def _problems(self) -> list[str]:
        # Not super(): a dataclass with slots is another class than the one that is written here.
        wrong = NeuronModel._problems(self)
        if self.tau_m == math.inf:
            wrong.append(
                f"tau_m is {self.tau_m}, and only if_curr_delta and if_curr_exp have "
                "membranes without leak"
            )
        if not self.e_rev_E > self.v_thresh:
            wrong.append(f"e_rev_E {self.e_rev_E} is not above v_thresh {self.v_thresh}")
        if not self.e_rev_I < self.v_thresh:
            wrong.append(f"e_rev_I {self.e_rev_I} is not below v_thresh {self.v_thresh}")
        return wrong

    @property
    def unit_weight(self) -> float:
        """The excitatory weight, µS, whose charge lifts a membrane by ``theta``, at its mean drive.

        θ c_m / (τ_E (e_rev_E − V)), with V halfway between v_reset and v_thresh.
        """
        drive = self.e_rev_E - 0.5 * (self.v_thresh + self.v_reset)
        return self.theta * self.cm / (self.tau_syn_E * drive)

    @property
    def inhibitory_unit(self) -> float:
        """The same for inhibition, which has some 12 mV of driving force where excitation has 57:
        equal weights would be next to no inhibition.
        """
        return self._inhibition_at(0.5 * (self.v_thresh + self.v_reset))

    @property
    def channels(self) -> tuple[int, ...]:
        return (1, -1)

    @property
    def operating_point(self) -> float:
        """The threshold.

        What a synapse brings depends on V: with PyNN's values, from rest to threshold, excitation
        falls from 65 to 50 mV and inhibition rises from 5 to 20. Conductances also make the
        membrane fast: it follows its inputs, and fires where g_E (e_rev_E − v_thresh) +
        g_I (e_rev_I − v_thresh) + I exceeds the leak at v_thresh. Only with these drives is that
        where the ANN's sum exceeds 0.
        """
        return self.v_thresh

    @property
    def synapse_units(self) -> tuple[float, float]:
        at = self.operating_point
        excitation = self.theta * self.cm / (self.tau_syn_E * (self.e_rev_E - at))
        return excitation, self._inhibition_at(at)

    def _inhibition_at(self, at: float) -> float:
        """The inhibitory weight, µS, that takes θ off a membrane that is ``at`` mV."""
        drive = max(abs(self.e_rev_I - at), _LEAST_DRIVE)
        return self.theta * self.cm / (self.tau_syn_I * drive)

    def is_moved_at_rest(self, weight: float) -> bool:
        return weight > 0.0 or (weight < 0.0 and self.e_rev_I != self.v_rest)

    def population_rate(self, inputs: float, most: float) -> float:
        """Higher than suits the inputs."""
        return max(inputs, min(self.full_rate, most))

    @property
    def pulls(self) -> tuple[float, float]:
        """The reversal potentials, from v_rest, mV."""
        return self.e_rev_E - self.v_rest, self.e_rev_I - self.v_rest

    def instants(self, dt: float) -> tuple[Instant, Instant, Instant, Instant]:
        """The start of a step, the two nodes of the quadrature, the end."""
        first, second = NODES
        return (
            self._instant(dt, 0.0),
            self._instant(dt, first * dt),
            self._instant(dt, second * dt),
            self._instant(dt, dt),
        )

    def _instant(self, dt: float, time: float) -> Instant:
        def left(tau: float) -> float:
            return math.exp(-time / tau)

        def spent(tau: float) -> float:
            return tau * (math.exp(-time / tau) - math.exp(-dt / tau)) / self.cm

        return Instant(
            left=(left(self.tau_syn_E), left(self.tau_syn_I)),
            spent=(spent(self.tau_syn_E), spent(self.tau_syn_I)),
            leak=1.0 / self.tau_m * (dt - time),
        )

    def synaptic_decays(self, dt: float) -> tuple[float, float]:
        return math.exp(-dt / self.tau_syn_E), math.exp(-dt / self.tau_syn_I)

    def initial(self, dt: float, shape: tuple[int, ...]) -> State:
        return np.zeros(shape), np.zeros(shape), np.full(shape, dt)

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
        """V, g_E, g_I by Runge–Kutta–Fehlberg 4(5) in steps of h until dt;  g_x ← g_x + |s_x|."""
        g_e, g_i, h = state
        e_e, e_i = self.pulls

        def slope(y: Floats) -> Floats:
            v, g_e, g_i = np.minimum(y[0], bound), y[1], y[2]
            inward = -v * self.cm / self.tau_m + g_e * (e_e - v) + g_i * (e_i - v) + current
            moves = np.where(held, 0.0, inward / self.cm)
            return np.stack([moves, -g_e / self.tau_syn_E, -g_i / self.tau_syn_I])

        y, t = np.stack([v, g_e, g_i]), np.zeros(v.shape)
        while (going := t < dt).any():
            last = h >= dt - t
            tried = np.where(last, dt - t, h)
            slopes: list[Floats] = []
            for row in RKF_STAGES:
                slopes.append(slope(y + tried * _weighted(row, slopes, y)))
            error = np.abs(tried * _weighted(RKF_ERROR, slopes, y)) / TOLERANCES[:, None, None]
            e = error.max(axis=0)
            undone = e > 1.1
            with np.errstate(divide="ignore"):
                shorter = np.maximum(0.9 * e ** (-1 / 5), 0.2)
                longer = np.where(e < 0.5, np.clip(0.9 * e ** (-1 / 6), 1.0, 5.0), 1.0)
            done = going & ~undone
            y = np.where(done, y + tried * _weighted(RKF_RESULT, slopes, y), y)
            h = np.where(going, tried * np.where(undone, shorter, longer), h)
            t = np.where(done, np.where(last, dt, t + tried), t)
        return y[0], (y[1] + arrive[0], y[2] - arrive[1], h)

    def with_currents(self) -> IFCurrExp:
        shared = parameter_names(IFCurrExp)
        return IFCurrExp(**{k: v for k, v in self.numbers.items() if k in shared}, reset=self.reset)


def _weighted(weights: tuple[float, ...], slopes: list[Floats], like: Floats) -> Floats:
    total = np.zeros(like.shape)
    for weight, slope in zip(weights, slopes, strict=True):
        total += weight * slope
    return total
