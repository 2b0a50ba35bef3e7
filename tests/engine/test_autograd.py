"""Derivatives through the engine, against the dense path, finite differences and themselves."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

pytest.importorskip("numba")
pytest.importorskip("torch")
import torch
from tests.engine.examples import NETWORKS, NEURONS, SKIP, WEIGHTS, random_spikes, spiking_model
from tests.oracles import chain
from torch import Tensor

from volr.engine import dense, passes, work
from volr.engine.autograd import respond
from volr.engine.encoding import Spikes, encode
from volr.engine.plan import plan_of
from volr.engine.surrogates import Surrogate
from volr.errors import DataError
from volr.models.coding import ConstantCurrent

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from volr.engine.plan import Plan
    from volr.engine.readout import Response
    from volr.models.arrays import Floats

neurons = pytest.mark.parametrize("kind", NEURONS)


@pytest.fixture(autouse=True, scope="module")
def one_thread_of_pytorch() -> Iterator[None]:
    """PyTorch's threads spin, and its tensors here are tiny."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def tensors(values: Mapping[str, Floats], dtype: torch.dtype = torch.float64) -> dict[str, Tensor]:
    return {n: torch.tensor(v, dtype=dtype, requires_grad=True) for n, v in values.items()}


def loss_of(response: Response, seed: int = 3) -> Tensor:
    """All totals, each with a weight of its own, and not linear in them."""
    random = torch.manual_seed(seed)
    totals = {**response.counts, **response.membranes}
    return torch.stack(
        [
            (torch.randn(each.shape, generator=random).to(each.dtype) * each).sum()
            + 0.05 * (each**2).sum()
            for _, each in sorted(totals.items())
        ]
    ).sum()


def gradient(loss: Tensor, values: Mapping[str, Tensor]) -> dict[str, Tensor]:
    # A parameter that the loss does not depend on gets zeros, as it does from the engine.
    found = torch.autograd.grad(loss, list(values.values()), materialize_grads=True)
    return dict(zip(values, found, strict=True))


def same(found: Mapping[str, Tensor], expected: Mapping[str, Tensor], error: float) -> None:
    """The derivatives are equal but for ``error`` of the largest."""
    assert found.keys() == expected.keys()
    for name, each in found.items():
        scale = float(expected[name].abs().max())
        torch.testing.assert_close(
            each.double(), expected[name].double(), rtol=0, atol=error * scale, msg=name
        )


def identical(found: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> None:
    assert found.keys() == expected.keys()
    for name, each in found.items():
        assert torch.equal(each, expected[name]), name


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
    plan, surrogate = plan_of(model), Surrogate(shape, 0.8)
    # More than one slice, and not whole ones.
    spikes = random_spikes(plan, 37)
    values = tensors(model.parameters)
    found = respond(plan, values, Spikes(spikes), surrogate=surrogate, window=window)
    expected = dense.respond(plan, values, torch.tensor(spikes), surrogate=surrogate, window=window)
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
    plan: Plan, values: Mapping[str, Floats], spikes: Any, name: str, place: Any, step: float
) -> float:
    """The derivative of the loss by one parameter; from above where ``step`` says so twice."""
    losses: list[float] = []
    for way in (step, -step):
        moved = {n: v.copy() for n, v in values.items()}
        moved[name][place] += way
        with torch.no_grad():
            losses.append(float(loss_of(respond(plan, tensors(moved), Spikes(spikes)))))
    return (losses[0] - losses[1]) / (2 * step)


@neurons
def test_where_nothing_spikes_derivatives_are_finite_differences(kind: str) -> None:
    model = spiking_model(kind, chain(6, 5), readout="membrane")
    plan = plan_of(model)
    spikes = random_spikes(plan, 4)
    values = tensors(model.parameters)
    found = gradient(loss_of(respond(plan, values, Spikes(spikes))), values)
    for name, value in model.parameters.items():
        for place in np.ndindex(value.shape):
            if value[place] == 0:
                continue
            # Large where all is linear; small where weights are, as conductances.
            step = 1e-4 * WEIGHTS[kind]
            wanted = by_differences(plan, model.parameters, spikes, name, place, step)
            assert float(found[name][place]) == pytest.approx(wanted, rel=1e-6, abs=1e-7), name


@neurons
def test_a_weight_of_zero_is_about_to_excite(kind: str) -> None:
    model = spiking_model(kind, chain(6, 5), readout="membrane")
    plan = plan_of(model)
    spikes = random_spikes(plan, 4)
    name = "input->dense_1.weight"
    zeros = np.argwhere(model.parameters[name] == 0)
    assert len(zeros) > 0
    for sign in (1.0, -1.0):
        weights = model.parameters[name].copy()
        weights[model.parameters[name] == 0] = sign * 1e-9 * WEIGHTS[kind]
        beside = tensors({**model.parameters, name: weights})
        near = gradient(loss_of(respond(plan, beside, Spikes(spikes))), beside)[name]
        values = tensors(model.parameters)
        # Both signs of 0 are the same.
        with torch.no_grad():
            values[name][model.parameters[name] == 0] *= sign
        at = gradient(loss_of(respond(plan, values, Spikes(spikes))), values)[name]
        apart = kind in {"exp two decays", "cond"} and sign < 0
        for place in map(tuple, zeros):
            alike = float(at[place]) == pytest.approx(float(near[place]), rel=1e-6)
            assert alike != apart


