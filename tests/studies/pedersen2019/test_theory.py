"""The original's numbers come out of the simulation, which follows the closed forms."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.cli.running import solved_xor
from tests.needs import needs_nest, needs_numba

from studies.pedersen2019 import theory
from volr.backends import simulator
from volr.experiments.tasks import task

if TYPE_CHECKING:
    from studies.pedersen2019.theory import Chain, Theory

pytestmark = needs_numba


@pytest.fixture(scope="module")
def found() -> Theory:
    with simulator("engine") as engine:
        return theory.theory(engine, "engine")


def test_membrane_is_the_charging_curve(found: Theory) -> None:
    """V = −65 + 20 MΩ · 2 nA · (1 − e^(−t/20 ms)) from every reset on."""
    trace = found.trace
    assert len(trace.spikes) == 5
    assert len(trace.times) == len(trace.membrane) == 501
    starts = (0.0, *trace.spikes)
    for time, membrane in zip(trace.times, trace.membrane, strict=True):
        since = time - max(each for each in starts if each <= time + 1e-9)
        assert membrane == pytest.approx(-65.0 + 40.0 * (1.0 - np.exp(-since / 20.0)), abs=2e-3)
    # The threshold is crossed after 20 ms · ln(40 / 25), at the end of that step.
    period = np.ceil(20.0 * np.log(40.0 / 25.0) / 0.1) * 0.1
    assert trace.spikes == pytest.approx([period * k for k in range(1, 6)])


def test_counts_are_those_of_the_exact_update(found: Theory) -> None:
    currents = np.array(found.response.currents)
    decay = np.exp(-0.1 / 20.0)
    membrane, counts = np.zeros(len(currents)), np.zeros(len(currents), dtype=int)
    for _ in range(500):
        membrane = membrane * decay + 20.0 * currents * (1.0 - decay)
        counts += membrane >= 15.0
        membrane[membrane >= 15.0] = 0.0
    assert found.response.counts == tuple(counts)


def test_regression_of_the_original(found: Theory) -> None:
    line = found.response.line
    assert line.slope == pytest.approx(3.225, rel=0.03)
    assert line.intercept == pytest.approx(-1.615, abs=0.2)
    assert line.r_squared == pytest.approx(0.9977, abs=0.0005)
    assert found.response.currents[-1] == 12.0
    assert found.response.counts[-1] == 38
    assert found.response.silent_up_to == pytest.approx(0.8)


def test_chain_is_near_linear_with_the_scale_and_saturates_without(found: Theory) -> None:
    for chain in (found.scaled, found.unscaled):
        assert len(chain.counts) == 4
        driven = chain.counts[0]
        assert (driven[0], driven[-1]) == (0.0, 38.0)
        assert all(low < high for low, high in pairwise(driven))
    assert all(line.r_squared > 0.99 for line in found.scaled.lines)
    assert all(line.slope == pytest.approx(1.0, abs=0.1) for line in found.scaled.lines)
    assert all(36.0 <= population[-1] <= 40.0 for population in found.scaled.counts)
    # Without, a tenth of the input drives the last population to most of what it can.
    assert _at(found.unscaled, 4.0) > 0.7 * found.unscaled.most > 300.0
    assert found.unscaled.lines[-1].r_squared < 0.5


def _at(chain: Chain, driven: float) -> float:
    return chain.counts[-1][chain.counts[0].index(driven)]


def test_comparisons_name_the_numbers_of_the_original(found: Theory) -> None:
    said = {each.quantity: (each.ours, each.said) for each in theory.comparisons(found)}
    assert said["spikes in 50 ms at 2 nA"] == (5, "5")
    assert said["spike count against current: slope"] == (found.response.line.slope, "3.225")
    assert said["spikes in 50 ms at 12 nA"] == (38, "38")


@needs_nest
def test_nest_says_the_same(found: Theory) -> None:
    with simulator("nest") as nest:
        assert theory.response(nest) == found.response
        scaled = theory.chain(nest, theory.WEIGHT_SCALE / theory.CHAIN_SIZE)
    assert scaled == found.scaled


_POINTS = st.lists(
    st.tuples(st.integers(-50, 50), st.integers(-50, 50)), min_size=3, max_size=20
).filter(lambda points: len({x for x, _ in points}) > 1)


@given(_POINTS)
def test_regression_is_that_of_numpy(points: list[tuple[int, int]]) -> None:
    x, y = np.array(points, dtype=np.float64).T
    line = theory.regression(x, y)
    assert (line.slope, line.intercept) == pytest.approx(tuple(np.polyfit(x, y, 1)), abs=1e-8)
    if np.ptp(y) > 0:
        assert line.r_squared == pytest.approx(np.corrcoef(x, y)[0, 1] ** 2, abs=1e-9)
    else:
        assert line.r_squared == 1.0


def test_population_rates_are_those_of_a_transferred_network() -> None:
    samples = task("xor").load(seed=0).train
    with simulator("engine") as engine:
        found = theory.population_rates(solved_xor(), samples, engine)
    assert [each.size for each in found] == [2, 2, 2]
    assert all(each.wanted > 5.0 for each in found)
    assert all(each.measured == pytest.approx(each.wanted, rel=0.25) for each in found)
