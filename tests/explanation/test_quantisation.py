"""What quantisation costs: mixtures by hand, parts that add up, and Shapley values."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from volr.backends.reference import activations, forward
from volr.errors import DataError, ModelError, UnsupportedError
from volr.exact.sums import window_size
from volr.explanation.mixtures import Mixture, mixture_of
from volr.explanation.quantisation import PopulationLoss, QuantisationLoss, explain_quantisation
from volr.explanation.shares import shapley
from volr.language import to_network
from volr.models.activations import Tanh
from volr.models.model import ArtificialModel
from volr.models.parameters import fixed_weights, parameter_shapes, weight_name
from volr.models.samples import Samples
from volr.quantisation import QuantisationSettings, quantise
from volr.quantisation.heights import heights

DENSE = "dense 5 7 ⦶ dense 7 3"
# Windows and kernels that differ by axis, channels that share heights, two paths of other depth.
MAPS = (
    "conv [2 6 7] 4 [2 3] pad:[1 0] ⦶ maxpool _ [2 1] ⦶ (conv _ 4 3 pad:1 ⊕ id _) ⦶ "
    "avgpool _ [2 3] stride:[1 2] ⦶ (dense _ 2 ⊖ (dense _ 5 ⦶ dense _ 2))"
)
LEVELS = 6


def trained(program: str, seed: int = 0) -> ArtificialModel:
    """Random numbers, and outputs of which none is the largest for most stimuli."""
    network, rng = to_network(program), np.random.default_rng(seed)
    values = {
        name: rng.normal(0.1, 0.6, shape) for name, shape in parameter_shapes(network).items()
    }
    values |= {name: np.ones_like(values[name]) for name in fixed_weights(network)}
    logits = forward(ArtificialModel(network, values), rng.random((200, network.input_size)))
    for name in network.outputs:
        count = network[name].size
        values[f"{name}.bias"] = values[f"{name}.bias"] - logits[:, :count].mean(axis=0)
        logits = logits[:, count:]
    return ArtificialModel(network, values)


def samples(model: ArtificialModel, count: int = 300, seed: int = 1) -> Samples:
    """Stimuli with the labels that the network gives them, but for a tenth."""
    rng = np.random.default_rng(seed)
    inputs = rng.random((count, model.network.input_size))
    labels = forward(model, inputs).argmax(axis=1)
    other = rng.integers(0, model.network.output_size, count)
    return Samples(inputs, np.where(rng.random(count) < 0.1, other, labels))


def quantised(model: ArtificialModel, shown: Samples, levels: int = LEVELS) -> ArtificialModel:
    settings = QuantisationSettings(levels=levels, percentile=99.0)
    return quantise(model, shown, settings).model


def both(program: str) -> tuple[ArtificialModel, ArtificialModel, Samples, Mixture]:
    ann = trained(program)
    shown = samples(ann)
    whole = quantised(ann, shown)
    return ann, whole, shown, mixture_of(ann, whole)


@pytest.mark.parametrize("program", [DENSE, MAPS])
def test_a_mixture_is_one_network_or_the_other_at_its_ends(program: str) -> None:
    ann, whole, shown, mixture = both(program)
    none = mixture.values(shown.inputs, frozenset())
    every = mixture.values(shown.inputs, frozenset(mixture.players))
    for name, values in activations(ann, shown.inputs).items():
        np.testing.assert_array_equal(none[name].real, values)
    for name, values in activations(whole, shown.inputs).items():
        np.testing.assert_array_equal(every[name].levels, values)
    assert not any(name.startswith("maxpool") for name in mixture.players)


@pytest.mark.parametrize("program", [DENSE, MAPS])
def test_heights_are_those_that_it_was_quantised_with(program: str) -> None:
    ann, whole, shown, mixture = both(program)
    chosen = np.random.default_rng(0).permutation(len(shown))
    wanted = heights(ann, activations(ann, shown.inputs[chosen]), LEVELS, 99.0)
    for name, each in wanted.items():
        np.testing.assert_allclose(mixture.heights[name], each, rtol=1e-3)
    # All outputs are compared in one unit.
    of_outputs = [mixture.heights[name] for name in whole.network.outputs]
    assert len({float(each) for values in of_outputs for each in values}) == 1


@pytest.mark.parametrize("levels", [2, 5, 40, 300])
@pytest.mark.parametrize("program", [DENSE, MAPS])
def test_a_network_that_was_trained_on_is_another(program: str, levels: int) -> None:
    for seed in range(4):
        ann = trained(program, seed)
        shown = samples(ann)
        whole = quantised(ann, shown, levels)
        mixture_of(ann, whole)
        # By a percent: little, and much beside a step of the grid. No sum becomes larger.
        rng, values = np.random.default_rng(seed), dict(whole.parameters)
        for each in whole.network.projections:
            name, per = weight_name(each), window_size(each)
            if name not in fixed_weights(whole.network):
                kept = 1.0 - 0.02 * rng.random(values[name].shape)
                values[name] = per * np.rint(values[name] * kept / per)
        with pytest.raises(ModelError, match="are not those of the ANN in whole numbers"):
            mixture_of(ann, replace(whole, parameters=values))


def test_one_population_after_the_other_by_hand() -> None:
    ann, _, shown, mixture = both(DENSE)
    values, x = ann.parameters, shown.inputs
    s = mixture.heights["dense_1"]
    rounded = np.floor(x.astype(np.float32).astype(np.float64) * LEVELS + 0.5) / LEVELS
    for on, of_inputs in (({"dense_1"}, x), ({"input", "dense_1"}, rounded)):
        z = of_inputs @ values["input->dense_1.weight"].T + values["dense_1.bias"]
        hidden = s * np.clip(np.floor(z / s + 0.5), 0, LEVELS)
        logits = hidden @ values["dense_1->dense_2.weight"].T + values["dense_2.bias"]
        found = mixture.logits(mixture.values(x, frozenset(on)))
        # Weights are whole numbers there, which matters where a sum is at an edge.
        assert (np.abs(found - logits).max(axis=1) < 1e-4).mean() > 0.98
    hidden = np.maximum(rounded @ values["input->dense_1.weight"].T + values["dense_1.bias"], 0.0)
    logits = hidden @ values["dense_1->dense_2.weight"].T + values["dense_2.bias"]
    found = mixture.logits(mixture.values(x, frozenset({"input"})))
    np.testing.assert_allclose(found, logits, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("program", [DENSE, MAPS])
def test_parts_add_up_to_what_is_lost(program: str) -> None:
    ann, whole, shown, mixture = both(program)
    told: list[tuple[str, int, int]] = []
    found = explain_quantisation(
        ann, whole, shown, progress=lambda stage, done, total: told.append((stage, done, total))
    )
    assert told[-1] == ("splitting the gap", 300, 300)
    before, after = (forward(each, shown.inputs) for each in (ann, whole))
    right = [float((each.argmax(axis=1) == shown.labels).mean()) for each in (before, after)]
    assert (found.ann, found.quantised) == pytest.approx(right)
    assert found.gap == pytest.approx(right[0] - right[1])
    assert found.differing == (before.argmax(axis=1) != after.argmax(axis=1)).sum() > 0
    off = after * mixture.heights[whole.network.outputs[0]][0] - before
    assert found.change == pytest.approx(np.sqrt(np.square(off).sum() / np.square(before).sum()))
    assert [each.population for each in found.parts] == [*mixture.players]
    assert sum(each.points for each in found.parts) == pytest.approx(found.gap)
    assert sum(each.logits for each in found.parts) == pytest.approx(1.0)


def test_parts_are_shapley_values_where_pairs_affect_each_other() -> None:
    ann, whole, shown, mixture = both(DENSE)
    none = mixture.logits(mixture.values(shown.inputs, frozenset()))

    def judged(on: frozenset[str]) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
        logits = mixture.logits(mixture.values(shown.inputs, on))
        right = logits.argmax(axis=1) == shown.labels
        return np.stack([right, np.square(logits - none).sum(axis=1)])

    shares = shapley({name: frozenset[str]() for name in mixture.players}, judged)
    found = explain_quantisation(ann, whole, shown)
    whole_change = sum(each[1].sum() for each in shares.values())
    for part in found.parts:
        share = shares[part.population]
        assert part.points == pytest.approx(-share[0].mean(), abs=1e-12)
        assert part.error == pytest.approx(share[0].std() / np.sqrt(300), abs=1e-9)
        assert part.logits == pytest.approx(share[1].sum() / whole_change, abs=1e-6)


def test_an_input_that_has_levels_of_its_own_costs_nothing() -> None:
    ann = trained(DENSE)
    shown = samples(ann)
    levels = np.rint(shown.inputs * LEVELS) / LEVELS
    for inputs, costs in ((levels, False), (np.clip(levels - 0.4 / LEVELS, 0, 1), True)):
        given = replace(shown, inputs=inputs)
        found = explain_quantisation(ann, quantised(ann, given), given)
        assert (abs(found.parts[0].logits) > 0.1) is costs


def loss(gap: float, differing: int, *parts: float) -> QuantisationLoss:
    return QuantisationLoss(
        samples=100,
        levels=4,
        ann=0.9,
        quantised=0.9 - gap,
        gap=gap,
        error=0.01,
        differing=differing,
        change=0.1,
        parts=tuple(PopulationLoss(f"dense_{k}", each, 0.0, 0.5) for k, each in enumerate(parts)),
    )


def test_a_summary_says_no_more_than_the_sample_shows() -> None:
    assert loss(0.0, 0).summary == "Quantisation changes the label of none of 100 stimuli."
    assert loss(0.02, 3).summary.endswith("the gap, 2.00 points, is within its sampling error.")
    assert loss(-0.1, 11).summary.endswith("and the network is better by 10.00 points.")
    said = loss(0.1, 12, 0.02, 0.08).summary
    assert said.startswith("Quantisation to 4 levels changes the labels of 12 of 100 stimuli")
    assert said.endswith("and costs 10.00 points; most of it, 8.00 points, in dense_1.")


def test_models_that_do_not_belong_together_are_refused() -> None:
    ann, whole, shown, _ = both(DENSE)
    with pytest.raises(ModelError, match="not of the same network"):
        explain_quantisation(trained("dense 5 6 ⦶ dense 6 3"), whole, shown)
    with pytest.raises(ModelError, match="weights of dense_1 in the quantised network are not"):
        explain_quantisation(trained(DENSE, seed=3), whole, shown)
    with pytest.raises(ModelError, match="has the activation relu"):
        explain_quantisation(ann, ann, shown)
    with pytest.raises(UnsupportedError, match="'tanh'"):
        explain_quantisation(replace(ann, activation=Tanh()), whole, shown)
    with pytest.raises(DataError, match="no samples"):
        explain_quantisation(ann, whole, shown.first(0))
