"""PyNN's equations on Brian2, solved over a step: those of ``volr.neurons``, and in the same order.

Those with conductances are solved by quadrature with two nodes, a and b.
"""

from __future__ import annotations

from volr.neurons import IFCondExp, IFCurrDelta, IFCurrExp

SOLUTIONS = {
    IFCurrDelta.name: """\
v = v_rest + (v - v_rest)*exp(-dt/tau_m) - tau_m/c_m*expm1(-dt/tau_m)*i_offset""",
    IFCurrExp.name: """\
p_e = dt/c_m*exp(-dt/tau_m)*exprel(dt/tau_m - dt/tau_syn_e)
p_i = dt/c_m*exp(-dt/tau_m)*exprel(dt/tau_m - dt/tau_syn_i)
pull = ie*p_e + ii*p_i - tau_m/c_m*expm1(-dt/tau_m)*i_offset
v = v_rest + (v - v_rest)*exp(-dt/tau_m) + pull
ie = ie*exp(-dt/tau_syn_e)
ii = ii*exp(-dt/tau_syn_i)""",
    IFCondExp.name: """\
t_a = (0.5 - 0.5/sqrt(3.0))*dt
t_b = (0.5 + 0.5/sqrt(3.0))*dt
ge_a = ge*exp(-t_a/tau_syn_e)
gi_a = gi*exp(-t_a/tau_syn_i)
ge_b = ge*exp(-t_b/tau_syn_e)
gi_b = gi*exp(-t_b/tau_syn_i)
ge_1 = ge*exp(-dt/tau_syn_e)
gi_1 = gi*exp(-dt/tau_syn_i)
drawn = v_rest*c_m/tau_m + i_offset
v_1 = (ge_1*e_rev_e + gi_1*e_rev_i + drawn)/(c_m/tau_m + ge_1 + gi_1)
left_0 = exp(-dt/tau_m - ((ge - ge_1)*tau_syn_e + (gi - gi_1)*tau_syn_i)/c_m)
left_a = exp((t_a - dt)/tau_m - ((ge_a - ge_1)*tau_syn_e + (gi_a - gi_1)*tau_syn_i)/c_m)
left_b = exp((t_b - dt)/tau_m - ((ge_b - ge_1)*tau_syn_e + (gi_b - gi_1)*tau_syn_i)/c_m)
pull_a = (ge_a*(e_rev_e - v_1) + gi_a*(e_rev_i - v_1) + drawn)/c_m - v_1/tau_m
pull_b = (ge_b*(e_rev_e - v_1) + gi_b*(e_rev_i - v_1) + drawn)/c_m - v_1/tau_m
v = v_1 + left_0*(v - v_1) + 0.5*dt*(left_a*pull_a + left_b*pull_b)
ge = ge_1
gi = gi_1""",
}
"""The solutions by our names."""
