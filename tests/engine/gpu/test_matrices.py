from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

pytest.importorskip("torch")
import torch
from tests.engine.tangents import respond_along
from tests.oracles import chain, fork, random_parameters
from torch import Tensor

from volr.engine.gpu.conductances import moved
from volr.engine.gpu.matrices import recurrence, respond
from volr.engine.reference import simulate
from volr.engine.schedule import Schedule, schedule_of
from volr.engine.surrogates import Surrogate
from volr.errors import DataError
from volr.models.coding import Poisson
from volr.models.model import Readout, SpikingModel
from volr.neurons import IFCondExp, IFCurrDelta, IFCurrExp, NeuronModel

if TYPE_CHECKING:
    from collections.abc import Mapping

    from volr.checks.arrays import Floats
    from volr.network import Network

NEURONS: dict[str, NeuronModel] = {
    "delta": IFCurrDelta(v_reset=-63.0, i_offset=0.1),
    "exp": IFCurrExp(v_reset=-63.0, i_offset=0.1),
    "exp two decays": IFCurrExp(v_reset=-67.0, tau_syn_E=3.0, tau_syn_I=7.0),
    "cond": IFCondExp(v_reset=-63.0, tau_syn_E=3.0, tau_syn_I=7.0, e_rev_I=-75.0),
}
# What makes these small networks spike, in the unit of each: some spikes a neuron.
WEIGHTS = {"delta": 4.0, "exp": 1.5, "exp two decays": 1.5, "cond": 0.04}
neurons = pytest.mark.parametrize("kind", NEURONS)


def spiking_model(
    kind: str,
    network: Network,
    *,
    delay: int = 2,
    readout: Readout = "count",
    duration: float = 20.0,
    **changes: Any,
) -> SpikingModel:
    rng = np.random.default_rng(0)
    return SpikingModel(
        network=network,
        parameters=random_parameters(network, rng, weight=WEIGHTS[kind], bias=0.3),
        neuron=replace(NEURONS[kind], **changes),
        coding=Poisson(400.0),
        dt=0.5,
        duration=duration,
        delay=0.5 * delay,
        readout=readout,
    )


def tensors(values: Mapping[str, Floats], dtype: torch.dtype = torch.float64) -> dict[str, Tensor]:
    return {n: torch.tensor(v, dtype=dtype, requires_grad=True) for n, v in values.items()}


def random_spikes(schedule: Schedule, batch: int, seed: int = 1) -> Tensor:
    width = sum(size for _, size in schedule.inputs)
    return torch.rand(schedule.steps, batch, width, generator=torch.manual_seed(seed)) < 0.2


@pytest.mark.parametrize("kind", [kind for kind in NEURONS if kind != "cond"])
@pytest.mark.parametrize("reset", ["hard", "subtract"])
@pytest.mark.parametrize("tau_refrac", [0.0, 1.5])
def test_spikes_and_membranes_are_those_of_the_reference(
    kind: str, reset: str, tau_refrac: float
) -> None:
    model = spiking_model(kind, fork(7, 5, 6, 3), reset=reset, tau_refrac=tau_refrac)
    trace = simulate(model, np.random.default_rng(2).random((4, 7)), seed=3)
    schedule = schedule_of(model)
    given = torch.tensor(trace.spikes["input"])
    response = respond(schedule, tensors(model.parameters), given, trace=True)

    assert list(response.counts) == ["dense_1", "dense_2", "dense_3"]
    assert response.membranes == {}
    for name, counts in response.counts.items():
        spikes = response.spikes[name].detach().numpy()
        np.testing.assert_array_equal(counts.detach(), spikes.sum(axis=0))
        assert trace.spikes[name].sum() > 20
        np.testing.assert_array_equal(spikes, trace.spikes[name])
        before = response.potentials[name].detach().numpy()
        back = model.neuron.v_reset - model.neuron.v_rest
        after = before - model.neuron.theta * spikes
        if reset == "hard":
            after = np.where(spikes > 0, back, before)
        np.testing.assert_allclose(after + model.neuron.v_rest, trace.membranes[name], atol=1e-9)


@pytest.mark.parametrize("tau_refrac", [0.0, 1.5])
def test_conductances_make_as_many_spikes_as_in_the_reference(tau_refrac: float) -> None:
    # NEST integrates to a tolerance of its own, and the reference with it; the engine does better.
    model = spiking_model("cond", fork(7, 15, 16, 13), tau_refrac=tau_refrac)
    trace = simulate(model, np.random.default_rng(2).random((20, 7)), seed=3)
    given = torch.tensor(trace.spikes["input"])
    response = respond(schedule_of(model), tensors(model.parameters), given)
    for name, counts in response.counts.items():
        wanted = trace.spikes[name].sum(axis=0)
        assert wanted.mean() > 1
        wrong = np.abs(counts.detach().numpy() - wanted)
        assert wrong.max() <= 1
        assert wrong.mean() < 0.01


