"""`quantise`: the percentile that is chosen, the report, and what is refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.oracles import chain, random_parameters
from tests.quantisation.test_heights import model_of

from volr.backends.reference import activations, forward
from volr.errors import DataError, ModelError, UnsupportedError
from volr.language import to_network
from volr.models.activations import Tanh
from volr.models.model import ArtificialModel
from volr.models.samples import Samples
from volr.quantisation import QuantisationSettings, quantise

MODEL = model_of("conv [1 6 7] 3 3 ⦶ maxpool _ 2 ⦶ dense _ 5 ⦶ dense _ 3")
STIMULI = np.random.default_rng(5).random((300, 42))
SAMPLES = Samples(STIMULI, forward(MODEL, STIMULI).argmax(axis=1))


def test_the_best_percentile_is_taken_unless_one_is_told() -> None:
    seen: list[tuple[int, int]] = []

    def told_of(done: int, total: int) -> None:
        seen.append((done, total))

    found = quantise(MODEL, SAMPLES, QuantisationSettings(levels=6), progress=told_of)
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]
    told = {
        p: quantise(MODEL, SAMPLES, QuantisationSettings(levels=6, percentile=p)).report.agreement
        for p in (99.0, 99.9, 99.99, 100.0)
    }
    assert found.report.agreement == max(told.values())
    assert told[found.report.percentile] == found.report.agreement
    assert found.report.levels == 6


def test_the_report_is_of_what_was_made() -> None:
    settings = QuantisationSettings(levels=4, percentile=80.0, samples=200, seed=3)
    found = quantise(MODEL, SAMPLES, settings)
    report = found.report
    drawn = np.random.default_rng(3).permutation(300)[:200]
    shown, whole = activations(MODEL, STIMULI[drawn]), activations(found.model, STIMULI[drawn])
    assert report.samples == 200
    assert report.accuracy_before == 1.0
    agree = whole["dense_4"].argmax(axis=1) == shown["dense_4"].argmax(axis=1)
    assert report.agreement == report.accuracy_after == agree.mean()
    names = [each.name for each in report.populations]
    assert names == ["conv_1", "maxpool_2", "dense_3", "dense_4"]
    dense = report.populations[2]
    height = np.percentile(shown["dense_3"], 80.0, axis=0) / 4
    assert np.isclose(dense.height, np.exp(np.log(height).mean()))
    assert np.isclose(dense.clipped, (shown["dense_3"] > 4.5 * height).mean())
    difference = whole["dense_3"] * height - shown["dense_3"]
    assert np.isclose(
        dense.error, np.sqrt(np.square(difference).mean() / np.square(shown["dense_3"]).mean())
    )
    assert np.isnan(report.populations[3].height)


def test_equal_settings_give_equal_models() -> None:
    settings = QuantisationSettings(levels=16)
    assert quantise(MODEL, SAMPLES, settings).model == quantise(MODEL, SAMPLES, settings).model


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"levels": 1}, "levels is 1, below 2"),
        ({"levels": 2.5}, "levels is 2.5, not a whole number"),
        ({"percentile": 0.0}, "percentile is 0.0"),
        ({"samples": 0}, "samples is 0"),
        ({"seed": -1}, "seed is -1"),
    ],
)
def test_settings_that_make_no_sense_are_refused(change: dict[str, object], said: str) -> None:
    with pytest.raises(ModelError, match=said):
        replace(QuantisationSettings(), **change)


def test_what_cannot_be_quantised_is_refused() -> None:
    with pytest.raises(UnsupportedError, match="activation 'tanh'"):
        quantise(replace(MODEL, activation=Tanh()), SAMPLES)
    with pytest.raises(DataError, match="there are none"):
        quantise(MODEL, SAMPLES.first(0))
    with pytest.raises(DataError):
        quantise(MODEL, Samples(np.zeros((2, 3)), [0, 0]))  # pyright: ignore[reportArgumentType]
    whole = quantise(MODEL, SAMPLES, QuantisationSettings(levels=3)).model
    with pytest.raises(UnsupportedError, match="quantised already, to 3 levels"):
        quantise(whole, SAMPLES)
    network = to_network("maxpool [1 4 4] 2")
    largest = ArtificialModel(network, {"input->maxpool_1.weight": np.ones(1)})
    with pytest.raises(UnsupportedError, match="takes the largest of what arrives"):
        quantise(largest, Samples(np.zeros((2, 16)), [0, 0]))  # pyright: ignore[reportArgumentType]


def scaled(population: str, factor: float, unit: int | slice) -> ArtificialModel:
    """``MODEL`` with other numbers in some neurons, or channels, of a population."""
    values = {name: np.array(each) for name, each in MODEL.parameters.items()}
    for name, each in values.items():
        if name.endswith((f"->{population}.weight", f"{population}.bias")):
            each[unit] *= factor
    return replace(MODEL, parameters=values)


@pytest.mark.parametrize("factor", [1e300, 1e110, 1e-110, 1e-310])
@pytest.mark.parametrize("population", ["conv_1", "dense_3", "dense_4"])
def test_numbers_of_no_trained_network_are_refused(population: str, factor: float) -> None:
    with pytest.raises(ModelError, match=f"of a neuron of {population} add up to .*e[+-]"):
        quantise(scaled(population, factor, 1), SAMPLES)


@pytest.mark.parametrize("factor", [1e60, 1e-60])
def test_large_and_small_numbers_are_quantised_as_others(factor: float) -> None:
    found = quantise(scaled("dense_4", factor, slice(None)), SAMPLES).report
    usual = quantise(MODEL, SAMPLES).report
    assert (found.agreement, found.step) == (usual.agreement, usual.step)


def test_a_network_of_no_weights_is_refused() -> None:
    network = chain(3, 4, 2)
    values = random_parameters(network, np.random.default_rng(0), weight=0.5, bias=0.1)
    zeros = {name: np.zeros_like(each) for name, each in values.items()}
    with pytest.raises(ModelError, match="all weights into dense_1 are 0"):
        quantise(ArtificialModel(network, zeros), Samples(np.zeros((2, 3)), [0, 0]))  # pyright: ignore[reportArgumentType]
