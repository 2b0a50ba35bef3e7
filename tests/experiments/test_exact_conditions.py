"""The quantised ANN and the spiking network that computes its whole numbers, as runs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from tests.experiments.examples import plan_of

from volr.backends.reference import forward
from volr.errors import ModelError, UnsupportedError
from volr.exact.first_spikes import to_first_spikes
from volr.experiments.condition import Built
from volr.experiments.conditions import EXACT, QUANTISED
from volr.experiments.run import perform
from volr.experiments.runner import check_possible
from volr.experiments.settings import Settings
from volr.experiments.simulators import Simulators
from volr.experiments.store.runs import run_from, run_json
from volr.experiments.tasks import task
from volr.language import to_network
from volr.models.model import ArtificialModel, SpikingModel
from volr.quantisation import QuantisationSettings, quantise

if TYPE_CHECKING:
    from volr.experiments.condition import Ingredients

LEVELS, PERCENTILE, SAMPLES = 5, 97.0, 60
PLAN = plan_of(
    *("ann", "snn-exact"),
    tasks=["xor"],
    seeds=[3],
    levels=LEVELS,
    quantisation_percentile=PERCENTILE,
    quantisation_samples=SAMPLES,
)


@pytest.fixture(autouse=True)
def _engine() -> None:
    pytest.importorskip("torch")
    pytest.importorskip("numba")


def test_both_give_every_sample_the_same_label() -> None:
    ann, whole, exact = PLAN.specs()
    assert [each.key for each in (ann, whole, exact)] == [
        *("xor-3-ann", "xor-3-ann-quantised", "xor-3-snn-exact-if_curr_exp"),
    ]
    stages: list[str] = []

    def tell(stage: str, *_: object, **_others: object) -> None:
        stages.append(stage)

    with Simulators() as simulators:
        first = perform(ann, [], simulators)
        second = perform(whole, [first.model], simulators)
        third = perform(exact, [second.model], simulators, progress=tell)
    data = task("xor").load(seed=3)
    assert isinstance(first.model, ArtificialModel)
    settings = QuantisationSettings(levels=LEVELS, percentile=PERCENTILE, samples=SAMPLES, seed=3)
    wanted = quantise(first.model, data.train, settings)
    assert second.model == wanted.model
    assert repr(second.run.quantisation) == repr(wanted.report)
    assert third.model == to_first_spikes(wanted.model)
    labels = forward(wanted.model, data.test.inputs).argmax(axis=1)
    accuracy = np.mean(labels == data.test.labels)
    assert (second.run.row.accuracy, third.run.row.accuracy) == (accuracy, accuracy)
    assert (first.run.differing, second.run.differing, third.run.differing) == (None, None, 0)
    row = third.run.row
    assert (row.source, row.backend, row.neuron) == ("torch", "engine", "if_curr_exp")
    assert (second.run.row.backend, second.run.row.neuron) == ("torch", "")
    # One after the other, as `volr explain` follows them.
    assert third.origin["ann"] == "xor-3-ann-quantised.safetensors"
    assert second.origin["ann"] == "xor-3-ann.safetensors"
    assert stages[-1] == "xor 3 snn-exact comparing labels"
    for each in (first, second, third):
        assert repr(run_from(run_json(each.run))) == repr(each.run)
    # What other runs do not have is not in their files.
    assert not {"quantisation", "differing"} & run_json(first.run).keys()


def test_labels_that_differ_are_counted() -> None:
    network = to_network("dense 2 4 ⦶ dense 4 2")
    exact = PLAN.specs()[-1]
    rng = np.random.default_rng(2)
    whole = QUANTISED.empty_model(exact.settings, network)
    assert isinstance(whole, ArtificialModel)
    one, other = (
        replace(
            whole,
            parameters={
                name: rng.integers(-9, 10, each.shape).astype(np.float64)
                for name, each in whole.parameters.items()
            },
        )
        for _ in range(2)
    )

    def wrong(_given: Ingredients) -> Built:
        return Built(to_first_spikes(one), computes=other)

    with Simulators() as simulators:
        condition = replace(exact.condition, build=wrong)
        found = perform(replace(exact, condition=condition), [whole], simulators).run
    inputs = task("xor").load(seed=3).test.inputs
    labels = [forward(each, inputs).argmax(axis=1) for each in (one, other)]
    assert found.differing == (labels[0] != labels[1]).sum() > 0


def test_what_cannot_be_is_found_before_anything_is_trained() -> None:
    check_possible(PLAN)
    network = to_network("conv [1 2] 2 1 ⦶ maxpool _ 2")
    for each in (QUANTISED, EXACT):
        with pytest.raises(UnsupportedError, match="takes the largest of what arrives and is an"):
            each.empty_model(Settings(), network)
        with pytest.raises(UnsupportedError):
            check_possible(
                replace(PLAN, conditions=[each], tasks={"xor": "conv [1 2] 2 1 ⦶ maxpool _ 2"})
            )
    pooled = to_network("conv [1 4] 2 2 ⦶ maxpool _ 2 ⦶ dense _ 2")
    empty = EXACT.empty_model(Settings(levels=7), pooled)
    assert isinstance(empty, SpikingModel)
    assert empty.coding.name == "first-spike"
    with pytest.raises(ModelError, match="a stimulus has at most 1,000,000"):
        check_possible(replace(PLAN, settings=[Settings(levels=550_000)]))
    with pytest.raises(
        ModelError, match="levels is 600,000, and no network of whole numbers has more"
    ):
        check_possible(replace(PLAN, settings=[Settings(levels=600_000)]))
    with pytest.raises(ModelError, match="levels is 1, below 2"):
        Settings(levels=1)
    with pytest.raises(ModelError, match=r"quantisation_percentile is 0\.0, not in"):
        Settings(quantisation_percentile=0)
    with pytest.raises(ModelError, match="quantisation_samples is 0, below 1"):
        Settings(quantisation_samples=0)
