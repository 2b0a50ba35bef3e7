"""The least squares of the calibration, on made-up responses."""

from __future__ import annotations

import numpy as np
import pytest
from tests.oracles import PlainSimulator, chain, random_parameters

from volr.backends.reference import activations
from volr.models.model import ArtificialModel
from volr.transfer import TransferSettings
from volr.transfer.calibration import PROBE_GAIN, PROBE_OFFSET, calibrate, gauss_newton_step
from volr.transfer.scaling import scales, spiking_model, wanted_counts

WANTED = np.array([[0.0, 3.0, 8.0], [1.0, 5.0, 13.0]])


def linear(gain: float, offset: float) -> np.ndarray:
    """Counts of neurons whose response is a straight line, scaled so that they are whole."""
    return np.rint(1e6 * (gain * WANTED + offset)).astype(np.int64)


@pytest.mark.parametrize(("gain", "offset"), [(0.8, 0.5), (1.1, -1.0), (0.9, 0.0)])
def test_one_step_straightens_a_linear_response(gain: float, offset: float) -> None:
    found = gauss_newton_step(
        1e6 * WANTED,
        linear(gain, offset),
        linear(gain * (1 + PROBE_GAIN), offset),
        linear(gain, offset + PROBE_OFFSET),
    )
    # gain · (1 + x) · w + offset + y = w
    assert found == pytest.approx((1 / gain - 1, -offset), abs=1e-5)


def test_a_probe_that_changes_nothing_moves_nothing() -> None:
    counts = np.array([[0, 2, 5], [1, 4, 9]])
    gain, offset = gauss_newton_step(WANTED, counts, counts, counts)
    assert (gain, offset) == (0.0, 0.0)
    gain, offset = gauss_newton_step(WANTED, counts, counts, counts + 1)
    assert gain == 0.0
    assert offset == pytest.approx((WANTED - counts).mean())


def test_a_step_is_bounded() -> None:
    gain, offset = gauss_newton_step(WANTED * 1e6, linear(1, 0) * 0, linear(1, 0), linear(0, 1))
    assert -0.5 < gain < 1.0
    assert -5 < offset < 5


def test_calibration_never_makes_a_layer_worse_than_the_analytic_mapping() -> None:
    network = chain(4, 6, 5, 3)
    values = random_parameters(network, np.random.default_rng(3), weight=0.4, bias=0.1)
    model = ArtificialModel(network, values)
    stimuli = np.random.default_rng(4).random((60, 4))
    shown = activations(model, stimuli)
    errors: list[float] = []
    for rounds in (0, 1, 3):
        settings = TransferSettings(dt=1.0, rounds=rounds)
        scale = scales(network, shown, settings)
        simulator = PlainSimulator()
        found = calibrate(model, stimuli, shown, scale, simulator, settings)
        # Of the first layer, whose input does not depend on the calibration of another.
        first = chain(4, 6)
        spiking = spiking_model(model, first, scale, found, settings)
        counts = simulator.run(spiking, stimuli).counts["dense_1"]
        wanted = np.maximum(wanted_counts(shown["dense_1"], scale["dense_1"], settings), 0)
        errors.append(float(np.mean((wanted - counts) ** 2)))
    assert errors[0] >= errors[1] >= errors[2]
    assert errors[2] < errors[0]
