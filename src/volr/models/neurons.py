"""Spiking neuron models, with PyNN's parameter names, units and defaults.

    NeuronModel  ::=  IFCurrDelta | IFCurrExp | IFCondExp

Each docstring is the model: its equation, and its update from one time step to the next, which a
back end has to reproduce. These docstrings are why the module is long. In all of them

    a = e^(−dt/τ_m),    R = τ_m / c_m,    s[k] = Σ_j w_j

the decay of the membrane in one step, its resistance, and the weights of the spikes that arrive in
step k. What they have in common is this:

**Threshold.** A neuron whose membrane is at ``v_thresh`` or above at the end of a step emits a
spike in that step.

**No leak.** ``IFCurrDelta`` and ``IFCurrExp`` take ``tau_m`` = inf, an integrator: a = 1, and a
current I adds I dt/c_m in a step, where R (1 − a) has its limit dt/c_m. Nothing is forgotten, so
charges that add up to the threshold exactly are the ordinary case. But ten times 0.1 is a hair
less than 1 in floating point, and each simulator rounds in an order of its own. Therefore a
membrane without leak is at the threshold where it is nearer than θ · ``TIE`` to it
(``Membrane.fires_at``), on every back end.

**Reset.** ``hard``: V ← v_reset, and for the next ``tau_refrac``, rounded to steps, V stays there
and what arrives is lost (currents and conductances go on decaying, and take up what arrives).
``subtract``: V ← V − (v_thresh − v_reset), so that no charge is lost; for the next ``tau_refrac``
the neuron goes on integrating and emits no spike.

**Start.** V is v_rest; currents and conductances are 0.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, ClassVar, Literal, TypeAlias, get_args

from volr.errors import ModelError
from volr.naming import named
from volr.typed import settle

if TYPE_CHECKING:
    from collections.abc import Mapping

Reset: TypeAlias = Literal["hard", "subtract"]
RESETS: tuple[Reset, ...] = get_args(Reset)

# No membrane has parameters beyond these, whatever the unit; within them nothing overflows.
SMALLEST, LARGEST = 1e-6, 1e6

TIE = 1e-9
"""How near to its threshold a membrane without leak is at it, in units of θ = v_thresh − v_reset.

