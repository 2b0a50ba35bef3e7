"""What simulators compute in floating point, in a step of a membrane whose currents stay.

Without rounding, each step adds (dt/c_m) (I_E + I_I) to V, and an arriving spike adds its weight to
I_E or to I_I. Each simulator does this with operations of its own. Here is how often it rounds, by
its source. A rounding is wrong by at most 2^−53 of its result. With V as the largest membrane above
v_rest that there can be, I the largest sum of |I_E| and |I_I| times dt/c_m, and k the number of
spikes that arrive, a membrane is wrong after n steps by at most

    2^−53 ( n (m V + r |v_rest| + (c + a k) I) + s (V + |v_rest|) )

times a factor for products of small errors, which is below 1.001 up to 10^12 roundings (Higham,
Accuracy and Stability of Numerical Algorithms, 2002, lemma 3.1). The letters m, r, c, a and s are
those of ``Arithmetic``.

**engine.** Where dt/c_m is 1, all numbers are multiples of one power of two, and below 2^53 of it.
Nothing is rounded.

**nest.** In ``update`` of models/iaf_psc_exp.cpp, NEST 3.10:

    V_m = V_m * P22 + i_syn_ex * P21ex + i_syn_in * P21in + (I_e + i_0) * P20
    i_syn *= P11;   i_syn_ex += (1 - P11ex) * i_1;   i_syn += arriving

τ_syn is 1e200 ms, so P11 = e^(−h/τ_syn) is 1. Currents are not rounded: a thousand times a multiple
of a power of two, pA, is a multiple of one, too. τ_m is 2^53 h, so P22 = e^(−h/τ_m) is 1 − 2^−53,
a leak as large as a rounding; then V takes part in a product and two sums. I_e + i_0 is 0. The
propagator is from ``evaluate_P32_`` of libnestutil/iaf_propagator.cpp:

    beta = tau_syn * tau_m / (tau_m - tau_syn);   gamma = beta / c_m
    inv_beta = (tau_m - tau_syn) / (tau_syn * tau_m)
    P21 = gamma * exp(-h / tau_syn) * expm1(h * inv_beta)

These are ten operations, of which ``expm1`` counts twice, and c_m in pF is one more. Then come the
product with the current, and two sums. V_m and V_th are told from 0 mV on, and compared from E_L.

**brian2.** ``volr.backends.brian2.equations``, in SI units:

    p = dt/c_m*exp(-dt/tau_m)*exprel(dt/tau_m - dt/tau_syn)
    v = v*exp(-dt/tau_m) + I_E*p_E + I_I*p_I - tau_m/c_m*expm1(-dt/tau_m)*I

The time constants are 1e197 s, so the exponentials are 1. I is 0, and v is above v_rest: it takes
part in two sums. Of a current are rounded its weight in amperes, dt, c_m, their quotient, the
product and two sums; and the current with each spike.

**pynn.nest**, **pynn.brian2.** PyNN has NEST's neuron. On Brian2, ``volr.backends.pynn.solutions``:

    pull = ie*p_e + ii*p_i - tau_m/c_m*expm1(-dt/tau_m)*i_offset
    v = v_rest + (v - v_rest)*exp(-dt/tau_m) + pull

v counts from 0 V on, so a difference and two sums are as large as v_rest.

**pynn.neuron.** NEURON takes Crank–Nicolson steps (src/nrnoc: ``nrn_update_voltage`` of
fadvance.cpp, ``nrn_rhs`` and ``nrn_lhs`` of treeset.cpp, ``nrn_cap_jacob`` of capac.cpp):

    rhs -= i * (1e2 / area), for each mechanism;   d += (.001 * (2/dt)) * cm;   v += 2 * (rhs / d)

and PyNN's ``ExpISyn`` has i = i + (1 − exp(−dt/tau)) (0 − i), whose second term is 0. v counts from
0 mV on, and takes part in one sum. Of a current are rounded: area, by four operations, its quotient
and the product with it; rhs, a sum of seven; d, by four operations, and a sum of nine; the quotient
of both, and the last sum. A section has a second node at its end. It follows the first, but for
rounding, and what flows between the two is that times an axial conductance of 2 · 10^−7 c_m/dt
(``volr.backends.pynn.workarounds.hold_together``). In a million steps, it counts as less than one
rounding a step.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

ROUNDING = 2.0**-53
"""The largest relative error of an operation in double precision."""
_PRODUCTS = 1.001


@dataclass(frozen=True, kw_only=True)
class Arithmetic:
    """How often one simulator rounds.

    ``membrane``  m: V, in a step; a leak of 2^−53 a step counts as one
    ``rest``      r: numbers as large as v_rest, in a step
    ``current``   c: what a current adds to V in a step, with all that its factor is made of
    ``arrival``   a: the current, with each spike that arrives
    ``reading``   s: V, where it is compared with the threshold or read at the end
    """

    membrane: int
    rest: int = 0
    current: int
    arrival: int
    reading: int

    def largest_error(
        self, steps: int, *, membrane: float, rest: float, current: float, arrivals: int
    ) -> float:
        """The most by which a membrane can be wrong after some ``steps``, in their unit.

        ``membrane`` is V, ``rest`` |v_rest|, ``current`` I, ``arrivals`` k.
        """
        step = self.membrane * membrane + self.rest * rest
        step += (self.current + self.arrival * arrivals) * current
        return _PRODUCTS * ROUNDING * (steps * step + self.reading * (membrane + rest))


_NEST = Arithmetic(membrane=4, current=15, arrival=0, reading=2)

ARITHMETIC: Mapping[str, Arithmetic] = MappingProxyType(
    {
        "engine": Arithmetic(membrane=0, current=0, arrival=0, reading=0),
        "nest": _NEST,
        "pynn.nest": _NEST,
        "brian2": Arithmetic(membrane=2, current=7, arrival=1, reading=3),
        "pynn.brian2": Arithmetic(membrane=3, rest=3, current=7, arrival=1, reading=3),
        "pynn.neuron": Arithmetic(membrane=2, rest=2, current=28, arrival=0, reading=3),
    }
)
"""The arithmetic of each spiking back end, by its name."""
