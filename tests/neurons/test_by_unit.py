"""Neurons of one population whose parameters differ by unit."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from tests.oracles import chain, random_parameters

from volr.errors import ModelError
from volr.models.model import SpikingModel
from volr.neurons import IFCondExp, IFCurrDelta, IFCurrExp, NeuronsByUnit, by_unit

NETWORK = chain(2, 3, 2)
MODEL = SpikingModel(
    network=NETWORK,
    parameters=random_parameters(NETWORK, np.random.default_rng(0), weight=1.0, bias=0.1),
)


def test_units_have_the_numbers_of_the_arrays() -> None:
    neurons = by_unit(IFCurrExp(cm=0.5), tau_m=[10.0, 20.0, 10.0], v_reset=np.full(3, -70))
    assert neurons.kinds == tuple(
        IFCurrExp(cm=0.5, tau_m=tau, v_reset=-70.0) for tau in (10.0, 20.0)
    )
    assert [neurons.at(unit).tau_m for unit in range(3)] == [10.0, 20.0, 10.0]
    np.testing.assert_array_equal(neurons.of(lambda each: each.tau_m), [10.0, 20.0, 10.0])
    assert neurons.of(lambda each: each.cm) == pytest.approx(0.5)
    assert [which.tolist() for _, which in neurons.units(3)] == [[0, 2], [1]]
    stacked = neurons.stacked(lambda each: each.numbers)
    np.testing.assert_array_equal(stacked["tau_m"], [10.0, 20.0, 10.0])
    assert stacked["v_reset"] == -70.0


def test_units_that_are_all_alike_are_one_neuron() -> None:
    alike = by_unit(IFCurrExp(), tau_m=[9.0, 9.0, 9.0])
    model = replace(MODEL, neurons={"dense_1": alike})
    assert dict(model.neurons) == {"dense_1": IFCurrExp(tau_m=9.0)}
    assert model == replace(MODEL, neurons={"dense_1": IFCurrExp(tau_m=9.0)})
    usual = by_unit(IFCurrExp(), tau_m=[20.0, 20.0, 20.0])
    assert not replace(MODEL, neurons={"dense_1": usual}).neurons


def test_models_with_the_same_units_are_equal() -> None:
    one = by_unit(IFCurrExp(), tau_m=[9.0, 8.0, 9.0])
    other = NeuronsByUnit((IFCurrExp(tau_m=8.0), IFCurrExp(tau_m=9.0)), (1, 0, 1))
    models = [replace(MODEL, neurons={"dense_1": each}) for each in (one, other)]
    assert models[0] == models[1]
    assert hash(models[0]) == hash(models[1])


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: by_unit(IFCurrExp(), tau=[1.0]), "no parameter 'tau'"),
        (lambda: by_unit(IFCurrExp(), reset=["hard"]), "no parameter 'reset'"),
        (lambda: by_unit(IFCurrExp(), tau_m=9.0), "have the shape [], not one for each unit"),
        (lambda: by_unit(IFCurrExp(), tau_m=["a"]), "not real numbers"),
        (lambda: by_unit(IFCurrExp(), tau_m=[1.0, 2.0], cm=[1.0]), "2 of tau_m, 1 of cm"),
        (lambda: by_unit(IFCurrExp()), "there are none"),
        (lambda: by_unit(IFCurrExp(), tau_m=[1.0, -2.0]), "tau_m is -2.0, not above 0"),
    ],
)
def test_arrays_that_are_no_units_are_refused(make: Any, said: str) -> None:
    with pytest.raises(ModelError) as caught:
        make()
    assert said in caught.value.message


@pytest.mark.parametrize(
    ("neurons", "said"),
    [
        (by_unit(IFCurrExp(), tau_m=[1.0, 2.0]), "2 neurons by unit, and the population has 3"),
        (NeuronsByUnit((IFCurrExp(), IFCondExp()), (0, 1, 0)), "of several models or resets"),
        (NeuronsByUnit((IFCurrDelta(), IFCurrDelta(reset="subtract")), (0, 1, 0)), "or resets"),
        (NeuronsByUnit((IFCurrExp(), IFCurrExp(cm=2.0)), (0, 1, 2)), "units of no kind"),
    ],
)
def test_neurons_of_another_population_are_refused(neurons: NeuronsByUnit, said: str) -> None:
    with pytest.raises(ModelError) as caught:
        replace(MODEL, neurons={"dense_1": neurons})
    assert said in caught.value.message


def test_inputs_that_currents_drive_are_alike() -> None:
    own = by_unit(IFCurrExp(), tau_m=[9.0, 8.0])
    with pytest.raises(ModelError, match="inputs that currents drive"):
        replace(MODEL, neurons={"input": own})
