"""Scales of single units, read from weights that were made up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.oracles import chain, fork, random_parameters

from volr.backends.reference import activations
from volr.explanation.unit_scales import Units, evened, read_units, within
from volr.models.model import ArtificialModel, SpikingModel
from volr.neurons import IFCondExp, IFCurrDelta, IFCurrExp, NeuronModel
from volr.transfer import TransferSettings
from volr.transfer.balance import balanced
from volr.transfer.scaling import Correction, Scale, spiking_model

if TYPE_CHECKING:
    from volr.checks.arrays import Floats

NETWORK = chain(7, 9, 6, 4)
FIRST, SECOND, THIRD = (
    f"{a}->{b}.weight"
    for a, b in (("input", "dense_1"), ("dense_1", "dense_2"), ("dense_2", "dense_3"))
)
ANN = ArtificialModel(
    NETWORK, random_parameters(NETWORK, np.random.default_rng(5), weight=0.4, bias=0.2)
)


def transferred(ann: ArtificialModel, neuron: NeuronModel = IFCurrDelta()) -> SpikingModel:
    """With scales and corrections that are made up, and the units as they are in ``ann``."""
    layers = [population.name for population in ann.network.layers]
    scale = {"input": Scale(1.0)} | {name: Scale(2.0 + i) for i, name in enumerate(layers)}
    correction = {name: Correction(1.2, 0.8, 0.05) for name in layers}
    settings = TransferSettings(neuron=neuron)
    return spiking_model(ann, ann.network, scale, correction, settings)


def changed(model: SpikingModel, **values: Floats) -> SpikingModel:
    names = {"first": FIRST, "second": SECOND, "third": THIRD}
    others = {names[name]: value for name, value in values.items()}
    return SpikingModel(
        network=model.network, parameters={**model.parameters, **others}, neuron=model.neuron
    )


def none_is_badly_scaled(found: Units) -> bool:
    return not any(found.badly_scaled(name).any() for name in found.own)


@pytest.mark.parametrize("neuron", [IFCurrDelta(), IFCurrExp(tau_syn_I=8.0), IFCondExp()])
def test_a_transfer_has_its_units_in_balance(neuron: NeuronModel) -> None:
    found = read_units(balanced(ANN), transferred(balanced(ANN), neuron))
    for each in (*found.own.values(), *found.taken.values()):
        np.testing.assert_array_equal(each, 1.0)
    assert none_is_badly_scaled(found)


@pytest.mark.parametrize("neuron", [IFCurrDelta(), IFCondExp()])
@given(exponents=st.lists(st.floats(-3.0, 3.0), min_size=15, max_size=15))
def test_scales_of_all_units_are_found(neuron: NeuronModel, exponents: list[float]) -> None:
    # Of a network that was transferred as it was, with one scale a population.
    factors = 10.0 ** np.array(exponents)
    values = {name: np.array(value) for name, value in balanced(ANN).parameters.items()}
    for weights, name, out, part in (
        (FIRST, "dense_1", SECOND, factors[:9]),
        (SECOND, "dense_2", THIRD, factors[9:]),
    ):
        values[weights] *= part[:, None]
        values[f"{name}.bias"] *= part
        values[out] /= part
    unequal = ArtificialModel(NETWORK, values)
    snn = transferred(unequal, neuron)
    # Whichever of the equal ANNs is given.
    for ann in (ANN, unequal):
        found = read_units(balanced(ann), snn)
        for name, part in (("dense_1", factors[:9]), ("dense_2", factors[9:])):
            np.testing.assert_allclose(found.own[name], part / np.median(part), rtol=1e-6)
            np.testing.assert_array_equal(found.badly_scaled(name), ~within(found.own[name], 4.0))
        for taken in found.taken.values():
            np.testing.assert_allclose(taken, 1.0, rtol=1e-6)
    # The ANN on these scales is the same function.
    stimuli = np.random.default_rng(1).random((5, 7))
    np.testing.assert_allclose(
        activations(found.ann, stimuli)["dense_3"], activations(ANN, stimuli)["dense_3"]
    )


def test_one_unit_whose_weights_were_changed() -> None:
    snn = transferred(balanced(ANN))
    stronger = np.array(snn.parameters[FIRST])
    stronger[3] *= 20.0
    found = read_units(balanced(ANN), changed(snn, first=stronger))
    expected = np.where(np.arange(9) == 3, 20.0, 1.0)
    np.testing.assert_allclose(found.own["dense_1"], expected, rtol=1e-9)
    # Its targets have not been told.
    np.testing.assert_allclose(found.taken["dense_1->dense_2"], expected, rtol=1e-9)
    assert np.flatnonzero(found.badly_scaled("dense_1")).tolist() == [3]

    louder = np.array(snn.parameters[THIRD])
    louder[:, 2] *= 5.0
    found = read_units(balanced(ANN), changed(snn, third=louder))
    assert (found.own["dense_2"] == 1.0).all()
    assert found.taken["dense_2->dense_3"][2] == pytest.approx(5.0)
    assert np.flatnonzero(found.badly_scaled("dense_2")).tolist() == [2]
    assert not found.badly_scaled("dense_3").any()


def test_what_is_not_a_scale_is_not_taken_for_one() -> None:
    snn, rng = transferred(balanced(ANN)), np.random.default_rng(2)
    weights = snn.parameters[FIRST]
    exchanged = np.array(weights)
    exchanged[[0, 1], 2] = exchanged[[1, 0], 2]
    for planted in (
        rng.permuted(weights, axis=1),
        np.maximum(weights, 0.0),
        np.abs(weights),
        np.where(np.arange(9)[:, None] == 4, 0.0, weights),
        np.where(np.arange(9)[:, None] == 4, -weights, weights),
        exchanged,
    ):
        assert none_is_badly_scaled(read_units(balanced(ANN), changed(snn, first=planted)))


def test_noise_leaves_scales_where_they_are() -> None:
    # As fine-tuning does.
    snn, rng = transferred(balanced(ANN)), np.random.default_rng(3)
    noisy = {
        name: value * (1.0 + 0.1 * rng.standard_normal(value.shape))
        for name, value in snn.parameters.items()
    }
    noisy[SECOND][1] *= 30.0
    snn = SpikingModel(network=NETWORK, parameters=noisy)
    found = read_units(balanced(ANN), snn)
    assert np.flatnonzero(found.badly_scaled("dense_2")).tolist() == [1]
    assert found.own["dense_2"][1] == pytest.approx(30.0, rel=0.2)
    assert not found.badly_scaled("dense_1").any()


def test_branches_have_scales_of_their_own() -> None:
    network = fork(5, 6, 4, 3)
    values = random_parameters(network, np.random.default_rng(1), weight=0.4, bias=0.2)
    ann = ArtificialModel(network, values)
    snn = transferred(balanced(ann))
    stronger = np.array(snn.parameters["input->dense_2.weight"])
    stronger[2] *= 0.05
    planted = {**snn.parameters, "input->dense_2.weight": stronger}
    found = read_units(ann, SpikingModel(network=network, parameters=planted))
    assert not found.badly_scaled("dense_1").any()
    assert np.flatnonzero(found.badly_scaled("dense_2")).tolist() == [2]


def test_counts_of_units_that_are_evened() -> None:
    # One unit takes the whole range, so that the others have next to nothing of it.
    counts = np.array([[0.0, 0.4, 20.0], [0.2, 0.0, 10.0], [0.4, 0.4, 0.0]])
    own = np.array([1.0, 1.0, 50.0])
    bad = own > 4.0
    np.testing.assert_allclose(evened(own, bad, counts, 25.0), [50.0, 50.0, 1.0], rtol=0.01)
    # One that was driven too far comes back, and the others stay.
    counts = np.array([[0.0, 20.0, 500.0], [10.0, 0.0, 250.0], [20.0, 20.0, 0.0]])
    own = np.array([1.0, 1.0, 25.0])
    np.testing.assert_allclose(evened(own, own > 4.0, counts, 20.0), [1.0, 1.0, 0.04], rtol=0.01)
    # Nothing is evened where nothing is bad, or there is nothing.
    assert (evened(own, own > 100.0, counts, 20.0) == 1.0).all()
    assert (evened(own, own > 4.0, 0.0 * counts, 20.0) == 1.0).all()