@neurons
@pytest.mark.parametrize("readout", ["count", "membrane"])
def test_single_precision_is_near(kind: str, readout: Any) -> None:
    model = spiking_model(kind, SKIP, readout=readout, tau_refrac=1.0)
    plan, spikes = plan_of(model), random_spikes(plan_of(model), 20)
    results: list[tuple[Response, dict[str, Tensor]]] = []
    for dtype in (torch.float32, torch.float64):
        values = tensors(model.parameters, dtype)
        response = respond(plan, values, Spikes(spikes))
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
    plan = plan_of(model)
    spikes = random_spikes(plan, 33)
    values = tensors(model.parameters)
    together = respond(plan, values, Spikes(spikes))
    alone = [respond(plan, values, Spikes(spikes).part(i, i + 1)) for i in range(33)]
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
    plan = plan_of(model)
    for encoded in (
        Spikes(random_spikes(plan, 0)),
        encode(plan, ConstantCurrent(), np.zeros((0, 15))),
    ):
        values = tensors(model.parameters)
        response = respond(plan, values, encoded)
        assert response.counts["second"].shape == (0, 70)
        for name, each in gradient(response.counts["last"].sum(), values).items():
            assert each.shape == values[name].shape
            assert not each.any()


@pytest.fixture(autouse=True)
def slices_and_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small as the networks are, let them be cut into slices of 32 and go to all threads."""
    monkeypatch.setattr(passes, "_SLICE_VALUES", 0)
    monkeypatch.setattr(work, "ENOUGH", 0)


def answer(kind: str) -> tuple[Response, dict[str, Tensor]]:
    """In float32, where the order of a sum shows, for five slices."""
    model = spiking_model(kind, SKIP, tau_refrac=1.0)
    plan = plan_of(model)
    values = tensors(model.parameters, torch.float32)
    response = respond(plan, values, Spikes(random_spikes(plan, 140)), window=9)
    return response, gradient(loss_of(response), values)


@neurons
def test_the_number_of_threads_changes_no_bit(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    answers: list[tuple[Response, dict[str, Tensor]]] = []
    for count in (2, 1, 5):
        monkeypatch.setattr(work, "threads", lambda count=count: count)
        work._pool.cache_clear()
        answers.append(answer(kind))
        work._pool(os.getpid()).shutdown()
        work._pool.cache_clear()
    for response, found in answers[1:]:
        identical(response.counts, answers[0][0].counts)
        identical(found, answers[0][1])


@neurons
def test_memory_that_is_used_again_is_shared_with_nothing_that_is_kept(kind: str) -> None:
    model = spiking_model(kind, SKIP, readout="membrane")
    plan = plan_of(model)
    shown = [Spikes(random_spikes(plan, 40, seed=seed)) for seed in range(3)]
    # Each by itself, after garbage of another one.
    expected: list[tuple[dict[str, Tensor], dict[str, Tensor]]] = []
    for encoded in shown:
        values = tensors(model.parameters)
        response = respond(plan, values, encoded)
        totals = {**response.counts, **response.membranes}
        copies = {name: each.detach().clone() for name, each in totals.items()}
        kept = gradient(loss_of(response), values)
        expected.append((copies, {name: each.clone() for name, each in kept.items()}))
        for other in shown:
            respond(plan, values, other)
            gradient(loss_of(respond(plan, values, other)), values)
        identical({name: each.detach() for name, each in totals.items()}, copies)
        identical(kept, expected[-1][1])
    # All at once, and back in another order.
    values = tensors(model.parameters)
    responses = [respond(plan, values, encoded) for encoded in shown]
    found = {i: gradient(loss_of(responses[i]), values) for i in (1, 2, 0)}
    for i, (totals, derivatives) in enumerate(expected):
        identical(found[i], derivatives)
        both = {**responses[i].counts, **responses[i].membranes}
        identical({name: each.detach() for name, each in both.items()}, totals)
    # One loss of two responses.
    pair = gradient(
        loss_of(respond(plan, values, shown[0])) + loss_of(respond(plan, values, shown[1])), values
    )
    same(pair, {n: found[0][n] + found[1][n] for n in values}, 1e-14)


@pytest.mark.parametrize("retain", [True, False])
def test_a_response_can_be_gone_back_through_once(*, retain: bool) -> None:
    model = spiking_model("delta", chain(7, 5, 3))
    plan, values = plan_of(model), tensors(model.parameters)
    loss = loss_of(respond(plan, values, Spikes(random_spikes(plan, 4))))
    loss.backward(retain_graph=retain)
    before = {name: value.grad for name, value in values.items()}
    message = "has been used up" if retain else "backward through the graph a second time"
    with pytest.raises(RuntimeError, match=message):
        loss.backward()
    assert all(values[name].grad is each for name, each in before.items())
    # The next one is as good as the first.
    again = loss_of(respond(plan, values, Spikes(random_spikes(plan, 4))))
    identical(gradient(again, values), {n: each for n, each in before.items() if each is not None})


def test_there_is_no_derivative_of_a_derivative() -> None:
    model = spiking_model("delta", chain(7, 5, 3))
    plan, values = plan_of(model), tensors(model.parameters)
    loss = loss_of(respond(plan, values, Spikes(random_spikes(plan, 4))))
    (first,) = torch.autograd.grad(loss, values["dense_1.bias"], create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        first.sum().backward()


def test_parameters_that_were_written_to_meanwhile_are_noticed() -> None:
    model = spiking_model("delta", chain(7, 5, 3))
    plan, values = plan_of(model), tensors(model.parameters)
    loss = loss_of(respond(plan, values, Spikes(random_spikes(plan, 4))))
    with torch.no_grad():
        values["dense_1->dense_2.weight"] += 1.0
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


@neurons
def test_only_what_needs_a_derivative_gets_one(kind: str) -> None:
    model = spiking_model(kind, SKIP)
    plan, encoded = plan_of(model), Spikes(random_spikes(plan_of(model), 8))
    values = tensors(model.parameters)
    full = gradient(loss_of(respond(plan, values, encoded)), values)
    asked = ("left->last.weight", "first.bias")
    some = {name: value.detach().requires_grad_(name in asked) for name, value in values.items()}
    loss_of(respond(plan, some, encoded)).backward()
    for name, value in some.items():
        assert (value.grad is not None) == (name in asked)
        if value.grad is not None:
            assert torch.equal(value.grad, full[name])
    fixed = {name: value.detach() for name, value in values.items()}
    assert not loss_of(respond(plan, fixed, encoded)).requires_grad


@pytest.mark.parametrize("recorded", [True, False])
def test_memory_goes_back_when_there_is_no_way_back(*, recorded: bool) -> None:
    model = spiking_model("delta", chain(7, 5, 3), steps=11)
    plan, values = plan_of(model), tensors(model.parameters)
    with torch.set_grad_enabled(recorded):
        response = respond(plan, values, Spikes(random_spikes(plan, 4)))
    spare = [batch for kept in passes._spare.values() for batch in kept]
    mine = [batch for batch in spare if batch.key[0] == plan and batch.stimuli == 4]
    assert len(mine) == (0 if recorded else 1)
    assert response.counts["dense_2"].requires_grad == recorded


def test_parameters_need_not_be_contiguous() -> None:
    model = spiking_model("exp", SKIP)
    plan, encoded = plan_of(model), Spikes(random_spikes(plan_of(model), 8))
    values = tensors(model.parameters)
    expected = gradient(loss_of(respond(plan, values, encoded)), values)
    turned = {n: v.detach().t().contiguous().requires_grad_() for n, v in values.items()}
    loss_of(respond(plan, {n: v.t() for n, v in turned.items()}, encoded)).backward()
    identical({n: v.grad.t() for n, v in turned.items() if v.grad is not None}, expected)


@neurons
def test_trains_are_as_good_as_the_spikes_that_they_stand_for(kind: str) -> None:
    model = spiking_model(kind, SKIP)
    plan, values = plan_of(model), tensors(model.parameters)
    encoded = encode(plan, ConstantCurrent(300.0), np.random.default_rng(0).random((40, 15)))
    spelled_out = Spikes(encoded.spelled_out())
    found, expected = (respond(plan, values, each) for each in (encoded, spelled_out))
    identical(found.counts, expected.counts)
    identical(gradient(loss_of(found), values), gradient(loss_of(expected), values))


def test_spikes_and_windows_that_do_not_fit_are_refused() -> None:
    model = spiking_model("delta", chain(7, 5, 3))
    plan, values = plan_of(model), tensors(model.parameters)
    for shape in ((25, 2, 6), (25, 2, 8), (24, 2, 7)):
        wrong = rf"{shape[0]}, 2, {shape[2]}\], the plan takes \[25, batch, 7\]"
        with pytest.raises(DataError, match=wrong):
            respond(plan, values, Spikes(np.zeros(shape, np.uint8)))
    with pytest.raises(DataError, match="window is 0"):
        respond(plan, values, Spikes(random_spikes(plan, 2)), window=0)
