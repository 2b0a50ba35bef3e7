"""Our neuron models in Brian2's language: its equations, with units, and what solves them.

``v`` is the membrane above ``v_rest``, as in the engine, so that rounding is alike; ``v_thresh``,
``fires_at``, ``v_reset`` and the reversal potentials count from there too. A spike is emitted where
``fires_at`` is reached: ``v_thresh``, or a hair less where there is no leak. Everything else has
the name that it has in ``volr.neurons``, but for ``c_m``, since cm is a centimetre to
Brian2.

Brian2's own method ``exact`` finds the solution over a step by computer algebra. That takes up to
twenty seconds, divides by zero where two time constants are equal, and overflows where one is far
below dt. So each model brings its solution, ``step``, which is the one in ``volr.neurons``.

In a step of Brian2's schedule come first the groups, then thresholds, synapses, resets. Currents
and conductances move the membrane from the next step on, so that is their order. A jump of the
membrane is seen by the threshold of the same step: such pathways stand before the thresholds, pass
on what spiked in the step before, and so are told a delay that is one step shorter.

Spikes are those of the engine but for ties of leaky neurons: what arrives is added up one by one,
in volts, so a sum of several weights that is the threshold to the last digit may fall short of it,
or not.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Container, Mapping

    from volr.neurons import Reset

Row: TypeAlias = tuple[str, str, str, float]
"""Our name, Brian2's name, its SI unit, and how many of these make one of ours."""


@dataclass(frozen=True)
class Equations:
    """One neuron model. ``flows`` are its differential equations, that of v without its flags.

    ``rows`` are its parameters; ``weight`` a row's unit and factor, for weights. ``pathways`` says
    what a spike does, by the name of what it acts on: positive weights go to the first of them,
    negative ones to the last. ``slot`` is where pathways stand in the schedule, and ``early`` by
    how many steps that makes a spike arrive later than the delay says.
    """

    flows: tuple[str, ...]
    step: str
    rows: tuple[Row, ...]
    weight: tuple[str, float]
    pathways: Mapping[str, str]
    slot: str = "synapses"
    early: int = 0

    def model(self, reset: Reset, by_unit: Container[str] = ()) -> str:
        """All equations, as Brian2 takes them. Parameters ``by_unit`` differ between neurons."""
        flag = " (unless refractory)" if reset == "hard" else ""
        v, *others = self.flows
        parameters = [
            f"{theirs} : {unit} (constant{'' if theirs in by_unit else ', shared'})"
            for _, theirs, unit, _ in self.rows
        ]
        lines = [v + flag, *others, "V = v_rest + v : volt", "I : amp (constant)", *parameters]
        return "\n".join(lines)


MILLI, NANO, MICRO = 1e-3, 1e-9, 1e-6
# What begins with "above" is not a parameter of ours but such a parameter above v_rest.
_MEMBRANE: tuple[Row, ...] = (
    ("v_rest", "v_rest", "volt", MILLI),
    ("above v_reset", "v_reset", "volt", MILLI),
    ("above v_thresh", "v_thresh", "volt", MILLI),
    ("above fires_at", "fires_at", "volt", MILLI),
    ("tau_m", "tau_m", "second", MILLI),
    ("cm", "c_m", "farad", NANO),
    ("tau_refrac", "tau_refrac", "second", MILLI),
)
_SYNAPSES: tuple[Row, ...] = (
    ("tau_syn_E", "tau_syn_E", "second", MILLI),
    ("tau_syn_I", "tau_syn_I", "second", MILLI),
)
_REVERSALS: tuple[Row, ...] = (
    ("above e_rev_E", "e_rev_E", "volt", MILLI),
    ("above e_rev_I", "e_rev_I", "volt", MILLI),
)

_IF_CURR_DELTA = Equations(
    flows=("dv/dt = -v/tau_m + I/c_m : volt",),
    step="v = v*exp(-dt/tau_m) - tau_m/c_m*expm1(-dt/tau_m)*I",
    rows=_MEMBRANE,
    weight=("volt", MILLI),
    pathways=MappingProxyType({"v": "v_post += w"}),
    slot="before_thresholds",
    early=1,
)