@neurons
def test_an_output_that_is_only_read_is_the_mean_of_its_membrane(kind: str) -> None:
    model = spiking_model(kind, chain(5, 6, 3), readout="membrane")
    schedule = schedule_of(model)
    spikes = random_spikes(schedule, 4)
    response = respond(schedule, tensors(model.parameters), spikes, trace=True)
    assert list(response.counts) == ["dense_1"]
    assert list(response.spikes) == ["dense_1"]
    # Above the threshold, or this would say little.
    assert response.potentials["dense_2"].max() > model.neuron.v_thresh - model.neuron.v_rest

    still = {name: np.zeros(value.shape) for name, value in model.parameters.items()}
    oracle = respond_along(schedule, model.parameters, still, spikes.numpy(), Surrogate(), None)
    found = response.membranes["dense_2"].detach()
    np.testing.assert_allclose(found, oracle["dense_2"].value, atol=1e-9)


def test_the_step_of_a_conductance_is_the_solution_of_its_equation() -> None:
    neuron, dt = IFCondExp(tau_syn_E=3.0, tau_syn_I=7.0, e_rev_I=-75.0), 0.5
    rng = np.random.default_rng(0)
    v, g_e, g_i, current = rng.uniform([[-10], [0], [0], [-1]], [[15], [0.1], [0.1], [1]], (4, 50))
    given = (torch.tensor(x) for x in (v, g_e, g_i, current))
    found = moved(neuron, dt, *given)

    def slope(y: Floats) -> Floats:
        v, g_e, g_i = y
        pull = g_e * (neuron.e_rev_E - neuron.v_rest - v) + g_i * (
            neuron.e_rev_I - neuron.v_rest - v
        )
        inward = (pull + current) / neuron.cm
        return np.stack(
            [inward - v / neuron.tau_m, -g_e / neuron.tau_syn_E, -g_i / neuron.tau_syn_I]
        )

    y, h = np.stack([v, g_e, g_i]), dt / 200
    for _ in range(200):  # Runge-Kutta
        k1 = slope(y)
        k2 = slope(y + h / 2 * k1)
        k3 = slope(y + h / 2 * k2)
        y = y + h / 6 * (k1 + 2 * k2 + 2 * k3 + slope(y + h * k3))
    np.testing.assert_allclose(found, y[0], atol=2e-6)


@neurons
def test_where_nothing_spikes_derivatives_are_finite_differences(kind: str) -> None:
    model = spiking_model(kind, chain(4, 3), readout="membrane")
    schedule = schedule_of(model)
    spikes = random_spikes(schedule, 2)
    names = tuple(model.parameters)

    def membranes(*values: Tensor) -> Tensor:
        named = dict(zip(names, values, strict=True))
        return respond(schedule, named, spikes).membranes["dense_1"]

    assert torch.autograd.gradcheck(membranes, tuple(tensors(model.parameters).values()))


@neurons
@pytest.mark.parametrize("reset", ["hard", "subtract"])
@pytest.mark.parametrize(
    ("shape", "window", "tau_refrac", "readout"),
    [
        ("triangle", None, 0.0, "count"),
        ("rectangle", 7, 1.5, "membrane"),
        ("fast_sigmoid", 2, 0.5, "count"),
        ("atan", 5, 1.5, "count"),
        ("atan", None, 2.0, "membrane"),
    ],
)
def test_gradients_are_the_tangents_of_an_independent_simulation(
    kind: str, reset: str, shape: Any, window: int | None, tau_refrac: float, readout: Readout
) -> None:
    model = spiking_model(
        kind,
        fork(6, 4, 5, 3),
        readout=readout,
        duration=12.0,
        reset=reset,
        tau_refrac=tau_refrac,
    )
    schedule, surrogate = schedule_of(model), Surrogate(shape, 0.7)
    spikes = random_spikes(schedule, 3)
    rng = np.random.default_rng(5)
    directions = [
        {n: rng.normal(size=v.shape) for n, v in model.parameters.items()} for _ in range(2)
    ]
    expected = [
        respond_along(schedule, model.parameters, each, spikes.numpy(), surrogate, window)
        for each in directions
    ]
    by = {name: rng.normal(size=dual.value.shape) for name, dual in expected[0].items()}

    values = tensors(model.parameters)
    response = respond(schedule, values, spikes, surrogate=surrogate, window=window)
    totals = response.counts | response.membranes
    loss = torch.stack([(totals[n] * torch.tensor(by[n])).sum() for n in by]).sum()
    gradient = dict(zip(values, torch.autograd.grad(loss, list(values.values())), strict=True))

    tolerance = 1e-6 if kind == "cond" else 1e-10
    for direction, duals in zip(directions, expected, strict=True):
        for name, dual in duals.items():
            np.testing.assert_allclose(totals[name].detach(), dual.value, atol=1e-9)
        found = sum(float((gradient[n].numpy() * direction[n]).sum()) for n in direction)
        wanted = sum(float((by[n] * duals[n].tangent).sum()) for n in by)
        assert abs(wanted) > 1e-3
        assert found == pytest.approx(wanted, rel=tolerance)


