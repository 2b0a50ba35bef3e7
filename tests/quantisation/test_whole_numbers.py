"""Whole numbers: small enough for every back end, and near what they stand for."""

from __future__ import annotations

import numpy as np
import pytest
from tests.quantisation.test_heights import model_of

from volr.backends.reference import activations
from volr.errors import ModelError
from volr.exact.proof import holds
from volr.exact.sums import largest_sums, staircase_of
from volr.models.activations import SINGLE_WHOLE
from volr.models.model import ArtificialModel
from volr.quantisation.heights import heights
from volr.quantisation.whole_numbers import whole_numbers

PROGRAMS = (
    "dense 3 5 ⦶ dense 5 2",
    "conv [2 6 7] 4 3 pad:1 ⦶ maxpool _ 2 ⦶ conv _ 3 2 groups:1 ⦶ avgpool _ 2 stride:1 ⦶ dense _ 3",
    "conv [1 6 6] 4 3 ⦶ ((conv _ 4 3 pad:1 ⦶ conv _ 4 3 pad:1) ⊕ id _) ⦶ dense _ 2",
    "(dense 3 4 ⦶ dense 4 2) ⊖ dense 3 2",
)


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("levels", [2, 33, 256])
def test_they_are_as_large_as_is_exact_and_no_larger(program: str, levels: int) -> None:
    model = model_of(program)
    shown = activations(model, np.random.default_rng(1).random((30, model.network.input_size)))
    found = whole_numbers(model, heights(model, shown, levels, 99.0), levels)
    stairs = staircase_of(found)
    assert stairs.levels == levels
    assert holds(found)
    sizes = [
        largest_sums(model.network, found.parameters, each, levels).max()
        for each in model.network.layers
        if each.merge == "sum"
    ]
    assert max(sizes) < SINGLE_WHOLE
    largest_step = (levels + 1) * (stairs.step + 2) >= SINGLE_WHOLE // 4
    assert largest_step or max(sizes) > 0.8 * SINGLE_WHOLE


@pytest.mark.parametrize("program", PROGRAMS)
def test_many_levels_are_near_the_network_that_they_stand_for(program: str) -> None:
    model = model_of(program)
    stimuli = np.random.default_rng(1).random((30, model.network.input_size))
    shown = activations(model, stimuli)
    scales = heights(model, shown, 500, 100.0)
    whole = activations(whole_numbers(model, scales, 500), stimuli)
    for name, scale in scales.items():
        error = np.abs(whole[name] * scale - shown[name])
        assert error.max() < 0.02 * shown[name].max(), name
    for name in model.network.outputs:
        # The outputs of all populations are on one grid.
        ratio = (whole[name] * shown[name]).sum() / (whole[name] ** 2).sum()
        assert np.abs(whole[name] * ratio - shown[name]).max() < 0.02 * np.abs(shown[name]).max()


def test_a_population_that_nothing_reaches_is_refused() -> None:
    model = model_of("dense 3 4 ⦶ dense 4 2")
    values = {**model.parameters, "dense_1->dense_2.weight": np.zeros((2, 4))}
    model = ArtificialModel(model.network, values)
    shown = activations(model, np.random.default_rng(1).random((9, 3)))
    with pytest.raises(ModelError, match="all weights into dense_2 are 0"):
        whole_numbers(model, heights(model, shown, 8, 99.0), 8)


def test_too_many_levels_are_refused_with_the_numbers() -> None:
    model = model_of("dense 3 4 ⦶ dense 4 2")
    shown = activations(model, np.random.default_rng(1).random((9, 3)))
    with pytest.raises(ModelError) as caught:
        whole_numbers(model, heights(model, shown, 10**6, 99.0), 10**6)
    assert "for 1000000 levels" in caught.value.message
    assert "dense_1 can be" in caught.value.message
    assert caught.value.help == "choose fewer --levels"
