"""The proof: its numbers by hand, and what it refuses."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from tests.whole import POOLS, SKIP, staircase

from volr.errors import ModelError
from volr.exact.first_spikes import from_first_spikes, to_first_spikes
from volr.exact.proof import prove
from volr.models.activations import Staircase
from volr.models.model import ArtificialModel
from volr.neurons import TIE

if TYPE_CHECKING:
    from volr.checks.arrays import Floats
    from volr.models.model import SpikingModel


def test_the_largest_sums_are_those_of_the_worst_stimulus() -> None:
    ann = staircase("dense 3 4 ⦶ dense 4 2", 8)
    proof = prove(to_first_spikes(ann))
    w, b = ann.parameters["input->dense_1.weight"], ann.parameters["dense_1.bias"]
    largest = int((np.abs(w).sum(axis=1) * 8 + np.abs(b)).max())
    assert (proof.populations[0].name, proof.populations[0].largest) == ("dense_1", largest)
    assert proof.hold == largest + 1
    assert (proof.levels, proof.step, proof.unit, proof.steps) == (8, 201, 2.0**-8, 19)
    for each in proof.populations:
        assert TIE * (8 * 201 + proof.hold) < each.error < 1e-3
        assert each.margin == 0.5 - each.error


@pytest.mark.parametrize("program", [SKIP, POOLS])
@pytest.mark.parametrize(("levels", "dt", "delay"), [(2, 1.0, None), (9, 0.25, 0.75)])
def test_the_way_back_is_the_network_it_came_from(
    program: str, levels: int, dt: float, delay: float | None
) -> None:
    ann = staircase(program, levels)
    model = to_first_spikes(ann, dt=dt, delay=delay)
    assert from_first_spikes(model) == ann
    assert model.dt == dt
    assert {each.name for each in prove(model).populations} == {
        each.name for each in ann.network.layers
    }


def changed(model: SpikingModel, name: str, by: float) -> dict[str, Floats]:
    values = dict(model.parameters)
    values[name] = values[name].copy()
    values[name].flat[1] += by
    return values


def test_a_model_that_was_changed_has_no_proof() -> None:
    model = to_first_spikes(staircase(POOLS, 6))
    unit = 2.0**-8
    for name, by, said in (
        ("dense_4->dense_6.weight", 5 * unit, "clock->dense_6.weight"),
        ("dense_4->dense_6.weight", 0.3 * unit, "are whole numbers"),
        ("conv_3->dense_4.weight", unit, "multiples of 9"),
        ("clock->conv_1.weight", unit, "clock->conv_1.weight"),
        ("dense_4.bias", 1.0, "dense_4.bias [1] is 1, not 0"),
    ):
        with pytest.raises(ModelError) as caught:
            prove(replace(model, parameters=changed(model, name, by)))
        assert said in caught.value.message, name
    for change, said in (
        ({"tau_m": 1e6}, "tau_m"),
        ({"v_rest": -1.0}, "v_rest"),
        ({"reset": "subtract"}, "subtract"),
        ({"tau_refrac": 1.0}, "tau_refrac"),
    ):
        with pytest.raises(ModelError, match=said):
            prove(replace(model, neuron=replace(model.neuron, **change)))
    with pytest.raises(ModelError, match="duration"):
        prove(replace(model, duration=model.duration + model.dt))


def test_sums_beyond_single_precision_are_refused() -> None:
    ann = staircase("dense 3 2", 100)
    values = dict(ann.parameters)
    name = "input->dense_1.weight"
    values[name] = np.full((2, 3), 2.0**24 / 300)
    values[name] = np.floor(values[name])
    with pytest.raises(ModelError, match=r"2\^24"):
        prove(to_first_spikes(ArtificialModel(ann.network, values, Staircase(100, 201))))


@pytest.mark.parametrize("dt", [1e-7, 1e6])
def test_a_step_that_no_neuron_has_is_refused(dt: float) -> None:
    with pytest.raises(ModelError, match="dt is") as caught:
        to_first_spikes(staircase("dense 3 4 ⦶ dense 4 2", 4), dt=dt)
    assert caught.value.help is not None
    assert "choose a dt from" in caught.value.help


def test_rounding_that_could_matter_is_refused() -> None:
    ann = staircase("dense 500 4 ⦶ dense 4 2", 130_000, step=31)
    values = {name: np.zeros_like(each) for name, each in ann.parameters.items()}
    values["input->dense_1.weight"][:, :120] = 1.0
    values["dense_1->dense_2.weight"][:] = 1.0
    model = to_first_spikes(ArtificialModel(ann.network, values, Staircase(130_000, 31)))
    with pytest.raises(ModelError) as caught:
        prove(model)
    assert "rounding may be" in caught.value.message
    assert "in dense_1" in caught.value.message
    assert caught.value.help is not None
    assert "--levels" in caught.value.help
