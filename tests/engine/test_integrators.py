"""Training runs neurons without leak by the same rule as simulation, in either precision."""

from __future__ import annotations

import math

import numpy as np
import pytest

pytest.importorskip("numba")
pytest.importorskip("torch")
import torch
from tests.engine.derivatives import gradient, loss_of, same, tensors
from tests.engine.examples import NETWORKS, random_spikes, spiking_model
from tests.integrators import integrator

from volr.engine.autograd import respond
from volr.engine.encoding import Spikes
from volr.engine.gpu import matrices, recurrence
from volr.engine.reference import simulate
from volr.engine.schedule import schedule_of
from volr.engine.surrogates import Surrogate
from volr.neurons import RESETS, IFCurrDelta, Reset

pytestmark = pytest.mark.usefixtures("one_thread_of_pytorch", "slices_and_threads")


@pytest.mark.parametrize("reset", RESETS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_training_sees_the_spikes_of_exact_arithmetic(reset: Reset, dtype: torch.dtype) -> None:
    for seed in range(8):
        made = integrator(seed, kind="delta", reset=reset, steps=90, rest=-65 * (seed % 2))
        model, schedule = made.model, schedule_of(made.model)
        stimuli = np.full((4, model.network.input_size), 0.7)
        trace = simulate(model, stimuli, seed=seed)
        assert made.differing(trace.spikes)[0] == 0
        spikes = trace.spikes["input"].view(np.uint8)
        given = torch.tensor(spikes, dtype=dtype)
        values = tensors(model.parameters, dtype)
        by_engine = respond(schedule, values, Spikes(spikes))
        by_loop = matrices.respond(schedule, values, given)
        for found in (by_engine, by_loop):
            for name, counts in found.counts.items():
                wanted = trace.spikes[name].sum(axis=0)
                np.testing.assert_array_equal(counts.detach().numpy(), wanted)


@pytest.mark.parametrize("kind", ["delta", "exp two decays"])
@pytest.mark.parametrize(
    ("reset", "rest", "window", "readout"),
    [("hard", 0, None, "count"), ("subtract", 2, 7, "count"), ("hard", 1, None, "membrane")],
)
def test_derivatives_are_those_of_the_loop(
    kind: str, reset: str, rest: int, window: int | None, readout: str
) -> None:
    model = spiking_model(
        kind,
        NETWORKS["fork"],
        readout=readout,  # pyright: ignore[reportArgumentType]
        reset=reset,
        tau_refrac=0.5 * rest,
        tau_m=math.inf,
    )
    schedule, surrogate = schedule_of(model), Surrogate("atan", 0.8)
    spikes, values = random_spikes(schedule, 37), tensors(model.parameters)
    found = respond(schedule, values, Spikes(spikes), surrogate=surrogate, window=window)
    expected = matrices.respond(
        schedule, values, torch.tensor(spikes), surrogate=surrogate, window=window
    )
    wanted = gradient(loss_of(expected), values)
    assert all(bool(each.any()) for each in wanted.values())
    same(gradient(loss_of(found), values), wanted, 1e-10)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_ten_tenths_are_a_spike(dtype: torch.dtype) -> None:
    neuron = IFCurrDelta(v_rest=0, v_reset=0, v_thresh=1, tau_m=math.inf, tau_refrac=0)
    drive = torch.full((30, 1, 2), 0.1, dtype=dtype)
    current = torch.tensor([0.0, 0.15], dtype=dtype)
    spikes, _ = recurrence.unroll(
        neuron, 1.0, [drive], current, spiking=True, surrogate=Surrogate(), window=None
    )
    assert spikes[:, 0, 0].nonzero().ravel().tolist() == [9, 19, 29]
    assert spikes[:, 0, 1].nonzero().ravel().tolist() == [*range(3, 30, 4)]