Rounding makes less: in double precision a sum of a million charges, each of about θ, is wrong by
less. A real difference is more: a sum of rational parts of θ that is not θ differs from it by more,
unless their common denominator is above 10^9. So is what the last digit of a float32 weight
changes, if the weight is not below θ/64.
"""
SINGLE_TIE = 1e-5
"""The same in single precision, in which spiking networks are trained: a thousand charges."""

ENDLESS = 1e200
"""The time constant, ms, that simulators without infinity are told: e^(−dt/τ) is 1 to the last
digit, and τ (1 − e^(−dt/τ)) is dt, if it is computed by ``expm1``."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Membrane:
    """What all neuron models have: a leaky membrane, a threshold, a reset. Not a model itself.

    Units: ``v_rest``, ``v_reset``, ``v_thresh`` mV; ``tau_m``, ``tau_refrac`` ms; ``cm`` nF;
    ``i_offset`` nA. An infinite ``tau_m`` is a membrane without leak. Raises ``ModelError`` for
    values that no membrane can have.
    """

    name: ClassVar[str]
    weight_unit: ClassVar[str]

    v_rest: float = -65.0
    v_reset: float = -65.0
    v_thresh: float = -50.0
    tau_m: float = 20.0
    cm: float = 1.0
    tau_refrac: float = 0.1
    i_offset: float = 0.0
    reset: Reset = "hard"

    def __post_init__(self) -> None:
        wrong = settle(self, Reset=str) or self._problems()
        if wrong:
            raise ModelError(f"{self.name}: " + "; ".join(wrong))

    @property
    def numbers(self) -> dict[str, float]:
        """The parameters by name, ``reset`` aside, which is a word."""
        return {key: getattr(self, key) for key in parameter_names(type(self))}

    @property
    def leaks(self) -> bool:
        """Whether the membrane returns to rest by itself."""
        return math.isfinite(self.tau_m)

    def fires_at(self, *, single: bool = False) -> float:
        """The least membrane, mV, that is at the threshold: v_thresh, or without leak a hair less.

        ``single`` is for arithmetic in single precision.
        """
        if self.leaks:
            return self.v_thresh
        return lowered(self.v_thresh, self.v_reset, SINGLE_TIE if single else TIE)

    @property
    def resistance(self) -> float:
        """R in MΩ; infinite without leak."""
        return self.tau_m / self.cm

    @property
    def theta(self) -> float:
        """What a spike costs: from v_reset to v_thresh, mV."""
        return self.v_thresh - self.v_reset

    @property
    def rheobase(self) -> float:
        """The constant current, nA, that lifts the membrane by ``theta`` in the long run.

        0 without leak, where every current does.
        """
        return self.theta / self.resistance

    def decay(self, dt: float) -> float:
        """What is left of the membrane's distance from rest after ``dt`` ms: a."""
        return math.exp(-dt / self.tau_m)

    def rise(self, dt: float) -> float:
        """What 1 nA adds to the membrane in ``dt`` ms, in mV: R (1 − a), or dt/c_m without leak."""
        if not self.leaks:
            return dt / self.cm
        return -self.resistance * math.expm1(-dt / self.tau_m)

    def refractory_steps(self, dt: float) -> int:
        return math.floor(self.tau_refrac / dt + 0.5)

    def most_spikes(self, dt: float, steps: int) -> int:
        """How many spikes a neuron can emit in so many steps, at least 1, whatever drives it."""
        return 1 + (steps - 1) // (1 + self.refractory_steps(dt))

    def _problems(self) -> list[str]:
        values = self.numbers
        endless = {"tau_m"} if self.tau_m == math.inf else set[str]()
        wrong = [
            f"{k} is {v}" for k, v in values.items() if not abs(v) <= LARGEST and k not in endless
        ]
        positive = [k for k in values if k.startswith("tau_") and k != "tau_refrac"] + ["cm"]
        wrong += [f"{k} is {values[k]}, not above 0" for k in positive if values[k] <= 0]
        wrong += [
            f"{k} is {values[k]}, below {SMALLEST:g}" for k in positive if 0 < values[k] < SMALLEST
        ]
        if self.tau_refrac < 0:
            wrong.append(f"tau_refrac is {self.tau_refrac}, below 0")
        if self.v_reset >= self.v_thresh:
            wrong.append(f"v_reset {self.v_reset} is not below v_thresh {self.v_thresh}")
        if self.v_rest >= self.v_thresh:
            wrong.append(f"v_rest {self.v_rest} is not below v_thresh {self.v_thresh}")
        if self.reset not in RESETS:
            wrong.append(f"reset is {self.reset!r}, not one of {', '.join(RESETS)}")
        return wrong


@dataclass(frozen=True, kw_only=True, slots=True)
class IFCurrDelta(Membrane):
    """Leaky integrate-and-fire neuron whose membrane jumps by w mV at each incoming spike.

        τ_m dV/dt = v_rest − V + R I + τ_m Σ_j w_j δ(t − t_j)

    Exact integration (Rotter & Diesmann 1999) over one step dt:

        V ← v_rest + (V − v_rest) a + R (1 − a) (i_offset + I_bias) + s[k]
    """

    name: ClassVar[str] = "if_curr_delta"
    weight_unit: ClassVar[str] = "mV"

    @property
    def unit_weight(self) -> float:
        """The weight, mV, whose charge lifts a membrane by ``theta``."""
        return self.theta


