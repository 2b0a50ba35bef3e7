"""Volr's neuron models and NEST's: one table, read in both directions.

A row is Volr's name, NEST's name, and how many of NEST's units make one of Volr's. A simulation
reads the table from left to right. ``read_back`` translates what a running NEST holds, from right
to left.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from volr.backends.populations import kinds_of
from volr.backends.refusals import elsewhere
from volr.errors import UnsupportedError
from volr.models.timing import is_multiple
from volr.neurons import ENDLESS, TIE, IFCurrExp

if TYPE_CHECKING:
    from collections.abc import Iterator

    from volr.models.model import SpikingModel
    from volr.neurons import NeuronModel

PICOAMPERE = 1000.0
"""How many of NEST's units of current make one of ours, nA."""

Row: TypeAlias = tuple[str, str, float]
"""Our name, NEST's name, and how many of its units make one of ours."""


@dataclass(frozen=True)
class Translation:
    """One of our neuron models, with its reset, in NEST's words.

    ``weight`` is a row's factor, for weights. ``threshold`` is NEST's name of ours. ``late`` is by
    how many steps the neuron takes up a spike later than ours does: those are the neurons in which
    a jump of the membrane, mV, is a brief current, nA (``BRIEF``). ``digits`` says whether it
    computes 1 − e^(−h/τ) with all digits, by ``expm1``: see ``endless``. ``emptied`` is the state
    that can be set to 0 to take a neuron back to rest. ``fades`` are the time constants of state
    that cannot be set, but can decay (``quiet``).
    """

    model: str
    threshold: str
    weight: float
    rows: tuple[Row, ...]
    late: int = 0
    digits: bool = False
    fades: tuple[str, ...] = ()
    emptied: tuple[str, ...] = ()

    def quiet(self, dt: float) -> dict[str, float]:
        """Parameters of a neuron that does not spike and forgets its currents in a few steps."""
        return {self.threshold: UNREACHABLE, **dict.fromkeys(self.fades, dt / FLEETING)}

    def endless(self, dt: float) -> float:
        """The τ, ms, that makes a membrane without leak at the step ``dt``, ms.

        Most neurons compute P20 = τ/C · (1 − e^(−h/τ)), which is 0 for a very long τ. For
        τ = 2^53 h, e^(−h/τ) is the last number below 1 and P20 is h/C, both exactly. A membrane
        then loses one unit in the last place a step: less than ``TIE`` in a million steps.
        """
        return ENDLESS if self.digits else 2.0**53 * dt


FOLLOWING = ("leak", "theta", "nothing")
"""Names on the left of rows that are not parameters but follow from them."""

# Capacitance is in pF there, current in pA, conductance in nS.
_MEMBRANE: tuple[Row, ...] = (
    ("v_rest", "E_L", 1.0),
    ("v_rest", "V_m", 1.0),
    ("cm", "C_m", 1000.0),
    ("tau_refrac", "t_ref", 1.0),
)
_LEAKY: tuple[Row, ...] = (*_MEMBRANE, ("tau_m", "tau_m", 1.0))
_HARD: tuple[Row, ...] = (("v_reset", "V_reset", 1.0), ("v_thresh", "V_th", 1.0))
# Subtracting θ from a membrane that decays with τ_m is raising the threshold by a θ that does.
_SUBTRACT: tuple[Row, ...] = (
    ("v_thresh", "omega", 1.0),
    ("theta", "alpha_1", 1.0),
    ("tau_m", "tau_1", 1.0),
    ("nothing", "alpha_2", 1.0),
)
_SYNAPSES: tuple[Row, ...] = (("tau_syn_E", "tau_syn_ex", 1.0), ("tau_syn_I", "tau_syn_in", 1.0))
_CURRENTS = ("tau_syn_ex", "tau_syn_in")
_REVERSALS: tuple[Row, ...] = (("e_rev_E", "E_ex", 1.0), ("e_rev_I", "E_in", 1.0))

NEURONS: dict[tuple[str, str], Translation] = {
    ("if_curr_delta", "hard"): Translation("iaf_psc_delta", "V_th", 1.0, (*_LEAKY, *_HARD)),
    ("if_curr_exp", "hard"): Translation(
        "iaf_psc_exp", "V_th", 1000.0, (*_LEAKY, *_HARD, *_SYNAPSES), fades=_CURRENTS
    ),
    ("if_cond_exp", "hard"): Translation(
        "iaf_cond_exp",
        "V_th",
        1000.0,
        (*_MEMBRANE, ("leak", "g_L", 1000.0), *_HARD, *_SYNAPSES, *_REVERSALS),
        emptied=("g_ex", "g_in"),
    ),
    # A jump is a brief current there (BRIEF), hence nA, and late.
    ("if_curr_delta", "subtract"): Translation(
        "mat2_psc_exp",
        "omega",
        1000.0,
        (*_LEAKY, *_SUBTRACT, *_SYNAPSES),
        late=1,
        digits=True,
        fades=(*_CURRENTS, "tau_1"),
    ),
    ("if_curr_exp", "subtract"): Translation(
        "mat2_psc_exp",
        "omega",
        1000.0,
        (*_LEAKY, *_SUBTRACT, *_SYNAPSES),
        digits=True,
        fades=(*_CURRENTS, "tau_1"),
    ),
}
SOURCE = "spike_generator"
"""What stands for an input that is given as spikes."""
# A synapse that is over within a step: of its current e^-64 is left, less than rounding. NEST's
# propagator is exact there, and overflows to NaN for one that is 710 times shorter than the step.
BRIEF = 64.0
# What decays so many times faster than a step is exactly 0 after three steps: e^-960 is no number.
FLEETING = 320.0
# mat2_psc_exp's propagator loses its digits where the two time constants are all but equal.
CLOSE = 1e-4
# A threshold, mV, that no membrane reaches.
UNREACHABLE = 1e300
# NEST counts time in tics of a microsecond.
TIC = 0.001


