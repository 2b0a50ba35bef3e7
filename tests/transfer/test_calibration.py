"""The least squares of the calibration, on made-up responses."""

from __future__ import annotations

import numpy as np
import pytest
from tests.oracles import PlainSimulator, chain, random_parameters

from volr.backends.base import Recordings
from volr.backends.reference import activations
from volr.models.model import ArtificialModel, SpikingModel
from volr.neurons import IFCondExp, IFCurrDelta, IFCurrExp, NeuronModel
from volr.transfer import TransferSettings
from volr.transfer.calibration import calibrate, gauss_newton_step, probes_of
from volr.transfer.scaling import Correction, scales, spiking_model, wanted_counts

BIAS = "dense_1.bias"
# What excitation and inhibition bring, in spikes: [batch, unit].
UP = np.array([[1.0, 5.0, 9.0], [4.0, 8.0, 20.0]])
DOWN = np.array([[1.0, 2.0, 1.0], [3.0, 3.0, 7.0]])
WANTED = UP - DOWN
CONDUCTANCES, CURRENTS = probes_of(IFCondExp()), probes_of(IFCurrDelta())


def linear(excitation: float, inhibition: float, offset: float) -> np.ndarray:
    """Counts of neurons whose response is a straight line, scaled so that they are whole."""
    return np.rint(1e6 * (excitation * UP - inhibition * DOWN + offset)).astype(np.int64)


def stepped(gains: tuple[float, float, float], probes: np.ndarray) -> np.ndarray:
    """The step from these gains and this offset, in the units of ``linear``."""
    excitation, inhibition, offset = gains
    probed = [
        linear(excitation * (1 + up), inhibition * (1 + down), offset + lift)
        for up, down, lift in probes
    ]
    return gauss_newton_step(1e6 * WANTED, linear(*gains), probed, probes)


@pytest.mark.parametrize("gains", [(0.8, 1.1, 0.5), (1.1, 0.9, -1.0), (0.9, 0.9, 0.0)])
def test_one_step_straightens_a_linear_response(gains: tuple[float, float, float]) -> None:
    excitation, inhibition, offset = gains
    # Each is brought to 1, 1 and 0.
    wanted = (1 / excitation - 1, 1 / inhibition - 1, -offset)
    assert stepped(gains, CONDUCTANCES) == pytest.approx(wanted, abs=1e-5)


def test_currents_have_one_gain() -> None:
    step = stepped((0.8, 0.8, 0.5), CURRENTS)
    assert step == pytest.approx((0.25, 0.25, -0.5), abs=1e-5)
    # Whatever is wrong with their balance, it stays as it is.
    step = stepped((0.9, 1.2, 0.5), CURRENTS)
    assert step[0] == step[1] != 0.0


@pytest.mark.parametrize(
    ("neuron", "kinds"), [(IFCurrDelta(), 2), (IFCurrExp(), 2), (IFCondExp(), 3)]
)
def test_each_probe_moves_something_else(neuron: NeuronModel, kinds: int) -> None:
    probes = probes_of(neuron)
    assert probes.shape == (kinds, 3)
    assert np.linalg.matrix_rank(probes) == kinds
    assert ((probes != 0).sum(axis=0) == 1).all()


def test_a_probe_that_changes_nothing_moves_nothing() -> None:
    counts = np.array([[0, 2, 5], [1, 4, 9]])
    step = gauss_newton_step(WANTED, counts, [counts, counts], CURRENTS)
    np.testing.assert_array_equal(step, [0.0, 0.0, 0.0])
    up, down, offset = gauss_newton_step(WANTED, counts, [counts, counts + 1], CURRENTS)
    assert (up, down) == (0.0, 0.0)
    assert offset == pytest.approx((WANTED - counts).mean())


def test_a_step_is_bounded() -> None:
    nothing = np.zeros(WANTED.shape, dtype=np.int64)
    probed = [nothing + 1, nothing + 2, np.arange(6).reshape(2, 3)]
    for sign in (1, -1):
        step = gauss_newton_step(sign * 1e6 * WANTED, nothing, probed, CONDUCTANCES)
        assert (np.abs(step) <= [0.6, 0.6, 4.0]).all()
        assert (1 + step[:2] > 0.5).all()


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


def test_a_round_that_finds_nothing_better_is_followed_by_a_shorter_one() -> None:
    # Counts that are one too low as they are, and two too high however little is changed.
    network = chain(2, 3)
    values = {"input->dense_1.weight": np.eye(3, 2), "dense_1.bias": np.array([0.5, 0.2, 0.3])}
    model = ArtificialModel(network, values)
    stimuli = np.random.default_rng(5).random((8, 2))
    shown = activations(model, stimuli)
    settings = TransferSettings(rounds=3)
    scale = scales(network, shown, settings)
    plain = spiking_model(model, network, scale, {"dense_1": Correction()}, settings)
    asked = wanted_counts(shown["dense_1"], scale["dense_1"], settings)
    wanted = np.rint(np.maximum(asked, 0.0)).astype(np.int64)
    currents: list[float] = []

    class Stubborn(PlainSimulator):
        def run(self, model: SpikingModel, *_: object, **__: object) -> Recordings:
            currents.append(float((model.parameters[BIAS] - plain.parameters[BIAS])[1]))
            return Recordings({"dense_1": wanted - 1 if currents[-1] == 0.0 else wanted + 2})

    found = calibrate(model, stimuli, shown, scale, Stubborn(), settings)
    assert found == {"dense_1": Correction()}
    assert len(currents) == 1 + 3 * 3
    first, second, third = currents[3::3]
    assert first != 0.0
    assert (second, third) == pytest.approx((first / 2, first / 4))