# exprel(x) is (eˣ − 1)/x, without a hole at 0.
_IF_CURR_EXP = Equations(
    flows=(
        "dv/dt = -v/tau_m + (I_E + I_I + I)/c_m : volt",
        "dI_E/dt = -I_E/tau_syn_E : amp",
        "dI_I/dt = -I_I/tau_syn_I : amp",
    ),
    step="""\
p_E = dt/c_m*exp(-dt/tau_m)*exprel(dt/tau_m - dt/tau_syn_E)
p_I = dt/c_m*exp(-dt/tau_m)*exprel(dt/tau_m - dt/tau_syn_I)
v = v*exp(-dt/tau_m) + I_E*p_E + I_I*p_I - tau_m/c_m*expm1(-dt/tau_m)*I
I_E = I_E*exp(-dt/tau_syn_E)
I_I = I_I*exp(-dt/tau_syn_I)""",
    rows=(*_MEMBRANE, *_SYNAPSES),
    weight=("amp", NANO),
    pathways=MappingProxyType({"I_E": "I_E_post += w", "I_I": "I_I_post += w"}),
)

# Two nodes, a and b, of Gauss and Legendre's quadrature; what ends in 1 is at the end of the step.
_IF_COND_EXP = Equations(
    flows=(
        "dv/dt = -v/tau_m + (g_E*(e_rev_E - v) + g_I*(e_rev_I - v) + I)/c_m : volt",
        "dg_E/dt = -g_E/tau_syn_E : siemens",
        "dg_I/dt = -g_I/tau_syn_I : siemens",
    ),
    step="""\
t_a = (0.5 - 0.5/sqrt(3.0))*dt
t_b = (0.5 + 0.5/sqrt(3.0))*dt
g_E_a = g_E*exp(-t_a/tau_syn_E)
g_I_a = g_I*exp(-t_a/tau_syn_I)
g_E_b = g_E*exp(-t_b/tau_syn_E)
g_I_b = g_I*exp(-t_b/tau_syn_I)
g_E_1 = g_E*exp(-dt/tau_syn_E)
g_I_1 = g_I*exp(-dt/tau_syn_I)
v_1 = (g_E_1*e_rev_E + g_I_1*e_rev_I + I)/(c_m/tau_m + g_E_1 + g_I_1)
left_0 = exp(-dt/tau_m - ((g_E - g_E_1)*tau_syn_E + (g_I - g_I_1)*tau_syn_I)/c_m)
left_a = exp((t_a - dt)/tau_m - ((g_E_a - g_E_1)*tau_syn_E + (g_I_a - g_I_1)*tau_syn_I)/c_m)
left_b = exp((t_b - dt)/tau_m - ((g_E_b - g_E_1)*tau_syn_E + (g_I_b - g_I_1)*tau_syn_I)/c_m)
pull_a = (g_E_a*(e_rev_E - v_1) + g_I_a*(e_rev_I - v_1) + I)/c_m - v_1/tau_m
pull_b = (g_E_b*(e_rev_E - v_1) + g_I_b*(e_rev_I - v_1) + I)/c_m - v_1/tau_m
v = v_1 + left_0*(v - v_1) + 0.5*dt*(left_a*pull_a + left_b*pull_b)
g_E = g_E_1
g_I = g_I_1""",
    rows=(*_MEMBRANE, *_SYNAPSES, *_REVERSALS),
    weight=("siemens", MICRO),
    pathways=MappingProxyType({"g_E": "g_E_post += w", "g_I": "g_I_post -= w"}),
)

NEURONS: Mapping[str, Equations] = MappingProxyType(
    {
        "if_curr_delta": _IF_CURR_DELTA,
        "if_curr_exp": _IF_CURR_EXP,
        "if_cond_exp": _IF_COND_EXP,
    }
)
THRESHOLD = "v >= fires_at"
RESETS: Mapping[Reset, str] = MappingProxyType(
    {"hard": "v = v_reset", "subtract": "v -= v_thresh - v_reset"}
)
# Brian2 counts the step of the spike.
REFRACTORY = "tau_refrac + dt"
# What it makes of that, and puts before the solution.
RESTS = "not_refractory = timestep(t - lastspike, dt) >= timestep({}, dt)"
UNREACHABLE = 1e300
"""A threshold, V, that no membrane reaches."""
