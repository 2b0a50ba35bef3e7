"""What the engine keeps for the way back: whose it is, for how long, and what may become of it."""

from __future__ import annotations

import pytest

pytest.importorskip("numba")
pytest.importorskip("torch")
import torch
from tests.engine.derivatives import gradient, identical, loss_of, same, tensors
from tests.engine.examples import NEURONS, SKIP, random_spikes, spiking_model
from tests.oracles import chain
from torch import Tensor

from volr.engine.autograd import respond
from volr.engine.cpu import buffers
from volr.engine.encoding import Spikes
from volr.engine.schedule import schedule_of

pytestmark = pytest.mark.usefixtures("one_thread_of_pytorch", "slices_and_threads")
neurons = pytest.mark.parametrize("kind", NEURONS)


@neurons
def test_memory_that_is_used_again_is_shared_with_nothing_that_is_kept(kind: str) -> None:
    model = spiking_model(kind, SKIP, readout="membrane")
    schedule = schedule_of(model)
    shown = [Spikes(random_spikes(schedule, 40, seed=seed)) for seed in range(3)]
    # Each by itself, after garbage of another one.
    expected: list[tuple[dict[str, Tensor], dict[str, Tensor]]] = []
    for encoded in shown:
        values = tensors(model.parameters)
        response = respond(schedule, values, encoded)
        totals = {**response.counts, **response.membranes}
        copies = {name: each.detach().clone() for name, each in totals.items()}
        kept = gradient(loss_of(response), values)
        expected.append((copies, {name: each.clone() for name, each in kept.items()}))
        for other in shown:
            respond(schedule, values, other)
            gradient(loss_of(respond(schedule, values, other)), values)
        identical({name: each.detach() for name, each in totals.items()}, copies)
        identical(kept, expected[-1][1])
    # All at once, and back in another order.
    values = tensors(model.parameters)
    responses = [respond(schedule, values, encoded) for encoded in shown]
    found = {i: gradient(loss_of(responses[i]), values) for i in (1, 2, 0)}
    for i, (totals, derivatives) in enumerate(expected):
        identical(found[i], derivatives)
        both = {**responses[i].counts, **responses[i].membranes}
        identical({name: each.detach() for name, each in both.items()}, totals)
    # One loss of two responses.
    pair = gradient(
        loss_of(respond(schedule, values, shown[0])) + loss_of(respond(schedule, values, shown[1])),
        values,
    )
    same(pair, {n: found[0][n] + found[1][n] for n in values}, 1e-14)


@pytest.mark.parametrize("retain", [True, False])
def test_a_response_can_be_gone_back_through_once(*, retain: bool) -> None:
    model = spiking_model("delta", chain(7, 5, 3))
    schedule, values = schedule_of(model), tensors(model.parameters)
    loss = loss_of(respond(schedule, values, Spikes(random_spikes(schedule, 4))))
    loss.backward(retain_graph=retain)
    before = {name: value.grad for name, value in values.items()}
    message = "has been used up" if retain else "backward through the graph a second time"
    with pytest.raises(RuntimeError, match=message):
        loss.backward()
    assert all(values[name].grad is each for name, each in before.items())
    # The next one is as good as the first.
    again = loss_of(respond(schedule, values, Spikes(random_spikes(schedule, 4))))
    identical(gradient(again, values), {n: each for n, each in before.items() if each is not None})


def test_there_is_no_derivative_of_a_derivative() -> None:
    model = spiking_model("delta", chain(7, 5, 3))
    schedule, values = schedule_of(model), tensors(model.parameters)
    loss = loss_of(respond(schedule, values, Spikes(random_spikes(schedule, 4))))
    (first,) = torch.autograd.grad(loss, values["dense_1.bias"], create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        first.sum().backward()


def test_parameters_that_were_written_to_meanwhile_are_noticed() -> None:
    model = spiking_model("delta", chain(7, 5, 3))
    schedule, values = schedule_of(model), tensors(model.parameters)
    loss = loss_of(respond(schedule, values, Spikes(random_spikes(schedule, 4))))
    with torch.no_grad():
        values["dense_1->dense_2.weight"] += 1.0
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


@neurons
def test_only_what_needs_a_derivative_gets_one(kind: str) -> None:
    model = spiking_model(kind, SKIP)
    schedule, encoded = schedule_of(model), Spikes(random_spikes(schedule_of(model), 8))
    values = tensors(model.parameters)
    full = gradient(loss_of(respond(schedule, values, encoded)), values)
    asked = ("left->last.weight", "first.bias")
    some = {name: value.detach().requires_grad_(name in asked) for name, value in values.items()}
    loss_of(respond(schedule, some, encoded)).backward()
    for name, value in some.items():
        assert (value.grad is not None) == (name in asked)
        if value.grad is not None:
            assert torch.equal(value.grad, full[name])
    fixed = {name: value.detach() for name, value in values.items()}
    assert not loss_of(respond(schedule, fixed, encoded)).requires_grad


@pytest.mark.parametrize("recorded", [True, False])
def test_memory_goes_back_when_there_is_no_way_back(*, recorded: bool) -> None:
    model = spiking_model("delta", chain(7, 5, 3), steps=11)
    schedule, values = schedule_of(model), tensors(model.parameters)
    with torch.set_grad_enabled(recorded):
        response = respond(schedule, values, Spikes(random_spikes(schedule, 4)))
    spare = [batch for kept in buffers._spare.values() for batch in kept]
    mine = [batch for batch in spare if batch.key[0] == schedule and batch.stimuli == 4]
    assert len(mine) == (0 if recorded else 1)
    assert response.counts["dense_2"].requires_grad == recorded
