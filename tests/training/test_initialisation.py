"""Where training starts: no neuron is dead, and every layer has the same scale."""

from __future__ import annotations

import numpy as np
import pytest
from tests.oracles import chain, fork

from volr.backends.reference import activations, forward
from volr.language import to_network
from volr.models.activations import Identity, ReLU, Tanh
from volr.models.model import ArtificialModel
from volr.models.parameters import parameter_shapes
from volr.training.initialisation import initial_parameters

CORNERS = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])


@pytest.mark.parametrize("seed", range(20))
def test_every_hidden_neuron_tells_samples_apart(seed: int) -> None:
    network = chain(2, 4, 3, 2)
    values = initial_parameters(network, ReLU(), CORNERS, np.random.default_rng(seed))
    shown = activations(ArtificialModel(network, values), CORNERS)
    for name in ("dense_1", "dense_2"):
        on = shown[name] > 0
        assert on.any(axis=0).all()
        assert not on.all(axis=0).any()


@pytest.mark.parametrize("activation", [ReLU(), Tanh(), Identity()], ids=lambda each: each.name)
def test_weighted_sums_vary_by_one_at_any_depth(activation: ReLU | Tanh | Identity) -> None:
    network = chain(7, *[30] * 40, 5)
    rng = np.random.default_rng(1)
    # Far from 0 and of small variation: what a scale that ignores the data gets wrong.
    inputs = 0.9 + 0.01 * rng.random((200, 7))
    values = initial_parameters(network, activation, inputs, rng)
    model = ArtificialModel(network, values, activation)
    shown = activations(model, inputs)
    for index in (1, 2, 20, 40):
        name = f"dense_{index}"
        before = "input" if index == 1 else f"dense_{index - 1}"
        z = shown[before] @ values[f"{before}->{name}.weight"].T + values[f"{name}.bias"]
        assert np.sqrt(z.var(axis=0).mean()) == pytest.approx(1.0)
    logits = forward(model, inputs)
    np.testing.assert_allclose(logits.mean(axis=0), 0.0, atol=1e-9)
    assert np.sqrt(logits.var(axis=0).mean()) == pytest.approx(0.5)


def test_blocks_have_the_spread_of_the_whole_boundary() -> None:
    network = fork(6, 400, 100, 300)
    rng = np.random.default_rng(2)
    values = initial_parameters(network, ReLU(), rng.random((50, 6)), rng)
    assert {name: value.shape for name, value in values.items()} == parameter_shapes(network)
    wide, narrow = (values[f"dense_{i}->dense_3.weight"].std() for i in (1, 2))
    assert wide == pytest.approx(narrow, rel=0.02)


@pytest.mark.parametrize("inputs", [np.zeros((9, 6)), np.full((3, 6), 0.1), np.ones((1, 6))])
def test_samples_that_do_not_differ_do_no_harm(inputs: np.ndarray) -> None:
    values = initial_parameters(fork(6, 4, 3, 2), ReLU(), inputs, np.random.default_rng(3))
    assert all(np.abs(value).max() < 10 for value in values.values())


def test_the_generator_decides() -> None:
    def start(seed: int) -> dict[str, np.ndarray]:
        rng = np.random.default_rng(seed)
        return dict(initial_parameters(fork(2, 4, 3, 2), ReLU(), CORNERS, rng))

    one, same, other = start(4), start(4), start(5)
    for name in one:
        np.testing.assert_array_equal(one[name], same[name])
        assert (one[name] != other[name]).any()


IMAGES = np.random.default_rng(5).random((300, 2 * 7 * 6))
DEEP = to_network(
    "let block s = (conv s 4 3 pad:1 ⦶ conv _ 4 3 pad:1) ⊕ id s in "
    "conv [2 7 6] 4 [3 2] ⦶ avgpool _ [1 2] ⦶ block [4 5 2] ⦶ conv _ 6 2 groups:2 ⦶ "
    "maxpool _ [2 1] ⦶ dense _ 5"
)


def test_kernels_have_the_scale_and_the_biases_of_other_weights() -> None:
    values = initial_parameters(DEEP, ReLU(), IMAGES, np.random.default_rng(3))
    assert {name: each.shape for name, each in values.items()} == parameter_shapes(DEEP)
    model = ArtificialModel(DEEP, values)
    shown = activations(model, IMAGES)
    sources = {projection.source for projection in DEEP.projections}
    for population in DEEP.layers:
        if population.merge == "max" or population.name not in sources:
            continue
        on = (shown[population.name] > 0).reshape(len(IMAGES), population.shape[0], -1)
        # Each channel's hyperplane is between two of the values that it has seen.
        assert on.any(axis=(0, 2)).all()
        assert not on.all(axis=(0, 2)).any()
    # What a kernel brings varies by one, over all its neurons, whatever an identity adds.
    first = DEEP.projections[0]
    brought = first.connector.apply(values["input->conv_1.weight"], IMAGES, *DEEP.ends(first))
    assert np.sqrt(brought.var(axis=0).mean()) == pytest.approx(1.0, rel=0.05)
    outputs = forward(model, IMAGES)
    assert np.sqrt(outputs.var(axis=0).mean()) == pytest.approx(0.5, rel=0.1)


def test_the_fan_in_of_a_kernel_is_that_of_one_channel() -> None:
    network = to_network("conv [8 9 9] 64 3 groups:2 ⦶ dense _ 2")
    inputs = np.random.default_rng(0).random((20, 8 * 81))
    weight = initial_parameters(network, ReLU(), inputs, np.random.default_rng(1))[
        "input->conv_1.weight"
    ]
    drawn = np.random.default_rng(1).normal(0.0, (4 * 9) ** -0.5, (64, 4, 3, 3))
    # One factor for the population.
    np.testing.assert_allclose(weight / drawn, (weight / drawn).flat[0], rtol=1e-9)


def test_an_identity_stays_one_and_moves_the_hyperplane() -> None:
    network = to_network("dense 6 4 ⦶ ((dense 4 4) ⊕ id 4) ⦶ dense 4 3")
    inputs = np.random.default_rng(2).random((200, 6))
    values = initial_parameters(network, ReLU(), inputs, np.random.default_rng(4))
    fixed = [name for name, each in values.items() if each.shape == (1,)]
    assert len(fixed) == 1
    assert values[fixed[0]] == 1.0
    shown = activations(ArtificialModel(network, values), inputs)
    on = shown[network.layers[1].name] > 0
    assert on.any(axis=0).all()
    assert not on.all(axis=0).any()
