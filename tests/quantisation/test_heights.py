"""Heights, against percentiles that NumPy takes."""

from __future__ import annotations

import numpy as np
from tests.oracles import random_parameters

from volr.backends.reference import activations
from volr.language import to_network
from volr.models.model import ArtificialModel
from volr.quantisation.heights import heights, largest_sum


def model_of(program: str, seed: int = 0) -> ArtificialModel:
    network = to_network(program)
    values = random_parameters(network, np.random.default_rng(seed), weight=0.4, bias=0.1)
    for each in network.projections:
        if not each.connector.trained:
            values[f"{each.name}.weight"] = np.ones_like(values[f"{each.name}.weight"])
    return ArtificialModel(network, values)


def test_units_and_channels_have_heights_of_their_own() -> None:
    model = model_of("conv [1 6 7] 3 3 ⦶ maxpool _ 2 ⦶ dense _ 5 ⦶ dense _ 2")
    shown = activations(model, np.random.default_rng(1).random((40, 42)))
    found = heights(model, shown, 8, 90.0)
    assert set(found) == {"input", "conv_1", "maxpool_2", "dense_3"}
    assert (found["input"] == 1 / 8).all()
    channels = shown["conv_1"].reshape(40, 3, 20)
    for channel in range(3):
        wanted = np.percentile(channels[:, channel], 90.0) / 8
        assert np.allclose(found["conv_1"].reshape(3, 20)[channel], wanted)
        assert np.allclose(found["maxpool_2"].reshape(3, 4)[channel], wanted)
    assert np.allclose(found["dense_3"], np.percentile(shown["dense_3"], 90.0, axis=0) / 8)


def test_both_ends_of_an_identity_have_heights_in_one_proportion() -> None:
    model = model_of(
        "conv [1 6 6] 4 3 ⦶ ((conv _ 4 3 pad:1 ⦶ conv _ 4 3 pad:1) ⊕ id _) ⦶ dense _ 2"
    )
    shown = activations(model, np.random.default_rng(1).random((30, 36)))
    found = heights(model, shown, 16, 99.0)
    ratio = found["conv_3"] / found["conv_1"]
    assert np.ptp(ratio) < 1e-12 * ratio.max()
    assert ratio.max() > 1.2
    # That between them is not tied.
    assert np.ptp(found["conv_2"] / found["conv_1"]) > 0.1


def test_units_beside_an_identity_of_the_input_have_one_height() -> None:
    model = model_of("(dense 4 4 ⊕ id 4) ⦶ dense 4 2")
    shown = activations(model, np.random.default_rng(1).random((30, 4)))
    found = heights(model, shown, 4, 99.0)
    assert np.ptp(found["dense_1"]) == 0.0
    assert (found["input"] == 0.25).all()


def test_a_silent_unit_has_a_typical_height_and_a_small_one_is_raised() -> None:
    model = model_of("dense 3 4 ⦶ dense 4 2")
    values = dict(model.parameters)
    values["dense_1.bias"] = np.array([0.5, -90.0, 0.5, 0.5])
    model = ArtificialModel(model.network, values)
    shown = activations(model, np.random.default_rng(1).random((30, 3)))
    assert not shown["dense_1"][:, 1].any()
    found = heights(model, shown, 8, 99.0)["dense_1"]
    bound = largest_sum(model, {"input": np.full(3, 1 / 8)}, model.network["dense_1"], 8)
    assert found[1] >= bound[1] / (1024 * 8)
    assert np.isfinite(found).all()
    # One that is almost never active.
    shown["dense_1"][:, 0] *= 1e-9
    found = heights(model, shown, 8, 99.0)["dense_1"]
    assert np.isclose(found[0], bound[0] / (1024 * 8))
