"""One population backwards, against PyTorch's derivatives of the loop in PyTorch."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

pytest.importorskip("numba")
pytest.importorskip("torch")
import torch
from tests.engine.examples import NEURONS
from tests.engine.populations import Population, population

from volr.engine.cpu.dynamics import backward
from volr.engine.gpu.recurrence import unroll
from volr.engine.surrogates import SHAPES, Surrogate

if TYPE_CHECKING:
    from volr.checks.arrays import Floats

neurons = pytest.mark.parametrize("kind", NEURONS)


def engine(
    given: Population,
    by_spikes: Floats | None,
    by_total: Floats,
    surrogate: Surrogate,
    window: int,
    dtype: type[Any] = np.float64,
) -> list[Floats]:
    """The derivatives by what arrives, ``[time, batch, unit]``, and by the biases ``[unit]``."""
    memory = given.after_run(dtype=dtype)
    returned = None
    if by_spikes is not None:
        returned = by_spikes.swapaxes(0, 1).reshape(-1).astype(dtype)
    lift = given.lift(dtype)
    wanted = by_total.reshape(-1).astype(dtype)
    by_lift = backward(
        given.schedule,
        given.layer,
        memory,
        lift,
        returned,
        wanted,
        given.shape[1],
        surrogate,
        window,
    )
    assert by_lift.dtype == memory.drives[0].dtype == dtype
    one = Population(given.schedule, given.drives, np.ones_like(given.currents))
    zero = Population(given.schedule, given.drives, np.zeros_like(given.currents))
    return [*map(given.in_time, memory.drives), by_lift * (one.lift() - zero.lift())]


def pytorch(
    given: Population,
    by_spikes: Floats | None,
    by_total: Floats,
    surrogate: Surrogate,
    window: int,
) -> list[Floats]:
    """The same from PyTorch."""
    leaves = [torch.tensor(each, requires_grad=True) for each in (*given.drives, given.currents)]
    *drives, current = leaves
    if "cond" in given.neuron.name:
        drives[1] = -drives[1]  # here, conductances are positive
    spikes, v = unroll(
        given.neuron,
        given.schedule.dt,
        drives,
        current,
        spiking=given.layer.spiking,
        surrogate=surrogate,
        window=window,
    )
    total = spikes.sum(dim=0) if given.layer.spiking else v.mean(dim=0)
    loss = (total * torch.tensor(by_total)).sum()
    if by_spikes is not None:
        loss = loss + (spikes * torch.tensor(by_spikes)).sum()
    found = torch.autograd.grad(loss, leaves, materialize_grads=True)
    return [each.numpy() for each in found]


def compare(found: list[Floats], expected: list[Floats], error: float) -> None:
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=error * abs(theirs).max())


@neurons
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("window", [1, 4, 30])
def test_derivatives_are_those_of_the_loop(kind: str, shape: Any, window: int) -> None:
    surrogate, rng = Surrogate(shape, 0.7), np.random.default_rng(0)
    for reset, refractory in itertools.product(("hard", "subtract"), (0, 1, 3)):
        given = population(kind, reset=reset, refractory=refractory)
        by_spikes, by_total = rng.normal(size=given.shape), rng.normal(size=given.shape[1:])
        for through in (by_spikes, None):
            args = given, through, by_total, surrogate, window
            expected = pytorch(*args)
            assert abs(expected[-1]).max() > 0.01
            compare(engine(*args), expected, 1e-10)


@neurons
@pytest.mark.parametrize("window", [1, 4, 30])
def test_derivatives_of_a_mean_membrane_are_those_of_the_loop(kind: str, window: int) -> None:
    given = population(kind, refractory=2, spiking=False)
    by_total = np.random.default_rng(0).normal(size=given.shape[1:])
    args = given, None, by_total, Surrogate(), window
    compare(engine(*args), pytorch(*args), 1e-10)


@neurons
def test_single_precision_is_near(kind: str) -> None:
    given, rng = population(kind, refractory=2, spiking=False), np.random.default_rng(0)
    args = given, None, rng.normal(size=given.shape[1:]), Surrogate(), 30
    compare(engine(*args, dtype=np.float32), engine(*args), 1e-5)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_surrogate_is_what_a_spike_answers_to_its_drive(shape: Any) -> None:
    # One step: the derivative by the drive is the surrogate itself, wherever V is.
    given = population("delta", steps=1, stimuli=50)
    surrogate = Surrogate(shape, 0.6)
    (found, _) = engine(given, None, np.ones((50, 13)), surrogate, 1)
    neuron = given.neuron
    v = given.drives[0] + given.lift()
    u = abs(v - (neuron.v_thresh - neuron.v_rest)) / neuron.theta / 0.6
    curve = {
        "triangle": np.maximum(0, 1 - u) / 0.6,
        "rectangle": (u < 1) / 1.2,
        "fast_sigmoid": 1 / (1.2 * (1 + u) ** 2),
        "atan": 1 / (np.pi * 0.6 * (1 + u**2)),
    }[shape]
    np.testing.assert_allclose(found, curve / neuron.theta, rtol=1e-12)
