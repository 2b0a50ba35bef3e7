"""The response against a simulation, step by step."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from volr.neurons import IFCondExp, IFCurrDelta, IFCurrExp, NeuronModel, Reset
from volr.neurons.response import count_levels, edge_currents, spike_count

HARD: list[NeuronModel] = [
    IFCurrDelta(),
    IFCurrExp(v_reset=-70.0, tau_refrac=2.0),
    IFCondExp(v_reset=-60.0, i_offset=0.1, cm=0.3, tau_m=7.0),
]
SOFT: list[NeuronModel] = [replace(neuron, reset="subtract") for neuron in HARD]


def simulated(neuron: NeuronModel, dt: float, steps: int, current: float) -> int:
    v, left, count = neuron.v_rest, 0, 0
    decay = math.exp(-dt / neuron.tau_m)
    drive = neuron.tau_m / neuron.cm * (1 - decay) * (current + neuron.i_offset)
    for _ in range(steps):
        moved = neuron.v_rest + (v - neuron.v_rest) * decay + drive
        if left and neuron.reset == "hard":
            moved = v
        v = moved
        if left:
            left -= 1
        elif v >= neuron.v_thresh:
            count += 1
            v = neuron.v_reset if neuron.reset == "hard" else v - neuron.v_thresh + neuron.v_reset
            left = math.floor(neuron.tau_refrac / dt + 0.5)
    return count


@given(
    st.sampled_from(HARD),
    st.sampled_from([(1.0, 50), (0.5, 100), (0.1, 60)]),
    st.floats(-2.0, 30.0),
)
def test_counts_are_those_of_a_simulation(
    neuron: NeuronModel, grid: tuple[float, int], current: float
) -> None:
    dt, steps = grid
    found = int(spike_count(neuron, dt, steps, np.array([current]))[0])
    ladder = np.arange(1, steps + 1, dtype=float)
    edges = np.concatenate(
        [edge_currents(neuron, dt, v, ladder) for v in (neuron.v_rest, neuron.v_reset)]
    )
    # On an edge itself the threshold is met exactly, and rounding decides.
    if np.abs(edges - current).min() > 1e-9:
        assert found == simulated(neuron, dt, steps, current)


@pytest.mark.parametrize("neuron", HARD + SOFT)
@pytest.mark.parametrize(("dt", "steps"), [(1.0, 50), (0.5, 100), (0.1, 250), (2.0, 3)])
def test_every_level_is_reached_by_its_current_and_no_other_exists(
    neuron: NeuronModel, dt: float, steps: int
) -> None:
    counts, currents = count_levels(neuron, dt, steps)
    assert (np.diff(counts) > 0).all()
    assert (np.diff(currents) > 0).all()
    assert counts[0] == 0
    assert currents[0] == 0
    for count, current in zip(counts[1:], currents[1:], strict=True):
        assert simulated(neuron, dt, steps, float(current)) == count
    dense = np.linspace(0.0, 3.0 * currents[-1], 400)
    seen = {simulated(neuron, dt, steps, float(current)) for current in dense}
    assert seen <= set(counts.tolist())


@given(st.sampled_from(SOFT), st.sampled_from([(1.0, 50), (0.5, 60)]), st.floats(-2.0, 60.0))
def test_counts_with_subtraction_are_those_of_a_simulation(
    neuron: NeuronModel, grid: tuple[float, int], current: float
) -> None:
    dt, steps = grid
    found = int(spike_count(neuron, dt, steps, np.array([current]))[0])
    # On an edge rounding decides between the counts a hair below and above it.
    below, above = (simulated(neuron, dt, steps, current + hair) for hair in (-1e-9, 1e-9))
    assert below <= found <= above


@pytest.mark.parametrize("neuron", SOFT)
def test_a_current_with_subtraction_lies_in_the_middle_of_its_stair(neuron: NeuronModel) -> None:
    dt, steps = 0.5, 60
    counts, currents = count_levels(neuron, dt, steps)
    assert counts.tolist() == list(range(len(counts)))
    for count, low, current, high in zip(
        counts[1:-1], currents[:-2], currents[1:-1], currents[2:], strict=True
    ):
        # The edges of the stair, by halving once more.
        edges: list[float] = []
        for outside in (low, high):
            out, inside = float(outside), float(current)
            for _ in range(60):
                middle = (out + inside) / 2.0
                if simulated(neuron, dt, steps, middle) == count:
                    inside = middle
                else:
                    out = middle
            edges.append(inside)
        assert current == pytest.approx(sum(edges) / 2.0, abs=1e-6)


def test_levels_are_looked_for_once_and_not_to_be_changed() -> None:
    first, second = (count_levels(SOFT[0], 0.5, 40) for _ in range(2))
    assert first[1] is second[1]
    with pytest.raises(ValueError, match="read-only"):
        first[1][0] = 1.0


def test_many_steps_approach_the_continuous_rate() -> None:
    # 1 / (t_ref + τ ln((R I + v_rest − v_reset) / (R I + v_rest − v_thresh))), in 1/ms.
    neuron = IFCurrDelta(v_reset=-68.0, tau_refrac=2.0)
    current, dt, steps = 1.7, 0.001, 4_000_000
    drive = neuron.resistance * current + neuron.v_rest
    interval = neuron.tau_refrac + neuron.tau_m * math.log(
        (drive - neuron.v_reset) / (drive - neuron.v_thresh)
    )
    found = spike_count(neuron, dt, steps, np.array([current]))[0]
    assert found == pytest.approx(steps * dt / interval, rel=2e-3)


def test_a_current_below_rheobase_gives_no_spike_in_any_time() -> None:
    neuron = IFCurrDelta()
    rheobase = (neuron.v_thresh - neuron.v_rest) / neuron.resistance
    assert spike_count(neuron, 1.0, 100_000, np.array([rheobase * 0.999]))[0] == 0
    assert spike_count(neuron, 1.0, 100_000, np.array([rheobase * 1.001]))[0] > 0


@pytest.mark.parametrize("reset", ["hard", "subtract"])
@pytest.mark.parametrize("offset", [-0.5, 0.5, 0.9, 20.0])
def test_the_levels_are_those_of_the_whole_current(reset: Reset, offset: float) -> None:
    bare = IFCurrDelta(reset=reset, tau_refrac=0.0)
    neuron = replace(bare, i_offset=offset)
    levels, currents = count_levels(neuron, 1.0, 50)
    expected, plain = count_levels(bare, 1.0, 50)
    np.testing.assert_array_equal(levels, expected)
    np.testing.assert_allclose(currents[1:] + offset, plain[1:], rtol=1e-12)
    np.testing.assert_array_equal(spike_count(neuron, 1.0, 50, currents), levels)


@pytest.mark.parametrize("reset", ["hard", "subtract"])
def test_one_spike_may_be_all_there_is_time_for(reset: Reset) -> None:
    neuron = IFCurrDelta(reset=reset, tau_refrac=60.0, i_offset=0.9)
    levels, currents = count_levels(neuron, 1.0, 50)
    np.testing.assert_array_equal(levels, [0, 1])
    np.testing.assert_array_equal(spike_count(neuron, 1.0, 50, currents), [0, 1])
