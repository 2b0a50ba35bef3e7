"""Values to spikes and back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from volr.errors import DataError, ModelError
from volr.models.coding import (
    ConstantCurrent,
    Poisson,
    check_stimuli,
    coding_problems,
    decode_counts,
    input_currents,
    poisson_spikes,
    rate_coding,
)
from volr.neurons import IFCurrDelta
from volr.neurons.response import count_levels, spike_count


@given(st.lists(st.floats(0.0, 1.0), min_size=1, max_size=20), st.sampled_from([0.2, 0.5, 1.0]))
def test_a_current_gives_the_reachable_count_nearest_to_the_value(
    values: list[float], dt: float
) -> None:
    neuron, coding, duration = IFCurrDelta(), ConstantCurrent(400.0), 50.0
    steps = round(duration / dt)
    stimuli = np.array([values])
    currents = input_currents(coding, neuron, dt, steps, stimuli)
    counts = spike_count(neuron, dt, steps, currents)
    reachable = count_levels(neuron, dt, steps)[0]
    wanted = stimuli * coding.rate_max * duration / 1000.0
    nearest = np.abs(wanted[..., None] - reachable).min(axis=-1)
    np.testing.assert_allclose(np.abs(wanted - counts), nearest, atol=1e-9)


def test_zero_is_no_current_and_more_value_is_no_less_current() -> None:
    values = np.linspace(0.0, 1.0, 301)[None, :]
    currents = input_currents(ConstantCurrent(), IFCurrDelta(), 0.5, 100, values)[0]
    assert currents[0] == 0.0
    assert (np.diff(currents) >= 0).all()
    assert currents[-1] > 0


def test_poisson_spikes_have_the_rate_of_their_value_and_differ_between_stimuli() -> None:
    values = np.array([[0.0, 0.25, 1.0], [0.0, 0.25, 1.0]])
    spikes = poisson_spikes(Poisson(400.0), 0.5, 40_000, values, seed=3)
    assert spikes.shape == (40_000, 2, 3)
    # 20 s at 100 and 400 Hz; a deviation of five standard errors is no accident.
    expected = values * 400.0 * 20.0
    error = np.sqrt(np.maximum(expected, 1.0))
    assert (np.abs(spikes.sum(axis=0) - expected) < 5 * error).all()
    assert not spikes[:, :, 0].any()
    assert (spikes[:, 0, 1] != spikes[:, 1, 1]).any()


def test_poisson_spikes_depend_on_the_seed_and_the_stimulus_number_alone() -> None:
    values = np.random.default_rng(0).random((7, 4))
    whole = poisson_spikes(Poisson(300.0), 1.0, 50, values, seed=5)
    parts = [
        poisson_spikes(Poisson(300.0), 1.0, 50, values[a:b], seed=5, first=a)
        for a, b in ((0, 3), (3, 4), (4, 7))
    ]
    np.testing.assert_array_equal(whole, np.concatenate(parts, axis=1))
    assert (whole != poisson_spikes(Poisson(300.0), 1.0, 50, values, seed=6)).any()


def test_ties_go_to_the_lowest_index_and_are_counted() -> None:
    counts = np.array([[1, 3, 2], [4, 0, 4], [0, 0, 0], [2, 5, 5]])
    labels, sharing = decode_counts(counts)
    assert labels.tolist() == [1, 0, 0, 1]
    assert sharing.tolist() == [1, 2, 3, 2]


@pytest.mark.parametrize("value", [-0.001, 1.001, float("nan"), float("inf")])
def test_stimuli_outside_are_refused_with_their_place(value: float) -> None:
    stimuli = np.full((3, 4), 0.5)
    stimuli[2, 1] = value
    with pytest.raises(DataError, match="value 1 of stimulus 2"):
        check_stimuli(stimuli, 4)


@pytest.mark.parametrize("shape", [(4,), (2, 3), (1, 2, 4)])
def test_stimuli_of_another_shape_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(DataError, match=r"the network takes \[batch, 4\]"):
        check_stimuli(np.zeros(shape), 4)


@pytest.mark.parametrize("coding", [ConstantCurrent, Poisson])
def test_a_rate_that_the_step_cannot_hold_is_a_problem(
    coding: type[ConstantCurrent | Poisson],
) -> None:
    assert coding_problems(coding(1000.0), 1.0) == []
    assert coding_problems(coding(10_000.0), 0.1) == []
    assert "allows 1000 Hz" in coding_problems(coding(1001.0), 1.0)[0]
    for rate in (0.0, -1.0, float("nan"), float("inf")):
        assert coding_problems(coding(rate), 1.0)


def test_codings_have_names() -> None:
    assert rate_coding("current", 300.0) == ConstantCurrent(300.0)
    assert rate_coding("poisson", 300.0) == Poisson(300.0)
    with pytest.raises(ModelError, match="'latency'") as caught:
        rate_coding("latency", 300.0)
    assert caught.value.help == "choose one of current, poisson, first-spike"
