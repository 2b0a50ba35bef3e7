"""Spiking neuron models, with PyNN's parameter names, units and defaults.

    NeuronModel  ::=  IFCurrDelta

Each docstring is the model: its equation, and its update from one time step to the next, which a
back end has to reproduce.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, ClassVar, TypeAlias

from volr.errors import ModelError
from volr.naming import named

if TYPE_CHECKING:
    from collections.abc import Mapping


# No membrane has parameters beyond these, whatever the unit; within them nothing overflows.
SMALLEST, LARGEST = 1e-6, 1e6


@dataclass(frozen=True, kw_only=True, slots=True)
class IFCurrDelta:
    """Leaky integrate-and-fire neuron whose membrane jumps by w mV at each incoming spike.

        τ_m dV/dt = v_rest − V + R I + τ_m Σ_j w_j δ(t − t_j),    R = τ_m / c_m

    Exact integration (Rotter & Diesmann 1999) over one step dt, with a = e^(−dt/τ_m):

        V ← v_rest + (V − v_rest) a + R (1 − a) (i_offset + I_bias) + Σ w_j

    Where V ≥ v_thresh the neuron emits a spike in this step and V ← v_reset; for the next
    ``tau_refrac``, rounded to steps, V stays there and spikes are lost. It starts at v_rest.

    Units: ``v_rest``, ``v_reset``, ``v_thresh`` mV; ``tau_m``, ``tau_refrac`` ms; ``cm`` nF;
    ``i_offset`` nA. Raises ``ModelError`` for values that no membrane can have.
    """

    name: ClassVar[str] = "if_curr_delta"

    v_rest: float = -65.0
    v_reset: float = -65.0
    v_thresh: float = -50.0
    tau_m: float = 20.0
    cm: float = 1.0
    tau_refrac: float = 0.1
    i_offset: float = 0.0

    def __post_init__(self) -> None:
        values: dict[str, float] = asdict(self)
        wrong = [f"{k} is {v}" for k, v in values.items() if not abs(v) <= LARGEST]
        wrong += [f"{k} is {values[k]}, not above 0" for k in ("tau_m", "cm") if values[k] <= 0]
        wrong += [
            f"{k} is {values[k]}, below {SMALLEST:g}"
            for k in ("tau_m", "cm")
            if 0 < values[k] < SMALLEST
        ]
        if self.tau_refrac < 0:
            wrong.append(f"tau_refrac is {self.tau_refrac}, below 0")
        if self.v_reset >= self.v_thresh:
            wrong.append(f"v_reset {self.v_reset} is not below v_thresh {self.v_thresh}")
        if self.v_rest >= self.v_thresh:
            wrong.append(f"v_rest {self.v_rest} is not below v_thresh {self.v_thresh}")
        if wrong:
            raise ModelError(f"{self.name}: " + "; ".join(wrong))

    @property
    def resistance(self) -> float:
        """R in MΩ."""
        return self.tau_m / self.cm

    def rise(self, dt: float) -> float:
        """What 1 nA adds to the membrane in ``dt`` ms, in mV: R (1 − a)."""
        return -self.resistance * math.expm1(-dt / self.tau_m)

    def refractory_steps(self, dt: float) -> int:
        return math.floor(self.tau_refrac / dt + 0.5)


NeuronModel: TypeAlias = IFCurrDelta
NEURON_MODELS: tuple[type[NeuronModel], ...] = (IFCurrDelta,)


def neuron_model(name: str, parameters: Mapping[str, float] | None = None) -> NeuronModel:
    """The neuron model of that name; ``ModelError`` for an unknown name or parameter."""
    model = named("neuron model", name, {each.name: each for each in NEURON_MODELS}, ModelError)
    given = dict(parameters or {})
    known = [each.name for each in fields(model)]
    unknown = [key for key in given if key not in known]
    if unknown:
        raise ModelError(
            f"{name} has no parameter {', '.join(map(repr, unknown))}",
            help=f"its parameters are {', '.join(known)}",
        )
    return model(**given)