@dataclass(frozen=True, kw_only=True, slots=True)
class IFCurrExp(Membrane):
    """Leaky integrate-and-fire neuron with currents that jump by w nA and decay exponentially.

        τ_m dV/dt = v_rest − V + R (I_E + I_I + I),    τ_x dI_x/dt = −I_x + τ_x Σ_j w_j δ(t − t_j)

    Positive weights go to I_E and negative ones to I_I. Exact integration (Rotter & Diesmann 1999)
    over one step dt, with b_x = e^(−dt/τ_x):

        V ← v_rest + (V − v_rest) a + Σ_x p_x I_x + R (1 − a) (i_offset + I_bias)
        I_x ← b_x I_x + s_x[k]
        p_x = R τ_x / (τ_m − τ_x) (a − b_x),    or R (dt/τ_m) a where τ_x = τ_m,
                                                or τ_x (1 − b_x) / c_m without leak

    What arrives in a step moves the membrane from the next step on.

    Units as in ``Membrane``; ``tau_syn_E``, ``tau_syn_I`` ms.
    """

    name: ClassVar[str] = "if_curr_exp"
    weight_unit: ClassVar[str] = "nA"

    tau_syn_E: float = 5.0
    tau_syn_I: float = 5.0

    @property
    def unit_weight(self) -> float:
        """The excitatory weight, nA, whose charge lifts a membrane by ``theta``: θ c_m / τ_E."""
        return self.theta * self.cm / self.tau_syn_E

    def synaptic_decays(self, dt: float) -> tuple[float, float]:
        """What is left of each current after ``dt`` ms: b_E and b_I."""
        return math.exp(-dt / self.tau_syn_E), math.exp(-dt / self.tau_syn_I)

    def synaptic_rises(self, dt: float) -> tuple[float, float]:
        """What 1 nA of each current adds to the membrane in ``dt`` ms, in mV: p_E and p_I."""
        return self._rise_of(self.tau_syn_E, dt), self._rise_of(self.tau_syn_I, dt)

    def _rise_of(self, tau: float, dt: float) -> float:
        # a − b = a (1 − e^x) with x = dt (1/τ_m − 1/τ); (1 − e^x)/x has no hole at x = 0.
        x = dt * (1.0 / self.tau_m - 1.0 / tau)
        slope = -1.0 if x == 0.0 else -math.expm1(x) / x
        per_step = self.resistance * (dt / self.tau_m) if self.leaks else dt / self.cm
        return -per_step * self.decay(dt) * slope


@dataclass(frozen=True, kw_only=True, slots=True)
class IFCondExp(Membrane):
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

    from h = dt at the start, and h lasts from one time step to the next. ``volr.engine.reference``
    does the same, and so its spikes are NEST's. Then g_x ← g_x + |s_x[k]|: what arrives in a step
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

    Units as in ``Membrane``; ``tau_syn_E``, ``tau_syn_I`` ms; ``e_rev_E``, ``e_rev_I`` mV.
    """

    name: ClassVar[str] = "if_cond_exp"
    weight_unit: ClassVar[str] = "µS"

    tau_syn_E: float = 5.0
    tau_syn_I: float = 5.0
    e_rev_E: float = 0.0
    e_rev_I: float = -70.0

    def _problems(self) -> list[str]:
        # Not super(): a dataclass with slots is another class than the one that is written here.
        wrong = Membrane._problems(self)
        if self.tau_m == math.inf:
            wrong.append(
                f"tau_m is {self.tau_m}, and only {IFCurrDelta.name} and {IFCurrExp.name} have "
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

    def with_currents(self) -> IFCurrExp:
        """The same membrane and time constants, with currents instead of conductances."""
        shared = parameter_names(IFCurrExp)
        return IFCurrExp(**{k: v for k, v in self.numbers.items() if k in shared}, reset=self.reset)


NeuronModel: TypeAlias = IFCurrDelta | IFCurrExp | IFCondExp
NEURON_MODELS: tuple[type[NeuronModel], ...] = (IFCurrDelta, IFCurrExp, IFCondExp)


def lowered(v_thresh: float, v_reset: float, tie: float = TIE) -> float:
    """The membrane, mV, that is θ · ``tie`` below the threshold."""
    return v_thresh - tie * (v_thresh - v_reset)


def raised(fires_at: float, v_reset: float) -> float:
    """``v_thresh``, mV, of what ``lowered`` gives: the way back."""
    return fires_at + TIE * (fires_at - v_reset) / (1.0 - TIE)


def parameter_names(model: type[Membrane]) -> tuple[str, ...]:
    """The names of the parameters that are numbers: all but ``reset``."""
    return tuple(each.name for each in fields(model) if each.name != "reset")


def neuron_model(
    name: str, parameters: Mapping[str, float] | None = None, reset: Reset = "hard"
) -> NeuronModel:
    """The neuron model of that name; ``ModelError`` for an unknown name or parameter."""
    model = named("neuron model", name, {each.name: each for each in NEURON_MODELS}, ModelError)
    given = dict(parameters or {})
    known = parameter_names(model)
    unknown = [key for key in given if key not in known]
    if unknown:
        raise ModelError(
            f"{name} has no parameter {', '.join(map(repr, unknown))}",
            help=f"its parameters are {', '.join(known)}",
        )
    return model(**given, reset=reset)