def check_translatable(model: SpikingModel) -> None:
    """Raise ``UnsupportedError`` for what NEST has no words for, with the way out."""
    kinds, dt = kinds_of(model), model.dt
    wrong = [
        f"{where}it has no {neuron.name} with the reset {neuron.reset!r}"
        for where, neuron in kinds
        if (neuron.name, neuron.reset) not in NEURONS
    ]
    if not is_multiple(dt, TIC):
        wrong.append(f"dt is {dt:g} ms, and NEST counts time in steps of {TIC:g} ms")
    if not wrong:
        wrong = [
            f"{where}{each}"
            for where, neuron in kinds
            if neuron.reset == "subtract"
            for each in _wrong_to_subtract(model, neuron)
        ]
    if wrong:
        raise UnsupportedError(
            "nest cannot run this model: " + "; ".join(wrong), help=elsewhere("engine", "brian2")
        )


def _wrong_to_subtract(model: SpikingModel, neuron: NeuronModel) -> Iterator[str]:
    """What NEST's neuron for the reset ``subtract`` cannot do."""
    dt = model.dt
    if neuron.refractory_steps(dt) == 0:
        yield (
            f"tau_refrac is {neuron.tau_refrac:g} ms, no step of {dt:g} ms, and its neurons with "
            "the reset 'subtract' rest for at least one"
        )
    late = NEURONS[neuron.name, neuron.reset].late
    for each in model.network.projections:
        if model.neuron_of(each.target) == neuron and model.delay_steps_of(each) <= late:
            own = each.name in model.delays
            yield (
                f"{f'the delay of {each.name}' if own else 'delay'} is "
                f"{model.delay_steps_of(each) * dt:g} ms, one step, and its neurons with the reset "
                "'subtract' take up a jump of the membrane one step late"
            )
            break
    said = in_our_words(neuron, dt)
    for name in ("tau_syn_E", "tau_syn_I"):
        if neuron.numbers.get(name) == math.inf:
            yield (
                f"{name} is inf, and its neurons with the reset 'subtract' compute what a current "
                "adds from e^(−h/τ), without the digits that such a current needs"
            )
        elif abs(said[name] - neuron.tau_m) < CLOSE * neuron.tau_m:
            yield (
                f"{name} is {said[name]:g} ms, and with the reset 'subtract' it must differ from "
                f"tau_m, {neuron.tau_m:g} ms"
            )
    # Membrane and threshold rise by θ with every spike and never fall again; each step rounds both.
    rounding = 2.0**-53 * model.steps * neuron.most_spikes(dt, model.steps)
    if not neuron.leaks and rounding > TIE:
        yield (
            f"a stimulus takes {model.steps:,} steps, and with the reset 'subtract' and without "
            "leak its membranes rise all the time, so that rounding may hide a threshold that is "
            "just reached"
        )


def in_our_words(neuron: NeuronModel, dt: float) -> dict[str, float]:
    """The values for the left-hand side of the rows: parameters, and what follows from them."""
    translation = NEURONS[neuron.name, neuron.reset]
    said = {
        "tau_syn_E": dt / BRIEF,
        "tau_syn_I": dt / BRIEF,
        "leak": neuron.cm / neuron.tau_m,
        "theta": neuron.theta,
        "nothing": 0.0,
        **neuron.numbers,
        "tau_m": neuron.tau_m if neuron.leaks else translation.endless(dt),
        "v_thresh": neuron.fires_at(),
        # Both neuron and synapse are told times that are whole steps; rounding is ours, not NEST's.
        "tau_refrac": neuron.refractory_steps(dt) * dt,
    }
    # A current that stays: e^(−h/τ) is 1, to the last digit.
    return {name: ENDLESS if each == math.inf else each for name, each in said.items()}


def weight_factor(translation: Translation, tau_m: float, cm: float, dt: float) -> float:
    """How many of NEST's units of weight make one of ours; NaN where parameters are."""
    if translation.late:
        if math.isnan(tau_m + cm):
            return math.nan
        # So many nA for each mV.
        brief = IFCurrExp(tau_m=tau_m, cm=cm, tau_syn_E=dt / BRIEF)
        return translation.weight / brief.synaptic_rises(dt)[0]
    return translation.weight
