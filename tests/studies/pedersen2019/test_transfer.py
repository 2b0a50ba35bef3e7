"""What a recipe makes of an artificial model, against the formulas of the original."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from studies.pedersen2019.recipe import (
    LADDER,
    LEFT_OUT,
    ORIGINAL,
    OURS,
    Recipe,
    recipe_ann,
    recipe_named,
)
from studies.pedersen2019.transfer import INPUTS, NEURON, recipe_transfer, stripped
from tests.oracles import PlainSimulator, chain, fork, random_parameters

from volr.backends.base import Record
from volr.backends.reference import forward
from volr.models.model import ArtificialModel
from volr.models.samples import Samples
from volr.neurons import IFCondExp, IFCurrDelta, IFCurrExp, NeuronModel
from volr.neurons.response import spike_count
from volr.training import TrainingSettings
from volr.transfer import TransferSettings, transfer_ann

if TYPE_CHECKING:
    from volr.models.model import SpikingModel

SHORT = TransferSettings(neuron=NEURON, dt=1.0, duration=20.0, samples=6, rounds=1)
UNSCALED = [name for name, recipe in LADDER.items() if not recipe.scaling]


def ann(seed: int, *, sizes: tuple[int, int, int, int] = (5, 4, 2, 3)) -> ArtificialModel:
    network = fork(*sizes)
    values = random_parameters(network, np.random.default_rng(seed), weight=0.5, bias=-0.3)
    return ArtificialModel(network, values)


def samples(units: int = 5) -> Samples:
    random = np.random.default_rng(2)
    return Samples(random.random((20, units)), random.integers(0, 3, 20))


def transferred(
    model: ArtificialModel, recipe: Recipe, given: TransferSettings = SHORT
) -> SpikingModel:
    return recipe_transfer(model, samples(), PlainSimulator(), given, recipe)


def test_the_original_is_what_its_formula_says() -> None:
    model = ann(1)
    found = transferred(model, ORIGINAL)
    values = model.parameters
    for name in ("input->dense_1.weight", "input->dense_2.weight"):
        low, high = values[name].min(), values[name].max()
        expected = 0.065 / 5 * (values[name] - low) / (high - low)
        np.testing.assert_allclose(found.parameters[name], expected, rtol=1e-12, atol=1e-18)
        assert found.parameters[name].max() == pytest.approx(0.013)
    # Two sources, 4 and 2 neurons, are one of 6.
    names = ["dense_1->dense_3.weight", "dense_2->dense_3.weight"]
    both = np.hstack([values[name] for name in names])
    expected = 0.065 / 6 * (both - both.min()) / np.ptp(both)
    got = np.hstack([found.parameters[name] for name in names])
    np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-18)
    for name, each in found.parameters.items():
        assert each.min() >= 0.0
        assert name.endswith("weight") or not each.any()
    assert found.neuron == IFCondExp()


def test_an_input_of_one_has_the_spikes_of_12_nanoampere() -> None:
    # In steps of 0.1 ms, PyNN's default, without refractoriness, as in the original's figures. Any
    # neuron does: under a constant current they are the same.
    neuron = IFCurrDelta(tau_refrac=0.0)
    model = transferred(ann(1), ORIGINAL, TransferSettings(neuron=neuron, dt=0.1))
    stimuli = np.array([[1.0, 0.0, 0.5, 1.0, 0.25]])
    count = PlainSimulator().run(model, stimuli, record=Record(("input",)))
    driven = spike_count(neuron, 0.1, 500, np.array([12.0, 0.0, 6.0, 12.0, 3.0]))
    assert driven[0] == 38
    found = count.counts["input"][0]
    assert (found[0], found[1]) == (38, 0)
    # A current proportional to the value has fewer by at most the regression's intercept.
    assert ((found - driven)[1:] >= 0).all()
    assert (found - driven).max() <= 2


@pytest.mark.parametrize(
    ("neuron", "expected"),
    [
        (IFCondExp(), 0.065),
        # µS times the mean drive of 57.5 mV, for as long.
        (IFCurrExp(), 0.065 * 57.5),
        # The charge 0.065 µS · 57.5 mV · 5 ms on 1 nF.
        (IFCurrDelta(), 0.065 * 57.5 * 5.0),
    ],
    ids=["cond", "exp", "delta"],
)
def test_other_neurons_get_the_same_charge(neuron: NeuronModel, expected: float) -> None:
    found = transferred(ann(3), ORIGINAL, replace(SHORT, neuron=neuron))
    assert found.parameters["input->dense_1.weight"].max() == pytest.approx(expected / 5)


def test_without_the_shift_signs_and_zeros_stay() -> None:
    model = ann(4)
    values = dict(model.parameters)
    values["input->dense_1.weight"] = np.where(
        np.arange(20).reshape(4, 5) % 3 == 0, 0.0, values["input->dense_1.weight"]
    )
    model = replace(model, parameters=values)
    found = transferred(model, LADDER["+ signs"])
    for name, each in model.parameters.items():
        if name.endswith("weight"):
            np.testing.assert_array_equal(np.sign(found.parameters[name]), np.sign(each))
    assert (found.parameters["input->dense_1.weight"] < 0).any()
    # The same step for both signs: a microsiemens is one.
    ratio = found.parameters["input->dense_2.weight"] / values["input->dense_2.weight"]
    np.testing.assert_allclose(ratio, ratio[0, 0], rtol=1e-12)
    assert not found.parameters["dense_1.bias"].any()


def test_a_bias_weighs_as_much_as_a_synapse_whose_source_is_always_at_one() -> None:
    # In a linear neuron the bias b and the weight b from an input of 1 bring the same charge.
    network = chain(2, 3, 2)
    values = random_parameters(network, np.random.default_rng(5), weight=0.6, bias=0.4)
    model = ArtificialModel(network, values)
    given = replace(SHORT, neuron=IFCurrDelta())
    found = recipe_transfer(
        model, samples(2), PlainSimulator(), given, LADDER["+ biases"]
    ).parameters
    spikes = 760.0 * 0.02
    neuron = given.neuron
    for weight, bias, full in (
        ("input->dense_1.weight", "dense_1.bias", spikes),
        # dense_1 answers f spikes for a unit of weight and a spike.
        (
            "dense_1->dense_2.weight",
            "dense_2.bias",
            spikes
            * found["input->dense_1.weight"][0, 0]
            / values["input->dense_1.weight"][0, 0]
            / 15,
        ),
    ):
        per_unit = found[weight][0, 0] / values[weight][0, 0]
        charge = per_unit * full * values[bias]  # mV
        steps = 20
        np.testing.assert_allclose(found[bias] * neuron.rise(1.0) * steps, charge, rtol=1e-12)


def test_ours_is_the_plain_transfer() -> None:
    model = ann(6)
    plain = transfer_ann(model, samples(), PlainSimulator(), SHORT).model
    found = transferred(model, OURS)
    for name, each in plain.parameters.items():
        np.testing.assert_array_equal(found.parameters[name], each)
    assert found.coding == plain.coding == SHORT.input_coding


def test_without_calibration_nothing_is_simulated() -> None:
    class Broken:
        def run(self, *_: object, **__: object) -> None:
            raise AssertionError("simulated")

        read_back = run

    model = ann(7)
    for name in UNSCALED:
        recipe_transfer(model, samples(), Broken(), SHORT, LADDER[name])  # type: ignore[arg-type]


def test_calibration_begins_where_the_weights_by_their_range_are() -> None:
    # Without rounds, and with nothing of the neuron's units in it that the formula lacks.
    model = ArtificialModel(
        chain(5, 4, 3),
        random_parameters(chain(5, 4, 3), np.random.default_rng(8), weight=0.5, bias=0.0),
    )
    given = replace(SHORT, neuron=IFCurrExp(), rounds=0)
    bare = transferred(model, LADDER["+ biases"], given)
    begun = transferred(model, LEFT_OUT["ours − scaling"], given)
    for name in ("input->dense_1.weight", "dense_1->dense_2.weight"):
        np.testing.assert_allclose(begun.parameters[name], bare.parameters[name], rtol=1e-12)
    assert begun.coding == bare.coding == INPUTS
    calibrated = transferred(model, LEFT_OUT["ours − scaling"], replace(given, rounds=2))
    assert any(
        not np.array_equal(calibrated.parameters[name], each)
        for name, each in begun.parameters.items()
    )


@given(st.integers(0, 2**32 - 1), st.booleans(), st.booleans())
@settings(max_examples=30, deadline=None)
def test_stripped_takes_away_what_the_recipe_says(seed: int, signs: bool, biases: bool) -> None:
    model = ann(seed)
    left = stripped(model, replace(OURS, signs=signs, biases=biases))
    for name, each in model.parameters.items():
        now = left.parameters[name]
        if name.endswith("bias"):
            np.testing.assert_array_equal(now, each if biases else 0.0 * each)
        elif signs:
            np.testing.assert_array_equal(now, each)
        else:
            assert now.min() >= 0.0
            # One shift for all weights of a population.
            assert np.ptp(now - each) == pytest.approx(0.0, abs=1e-12)
    if not signs and biases:
        # The outputs' shift is common to all: what the last layer says of its sources is the same.
        only = replace(model, parameters={**model.parameters, **_outputs(left)})
        stimuli = np.random.default_rng(seed).random((6, 5))
        logits, shifted = forward(model, stimuli), forward(only, stimuli)
        np.testing.assert_allclose(
            logits - logits.mean(axis=1, keepdims=True),
            shifted - shifted.mean(axis=1, keepdims=True),
            atol=1e-9,
        )


def _outputs(model: ArtificialModel) -> dict[str, object]:
    return {name: each for name, each in model.parameters.items() if "->dense_3" in name}


def test_weights_that_are_all_the_same_have_no_range() -> None:
    network = chain(2, 3, 2)
    values = {
        name: np.ones_like(each)
        for name, each in random_parameters(
            network, np.random.default_rng(0), weight=1.0, bias=1.0
        ).items()
    }
    for name in UNSCALED:
        found = recipe_transfer(
            ArtificialModel(network, values), samples(2), PlainSimulator(), SHORT, LADDER[name]
        )
        assert all(np.isfinite(each).all() for each in found.parameters.values())


def test_every_step_makes_both_models_and_the_same_from_the_same_seed() -> None:
    pytest.importorskip("torch")
    network = fork(5, 4, 2, 3)
    quick = replace(SHORT, neuron=IFCurrDelta(), duration=10.0, samples=6)
    training = TrainingSettings(epochs=1, candidates=1)

    def made(
        step: str, seed: int, artificial: ArtificialModel | None = None
    ) -> tuple[ArtificialModel, SpikingModel]:
        recipe = recipe_named(step)
        if artificial is None:
            artificial = recipe_ann(network, samples(), recipe, seed, training).model
        settings = replace(quick, seed=seed)
        return artificial, recipe_transfer(
            artificial, samples(), PlainSimulator(), settings, recipe
        )

    shared: dict[bool, ArtificialModel] = {}
    found: dict[str, SpikingModel] = {}
    for step, recipe in (LADDER | LEFT_OUT).items():
        shared[recipe.initialisation], found[step] = made(
            step, 4, shared.get(recipe.initialisation)
        )
    assert set(shared) == {False, True}
    for step in ("original", "ours", "ours − scaling"):
        (_, again), (_, other) = made(step, 4), made(step, 5)
        for name, each in found[step].parameters.items():
            np.testing.assert_array_equal(again.parameters[name], each)
        name = "input->dense_1.weight"
        assert (other.parameters[name] != found[step].parameters[name]).any()
    # No two steps are the same, but for the one that has two names.
    distinct = {
        tuple(each.parameters["dense_1.bias"])
        + tuple(each.parameters["input->dense_1.weight"].ravel())
        for each in found.values()
    }
    assert len(distinct) == len(found) - 1
