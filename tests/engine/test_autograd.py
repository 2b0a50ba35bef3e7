"""Derivatives through the engine, against the dense path, finite differences and themselves."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

pytest.importorskip("numba")
pytest.importorskip("torch")
import torch
from tests.engine.derivatives import gradient, identical, loss_of, same, tensors
from tests.engine.examples import NETWORKS, NEURONS, SKIP, WEIGHTS, random_spikes, spiking_model
from tests.oracles import chain

from volr.engine.autograd import respond
from volr.engine.cpu import work
from volr.engine.encoding import Spikes, encode
from volr.engine.gpu import matrices
from volr.engine.schedule import schedule_of
from volr.engine.surrogates import Surrogate
from volr.errors import DataError
from volr.models.coding import ConstantCurrent

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from volr.checks.arrays import Floats
    from volr.engine.readout import Response
    from volr.engine.schedule import Schedule

pytestmark = pytest.mark.usefixtures("one_thread_of_pytorch", "slices_and_threads")
neurons = pytest.mark.parametrize("kind", NEURONS)

# Reset, steps of refractoriness, delay, window, readout, shape: each meets each in some case.
CASES = [
    ("hard", 0, 1, None, "count", "triangle"),
    ("hard", 3, 3, None, "count", "rectangle"),
    ("hard", 2, 1, 7, "membrane", "fast_sigmoid"),
    ("hard", 0, 3, 5, "count", "atan"),
    ("subtract", 1, 1, 4, "count", "triangle"),
    ("subtract", 0, 1, None, "membrane", "rectangle"),
    ("subtract", 3, 3, 10, "count", "fast_sigmoid"),
    ("subtract", 2, 3, None, "membrane", "atan"),
    ("hard", 1, 1, 1, "count", "atan"),
    ("subtract", 2, 1, 1, "membrane", "triangle"),
]


@neurons
@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize(("reset", "rest", "delay", "window", "readout", "shape"), CASES, ids=str)
def test_spikes_and_derivatives_are_those_of_the_dense_path(
    kind: str,
    network: str,
    reset: str,
    rest: int,
    delay: int,
    window: int | None,
    readout: Any,
    shape: Any,
) -> None:
    model = spiking_model(
        kind,
        NETWORKS[network],
        delay=delay,
        readout=readout,
        seed=rest,
        reset=reset,
        tau_refrac=0.5 * rest,
    )
    schedule, surrogate = schedule_of(model), Surrogate(shape, 0.8)
    # More than one slice, and not whole ones.
    spikes = random_spikes(schedule, 37)
    values = tensors(model.parameters)
    found = respond(schedule, values, Spikes(spikes), surrogate=surrogate, window=window)
    expected = matrices.respond(
        schedule, values, torch.tensor(spikes), surrogate=surrogate, window=window
    )
    assert found.counts.keys() == expected.counts.keys()
    for name, counts in expected.counts.items():
        assert counts.mean() > 0.3, f"{name} is silent"
        assert torch.equal(found.counts[name], counts)
    assert found.membranes.keys() == expected.membranes.keys()
    for name, mean in expected.membranes.items():
        torch.testing.assert_close(found.membranes[name], mean, rtol=0, atol=1e-10)
    wanted = gradient(loss_of(expected), values)
    for name, each in wanted.items():
        # Within a step, a current does not get to the membrane.
        late = window == 1 and kind != "delta" and name.endswith("weight")
        assert bool(each.any()) != late, name
    same(gradient(loss_of(found), values), wanted, 1e-10)


def by_differences(
    schedule: Schedule,
    values: Mapping[str, Floats],
    spikes: Any,
    name: str,
    place: Any,
    step: float,
) -> float:
    """The derivative of the loss by one parameter, from a ``step`` up and a step down."""
    losses: list[float] = []
    for way in (step, -step):
        moved = {n: v.copy() for n, v in values.items()}
        moved[name][place] += way
        with torch.no_grad():
            losses.append(float(loss_of(respond(schedule, tensors(moved), Spikes(spikes)))))
    return (losses[0] - losses[1]) / (2 * step)


@neurons
def test_where_nothing_spikes_derivatives_are_finite_differences(kind: str) -> None:
    model = spiking_model(kind, chain(6, 5), readout="membrane")
    schedule = schedule_of(model)
    spikes = random_spikes(schedule, 4)
    values = tensors(model.parameters)
    found = gradient(loss_of(respond(schedule, values, Spikes(spikes))), values)
    for name, value in model.parameters.items():
        for place in np.ndindex(value.shape):
            if value[place] == 0:
                continue
            # Large where all is linear; small where weights are, as conductances.
            step = 1e-4 * WEIGHTS[kind]
            wanted = by_differences(schedule, model.parameters, spikes, name, place, step)
            assert float(found[name][place]) == pytest.approx(wanted, rel=1e-6, abs=1e-7), name


@neurons
def test_a_weight_of_zero_is_about_to_excite(kind: str) -> None:
    model = spiking_model(kind, chain(6, 5), readout="membrane")
    schedule = schedule_of(model)
    spikes = random_spikes(schedule, 4)
    name = "input->dense_1.weight"
    zeros = np.argwhere(model.parameters[name] == 0)
    assert len(zeros) > 0
    for sign in (1.0, -1.0):
        weights = model.parameters[name].copy()
        weights[model.parameters[name] == 0] = sign * 1e-9 * WEIGHTS[kind]
        beside = tensors({**model.parameters, name: weights})
        near = gradient(loss_of(respond(schedule, beside, Spikes(spikes))), beside)[name]
        values = tensors(model.parameters)
        # Both signs of 0 are the same.
        with torch.no_grad():
            values[name][model.parameters[name] == 0] *= sign
        at = gradient(loss_of(respond(schedule, values, Spikes(spikes))), values)[name]
        apart = kind in {"exp two decays", "cond"} and sign < 0
        for place in map(tuple, zeros):
            alike = float(at[place]) == pytest.approx(float(near[place]), rel=1e-6)
            assert alike != apart


@neurons
@pytest.mark.parametrize("readout", ["count", "membrane"])
def test_single_precision_is_near(kind: str, readout: Any) -> None:
    model = spiking_model(kind, SKIP, readout=readout, tau_refrac=1.0)
    schedule, spikes = schedule_of(model), random_spikes(schedule_of(model), 20)
    results: list[tuple[Response, dict[str, Tensor]]] = []
    for dtype in (torch.float32, torch.float64):
        values = tensors(model.parameters, dtype)
        response = respond(schedule, values, Spikes(spikes))
        totals = {**response.counts, **response.membranes}
        assert all(each.dtype == dtype for each in totals.values())
        results.append((response, gradient(loss_of(response), values)))
    (single, found), (double, expected) = results
    for name, counts in double.counts.items():
        assert torch.equal(single.counts[name].double(), counts)
    for name, mean in double.membranes.items():
        torch.testing.assert_close(single.membranes[name].double(), mean, rtol=1e-5, atol=1e-4)
    assert all(each.dtype == torch.float32 for each in found.values())
    same(found, expected, 1e-4)


@neurons
def test_a_batch_is_the_sum_of_its_stimuli(kind: str) -> None:
    model = spiking_model(kind, SKIP, delay=2)
    schedule = schedule_of(model)
    spikes = random_spikes(schedule, 33)
    values = tensors(model.parameters)
    together = respond(schedule, values, Spikes(spikes))
    alone = [respond(schedule, values, Spikes(spikes).part(i, i + 1)) for i in range(33)]
    for name, counts in together.counts.items():
        assert torch.equal(counts, torch.cat([each.counts[name] for each in alone]))
    weights = torch.randn(33, 5, dtype=torch.float64, generator=torch.manual_seed(0))
    whole = gradient((weights * together.counts["last"]).sum(), values)
    parts = [
        gradient((weights[i] * each.counts["last"]).sum(), values) for i, each in enumerate(alone)
    ]
    same({n: torch.stack([each[n] for each in parts]).sum(0) for n in values}, whole, 1e-12)


@neurons
def test_of_no_stimuli_nothing_is_learnt(kind: str) -> None:
    model = spiking_model(kind, SKIP)
    schedule = schedule_of(model)
    for encoded in (
        Spikes(random_spikes(schedule, 0)),
        encode(schedule, ConstantCurrent(), np.zeros((0, 15))),
    ):
        values = tensors(model.parameters)
        response = respond(schedule, values, encoded)
        assert response.counts["second"].shape == (0, 70)
        for name, each in gradient(response.counts["last"].sum(), values).items():
            assert each.shape == values[name].shape
            assert not each.any()


def answer(kind: str) -> tuple[Response, dict[str, Tensor]]:
    """In float32, where the order of a sum shows, for five slices."""
    model = spiking_model(kind, SKIP, tau_refrac=1.0)
    schedule = schedule_of(model)
    values = tensors(model.parameters, torch.float32)
    response = respond(schedule, values, Spikes(random_spikes(schedule, 140)), window=9)
    return response, gradient(loss_of(response), values)


@neurons
def test_the_number_of_threads_changes_no_bit(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    answers: list[tuple[Response, dict[str, Tensor]]] = []
    for count in (2, 1, 5):
        monkeypatch.setattr(work, "cores", lambda count=count: count)
        work._pool.cache_clear()
        answers.append(answer(kind))
        work._pool(os.getpid()).shutdown()
        work._pool.cache_clear()
    for response, found in answers[1:]:
        identical(response.counts, answers[0][0].counts)
        identical(found, answers[0][1])


def test_parameters_need_not_be_contiguous() -> None:
    model = spiking_model("exp", SKIP)
    schedule, encoded = schedule_of(model), Spikes(random_spikes(schedule_of(model), 8))
    values = tensors(model.parameters)
    expected = gradient(loss_of(respond(schedule, values, encoded)), values)
    turned = {n: v.detach().t().contiguous().requires_grad_() for n, v in values.items()}
    loss_of(respond(schedule, {n: v.t() for n, v in turned.items()}, encoded)).backward()
    identical({n: v.grad.t() for n, v in turned.items() if v.grad is not None}, expected)


@neurons
def test_trains_are_as_good_as_the_spikes_that_they_stand_for(kind: str) -> None:
    model = spiking_model(kind, SKIP)
    schedule, values = schedule_of(model), tensors(model.parameters)
    encoded = encode(schedule, ConstantCurrent(300.0), np.random.default_rng(0).random((40, 15)))
    spelled_out = Spikes(encoded.spelled_out())
    found, expected = (respond(schedule, values, each) for each in (encoded, spelled_out))
    identical(found.counts, expected.counts)
    identical(gradient(loss_of(found), values), gradient(loss_of(expected), values))


def test_spikes_and_windows_that_do_not_fit_are_refused() -> None:
    model = spiking_model("delta", chain(7, 5, 3))
    schedule, values = schedule_of(model), tensors(model.parameters)
    for shape in ((25, 2, 6), (25, 2, 8), (24, 2, 7)):
        wrong = rf"{shape[0]}, 2, {shape[2]}\], the schedule takes \[25, batch, 7\]"
        with pytest.raises(DataError, match=wrong):
            respond(schedule, values, Spikes(np.zeros(shape, np.uint8)))
    with pytest.raises(DataError, match="window is 0"):
        respond(schedule, values, Spikes(random_spikes(schedule, 2)), window=0)
