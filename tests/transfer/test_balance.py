"""Hidden units in balance: the same function, whatever scales the units had before."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.oracles import chain, fork, random_parameters

from volr.backends.reference import activations
from volr.language import to_network
from volr.models.model import ArtificialModel
from volr.models.parameters import synapse_matrix
from volr.network import Network, Population, Projection
from volr.network.connectors import by_channel
from volr.transfer.balance import balanced, hidden_populations, rescaled, unit_scales

if TYPE_CHECKING:
    from volr.checks.arrays import Floats

NETWORKS = {"flat": chain(5, 7, 3), "deep": chain(4, 6, 5, 3), "fork": fork(5, 6, 4, 3)}


def drawn(network: Network, seed: int) -> ArtificialModel:
    rng = np.random.default_rng(seed)
    return ArtificialModel(network, random_parameters(network, rng, weight=0.3, bias=-0.2))


def factors(model: ArtificialModel, exponents: list[float], base: float) -> dict[str, Floats]:
    """Of every hidden unit, ``base`` to the power of one of ``exponents``, in turn."""
    powers = itertools.cycle(exponents)
    return {
        name: np.array([base ** next(powers) for _ in range(model.network[name].size)])
        for name in hidden_populations(model)
    }


def by_hand(weights: Floats, bias: Floats, out: Floats) -> Floats:
    """What c is with one hidden layer."""
    into = np.hypot(np.linalg.norm(weights, axis=1), bias)
    return np.sqrt(into / np.linalg.norm(out, axis=0))


@pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS)
@given(exponents=st.lists(st.floats(-3.0, 3.0), min_size=1, max_size=20), seed=st.integers(0, 99))
def test_rescaled_units_do_not_matter(network: Network, exponents: list[float], seed: int) -> None:
    model = drawn(network, seed)
    even = balanced(model)
    other = balanced(rescaled(model, factors(model, exponents, 10.0)))
    for name, values in even.parameters.items():
        np.testing.assert_allclose(other.parameters[name], values, rtol=1e-9)
    # And it is still the same function.
    stimuli = np.random.default_rng(seed).random((9, network.input_size))
    wanted, found = activations(model, stimuli), activations(other, stimuli)
    for name in network.outputs:
        np.testing.assert_allclose(found[name], wanted[name], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS)
@given(exponents=st.lists(st.integers(-10, 10), min_size=1, max_size=20), seed=st.integers(0, 99))
def test_powers_of_two_change_no_bit(network: Network, exponents: list[int], seed: int) -> None:
    model = drawn(network, seed)
    by = factors(model, [float(each) for each in exponents], 2.0)
    even, other = balanced(model), balanced(rescaled(model, by))
    for name, values in even.parameters.items():
        np.testing.assert_array_equal(other.parameters[name], values)


KERNELS = {
    "kernels": "conv [2 7 6] 4 [3 2] stride:[2 1] ⦶ avgpool _ [1 2] ⦶ conv _ 6 2 pad:1 groups:2 "
    "⦶ avgpool _ 2 stride:1 ⦶ dense _ 5 ⦶ dense _ 3",
    "residual": "conv [1 5 6] 3 3 pad:1 ⦶ (conv _ 3 [3 1] pad:[1 0] ⊕ id _) ⦶ "
    "((conv _ 3 3 pad:1 ⦶ conv _ 3 1) ⊕ id [3 5 6]) ⦶ avgpool _ [5 6] ⦶ dense _ 4",
    "two ways": "conv [2 8] 4 3 ⦶ (conv _ 3 3 ⊖ conv _ 2 3) ⦶ conv _ 2 2 ⦶ dense _ 3",
    "pooled identity": "conv [2 8] 4 3 pad:1 ⦶ (conv _ 4 3 stride:2 pad:1 ⊕ (avgpool _ 2 ⦶ id _)) "
    "⦶ dense _ 3",
    "from the input": "(conv [2 8] 2 3 pad:1 ⊕ id [2 8]) ⦶ dense _ 3",
}


@pytest.mark.parametrize("program", KERNELS.values(), ids=KERNELS)
def test_scales_of_channels_do_not_matter(program: str) -> None:
    model = drawn(to_network(program), 4)
    network = model.network
    scales = unit_scales(model)
    assert list(scales) == list(hidden_populations(model))
    ties = [p for p in network.projections if p.connector.scaling == "tied"]
    rng = np.random.default_rng(5)
    factors: dict[str, Floats] = {}
    for name, each in scales.items():
        shape = network[name].shape
        channels = shape[0]
        if len(shape) > 1:  # one scale for a channel
            one_each = np.repeat(by_channel(each, shape), len(each) // channels)
            np.testing.assert_array_equal(each, one_each)
        factors[name] = np.repeat(rng.uniform(0.2, 5.0, channels), len(each) // channels)
    for tie in ties:
        channels = network[tie.target].shape[0]
        if tie.source in network.inputs:
            np.testing.assert_array_equal(scales[tie.target], 1.0)
            factors[tie.target] = np.ones(network[tie.target].size)
            continue
        sent, got = network.ends(tie)
        np.testing.assert_allclose(
            by_channel(scales[tie.source], sent), by_channel(scales[tie.target], got), rtol=1e-12
        )
        of_source = by_channel(factors[tie.source], sent)
        factors[tie.target] = np.repeat(of_source, network[tie.target].size // channels)
    even, other = balanced(model), balanced(rescaled(model, factors))
    for name, values in even.parameters.items():
        np.testing.assert_allclose(other.parameters[name], values, rtol=1e-9)
    for tie in ties:
        np.testing.assert_allclose(
            even.parameters[f"{tie.name}.weight"], model.parameters[f"{tie.name}.weight"]
        )
    stimuli = rng.random((9, network.input_size))
    wanted, found = activations(model, stimuli), activations(other, stimuli)
    for name in network.outputs:
        np.testing.assert_allclose(found[name], wanted[name], rtol=1e-9, atol=1e-9)


def test_the_scale_of_a_channel_is_that_of_its_mean_squares() -> None:
    """Against the matrices of all synapses."""
    model = drawn(to_network("conv [2 5] 3 2 ⦶ avgpool _ 2 ⦶ dense _ 2"), 7)
    first, second = (
        synapse_matrix(model.network, p, model.parameters) for p in model.network.projections
    )
    into = np.square(first).sum(axis=1) + np.square(np.repeat(model.parameters["conv_1.bias"], 4))
    out = np.square(second).sum(axis=0)
    means = (each.reshape(3, 4).mean(axis=1) for each in (into, out))
    expected = np.sqrt(np.sqrt(np.divide(*means)))
    np.testing.assert_allclose(unit_scales(model)["conv_1"], np.repeat(expected, 4), rtol=1e-12)


def test_scales_of_one_hidden_layer() -> None:
    model = drawn(NETWORKS["flat"], 3)
    weights, bias = model.parameters["input->dense_1.weight"], model.parameters["dense_1.bias"]
    expected = by_hand(weights, bias, model.parameters["dense_1->dense_2.weight"])
    found = unit_scales(model)["dense_1"]
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_path_norms_are_those_of_all_paths() -> None:
    # Every path from an input, or from a bias, to the unit, and from it to an output.
    model = drawn(chain(2, 3, 2, 2), 5)
    first, second, third = (
        model.parameters[f"{a}->{b}.weight"]
        for a, b in itertools.pairwise(("input", "dense_1", "dense_2", "dense_3"))
    )
    biases = [model.parameters[f"dense_{i}.bias"] for i in (1, 2)]
    found = unit_scales(model)
    for unit in range(2):
        into = biases[1][unit] ** 2
        for middle in range(3):
            into += (second[unit, middle] * biases[0][middle]) ** 2
            into += sum((second[unit, middle] * first[middle, i]) ** 2 for i in range(2))
        out = sum(third[o, unit] ** 2 for o in range(2))
        assert found["dense_2"][unit] == pytest.approx((into / out) ** 0.25)
    for unit in range(3):
        into = biases[0][unit] ** 2 + sum(first[unit, i] ** 2 for i in range(2))
        out = sum((third[o, k] * second[k, unit]) ** 2 for o in range(2) for k in range(2))
        assert found["dense_1"][unit] == pytest.approx((into / out) ** 0.25)


def test_branches_of_a_fork_have_the_outputs_between_them() -> None:
    model = drawn(NETWORKS["fork"], 6)
    found = unit_scales(model)
    for name in ("dense_1", "dense_2"):
        weights, bias, out = (
            model.parameters[each]
            for each in (f"input->{name}.weight", f"{name}.bias", f"{name}->dense_3.weight")
        )
        np.testing.assert_allclose(found[name], by_hand(weights, bias, out), rtol=1e-12)


def test_a_unit_with_two_targets_counts_both() -> None:
    # What the language writes as `dense 2 3 ⦶ (dense 3 2 ⊖ dense 3 4)`.
    model = ArtificialModel(
        Network(
            tuple(Population(n, (s,)) for n, s in (("input", 2), ("a", 3), ("b", 2), ("c", 4))),
            (Projection("input", "a"), Projection("a", "b"), Projection("a", "c")),
            ("input",),
            ("b", "c"),
        ),
        {
            name: np.random.default_rng(len(name)).normal(size=shape)
            for name, shape in (
                *(("input->a.weight", (3, 2)), ("a->b.weight", (2, 3)), ("a->c.weight", (4, 3))),
                *(("a.bias", (3,)), ("b.bias", (2,)), ("c.bias", (4,))),
            )
        },
    )
    out = np.vstack([model.parameters["a->b.weight"], model.parameters["a->c.weight"]])
    expected = by_hand(model.parameters["input->a.weight"], model.parameters["a.bias"], out)
    np.testing.assert_allclose(unit_scales(model)["a"], expected, rtol=1e-12)


def test_units_that_nothing_leads_into_or_out_of() -> None:
    model = drawn(NETWORKS["flat"], 8)
    values = {name: np.array(each) for name, each in model.parameters.items()}
    values["input->dense_1.weight"][[1, 4]] = 0.0
    values["dense_1.bias"][[1, 4]] = 0.0
    values["dense_1->dense_2.weight"][:, [2, 4]] = 0.0
    model = ArtificialModel(model.network, values)
    scales, even = unit_scales(model)["dense_1"], balanced(model)
    assert np.isfinite(scales).all()
    assert (scales > 0).all()
    # The norm that a unit has is the median of the whole ones.
    weights = even.parameters["input->dense_1.weight"]
    into = np.hypot(np.linalg.norm(weights, axis=1), even.parameters["dense_1.bias"])
    out = np.linalg.norm(even.parameters["dense_1->dense_2.weight"], axis=0)
    typical = np.median(np.sqrt(into * out)[[0, 3, 5, 6]])
    assert [out[1], into[2]] == pytest.approx([typical, typical])
    other = balanced(rescaled(model, factors(model, [2.0, -3.0, 1.0], 10.0)))
    for name in values:
        np.testing.assert_allclose(other.parameters[name], even.parameters[name], rtol=1e-9)


def test_a_network_whose_hidden_units_do_nothing() -> None:
    network = NETWORKS["deep"]
    nothing = {name: 0.0 * value for name, value in drawn(network, 1).parameters.items()}
    even = balanced(ArtificialModel(network, nothing))
    assert all(not value.any() for value in even.parameters.values())


@pytest.mark.parametrize("size", [1e3, 1e-3])
def test_path_norms_beyond_the_range_of_a_float(size: float) -> None:
    # Over 200 layers, 10^±600.
    network = chain(*[3] * 200)
    rng = np.random.default_rng(2)
    values = random_parameters(network, rng, weight=size, bias=0.0)
    model = ArtificialModel(network, values)
    for scales in unit_scales(model).values():
        assert np.isfinite(scales).all()
        assert (scales > 0).all()
        # Random weights give no unit of a population a scale that is another by much.
        assert scales.max() / scales.min() < 1e3
