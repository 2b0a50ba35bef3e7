"""What a report says of made-up counts."""

from __future__ import annotations

import numpy as np
import pytest

from volr.transfer.scaling import Correction
from volr.transfer.summary import population_report, rate_curve

# Parts of the range are half a spike wide, up to 10.
WANTED = np.array([[0.0, 0.1, 1.0], [0.0, 0.3, 10.0], [0.6, 5.0, 0.0]])
COUNTS = np.array([[0, 1, 2], [3, 0, 8], [1, 4, 0]])


def test_a_curve_has_the_means_of_each_part_that_there_is() -> None:
    wanted, measured = rate_curve(WANTED, COUNTS)
    # 0, 0 and 0; 0.1 and 0.3; 0.6 and 1, since a part has its upper edge; 5; 10.
    np.testing.assert_allclose(wanted, [0.0, 0.2, 0.8, 5.0, 10.0])
    np.testing.assert_allclose(measured, [1.0, 0.5, 1.5, 4.0, 8.0])


def test_a_population_that_is_to_be_silent_has_one_point() -> None:
    wanted, measured = rate_curve(np.zeros((2, 3)), COUNTS[:2])
    assert (wanted.tolist(), measured.tolist()) == ([0.0], [14 / 6])


def test_rates_and_corrections_are_told() -> None:
    # One activation is negative: nothing was wanted there.
    signed = WANTED.copy()
    signed[2, 2] = -4.0
    report = population_report(
        "dense_1",
        scale=2.0,
        correction=Correction(1.1, 0.7, 0.02),
        wanted=signed,
        counts=COUNTS,
        full=8.0,
        most=100,
        duration=50.0,
    )
    assert (report.excitation, report.inhibition, report.offset) == (1.1, 0.7, 0.02)
    assert report.wanted == pytest.approx(WANTED.mean() * 20.0)
    assert report.measured == pytest.approx(COUNTS.mean() * 20.0)
    assert report.wanted_curve == pytest.approx((0.0, 4.0, 16.0, 100.0, 200.0))
    assert report.measured_curve == pytest.approx((20.0, 10.0, 30.0, 80.0, 160.0))
    assert report.clipped == pytest.approx(1 / 9)
    assert (report.dead, report.silent, report.saturated) == (0, 0, 0)
