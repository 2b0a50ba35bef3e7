"""The specification against closed forms, a solver of differential equations, and a plain loop."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
from tests.oracles import chain, fork, random_parameters, simulate_delta

from volr.engine.reference import Trace, simulate
from volr.errors import DataError
from volr.models.coding import ConstantCurrent, Poisson, input_currents, poisson_spikes
from volr.models.model import SpikingModel
from volr.neurons import IFCondExp, IFCurrDelta, IFCurrExp, NeuronModel

if TYPE_CHECKING:
    from volr.checks.arrays import Floats
    from volr.network import Network
    from volr.neurons import Reset

KINDS: tuple[type[NeuronModel], ...] = (IFCurrDelta, IFCurrExp, IFCondExp)
# An input neuron gets one spike in by this and none by 0.
ONCE = np.array([[1.0]])


def one_spike(neuron: NeuronModel, weight: float, *, dt: float, delay: float = 2.0) -> Trace:
    """Input, which spikes once, and a neuron behind a synapse of that weight."""
    values = {"input->dense_1.weight": np.array([[weight]]), "dense_1.bias": np.zeros(1)}
    model = SpikingModel(
        network=chain(1, 1),
        parameters=values,
        neuron=neuron,
        coding=ConstantCurrent(20.0),
        dt=dt,
        duration=50.0,
        delay=delay,
    )
    return simulate(model, ONCE)


def potential(trace: Trace, *, dt: float, delay: float = 2.0) -> tuple[Floats, Floats]:
    """Membrane of the neuron from the arrival on, and the times since then, ms."""
    assert trace.spikes["input"].sum() == 1
    start = int(trace.spikes["input"][:, 0, 0].argmax()) + round(delay / dt)
    v = trace.membranes["dense_1"][:, 0, 0]
    assert (v[:start] == -65.0).all()
    return v[start:], dt * np.arange(len(v) - start, dtype=np.float64)


def driven(neuron: NeuronModel, bias: Floats, *, dt: float, duration: float) -> Trace:
    """Neurons that get a constant current and no spike."""
    values = {"input->dense_1.weight": np.ones((len(bias), 2)), "dense_1.bias": bias}
    model = SpikingModel(
        network=chain(2, len(bias)),
        parameters=values,
        neuron=neuron,
        coding=Poisson(100.0),
        dt=dt,
        duration=duration,
        delay=dt,
    )
    return simulate(model, np.zeros((1, 2)))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dt", [0.1, 0.5, 1.0])
def test_a_membrane_under_a_constant_current_approaches_its_end_exponentially(
    kind: type[NeuronModel], dt: float
) -> None:
    neuron = kind(tau_m=12.0, cm=0.6, i_offset=0.05)
    bias = np.array([-0.4, 0.0, 0.3, 0.65])
    found = driven(neuron, bias, dt=dt, duration=40.0).membranes["dense_1"][:, 0]
    time = np.arange(1, len(found) + 1)[:, None] * dt
    expected = -65.0 + 20.0 * (bias + 0.05) * (1 - np.exp(-time / 12.0))
    # NEST's solver, which conductances need, errs by less than its tolerance in each step.
    np.testing.assert_allclose(found, expected, atol=1e-4 if kind is IFCondExp else 1e-12)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("dt", "refractory"), [(0.1, 0.0), (0.5, 1.5), (1.0, 2.0)])
def test_intervals_are_those_of_the_closed_form(
    kind: type[NeuronModel], dt: float, refractory: float
) -> None:
    neuron = kind(tau_m=12.0, cm=0.6, v_reset=-70.0, tau_refrac=refractory)
    bias = np.array([0.9, 1.4, 3.1])
    trace = driven(neuron, bias, dt=dt, duration=200.0)
    for unit, current in enumerate(bias):
        goal = -65.0 + 20.0 * current
        steps = math.ceil(12.0 * math.log((goal + 70.0) / (goal + 50.0)) / dt)
        spikes = np.flatnonzero(trace.spikes["dense_1"][:, 0, unit])
        assert len(spikes) > 3
        assert (np.diff(spikes) == steps + round(refractory / dt)).all()


@pytest.mark.parametrize("dt", [0.1, 0.5, 1.0])
@pytest.mark.parametrize("weight", [4.0, -4.0])
def test_a_jump_decays_with_the_membrane(dt: float, weight: float) -> None:
    neuron = IFCurrDelta(tau_m=15.0, tau_refrac=100.0)
    v, time = potential(one_spike(neuron, weight, dt=dt), dt=dt)
    np.testing.assert_allclose(v, -65.0 + weight * np.exp(-time / 15.0), atol=1e-12)


@pytest.mark.parametrize("dt", [0.1, 0.5, 1.0])
@pytest.mark.parametrize(("weight", "tau"), [(2.0, 3.0), (-2.0, 7.0)])
def test_a_current_gives_a_difference_of_exponentials(dt: float, weight: float, tau: float) -> None:
    neuron = IFCurrExp(tau_m=15.0, cm=0.8, tau_syn_E=3.0, tau_syn_I=7.0, tau_refrac=100.0)
    v, time = potential(one_spike(neuron, weight, dt=dt), dt=dt)
    scale = weight / 0.8 * tau * 15.0 / (15.0 - tau)
    expected = -65.0 + scale * (np.exp(-time / 15.0) - np.exp(-time / tau))
    np.testing.assert_allclose(v, expected, atol=1e-12)


def test_equal_time_constants_give_an_alpha_function() -> None:
    neuron = IFCurrExp(tau_m=15.0, tau_syn_E=15.0, tau_refrac=100.0)
    v, time = potential(one_spike(neuron, 0.4, dt=0.5), dt=0.5)
    np.testing.assert_allclose(v, -65.0 + 0.4 * time * np.exp(-time / 15.0), atol=1e-12)
    close = IFCurrExp(tau_m=15.0, tau_syn_E=15.0 + 1e-9, tau_refrac=100.0)
    beside, _ = potential(one_spike(close, 0.4, dt=0.5), dt=0.5)
    np.testing.assert_allclose(v, beside, atol=1e-8)


@pytest.mark.parametrize(("dt", "error"), [(0.1, 1e-7), (0.5, 1e-5), (1.0, 1e-3)])
@pytest.mark.parametrize("weight", [0.05, -0.3])
def test_a_conductance_moves_the_membrane_as_a_solver_says(
    dt: float, error: float, weight: float
) -> None:
    solve_ivp = pytest.importorskip("scipy.integrate").solve_ivp
    neuron = IFCondExp(
        tau_m=15.0,
        cm=0.8,
        tau_syn_E=2.0,
        tau_syn_I=4.0,
        e_rev_E=10.0,
        e_rev_I=-80.0,
        tau_refrac=100.0,
    )
    v, time = potential(one_spike(neuron, weight, dt=dt), dt=dt)
    tau, reversal = (2.0, 10.0) if weight > 0 else (4.0, -80.0)

    def slope(t: float, y: Floats) -> list[float]:
        g = abs(weight) * math.exp(-t / tau)
        return [(-65.0 - y[0]) / 15.0 + g * (reversal - y[0]) / 0.8]

    exact = solve_ivp(
        slope, (0.0, time[-1]), [-65.0], t_eval=time, method="DOP853", rtol=1e-12, atol=1e-12
    )
    assert np.abs(v + 65.0).max() > 2.0
    assert v.max() < neuron.v_thresh
    np.testing.assert_allclose(v, exact.y[0], rtol=0, atol=error)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("delay", [0.5, 1.5, 7.0])
def test_a_delay_moves_all_that_follows(kind: type[NeuronModel], delay: float) -> None:
    weight = {"if_curr_delta": 20.0, "if_curr_exp": 8.0, "if_cond_exp": 0.3}[kind.name]
    neuron = kind(tau_refrac=100.0)
    soon = one_spike(neuron, weight, dt=0.5, delay=0.5)
    late = one_spike(neuron, weight, dt=0.5, delay=delay)
    shift = round(delay / 0.5) - 1
    np.testing.assert_array_equal(soon.spikes["input"], late.spikes["input"])
    assert soon.spikes["dense_1"].sum() == late.spikes["dense_1"].sum() == 1
    for whole in ("spikes", "membranes"):
        before, after = getattr(soon, whole)["dense_1"], getattr(late, whole)["dense_1"]
        np.testing.assert_array_equal(after[shift:], before[: len(before) - shift])


def test_a_delta_arrives_in_its_step_and_a_current_moves_the_membrane_one_later() -> None:
    for neuron, steps in ((IFCurrDelta(tau_refrac=99.0), 4), (IFCurrExp(tau_refrac=99.0), 5)):
        trace = one_spike(neuron, 3.0, dt=0.5, delay=2.0)
        sent = int(trace.spikes["input"][:, 0, 0].argmax())
        assert int((trace.membranes["dense_1"][:, 0, 0] > -65.0).argmax()) == sent + steps


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("reset", ["hard", "subtract"])
@pytest.mark.parametrize("steps", [0, 1, 3])
def test_a_strong_current_fires_after_each_refractory_time(
    kind: type[NeuronModel], reset: Reset, steps: int
) -> None:
    neuron = kind(tau_refrac=steps * 0.5, v_reset=-70.0, reset=reset)
    trace = driven(neuron, np.array([200.0]), dt=0.5, duration=10.0)
    spikes, v = trace.spikes["dense_1"][:, 0, 0], trace.membranes["dense_1"][:, 0, 0]
    np.testing.assert_array_equal(np.flatnonzero(spikes), np.arange(0, 20, steps + 1))
    if reset == "hard":
        assert (v == -70.0).all()
    else:
        assert (np.diff(v) > 0).any()


def test_what_arrives_in_the_refractory_time_is_lost_by_a_jump_and_kept_by_a_current() -> None:
    # All fire in step 0 and rest for 10 steps, far down; the input's spike arrives in step 3.
    for neuron, kept in (
        (IFCurrDelta(tau_refrac=10.0, v_reset=-200.0), 0.0),
        (IFCurrExp(tau_refrac=10.0, v_reset=-200.0, tau_syn_E=5.0), 2.0 * math.exp(-7 / 5)),
    ):
        model = SpikingModel(
            network=chain(1, 2),
            parameters={
                "input->dense_1.weight": np.array([[2.0], [0.0]]),
                "dense_1.bias": np.full(2, 20.0),
            },
            neuron=neuron,
            coding=ConstantCurrent(1000.0),
            dt=1.0,
            duration=12.0,
            delay=3.0,
        )
        trace = simulate(model, ONCE)
        assert trace.spikes["input"][:, 0, 0].nonzero()[0].tolist() == [0, 11]
        v = trace.membranes["dense_1"][:, 0]
        np.testing.assert_array_equal(v[:11], np.full((11, 2), -200.0))
        rise = 20.0 * 5.0 / (20.0 - 5.0) * (math.exp(-1 / 20) - math.exp(-1 / 5))
        assert v[11, 0] - v[11, 1] == pytest.approx(kept * rise, abs=1e-12)
        assert v[11, 1] > -200.0


@pytest.mark.parametrize("kind", [IFCurrDelta, IFCurrExp])
@pytest.mark.parametrize("refractory", [0.0, 1.0])
def test_subtraction_loses_no_charge(kind: type[NeuronModel], refractory: float) -> None:
    # The equation is linear: a spike takes θ from the membrane, and what is left of it later.
    network, rng = chain(6, 5), np.random.default_rng(0)
    neuron = kind(reset="subtract", tau_refrac=refractory, v_reset=-61.0)
    weight = 4.0 if kind is IFCurrDelta else 0.5
    model = SpikingModel(
        network=network,
        parameters=random_parameters(network, rng, weight=weight, bias=0.6),
        neuron=neuron,
        coding=Poisson(400.0),
    )
    stimuli = rng.random((3, 6))
    found = simulate(model, stimuli, seed=2)
    never = SpikingModel(
        network=network,
        parameters=model.parameters,
        neuron=neuron,
        coding=model.coding,
        readout="membrane",
    )
    free = simulate(never, stimuli, seed=2).membranes["dense_1"]
    taken = np.zeros(free.shape[1:])
    for k in range(model.steps):
        taken = taken * math.exp(-model.dt / 20.0) + 11.0 * found.spikes["dense_1"][k]
        np.testing.assert_allclose(found.membranes["dense_1"][k], free[k] - taken, atol=1e-10)
    assert found.spikes["dense_1"].sum() > 50


@pytest.mark.parametrize("kind", KINDS)
def test_outputs_whose_membrane_is_read_never_spike_and_others_do(kind: type[NeuronModel]) -> None:
    weight = {"if_curr_delta": 6.0, "if_curr_exp": 1.5, "if_cond_exp": 0.04}[kind.name]
    network, rng = fork(5, 4, 6, 3), np.random.default_rng(0)
    values = random_parameters(network, rng, weight=weight, bias=0.3)
    stimuli = rng.random((4, 5))
    model = SpikingModel(network=network, parameters=values, neuron=kind(), readout="membrane")
    trace = simulate(model, stimuli)
    counting = SpikingModel(network=network, parameters=values, neuron=kind())
    beside = simulate(counting, stimuli)
    assert beside.spikes["dense_3"].any()
    assert not trace.spikes["dense_3"].any()
    assert (trace.membranes["dense_3"] > -50.0).any()
    for name in ("input", "dense_1", "dense_2"):
        np.testing.assert_array_equal(trace.spikes[name], beside.spikes[name])


ODD = IFCurrDelta(v_reset=-70.0, tau_refrac=1.5, i_offset=0.2, cm=0.5, tau_m=10.0)


@pytest.mark.parametrize("network", [chain(5, 7, 3), fork(4, 3, 6, 5)], ids=["chain", "fork"])
@pytest.mark.parametrize("neuron", [IFCurrDelta(), ODD], ids=["plain", "odd"])
@pytest.mark.parametrize("coding", [ConstantCurrent(), Poisson(300.0)], ids=["current", "poisson"])
def test_networks_are_those_of_a_plain_loop(
    network: Network, neuron: IFCurrDelta, coding: ConstantCurrent | Poisson
) -> None:
    values = random_parameters(network, np.random.default_rng(0), weight=4.0, bias=0.5)
    model = SpikingModel(
        network=network, parameters=values, neuron=neuron, coding=coding, delay=1.5
    )
    stimuli = np.random.default_rng(1).random((11, network.input_size))
    if isinstance(coding, Poisson):
        given = poisson_spikes(coding, model.dt, model.steps, stimuli, seed=4)
        spikes, membranes = simulate_delta(model, given=given)
    else:
        currents = input_currents(coding, neuron, model.dt, model.steps, stimuli)
        spikes, membranes = simulate_delta(model, currents=currents)
    trace = simulate(model, stimuli, seed=4)
    assert trace.spikes.keys() == spikes.keys()
    assert trace.membranes.keys() == membranes.keys()
    for name, expected in spikes.items():
        assert expected.any()
        np.testing.assert_array_equal(trace.spikes[name], expected)
    for name, expected in membranes.items():
        np.testing.assert_allclose(trace.membranes[name], expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize("kind", KINDS)
def test_a_stimulus_knows_nothing_of_those_beside_it(kind: type[NeuronModel]) -> None:
    network, rng = fork(5, 4, 6, 3), np.random.default_rng(3)
    values = random_parameters(network, rng, weight=0.05, bias=1.0)
    model = SpikingModel(network=network, parameters=values, neuron=kind(tau_refrac=2.0), delay=5.0)
    stimuli = rng.random((4, 5))
    together = simulate(model, stimuli)
    for row in range(4):
        alone = simulate(model, stimuli[row : row + 1])
        for name, spikes in together.spikes.items():
            np.testing.assert_array_equal(spikes[:, row], alone.spikes[name][:, 0])


def test_nothing_goes_in_and_nothing_comes_out() -> None:
    model = SpikingModel(
        network=chain(3, 2),
        parameters={"input->dense_1.weight": np.ones((2, 3)), "dense_1.bias": np.zeros(2)},
        duration=5.0,
        delay=9.0,  # longer than the simulation
    )
    assert simulate(model, np.empty((0, 3))).spikes["dense_1"].shape == (10, 0, 2)
    assert not simulate(model, np.ones((2, 3))).spikes["dense_1"].any()
    with pytest.raises(DataError, match=r"\[1, 4\].*\[batch, 3\]"):
        simulate(model, np.zeros((1, 4)))
