"""The steps of the ablation, and how each trains its artificial network."""

from __future__ import annotations

from dataclasses import asdict, replace

import numpy as np
import pytest
from studies.pedersen2019.recipe import (
    LADDER,
    LEFT_OUT,
    ORIGINAL,
    OURS,
    Recipe,
    recipe_ann,
    recipe_initial,
    recipe_named,
    recipe_training,
)
from tests.needs import skip_without
from tests.oracles import chain, fork

from volr.backends.reference import forward
from volr.errors import DataError, TrainingError
from volr.models.activations import Tanh
from volr.models.parameters import parameters
from volr.models.samples import Samples
from volr.training import TrainingSettings, train_ann
from volr.training.artificial import TRAINING_BACKENDS

NETWORK = fork(3, 4, 2, 2)


def repaired(recipe: Recipe) -> set[str]:
    return {name for name, on in asdict(recipe).items() if on}


def test_each_rung_repairs_one_more_thing_and_is_called_so() -> None:
    names, recipes = list(LADDER), list(LADDER.values())
    assert (names[0], names[-1]) == ("original", "ours")
    assert (recipes[0], recipes[-1]) == (ORIGINAL, OURS)
    assert len(recipes) == 6
    assert repaired(ORIGINAL) == set()
    for before, after, name in zip(recipes, recipes[1:], names[1:], strict=False):
        new = repaired(after) - repaired(before)
        assert repaired(before) < repaired(after)
        assert len(new) == 1
        assert name in {f"+ {new.copy().pop()}", "ours"}
    assert names.count("ours") == 1


def test_each_is_left_out_once() -> None:
    everything = {"initialisation", "signs", "biases", "scaling", "calibration"}
    assert repaired(OURS) == everything
    left = {name: everything - repaired(recipe) for name, recipe in LEFT_OUT.items()}
    assert left == {f"ours − {each}": {each} for each in everything}


def test_steps_are_found_by_their_name() -> None:
    assert recipe_named("+ signs") == LADDER["+ signs"]
    assert recipe_named("ours − biases") == replace(OURS, biases=False)
    with pytest.raises(DataError, match="'\\+ sign'"):
        recipe_named("+ sign")


def test_the_original_trains_by_plain_gradient_descent() -> None:
    ours = TrainingSettings(epochs=7, batch_size=32, candidates=3)
    found = recipe_training(ORIGINAL, 5, ours)
    assert (found.optimizer, found.rate, found.momentum, found.decay) == ("sgd", 0.1, 0.0, 0.0)
    assert (found.schedule, found.loss, found.batch_size) == ("constant", "cross_entropy", 64)
    assert (found.seed, found.epochs, found.validation, found.candidates) == (5, 7, 0.0, 1)
    assert recipe_training(ORIGINAL, 5, ours, "futhark").batch_size == 128
    assert recipe_training(OURS, 5, ours) == replace(ours, seed=5)


def test_the_original_begins_with_weights_around_one_and_no_biases() -> None:
    network = fork(40, 50, 30, 20)
    found = recipe_initial(network, ORIGINAL, 3)
    assert found is not None
    weights = np.concatenate(
        [each.ravel() for name, each in found.parameters.items() if name.endswith("weight")]
    )
    biases = [each for name, each in found.parameters.items() if name.endswith("bias")]
    # Five standard errors of the mean and of the deviation.
    assert abs(weights.mean() - 1.0) < 5 / np.sqrt(weights.size)
    assert abs(weights.std() - 1.0) < 5 / np.sqrt(2 * weights.size)
    assert len(biases) == 3
    assert not any(each.any() for each in biases)
    other = recipe_initial(network, ORIGINAL, 4)
    assert other is not None
    name = "input->dense_1.weight"
    assert (found.parameters[name] != other.parameters[name]).all()
    assert recipe_initial(network, OURS, 3) is None


def samples() -> Samples:
    random = np.random.default_rng(1)
    inputs = random.random((40, 3))
    return Samples(inputs, (inputs[:, 0] > inputs[:, 1]).astype(np.int64))


def test_an_update_from_the_initial_weights_is_that_of_gradient_descent() -> None:
    # One batch of all samples: the oracle is the loss itself, by finite differences.
    pytest.importorskip("torch")
    given = samples()
    start = recipe_initial(NETWORK, ORIGINAL, 2)
    assert start is not None
    found = recipe_ann(NETWORK, given, ORIGINAL, 2, TrainingSettings(epochs=1)).model

    def loss(name: str, place: tuple[int, ...], change: float) -> float:
        values = {key: each.copy() for key, each in start.parameters.items()}
        values[name][place] += change
        model = replace(start, parameters=parameters(NETWORK, values))
        logits = forward(model, given.inputs)
        shifted = logits - logits.max(axis=1, keepdims=True)
        logs = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
        return float(-logs[np.arange(len(given)), given.labels].mean())

    moved = 0
    for name, before in start.parameters.items():
        for place in np.ndindex(before.shape):
            slope = (loss(name, place, 1e-6) - loss(name, place, -1e-6)) / 2e-6
            expected = before[place] - 0.1 * slope
            assert found.parameters[name][place] == pytest.approx(expected, abs=2e-5)
            moved += abs(slope) > 1e-3
    assert moved > 10


def test_recipes_that_agree_in_the_initialisation_have_the_same_network() -> None:
    pytest.importorskip("torch")
    short = TrainingSettings(epochs=2, candidates=2)
    made = [
        recipe_ann(NETWORK, samples(), recipe, 6, short).model
        for recipe in (ORIGINAL, LEFT_OUT["ours − initialisation"], OURS)
    ]
    for name, values in made[0].parameters.items():
        np.testing.assert_array_equal(values, made[1].parameters[name])
        assert not np.array_equal(values, made[2].parameters[name])


def test_futhark_begins_with_the_same_weights() -> None:
    pytest.importorskip("torch")
    pytest.importorskip("futhark_ffi")
    skip_without("futhark", "cc")
    random = np.random.default_rng(7)
    # With fewer samples than either batch has, the two differ in nothing but rounding.
    given = Samples(random.random((40, 3)), random.integers(0, 4, 40))
    short = TrainingSettings(epochs=3)
    network = chain(3, 5, 4)
    torch, futhark = (
        recipe_ann(network, given, ORIGINAL, 2, short, backend=each).model.parameters
        for each in TRAINING_BACKENDS
    )
    start = recipe_initial(network, ORIGINAL, 2)
    assert start is not None
    for name, each in torch.items():
        np.testing.assert_allclose(futhark[name], each, atol=1e-5)
        assert not np.allclose(each, start.parameters[name], atol=1e-3)


def test_initial_parameters_have_to_fit() -> None:
    pytest.importorskip("torch")
    start = recipe_initial(NETWORK, ORIGINAL, 0)
    assert start is not None
    with pytest.raises(TrainingError, match="of another network"):
        train_ann(fork(3, 4, 3, 2), samples(), initial=start)
    with pytest.raises(TrainingError, match=r"are for tanh, and .* with relu"):
        train_ann(NETWORK, samples(), initial=replace(start, activation=Tanh()))
