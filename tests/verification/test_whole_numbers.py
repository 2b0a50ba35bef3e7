"""Whole numbers against the artificial network's, and the causes of planted mistakes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from tests.needs import needs_numba
from tests.verification.mistaken_engine import MistakenEngine
from tests.whole import POOLS, SKIP, staircase

from volr.errors import DataError, ModelError
from volr.exact.first_spikes import to_first_spikes
from volr.models.activations import Staircase
from volr.models.coding import ConstantCurrent
from volr.network.connectors import Windows
from volr.verification.whole_numbers import same_numbers, verify_against

if TYPE_CHECKING:
    from collections.abc import Callable

    from volr.checks.arrays import Floats
    from volr.engine.simulation import Ready

pytestmark = needs_numba

ANN = staircase(POOLS, 7)
MODEL = to_first_spikes(ANN)
STIMULI = np.random.default_rng(0).random((30, 72))
UNIT = 2.0**-8


def changed(**parameters: Callable[[Floats], None]) -> Callable[[Ready], Ready]:
    """What runs if parameters are changed, by name with ``_`` for what a name cannot have."""

    def change(prepared: Ready) -> Ready:
        from volr.engine.simulation import ready

        values = {name: each.copy() for name, each in MODEL.parameters.items()}
        for name, act in parameters.items():
            act(values[name.replace("__", "->") + ".weight"])
        del prepared
        return ready(replace(MODEL, parameters=values))

    return change


def neuron(**numbers: float) -> Callable[[Ready], Ready]:
    def change(prepared: Ready) -> Ready:
        from volr.engine.simulation import ready

        del prepared
        return ready(replace(MODEL, neuron=replace(MODEL.neuron, **numbers)))

    return change


def clock(unit: int, by: int | None) -> Callable[[Ready], Ready]:
    def change(prepared: Ready) -> Ready:
        steps = list(prepared.schedule.clock)
        steps[unit] = -1 if by is None else steps[unit] + by
        return replace(prepared, schedule=replace(prepared.schedule, clock=tuple(steps)))

    return change


def windows(prepared: Ready) -> Ready:
    """The windows where the largest counts are larger."""
    from volr.engine.simulation import ready

    del prepared
    network = MODEL.network
    projections = tuple(
        replace(each, connector=Windows((2, 3), (2, 2))) if each.target == "maxpool_2" else each
        for each in network.projections
    )
    return ready(replace(MODEL, network=replace(network, projections=projections)))


def plus(place: tuple[int | slice, ...], by: int) -> Callable[[Floats], None]:
    def change(values: Floats) -> None:
        values[place] += by * UNIT

    return change


@pytest.mark.parametrize("program", [POOLS, SKIP])
def test_all_whole_numbers_are_those_of_the_artificial_network(program: str) -> None:
    ann = staircase(program, 5)
    model = to_first_spikes(ann)
    told: list[int] = []
    stimuli = np.random.default_rng(3).random((11, ann.network.input_size))
    found = verify_against(model, ann, "engine", stimuli, progress=told.append)
    assert found.equal
    assert (found.different, found.error) == (0, 0.0)
    assert found.compared == 11 * sum(each.size for each in ann.network.populations)
    assert [each.population for each in found.populations] == list(ann.network.by_name)
    assert sum(told) == len(found.labels) == 11
    assert same_numbers(model, ann) is None


@pytest.mark.parametrize(
    ("mistake", "population", "cause"),
    [
        (clock(0, 1), "conv_1", "clock: the spike that lifts it, of conv_1, is a step late"),
        (clock(1, -1), "conv_1", "clock: the spike that sets its current, of conv_1, is a step"),
        (clock(2, None), "conv_1", "clock: the push at the end, of conv_1, is missing"),
        (neuron(tau_m=1e3), "conv_1", "leak: tau_m is 1000 ms instead of none"),
        (neuron(v_rest=0.0), "conv_1", "hold-down: v_rest is 0 mV"),
        (neuron(tau_refrac=1.0), "conv_1", "refractoriness: neurons can spike again"),
        (
            changed(input__conv_1=plus((1, 0, 2, 1), 17)),
            "conv_1",
            "one number is wrong: input->conv_1.weight[1, 0, 2, 1], by +17",
        ),
        (
            changed(clock__conv_1=plus((slice(42, 84), 0), 400)),
            "conv_1",
            "one number is wrong: conv_1.bias[1], by +400",
        ),
        (
            changed(dense_4__dense_5=plus((1, 2), -30)),
            "dense_5",
            "one number is wrong: dense_4->dense_5.weight[1, 2], by -30",
        ),
        (windows, "maxpool_2", "pool: the windows of conv_1->maxpool_2 are 2x3"),
    ],
)
def test_the_first_difference_is_found_with_its_cause(
    mistake: Callable[[Ready], Ready], population: str, cause: str
) -> None:
    simulator = MistakenEngine(change=mistake)
    found = verify_against(MODEL, ANN, simulator, STIMULI)
    assert found.first is not None
    assert found.different > 0
    assert found.first.population == population
    assert found.first.cause.startswith(cause)
    assert found.first.found != found.first.expected


def test_a_model_of_other_numbers_is_named() -> None:
    values = {name: each.copy() for name, each in ANN.parameters.items()}
    values["conv_1.bias"][1] += 3
    other = replace(ANN, parameters=values)
    assert "clock->conv_1.weight [42, 0]" in str(same_numbers(MODEL, other))
    found = verify_against(MODEL, other, "engine", STIMULI)
    assert found.first is None or found.first.cause.startswith("the spiking model is not that of")


def test_models_that_cannot_be_compared_are_refused() -> None:
    with pytest.raises(ModelError, match="not of the same network"):
        verify_against(MODEL, staircase(SKIP, 7), "engine", STIMULI)
    with pytest.raises(ModelError, match="7 levels of 201 steps, and the artificial one 7 of 199"):
        verify_against(MODEL, replace(ANN, activation=Staircase(7, 199)), "engine", STIMULI)
    rates = replace(
        MODEL,
        network=ANN.network,
        parameters={n: each for n, each in MODEL.parameters.items() if "clock" not in n},
        coding=ConstantCurrent(),
        delays={},
        readout="count",
    )
    with pytest.raises(ModelError, match="coding current, which tells no whole numbers"):
        verify_against(rates, ANN, "engine", STIMULI)
    with pytest.raises(DataError, match="no stimuli"):
        verify_against(MODEL, ANN, "engine", STIMULI[:0])