def test_a_held_membrane_takes_no_part() -> None:
    # Spikes in step 0; is refractory in 1 to 3; what arrives then is lost, and so its derivative.
    neuron = IFCurrDelta(tau_refrac=3.0)
    drive = torch.tensor([16.0, 2.0, 2.0, 2.0, 2.0, 2.0], dtype=torch.float64)
    drive = drive.reshape(6, 1, 1).requires_grad_()
    none = torch.zeros(1, dtype=torch.float64)
    for reset in ("hard", "subtract"):
        spikes, v = recurrence(
            replace(neuron, reset=reset),
            1.0,
            [drive],
            none,
            spiking=True,
            surrogate=Surrogate("atan"),
            window=None,
        )
        assert spikes.flatten().tolist() == [1, 0, 0, 0, 0, 0]
        (gradient,) = torch.autograd.grad(v[5].sum(), drive, retain_graph=True)
        a = neuron.decay(1.0)
        held = [0.0] * 4 if reset == "hard" else [a**5, a**4, a**3, a**2]
        np.testing.assert_allclose(gradient.flatten(), [*held, a, 1.0], rtol=1e-12)
        (gradient,) = torch.autograd.grad(spikes[1:4].sum(), drive)
        assert not gradient.any()


@neurons
def test_a_window_as_long_as_the_stimulus_is_full_backpropagation(kind: str) -> None:
    model = spiking_model(kind, chain(5, 6, 3))
    schedule = schedule_of(model)
    spikes = random_spikes(schedule, 3)
    gradients: list[list[Tensor]] = []
    for window in (None, schedule.steps, schedule.steps - 1):
        values = tensors(model.parameters)
        loss = respond(schedule, values, spikes, window=window).counts["dense_2"].sum()
        gradients.append(list(torch.autograd.grad(loss, list(values.values()))))
    full, whole, shorter = gradients
    assert all(torch.equal(a, b) for a, b in zip(full, whole, strict=True))
    assert not all(torch.equal(a, b) for a, b in zip(full, shorter, strict=True))


def test_a_delay_longer_than_the_stimulus_lets_nothing_arrive() -> None:
    model = spiking_model("delta", chain(5, 3), delay=50)
    schedule = schedule_of(model)
    values = tensors({n: v if n.endswith("bias") else v + 100 for n, v in model.parameters.items()})
    response = respond(schedule, values, random_spikes(schedule, 2), trace=True)
    steps = np.arange(1, schedule.steps + 1)[:, None, None]
    n = model.neuron
    current = n.i_offset + model.parameters["dense_1.bias"]
    quiet = n.resistance * current * (1 - n.decay(schedule.dt) ** steps) < n.v_thresh - n.v_rest
    assert quiet.all()
    assert not response.counts["dense_1"].any()
    response.counts["dense_1"].sum().backward()
    gradient = values["input->dense_1.weight"].grad
    assert gradient is not None
    assert not gradient.any()


@neurons
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_float_type_is_that_of_the_parameters(kind: str, dtype: torch.dtype) -> None:
    model = spiking_model(kind, chain(5, 6, 3), readout="membrane", duration=12.0)
    schedule = schedule_of(model)
    spikes = random_spikes(schedule, 3)
    values = tensors(model.parameters, dtype)
    response = respond(schedule, values, spikes.to(torch.uint8))
    assert response.counts["dense_1"].dtype == dtype
    found = response.membranes["dense_2"]
    found.sum().backward()
    assert all(v.grad is not None and v.grad.dtype == dtype for v in values.values())
    if dtype == torch.float32:
        exact = respond(schedule, tensors(model.parameters), spikes).membranes["dense_2"]
        torch.testing.assert_close(found.double(), exact, atol=1e-4, rtol=1e-5)


def test_spikes_and_windows_that_do_not_fit_are_refused() -> None:
    model = spiking_model("delta", chain(5, 3))
    schedule, values = schedule_of(model), tensors(model.parameters)
    with pytest.raises(DataError, match=r"\[40, 2, 4\], the schedule takes \[40, batch, 5\]"):
        respond(schedule, values, torch.zeros(40, 2, 4))
    with pytest.raises(DataError, match=r"\[39, 2, 5\]"):
        respond(schedule, values, torch.zeros(39, 2, 5))
    with pytest.raises(DataError, match="window is 0"):
        respond(schedule, values, torch.zeros(40, 2, 5), window=0)
