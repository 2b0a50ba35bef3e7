"""A network in a straight line."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from tests.engine.examples import ODD, SKIP, spiking_model
from tests.oracles import chain

from volr.engine.schedule import Layer, Term, schedule_of
from volr.network import AllToAll
from volr.neurons import IFCurrDelta


def term(source: str, target: str) -> Term:
    ends = ODD[source].shape, ODD[target].shape
    return Term(source, f"{source}->{target}.weight", ends, AllToAll(), delay=3)


def test_a_plan_is_the_network_without_its_numbers() -> None:
    model = spiking_model("delta", ODD, delay=3, steps=12)
    schedule = schedule_of(model)
    assert schedule.inputs == (("right", 6), ("left", 9))
    assert schedule.layers == (
        Layer("first", 11, (term("left", "first"),), "first.bias", model.neuron, spiking=True),
        Layer(
            "second",
            70,
            (term("right", "second"), term("first", "second")),
            "second.bias",
            model.neuron,
            spiking=True,
        ),
        Layer(
            "last",
            5,
            (
                term("second", "last"),
                term("left", "last"),
                term("first", "last"),
            ),
            "last.bias",
            model.neuron,
            spiking=True,
        ),
    )
    assert schedule.outputs == ("last", "left", "first")
    assert (schedule.input_neuron, schedule.dt, schedule.steps) == (model.neuron, 0.5, 12)


def test_sizes_and_places_are_those_of_the_populations() -> None:
    schedule = schedule_of(spiking_model("delta", SKIP))
    assert schedule.sizes == {"right": 6, "left": 9, "first": 11, "second": 70, "last": 5}
    assert schedule.size("second") == 70
    row = np.arange(15)
    np.testing.assert_array_equal(row[schedule.input_units("right")], row[:6])
    np.testing.assert_array_equal(row[schedule.input_units("left")], row[6:])


def test_an_output_whose_membrane_is_read_does_not_spike() -> None:
    schedule = schedule_of(spiking_model("delta", SKIP, readout="membrane"))
    assert [layer.spiking for layer in schedule.layers] == [True, True, False]


def test_plans_are_equal_when_all_but_the_parameters_are() -> None:
    # Memory is kept for them by the schedule.
    model = spiking_model("delta", chain(3, 4, 2), seed=1)
    same = spiking_model("delta", chain(3, 4, 2), seed=2)
    assert schedule_of(model) == schedule_of(same)
    assert hash(schedule_of(model)) == hash(schedule_of(same))
    for other in (
        replace(model, delay=1.0),
        replace(model, duration=20.0),
        replace(model, neuron=IFCurrDelta()),
        replace(model, readout="membrane"),
        spiking_model("delta", chain(3, 5, 2)),
    ):
        assert schedule_of(other) != schedule_of(model)
