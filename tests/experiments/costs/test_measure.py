"""Costs as they are measured: against recordings, in any chunks, and of first spikes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from tests.needs import needs_nest, needs_numba
from tests.oracles import PlainSimulator, chain, random_parameters

import volr
from volr.backends.base import Record
from volr.backends.reference import activations
from volr.errors import DataError, UnsupportedError, VolrError
from volr.exact.first_spikes import to_first_spikes
from volr.experiments.costs import measure
from volr.experiments.costs.figures import FLOATS, WHOLE_NUMBERS
from volr.language import to_network
from volr.models.activations import Staircase
from volr.models.coding import ConstantCurrent, Poisson
from volr.models.model import ArtificialModel, Model, SpikingModel
from volr.models.parameters import parameter_shapes
from volr.models.samples import Samples
from volr.neurons import IFCurrDelta

if TYPE_CHECKING:
    from volr.models.coding import InputCoding

MAPS = "conv [1 5 6] 2 [3 2] ⦶ maxpool _ [1 2] ⦶ dense _ 3"


def samples(units: int, count: int = 11) -> Samples:
    random = np.random.default_rng(1)
    return Samples(random.random((count, units)), random.integers(0, 2, count))


def artificial() -> ArtificialModel:
    network = chain(3, 5, 2)
    values = random_parameters(network, np.random.default_rng(0), weight=1.0, bias=0.1)
    return ArtificialModel(network, values)


def spiking(coding: InputCoding, readout: str = "count") -> SpikingModel:
    network = chain(3, 5, 2)
    values = random_parameters(network, np.random.default_rng(0), weight=8.0, bias=0.3)
    model = SpikingModel(
        network=network,
        parameters=values,
        neuron=IFCurrDelta(),
        coding=coding,
        dt=1.0,
        duration=20.0,
    )
    return replace(model, readout=readout)


def stairs(program: str = MAPS, levels: int = 4) -> ArtificialModel:
    network, random = to_network(program), np.random.default_rng(0)
    values = {
        name: random.integers(-9, 12, shape).astype(float)
        for name, shape in parameter_shapes(network).items()
    }
    for each in network.projections:
        if not each.connector.trained:
            values[f"{each.name}.weight"] = np.ones(1)
    values["maxpool_2->dense_3.weight"][:, :2] = 0.0
    return ArtificialModel(network, values, Staircase(levels, 31))


@pytest.mark.parametrize("readout", ["count", "membrane"])
def test_a_spiking_model_costs_what_its_recorded_spikes_set_off(readout: str) -> None:
    model, given = spiking(Poisson(200.0), readout), samples(3)
    told: list[int] = []
    found = volr.operations(model, given, PlainSimulator(), seed=4, progress=told.append)
    assert sum(told) == 11
    names = ("input", "dense_1", "dense_2")
    record = Record(counts=names, membranes=("dense_2",))
    kept = PlainSimulator().run(model, given.inputs, record=record, seed=4)
    assert [each.population for each in found.populations] == list(names)
    for each, fan_out in zip(found.populations, (5, 2, 0), strict=True):
        spikes = int(kept.counts[each.population].sum())
        assert each.active == spikes / 11
        assert (each.macs, each.acs, each.synaptic) == (0, each.synaptic, spikes * fan_out / 11)
        assert each.dense == 20 * each.size * fan_out
    assert found.acs == sum(each.acs for each in found.populations) > 0
    assert (found.steps, found.clock, found.figures) == (20, None, FLOATS)
    # Poisson's inputs are no neurons.
    assert found.updates == 20 * (5 + 2)
    neurons = 5 + 2 if readout == "count" else 5
    spikes = sum(kept.counts[name].sum() for name in names[1:])
    assert found.activation_sparsity == pytest.approx(1 - spikes / (11 * 20 * neurons))
    assert found.energy == pytest.approx(0.9 * found.acs)
    assert found.dense_energy == pytest.approx(0.9 * 20 * 25)
    assert found.update_energy == pytest.approx(0.9 * 20 * 7)
    assert found.footprint == 4 * (25 + 7)
    assert found.decided is not None
    assert 1 <= found.decided <= 20


def test_inputs_that_currents_drive_are_neurons_too() -> None:
    model = spiking(ConstantCurrent(200.0))
    found = volr.operations(model, samples(3), PlainSimulator())
    assert found.updates == 20 * (3 + 5 + 2)


def test_an_artificial_model_costs_what_its_values_set_off() -> None:
    model, given = artificial(), samples(3)
    found = volr.operations(model, given, "reference")
    hidden = np.count_nonzero(activations(model, given.inputs)["dense_1"])
    assert 0 < hidden < 55
    assert (found.macs, found.acs) == (pytest.approx((33 * 5 + hidden * 2) / 11), 0)
    assert found.dense == 25
    assert found.activation_sparsity == pytest.approx(1 - hidden / 55)
    assert (found.steps, found.decided, found.updates) == (None, None, None)
    assert found.energy == pytest.approx(4.6 * found.macs)
    assert (found.dense_energy, found.update_energy) == (pytest.approx(4.6 * 25), 0)


def test_an_output_that_sends_sends_its_activation() -> None:
    network = to_network("dense 2 3 ⦶ dense 3 2")
    network = replace(network, outputs=("dense_1", "dense_2"))
    values = {name: np.ones(shape) for name, shape in parameter_shapes(network).items()}
    # The sums of dense_1 are −5, so it sends nothing.
    values["dense_1.bias"] = np.full(3, -7.0)
    model = ArtificialModel(network, values)
    given = Samples(np.ones((2, 2)), np.zeros(2, int))
    costs = volr.operations(model, given, "reference")
    found = {each.population: each for each in costs.populations}
    assert (found["dense_1"].active, found["dense_1"].synaptic) == (0, 0)


@pytest.mark.parametrize(
    "model",
    [artificial(), spiking(ConstantCurrent(200.0)), spiking(Poisson(200.0))],
    ids=["artificial", "current", "poisson"],
)
def test_chunks_change_nothing_and_the_answers_are_those_of_evaluate(
    model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = samples(3)
    on = "reference" if isinstance(model, ArtificialModel) else PlainSimulator()
    whole = volr.operations(model, given, on, seed=5)
    alone = volr.evaluate(model, given, on, seed=5)
    monkeypatch.setattr(measure, "_CHUNK", 1)
    told: list[int] = []
    cut = volr.operations(model, given, on, seed=5, progress=told.append)
    assert told == [1] * 11
    for found in (whole, cut):
        assert replace(found.evaluation, seconds=0) == replace(alone, seconds=0)
    assert replace(cut, evaluation=alone) == replace(whole, evaluation=alone)


@needs_numba
@pytest.mark.parametrize("on", ["engine", pytest.param("nest", marks=needs_nest)])
def test_with_first_spikes_each_neuron_sends_one_spike_through_each_of_its_synapses(
    on: str,
) -> None:
    ann = stairs()
    model = to_first_spikes(ann)
    network, given = model.network, samples(30, 3)
    found = volr.operations(model, given, on)
    assert found.evaluation.correct == volr.operations(ann, given, "reference").evaluation.correct
    assert (found.clock, found.figures) == ("clock", WHOLE_NUMBERS)
    synapses = {each.name: 0 for each in network.populations}
    for each in network.projections:
        synapses[each.source] += network.synapses(each)
    for each in found.populations:
        spikes = 0 if each.population in network.outputs else each.size
        assert (each.active, each.synaptic) == (spikes, synapses[each.population])
        assert each.dense == model.steps * synapses[each.population]
    assert found.synaptic == network.synapse_count
    zeros = sum(
        np.count_nonzero(each == 0) for name, each in ann.parameters.items() if "->" in name
    )
    assert zeros > 0
    assert found.acs < found.synaptic
    # 4 levels a window: the inputs' and those of two layers, with delays of a step.
    assert found.steps == model.steps
    assert found.decided is not None
    assert found.decided <= model.steps


def test_refusals() -> None:
    with pytest.raises(UnsupportedError, match="no spiking neurons"):
        volr.operations(spiking(Poisson(200.0)), samples(3), "reference")
    with pytest.raises(UnsupportedError, match="simulates spiking models"):
        volr.operations(artificial(), samples(3), PlainSimulator())
    with pytest.raises(DataError, match="no samples"):
        volr.operations(artificial(), samples(3).first(0), "reference")
    with pytest.raises(DataError, match="batch, 3"):
        volr.operations(artificial(), samples(4), "reference")
    with pytest.raises(VolrError, match="operations"):
        volr.operations("model", samples(3))  # type: ignore[arg-type]
