"""Where training starts: no neuron is dead, and every layer has the same scale."""

from __future__ import annotations

import numpy as np
import pytest
from tests.oracles import chain, fork

from volr.backends.reference import activations, forward
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
