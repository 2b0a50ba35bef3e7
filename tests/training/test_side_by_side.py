"""Candidates side by side do what each does alone."""

from __future__ import annotations

import numpy as np
import pytest
from tests.needs import needs_nest
from tests.oracles import PlainSimulator, chain, fork, random_parameters

from volr.backends import simulator
from volr.backends.base import Record
from volr.language import to_network
from volr.models.coding import Poisson
from volr.models.model import Readout, SpikingModel
from volr.neurons import IFCurrDelta, IFCurrExp, NeuronModel
from volr.training.side_by_side import apart, fits, side_by_side

NETWORK = fork(5, 4, 3, 2)
STIMULI = np.random.default_rng(3).random((6, 5))


def drawn(neuron: NeuronModel, readout: Readout = "count") -> list[SpikingModel]:
    random = np.random.default_rng(2)
    unit = neuron.unit_weight
    return [
        SpikingModel(
            network=NETWORK,
            parameters={
                name: each * (unit if name.endswith("weight") else 1.0)
                for name, each in random_parameters(NETWORK, random, weight=0.2, bias=0.6).items()
            },
            neuron=neuron,
            coding=Poisson(400.0),
            dt=1.0,
            delay=2.0,
            duration=30.0,
            readout=readout,
        )
        for _ in range(3)
    ]


@pytest.mark.parametrize("readout", ["count", "membrane"])
def test_each_does_what_it_does_alone(readout: Readout) -> None:
    models, run = drawn(IFCurrDelta(), readout), PlainSimulator().run
    record = Record(counts=("dense_1", "dense_2"))
    together = run(side_by_side(models), STIMULI, record=record, seed=7)
    alone = [run(model, STIMULI, record=record, seed=7) for model in models]
    for counts, means, one in zip(
        apart(together.counts, 3), apart(together.means, 3), alone, strict=True
    ):
        assert set(counts) == {"dense_1", "dense_2"}
        for name, each in one.counts.items():
            np.testing.assert_array_equal(counts[name], each)
        for name, each in one.means.items():
            np.testing.assert_allclose(means[name], each, rtol=1e-12)
    assert alone[0].counts["dense_1"].sum() != alone[1].counts["dense_1"].sum() > 0


@needs_nest
def test_so_it_is_on_nest() -> None:
    models = drawn(IFCurrExp())
    with simulator("nest") as nest:
        together = nest.run(side_by_side(models), STIMULI, seed=7)
        alone = [nest.run(model, STIMULI, seed=7).counts["dense_3"] for model in models]
    for counts, each in zip(apart(together.counts, 3), alone, strict=True):
        np.testing.assert_array_equal(counts["dense_3"], each)
    assert len({int(each.sum()) for each in alone}) > 1


def test_only_small_networks_stand_side_by_side() -> None:
    assert fits(chain(2, 4, 2), 16)
    assert not fits(chain(100, 20, 10), 16)
    assert fits(chain(100, 20, 10), 2)


def test_networks_of_kernels_stand_alone() -> None:
    assert not fits(to_network("conv [1 4] 2 3 ⦶ dense _ 2"), 2)
    assert not fits(to_network("dense 2 3 ⦶ (dense 3 3 ⊕ id 3) ⦶ dense 3 2"), 2)
