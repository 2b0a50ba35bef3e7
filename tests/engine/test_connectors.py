"""Networks of all connectors: the reference's spikes, and the derivatives of PyTorch's kernels."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

pytest.importorskip("numba")
pytest.importorskip("torch")
import torch
from tests.engine.connected import APART, CONNECTED, DELAYS, SLICED
from tests.engine.derivatives import gradient, identical, loss_of, same, tensors
from tests.engine.examples import NEURONS, WEIGHTS, random_spikes, spiking_model
from tests.engine.tangents import respond_along
from tests.engine.test_autograd import by_differences

from volr.engine import reference
from volr.engine.autograd import respond
from volr.engine.cpu import work
from volr.engine.encoding import Spikes
from volr.engine.gpu import matrices
from volr.engine.schedule import schedule_of
from volr.engine.simulation import contents, ready, simulate
from volr.engine.surrogates import Surrogate
from volr.models.parameters import bias_name, synapse_matrix, unit_biases, weight_name
from volr.network import Network, Population, Projection
from volr.network.connectors import AveragePool, Convolution, OneToOne, Pooled, Slice

if TYPE_CHECKING:
    from collections.abc import Mapping

    from volr.models.model import SpikingModel

pytestmark = pytest.mark.usefixtures("one_thread_of_pytorch", "slices_and_threads")
neurons = pytest.mark.parametrize("kind", NEURONS)


def detached(counts: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name: each.detach() for name, each in counts.items()}


def model_of(kind: str, *, delay: int = 1, network: Network = CONNECTED) -> SpikingModel:
    """A model in which every population spikes, through identities and sums too."""
    model = spiking_model(kind, network, delay=delay, seed=4, steps=30)
    values = {
        name: value if value.shape != (1,) else np.array([3.0 * WEIGHTS[kind]])
        for name, value in model.parameters.items()
    }
    return replace(model, parameters=values)


@neurons
@pytest.mark.parametrize("delay", [1, 3])
def test_spikes_are_those_of_the_reference(kind: str, delay: int) -> None:
    model = model_of(kind, delay=delay)
    stimuli = np.random.default_rng(0).random((3, CONNECTED.input_size))
    expected = reference.simulate(model, stimuli, seed=5)
    names = tuple(expected.spikes)
    found = simulate(ready(model), stimuli, seed=5, spikes=names, membranes=names[2:])
    for name, spikes in expected.spikes.items():
        assert spikes.any(), f"{name} is silent"
        assert np.array_equal(found.spikes[name], spikes), name
    for name in names[2:]:
        error = np.abs(found.membranes[name] - expected.membranes[name]).max()
        assert error < 1e-9


@neurons
@pytest.mark.parametrize("window", [None, 7])
@pytest.mark.parametrize("delay", [1, 3])
def test_derivatives_are_those_of_pytorchs_own_convolutions(
    kind: str, delay: int, window: int | None
) -> None:
    # The dense path lacks pools that overlap before synapses of two kinds.
    network = CONNECTED if len(NEURONS[kind].channels) == 1 else APART
    model = model_of(kind, delay=delay, network=network)
    schedule, surrogate = schedule_of(model), Surrogate("atan", 0.8)
    spikes = random_spikes(schedule, 13)
    values = tensors(model.parameters)
    found = respond(schedule, values, Spikes(spikes), surrogate=surrogate, window=window)
    expected = matrices.respond(
        schedule, values, torch.tensor(spikes), surrogate=surrogate, window=window
    )
    for name, counts in expected.counts.items():
        assert torch.equal(found.counts[name], counts)
    wanted = gradient(loss_of(expected), values)
    assert all(each.any() for each in wanted.values())
    same(gradient(loss_of(found), values), wanted, 1e-10)


def delayed(kind: str, readout: Any = "count") -> SpikingModel:
    model = spiking_model(kind, SLICED, delay=2, seed=4, steps=30, readout=readout)
    values = {name: 2.0 * value for name, value in model.parameters.items()}
    return replace(model, parameters=values, delays=DELAYS)


@neurons
@pytest.mark.parametrize("readout", ["count", "final"])
def test_parts_of_populations_and_delays_by_projection_are_the_references(
    kind: str, readout: Any
) -> None:
    model = delayed(kind, readout)
    stimuli = np.random.default_rng(0).random((5, 9))
    expected = reference.simulate(model, stimuli, seed=5)
    names = tuple(expected.spikes)
    found = simulate(ready(model), stimuli, seed=5, spikes=names, membranes=names[1:])
    for name, spikes in expected.spikes.items():
        assert spikes.any() != (readout == "final" and name == "last"), name
        assert np.array_equal(found.spikes[name], spikes), name
    for name in names[1:]:
        error = np.abs(found.membranes[name] - expected.membranes[name]).max()
        assert error < 1e-9
    if readout == "final":
        wanted = expected.membranes["last"][-1] - model.neuron.v_rest
        np.testing.assert_allclose(found.totals["last"], wanted, rtol=0, atol=1e-9)


@neurons
@pytest.mark.parametrize("window", [None, 7])
@pytest.mark.parametrize("readout", ["count", "membrane"])
def test_derivatives_through_delays_by_projection_are_tangents(
    kind: str, readout: Any, window: int | None
) -> None:
    model = delayed(kind, readout)
    schedule, surrogate = schedule_of(model), Surrogate("atan", 0.8)
    spikes = random_spikes(schedule, 13)
    values = tensors(model.parameters)
    response = respond(schedule, values, Spikes(spikes), surrogate=surrogate, window=window)
    whole = response.counts | response.membranes
    found = gradient(loss_of(response), values)
    # A slice is all to all where the others' weights are 0.
    rng = np.random.default_rng(3)
    along = {name: rng.normal(size=value.shape) for name, value in model.parameters.items()}
    expanded, direction = dict(model.parameters), dict(along)
    for each in SLICED.projections:
        name = weight_name(each)
        expanded[name] = synapse_matrix(SLICED, each, model.parameters)
        direction[name] = synapse_matrix(SLICED, each, along)
    for population in SLICED.layers:
        expanded[bias_name(population)] = unit_biases(population, model.parameters)
        direction[bias_name(population)] = unit_biases(population, along)
    totals = respond_along(schedule, expanded, direction, spikes.astype(float), surrogate, window)
    moved = {name: torch.tensor(each.tangent) for name, each in totals.items()}
    # The loss as a function of the totals, whose derivatives are known.
    inputs = {name: each.detach().requires_grad_() for name, each in whole.items()}
    counts = {name: inputs[name] for name in response.counts}
    means = {name: inputs[name] for name in response.membranes}
    by_total = gradient(loss_of(replace(response, counts=counts, membranes=means)), inputs)
    wanted = sum(float((by_total[name] * moved[name]).sum()) for name in inputs)
    assert wanted != 0.0
    answer = sum(float((found[name] * torch.tensor(along[name])).sum()) for name in along)
    assert answer == pytest.approx(wanted, rel=1e-7)


@neurons
def test_delays_by_projection_are_those_of_the_dense_path(kind: str) -> None:
    model = delayed(kind)
    schedule, surrogate = schedule_of(model), Surrogate("atan", 0.8)
    spikes = random_spikes(schedule, 13)
    values = tensors(model.parameters)
    found = respond(schedule, values, Spikes(spikes), surrogate=surrogate, window=9)
    expected = matrices.respond(
        schedule, values, torch.tensor(spikes), surrogate=surrogate, window=9
    )
    for name, counts in expected.counts.items():
        assert torch.equal(found.counts[name], counts)
    wanted = gradient(loss_of(expected), values)
    assert all(each.any() for each in wanted.values())
    same(gradient(loss_of(found), values), wanted, 1e-10)


@neurons
def test_where_nothing_spikes_derivatives_are_finite_differences(kind: str) -> None:
    shapes = {"input": (2, 5, 4), "output": (4, 2, 3)}
    pools = (AveragePool((2, 1), (1, 1)),)
    network = Network(
        tuple(Population(name, shape) for name, shape in shapes.items()),
        (
            Projection("input", "output", Convolution((3, 2), (2, 1), groups=2)),
            Projection("input", "output", Pooled(pools, Convolution((3, 2))), number=2),
        ),
        ("input",),
        ("output",),
    )
    model = spiking_model(kind, network, readout="membrane")
    schedule = schedule_of(model)
    spikes = random_spikes(schedule, 3)
    values = tensors(model.parameters)
    found = gradient(loss_of(respond(schedule, values, Spikes(spikes))), values)
    rng = np.random.default_rng(0)
    for name, value in model.parameters.items():
        for place in rng.permutation(list(np.ndindex(value.shape)))[:12]:
            if value[tuple(place)] == 0:
                continue
            step = 1e-4 * float(np.abs(value).max())
            wanted = by_differences(schedule, model.parameters, spikes, name, tuple(place), step)
            assert float(found[name][tuple(place)]) == pytest.approx(wanted, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("kind", ["delta", "exp two decays"])
def test_single_precision_is_near(kind: str) -> None:
    model = model_of(kind)
    schedule = schedule_of(model)
    spikes = random_spikes(schedule, 5)
    found: list[Mapping[str, torch.Tensor]] = []
    for dtype in (torch.float32, torch.float64):
        values = tensors(model.parameters, dtype)
        response = respond(schedule, values, Spikes(spikes))
        found.append(gradient(loss_of(response), values) | detached(response.counts))
    assert all(each.dtype == torch.float32 for each in found[0].values())
    same(found[0], found[1], 1e-4)


def test_the_number_of_threads_changes_no_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    model = model_of("exp two decays")
    schedule = schedule_of(model)
    spikes = Spikes(random_spikes(schedule, 70))
    answers: list[dict[str, torch.Tensor]] = []
    for count in (2, 1, 5):
        monkeypatch.setattr(work, "cores", lambda count=count: count)
        work._pool.cache_clear()
        values = tensors(model.parameters, torch.float32)
        response = respond(schedule, values, spikes)
        answers.append(gradient(loss_of(response), values) | detached(response.counts))
        work._pool(os.getpid()).shutdown()
        work._pool.cache_clear()
    for each in answers[1:]:
        identical(each, answers[0])


@dataclass(frozen=True)
class Unheard(Convolution):
    """A connector that the engine has no rule for."""


def test_a_connector_without_a_rule_is_expanded() -> None:
    plain = Convolution((2, 3), stride=(1, 2), pad=(1, 0), groups=2)
    unheard = Unheard(plain.window, plain.stride, plain.pad, plain.groups)
    found: list[dict[str, torch.Tensor]] = []
    for connector in (plain, unheard):
        network = Network(
            (
                Population("input", (4, 3, 7)),
                Population("a", (4, 3, 7)),
                Population("b", (6, 4, 3)),
            ),
            (Projection("input", "a", OneToOne()), Projection("a", "b", connector)),
            ("input",),
            ("b",),
        )
        model = model_of("exp two decays", network=network)
        schedule = schedule_of(model)
        values = tensors(model.parameters)
        response = respond(schedule, values, Spikes(random_spikes(schedule, 6)))
        found.append(gradient(loss_of(response), values) | detached(response.counts))
    assert all(each.any() for each in found[0].values())
    same(found[1], found[0], 1e-12)


def test_a_part_of_a_population_takes_no_more_room_than_its_synapses() -> None:
    network = Network(
        (Population("input", (1000,)), Population("last", (64,))),
        (Projection("input", "last", Slice(400, 3)),),
        ("input",),
        ("last",),
    )
    prepared = ready(spiking_model("exp", network))
    assert sum(each.size for each in prepared.tiles["input->last.weight"]) == 3 * 64


@neurons
def test_what_is_held_is_read_from_the_kernels_own_arrays(kind: str) -> None:
    model = model_of(kind)
    prepared = ready(model)
    held = contents(prepared)
    for projection in CONNECTED.projections:
        name = weight_name(projection)
        expected = synapse_matrix(CONNECTED, projection, model.parameters)
        np.testing.assert_allclose(held[name], expected, rtol=1e-14, atol=0)
    name = weight_name(CONNECTED.projections[0])
    tiles = {**prepared.tiles, name: tuple(2 * each for each in prepared.tiles[name])}
    changed = contents(replace(prepared, tiles=tiles))
    np.testing.assert_array_equal(changed[name], 2 * held[name])
