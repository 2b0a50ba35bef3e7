"""What all neuron models have in common, and what each of them has to define.

Parameters have PyNN's names, units and defaults. In all models

    a = e^(−dt/τ_m),    R = τ_m / c_m,    s[k] = Σ_j w_j

are the decay of the membrane in one step, its resistance, and the weights of the spikes that arrive
in step k.

**Threshold.** A neuron whose membrane is at ``v_thresh`` or above at the end of a step emits a
spike in that step.

**No leak.** A ``tau_m`` of inf is an integrator: a = 1, and a current I adds I dt/c_m in a step,
where R (1 − a) has its limit dt/c_m. Nothing is forgotten, so
charges that add up to the threshold exactly are the ordinary case. But ten times 0.1 is slightly
less than 1 in floating point, and each simulator rounds in an order of its own. Therefore a
membrane without leak is at the threshold where it is nearer than θ · ``TIE`` to it
(``NeuronModel.fires_at``), on every back end.

**Reset.** ``hard``: V ← v_reset, and for the next ``tau_refrac``, rounded to steps, V stays there
and what arrives is lost (currents and conductances go on decaying, and take up what arrives).
``subtract``: V ← V − (v_thresh − v_reset), so that no charge is lost; for the next ``tau_refrac``
the neuron goes on integrating and emits no spike.

**Start.** V is v_rest; currents and conductances are 0.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, fields
from typing import ClassVar, Literal, TypeAlias, get_args

import numpy as np

from volr.checks.annotations import settle
from volr.checks.arrays import Booleans, Floats
from volr.errors import ModelError

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
"""The time constant, ms, that simulators without infinity get: e^(−dt/τ) is 1 to the last
digit, and τ (1 − e^(−dt/τ)) is dt, if it is computed by ``expm1``."""


Arriving: TypeAlias = tuple[Floats, Floats]
"""The sums of the positive and of the negative weights that arrive."""

State: TypeAlias = tuple[Floats, ...]
"""What a model remembers besides V, ``[batch, unit]`` each, in the order of its equations."""


@dataclass(frozen=True, kw_only=True, slots=True)
class NeuronModel(ABC):
    """A leaky membrane, a threshold and a reset; a model adds how spikes act on the membrane.

    Units: ``v_rest``, ``v_reset``, ``v_thresh`` mV; ``tau_m``, ``tau_refrac`` ms; ``cm`` nF;
    ``i_offset`` nA. An infinite ``tau_m`` is a membrane without leak. Raises ``ModelError`` for
    values that no membrane can have.
    """

    name: ClassVar[str]
    weight_unit: ClassVar[str]
    has_conductances: ClassVar[bool] = False
    """Whether what a spike brings depends on the membrane, and excitation and inhibition differ."""
    has_currents: ClassVar[bool] = False
    """Whether a spike brings a current that flows on and decays."""
    moves_at_once: ClassVar[bool] = False
    """Whether a spike moves the membrane in the step in which it arrives, and not in the next."""
    endless: ClassVar[tuple[str, ...]] = ("tau_m",)
    """The time constants that may be infinite."""
    input_rate: ClassVar[float] = 500.0
    """The default rate of inputs, Hz."""

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
    @abstractmethod
    def unit_weight(self) -> float:
        """The excitatory weight whose charge lifts a membrane by ``theta``."""

    @property
    def inhibitory_unit(self) -> float:
        """The same for a negative weight, the absolute value of it."""
        return self.unit_weight

    @property
    @abstractmethod
    def channels(self) -> tuple[int, ...]:
        """Which weights go where: 0 is all of them, 1 and −1 the positive and the negative ones.

        Currents that decay alike need not be kept apart.
        """

    @abstractmethod
    def initial(self, dt: float, shape: tuple[int, ...]) -> State:
        """What the neurons remember at the start."""

    @abstractmethod
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
        """V and what is remembered one step later, before threshold and reset: the specification.

        ``v`` mV above rest, as in NEST, so that rounding is alike; ``current`` nA; ``held`` are the
        neurons whose V does not move; what is returned for them is not used. All ``[batch, unit]``.
        ``bound``, mV above rest, is where a V is reset.
        """

    def synaptic_decays(self, dt: float) -> tuple[float, ...]:
        """What is left after ``dt`` ms of what spikes of either sign brought; () if nothing is."""
        del dt
        return ()

    def synaptic_rises(self, dt: float) -> tuple[float, ...]:
        """What 1 nA of each synaptic current adds to the membrane in ``dt`` ms, mV; () without."""
        del dt
        return ()

    @property
    def operating_point(self) -> float:
        """V*, mV: where the charge that a synapse brings, and the leak takes, is what is counted
        on in a transfer. Halfway between v_reset and v_thresh, where V is on average.
        """
        return 0.5 * (self.v_thresh + self.v_reset)

    @property
    def synapse_units(self) -> tuple[float, float]:
        """The weights whose charge is θ at the operating point: of excitation, of inhibition.

        Both positive, in ``weight_unit``.
        """
        return self.unit_weight, self.inhibitory_unit

    @property
    def leak_current(self) -> float:
        """The constant current, nA, that makes up for the leak at the operating point."""
        return (self.operating_point - self.v_rest) / self.resistance

    def is_moved_at_rest(self, weight: float) -> bool:
        """Whether a spike of this weight moves a membrane that is at v_rest."""
        return weight != 0.0

    def with_currents(self) -> NeuronModel:
        """The same membrane and time constants with currents instead of conductances; itself where
        it has none.
        """
        return self

    def population_rate(self, inputs: float, most: float) -> float:
        """The default rate, Hz, of a population at its full activation.

        ``inputs`` is the rate of the inputs, ``most`` a spike in every step.
        """
        del most
        return inputs

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

    def added(self, dt: float) -> float | None:
        """What a spike of the weight 1 adds to the membrane in each later step, mV, without end.

        None where something decays or leaks.
        """
        del dt

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
        """How many spikes a neuron can emit in so many steps, at least 1, under any drive."""
        return 1 + (steps - 1) // (1 + self.refractory_steps(dt))

    def _problems(self) -> list[str]:
        values = self.numbers
        endless = {each for each in self.endless if values[each] == math.inf}
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


def lowered(v_thresh: float, v_reset: float, tie: float = TIE) -> float:
    """The membrane, mV, that is θ · ``tie`` below the threshold."""
    return v_thresh - tie * (v_thresh - v_reset)


def raised(fires_at: float, v_reset: float) -> float:
    """``v_thresh``, mV, of what ``lowered`` gives: the way back."""
    return fires_at + TIE * (fires_at - v_reset) / (1.0 - TIE)


def stays(neuron: NeuronModel) -> bool:
    """Whether a current that a spike brings stays: its time constant is infinite."""
    return math.inf in (neuron.numbers.get(tau) for tau in ("tau_syn_E", "tau_syn_I"))


def parameter_names(model: type[NeuronModel]) -> tuple[str, ...]:
    """The names of the parameters that are numbers: all but ``reset``."""
    return tuple(each.name for each in fields(model) if each.name != "reset")
