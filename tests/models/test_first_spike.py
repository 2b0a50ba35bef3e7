"""The times at which neurons tell whole numbers, against what the formulas give by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.whole import POOLS, SKIP, staircase

from volr.errors import ModelError
from volr.exact.first_spikes import to_first_spikes
from volr.language import to_network
from volr.models.coding import ConstantCurrent, input_drive
from volr.models.first_spike import (
    FirstSpike,
    aligned_delays,
    clock_steps,
    one_spike_each,
    starts,
    unsuited,
    values_of,
    with_clock,
)
from volr.models.model import SpikingModel
from volr.network import Network, Population, Projection
from volr.neurons import IFCurrExp


def test_each_window_begins_where_its_sources_ends() -> None:
    network = to_network("dense 3 4 ⦶ dense 4 2")
    # S = L + d, then 2 (L + d).
    assert starts(network, 8, lambda _: 1) == {"input": 0, "dense_1": 9, "dense_2": 18}
    assert starts(network, 8, lambda _: 3) == {"input": 0, "dense_1": 11, "dense_2": 22}


def test_the_largest_is_told_a_step_after_it_arrives() -> None:
    network = to_network("conv [1 6 6] 2 3 ⦶ maxpool _ 2 ⦶ dense _ 2")
    found = starts(network, 10, lambda _: 2)
    assert found == {"input": 0, "conv_1": 12, "maxpool_2": 15, "dense_3": 27}


def test_a_projection_that_skips_layers_waits_for_the_others() -> None:
    network = to_network(SKIP)
    delays = aligned_delays(network, 8, 1)
    assert delays["dense_1->dense_3"] == 1 + (8 + 1)
    assert {delays[each] for each in delays if each != "dense_1->dense_3"} == {1}


def test_the_clock_has_three_spikes_for_each_window_and_two_for_outputs() -> None:
    network = to_network("dense 3 4 ⦶ dense 4 2")
    clocked = with_clock(network, starts(network, 8, lambda _: 1))
    assert clocked.clock == "clock"
    assert clocked["clock"].shape == (5,)
    assert [str(each.connector) for each in clocked.projections[2:]] == ["slice 0:3", "slice 3:5"]
    # They arrive in E − 1, E and E + L − 1.
    assert clock_steps(clocked, 8, lambda _: 1).tolist() == [7, 8, 15, 16, 17]
    assert clock_steps(clocked, 8, lambda _: 2).tolist() == [7, 8, 15, 17, 18]
    assert clocked.input_size == 3
    assert [each.name for each in clocked.layers] == ["dense_1", "dense_2"]


def test_populations_of_one_window_share_the_clock() -> None:
    network = to_network("(dense 3 4 ⦶ dense 4 2) ⊖ dense 3 2")
    clocked = with_clock(network, starts(network, 4, lambda _: 1))
    slices = {each.target: str(each.connector) for each in clocked.projections[3:]}
    assert slices == {"dense_1": "slice 0:3", "dense_2": "slice 3:5", "dense_3": "slice 0:2"}


def test_a_network_without_a_clock_has_none() -> None:
    assert clock_steps(to_network("dense 3 2"), 8, lambda _: 1).size == 0


def test_values_are_told_by_one_spike_within_the_window() -> None:
    at = np.array([[2, 10, 6, -1]])
    spikes = one_spike_each(12, at)
    assert spikes.shape == (12, 1, 4)
    assert spikes.sum(axis=0).tolist() == [[1, 1, 1, 0]]
    assert values_of(spikes, 2, 8).tolist() == [[8, 0, 4, -1]]
    spikes[3, 0, 0] = True
    assert values_of(spikes, 2, 8)[0, 0] == -1


def test_inputs_and_the_clock_are_given_as_spikes() -> None:
    model = to_first_spikes(staircase("dense 3 4 ⦶ dense 4 2", 8))
    drive = input_drive(model, np.array([[0.0, 1.0, 0.49], [1 / 16, 0.06, 0.5]]), seed=0)
    assert not drive.currents
    assert values_of(drive.spikes["input"], 0, 8).tolist() == [[0, 8, 4], [1, 0, 4]]
    clock = drive.spikes["clock"]
    assert clock.shape == (model.steps, 2, 5)
    assert (clock[:, 0] == clock[:, 1]).all()


@pytest.mark.parametrize("program", [SKIP, POOLS])
def test_a_model_with_a_part_of_another_timeline_is_refused(program: str) -> None:
    model = to_first_spikes(staircase(program, 5))
    with pytest.raises(ModelError, match="ready in step"):
        replace(model, duration=model.duration - model.dt)
    with pytest.raises(ModelError, match="readout is count"):
        replace(model, readout="count")
    with pytest.raises(ModelError, match="a clock, and the coding is current"):
        replace(model, coding=ConstantCurrent())
    with pytest.raises(ModelError, match="no clock"):
        SpikingModel(
            network=to_network("dense 2 2"),
            parameters=staircase("dense 2 2", 5).parameters,
            neuron=IFCurrExp(tau_m=np.inf),
            coding=FirstSpike(5, 201),
            duration=100.0,
            readout="final",
        )


def test_sources_that_are_not_aligned_are_named() -> None:
    model = to_first_spikes(staircase(SKIP, 5))
    with pytest.raises(ModelError, match=r"sources of dense_3 arrive from the steps 7, 13 on"):
        replace(model, delays={})


def test_what_cannot_be_told_by_one_spike_is_named() -> None:
    assert "maxpool_1 takes the largest" in unsuited(to_network("maxpool [1 4 4] 2"))[0]
    assert "leads back" in unsuited(to_network("dense 3 4 ⦶ (dense 4 4 ↺ dense 4 4)"))[0]
    both = Network(
        (Population("a", (2,)), Population("b", (2,))), (Projection("a", "b"),), ("a",), ("a", "b")
    )
    assert "a is an input and an output" in unsuited(both)[0]
    followed = Network(
        (Population("a", (2,)), Population("b", (2,)), Population("c", (1,))),
        (Projection("a", "b"), Projection("b", "c")),
        ("a",),
        ("b", "c"),
    )
    assert "b is an output and has projections" in unsuited(followed)[0]


@pytest.mark.parametrize(("levels", "step"), [(1, 3), (4, 4), (4, 10**6 + 1), (2.5, 3)])
def test_levels_and_steps_that_fit_no_staircase_are_refused(levels: float, step: int) -> None:
    with pytest.raises(ModelError):
        FirstSpike(levels, step)  # pyright: ignore[reportArgumentType]


def test_the_unit_is_a_power_of_two_with_a_level_below_a_millivolt() -> None:
    for step in (1, 3, 201, 4095, 4097):
        unit = FirstSpike(8, step).unit
        assert np.log2(unit) == np.rint(np.log2(unit))
        assert 0.5 <= step * unit < 1.0
