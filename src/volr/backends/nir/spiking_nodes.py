"""What a spiking node of NIR does in one time step.

NIR defines an equation in continuous time, and no importer solves it: each takes steps of its own.
A ``Signal`` names them:

``euler``    explicit Euler steps with an input that is held for a step, as Norse, snnTorch and
             SpikingJelly do: v ← v + dt/τ (v_leak − v + r x)
``jump``     an exact decay, and all of the input in one step, as sinabs does:
             v ← v_leak + (v − v_leak) e^(−dt/τ) + r x
``step``     the exact solution for an input that is held for a step:
             v ← v_leak + (v − v_leak) e^(−dt/τ) + r (1 − e^(−dt/τ)) x
``impulse``  the exact solution for spikes that are impulses of area 1 in s, as NIR's equations
             read, and as Volr writes them: a spike through W adds r W / τ

In each of them a step is v ← a v + k W·s + (1 − a) (leak + level b), with a decay a and a kick k.
IF, which has no leak, adds r x in every step: with ``step`` in s of it, with ``impulse`` r b is so.
It is a neuron of ours whose τ is infinite: a = 1, and a constant b adds ``level`` b dt.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from volr.backends.nir.graph import Values
    from volr.checks.arrays import Floats
    from volr.network.connectors import Shape

Signal: TypeAlias = Literal["euler", "jump", "step", "impulse"]

# A membrane that has forgotten all within a step: of it e^-64 is left, less than rounding.
BRIEF = 64.0


@dataclass(frozen=True)
class Steps:
    """How a graph's time goes: steps of ``dt`` ms, in each of which an input acts as ``signal``
    says. ``second`` is what the graph's unit of time is, ms."""

    signal: Signal
    dt: float
    second: float

    def tau(self, values: Values, key: str, what: str) -> tuple[Floats, Floats]:
        """The time constants, ms ``[unit]``, and those of the exact decay in a step.

        Raises ``ValueError`` where there is none.
        """
        tau = self.second * values[key]
        wrong = tau[~((tau > 0.0) & (tau < math.inf))]
        if wrong.size:
            raise ValueError(f"{what} is {wrong[0]:g} ms")
        if self.signal != "euler":
            return tau, tau
        if (tau <= self.dt).any():
            raise ValueError(
                f"{what} is {tau.min():g} ms and a step {self.dt:g} ms, in which Euler's method "
                "leaves nothing; choose a smaller dt (Norse writes its time constants times its "
                "step: make it dt²)"
            )
        return tau, -self.dt / np.log1p(-self.dt / tau)

    def share(self, tau: Floats) -> Floats:
        """How much of a spike is taken up by what decays with ``tau`` ms."""
        match self.signal:
            case "euler":
                return self.dt / tau
            case "jump":
                return np.ones_like(tau)
            case "step":
                return -np.expm1(-self.dt / tau)
            case "impulse":
                return self.second / tau


@dataclass(frozen=True, eq=False)
class Stepped:
    """A population of a graph, step by step; arrays are ``[unit]``, potentials in NIR's unit.

    ``tau`` and ``tau_syn`` are the time constants, ms ``[unit]``, of exact decays that are a and b;
    None where there is no synapse. ``kick`` is what 1 of W adds: to the membrane, or to a current
    ``i`` whose ``gain`` times 1 moves the membrane in the next step. ``level`` is what a constant
    input of 1 lifts the membrane to in the long run, ``leak`` where it is without any; if ``tau``
    is infinite, ``level`` is by how much it lifts the membrane in each ms. ``threshold`` and
    ``reset`` are None for neurons that never spike.
    """

    tau: Floats
    kick: Floats
    level: Floats
    leak: Floats
    tau_syn: Floats | None = None
    gain: Floats | None = None
    threshold: Floats | None = None
    reset: Floats | None = None


def stepped(
    step: Callable[[Values, Steps], Stepped], values: Values, shape: Shape, steps: Steps
) -> Stepped:
    """A population of this ``shape``, whose ``step`` is one of those below.

    Raises ``ValueError`` saying what keeps it from being one of our populations.
    """
    each = {key: by_unit(key, array, shape) for key, array in values.items()}
    threshold = each.get("v_threshold", each.get("threshold"))
    if threshold is not None and not (threshold > 0).all():
        raise ValueError("its threshold is not above 0")
    reset = np.zeros(math.prod(shape)) if "threshold" in each else each.get("v_reset")
    return replace(step(each, steps), threshold=threshold, reset=reset)


def brief(values: Values, steps: Steps) -> Stepped:
    """Threshold: what arrives is forgotten after the step."""
    ones = np.ones_like(values["threshold"])
    return Stepped(steps.dt / BRIEF * ones, ones, ones, 0.0 * ones)


def integrating(values: Values, steps: Steps) -> Stepped:
    """IF and I: there is no leak."""
    r, step = values["r"], steps.dt / steps.second
    kick = r * step if steps.signal == "step" else r
    # What a constant adds in a step: importers add all of it, the equation what a step is long.
    per_step = r if steps.signal in {"euler", "jump"} else r * step
    return Stepped(np.full_like(r, math.inf), kick, per_step / steps.dt, np.zeros_like(r))


def leaking(values: Values, steps: Steps) -> Stepped:
    """LIF and LI."""
    tau, decay = steps.tau(values, "tau", "its time constant")
    r = values["r"]
    level = r / -np.expm1(-steps.dt / tau) if steps.signal == "jump" else r
    return Stepped(decay, r * steps.share(tau), level, values["v_leak"])


def synaptic(values: Values, steps: Steps) -> Stepped:
    """CubaLIF and CubaLI: a current flows on after a spike, and decays."""
    dt = steps.dt
    tau, decay = steps.tau(values, "tau_mem", "its time constant")
    tau_syn, decay_syn = steps.tau(values, "tau_syn", "its synapse's time constant")
    level = gain = np.ones_like(tau)
    match steps.signal:
        case "euler":
            gain = dt / tau
        case "jump":
            level = 1.0 / (np.expm1(-dt / tau) * np.expm1(-dt / tau_syn))
        case _:  # exact: ``IFCurrExp``'s p over R
            x = dt * (1.0 / tau - 1.0 / tau_syn)
            other = np.where(x == 0.0, 1.0, x)
            slope = np.where(x == 0.0, 1.0, np.expm1(other) / other)
            gain = dt / tau * np.exp(-dt / tau) * slope
    r, w_in = values["r"], values["w_in"]
    return Stepped(
        decay,
        w_in * steps.share(tau_syn),
        level * r * w_in,
        values["v_leak"],
        tau_syn=decay_syn,
        gain=gain * r,
    )


def by_unit(key: str, values: Floats, shape: Shape) -> Floats:
    """A parameter of all neurons of a population, of which a file may have one for all, or one for
    each channel, ``[channel]`` or ``[channel, 1, …]``. ``[unit]``.

    Raises ``ValueError`` where there are neither.
    """
    size = math.prod(shape)
    if values.size in {1, size}:
        return np.array(np.broadcast_to(values.ravel(), (size,)))
    if len(shape) > 1 and values.shape in {shape[:1], (shape[0], *(1,) * (len(shape) - 1))}:
        return np.repeat(values.ravel(), size // shape[0])
    raise ValueError(f"its {key} has {values.size} values for {size} neurons")
