"""What a spiking node of NIR's is in one time step, which is all that our neurons are told.

NIR gives an equation in continuous time, and no importer solves it: each makes its own steps of it.
A ``Signal`` says which:

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
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

import numpy as np

if TYPE_CHECKING:
    from volr.backends.nir.graph import Node
    from volr.checks.arrays import Floats

Signal: TypeAlias = Literal["euler", "jump", "step", "impulse"]
SIGNALS: tuple[Signal, ...] = get_args(Signal)

# A membrane that has forgotten all within a step: of it e^-64 is left, less than rounding.
BRIEF = 64.0


@dataclass(frozen=True, eq=False)
class Stepped:
    """A population of a graph, step by step; arrays are ``[unit]``, potentials in NIR's unit.

    ``tau`` and ``tau_syn`` are the time constants, ms, of exact decays that are a and b; None where
    there is no synapse. ``kick`` is what 1 of W adds: to the membrane, or to a current ``i`` whose
    ``gain`` times 1 moves the membrane in the next step. ``level`` is what a constant input of 1
    lifts the membrane to in the long run, ``leak`` where it is without any; if ``tau`` is infinite,
    ``level`` is by how much it lifts the membrane in each ms. ``threshold`` and ``reset`` are None
    for neurons that never spike.
    """

    tau: float
    kick: Floats
    level: Floats
    leak: Floats
    tau_syn: float | None = None
    gain: Floats | None = None
    threshold: Floats | None = None
    reset: Floats | None = None


def stepped(node: Node, size: int, signal: Signal, dt: float, second: float) -> Stepped:
    """A node of ``size`` neurons in steps of ``dt`` ms. ``second`` is what its unit of time is, ms.

    Raises ``ValueError`` saying what keeps it from being one of our populations.
    """
    values = {key: _spread(key, each, size) for key, each in node.values.items()}
    threshold, reset = _threshold(values), values.get("v_reset")
    if threshold is not None and not (threshold > 0).all():
        raise ValueError("its threshold is not above 0")
    if node.kind == "Threshold":
        ones, zeros = np.ones(size), np.zeros(size)
        return Stepped(dt / BRIEF, ones, ones, zeros, threshold=threshold, reset=zeros)
    r = values["r"]
    if node.kind in {"I", "IF"}:
        kick = r * (dt / second) if signal == "step" else r
        # What a constant adds in a step: importers add all of it, the equation what a step is long.
        per_step = r if signal in {"euler", "jump"} else r * (dt / second)
        return Stepped(
            math.inf, kick, per_step / dt, np.zeros(size), threshold=threshold, reset=reset
        )
    tau = second * _same(values, "tau_mem" if "tau_mem" in values else "tau")
    a_tau = _decaying(tau, dt, signal, "its time constant")
    if "tau_syn" not in values:
        kick = r * _share(tau, dt, signal, second)
        level = r / -math.expm1(-dt / tau) if signal == "jump" else r
        return Stepped(a_tau, kick, level, values["v_leak"], threshold=threshold, reset=reset)
    tau_syn = second * _same(values, "tau_syn")
    gain, level = {
        "euler": (dt / tau, 1.0),
        "jump": (1.0, 1.0 / (math.expm1(-dt / tau) * math.expm1(-dt / tau_syn))),
    }.get(signal, (_exact_gain(tau, tau_syn, dt), 1.0))
    return Stepped(
        a_tau,
        values["w_in"] * _share(tau_syn, dt, signal, second),
        level * r * values["w_in"],
        values["v_leak"],
        tau_syn=_decaying(tau_syn, dt, signal, "its synapse's time constant"),
        gain=gain * r,
        threshold=threshold,
        reset=reset,
    )


def _threshold(values: dict[str, Floats]) -> Floats | None:
    return values.get("v_threshold", values.get("threshold"))


def _share(tau: float, dt: float, signal: Signal, second: float) -> float:
    """How much of a spike is taken up by what decays with ``tau`` ms."""
    match signal:
        case "euler":
            return dt / tau
        case "jump":
            return 1.0
        case "step":
            return -math.expm1(-dt / tau)
        case "impulse":
            return second / tau


def _decaying(tau: float, dt: float, signal: Signal, what: str) -> float:
    """The time constant, ms, of the exact decay."""
    if not 0 < tau < math.inf:
        raise ValueError(f"{what} is {tau:g} ms")
    if signal != "euler":
        return tau
    if tau <= dt:
        raise ValueError(
            f"{what} is {tau:g} ms and a step {dt:g} ms, in which Euler's method leaves nothing; "
            "choose a smaller dt (Norse writes its time constants times its step: make it dt²)"
        )
    return -dt / math.log1p(-dt / tau)


def _exact_gain(tau: float, tau_syn: float, dt: float) -> float:
    """What a current of 1/r adds to the membrane in a step: ``IFCurrExp``'s p over R."""
    x = dt * (1.0 / tau - 1.0 / tau_syn)
    slope = 1.0 if x == 0.0 else math.expm1(x) / x
    return dt / tau * math.exp(-dt / tau) * slope


def _spread(key: str, values: Floats, size: int) -> Floats:
    flat = values.ravel()
    if flat.size not in {1, size}:
        raise ValueError(f"its {key} has {flat.size} values for {size} neurons")
    return np.array(np.broadcast_to(flat, (size,)))


def _same(values: dict[str, Floats], key: str) -> float:
    each = values[key]
    if not np.allclose(each, each[0], rtol=1e-9, atol=0.0):
        raise ValueError(f"its neurons differ in {key}, and Volr's share one")
    return float(each[0])
