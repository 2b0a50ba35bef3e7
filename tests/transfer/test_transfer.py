"""The transfer as a whole, on a plain simulator, and on NEST."""

from __future__ import annotations

import copy
import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from tests.needs import needs_nest
from tests.oracles import PlainSimulator, chain, fork, random_parameters

from volr.backends.base import Record, Simulator
from volr.backends.nest import NestSimulator
from volr.backends.reference import activations
from volr.errors import DataError, ModelError, UnsupportedError
from volr.models.activations import Tanh
from volr.models.coding import ConstantCurrent, Poisson, decode_counts
from volr.models.model import ArtificialModel
from volr.models.samples import Samples
from volr.neurons import IFCurrDelta
from volr.transfer import TransferSettings, transfer_ann

if TYPE_CHECKING:
    from volr.network import Network

FINE = TransferSettings(dt=0.2, duration=200.0, rounds=2, samples=60)


def ann(network: Network, seed: int) -> ArtificialModel:
    rng = np.random.default_rng(seed)
    values = random_parameters(network, rng, weight=0.0, bias=0.0)
    for name, array in values.items():
        scale = 1.5 / math.sqrt(array.shape[-1]) if name.endswith("weight") else 0.2
        values[name] = rng.normal(0.0, scale, array.shape)
    return ArtificialModel(network, values)


def labelled(model: ArtificialModel, count: int, seed: int) -> Samples:
    """Random stimuli with the labels that the model itself gives them."""
    stimuli = np.random.default_rng(seed).random((count, model.network.input_size))
    shown = activations(model, stimuli)
    logits = np.concatenate([shown[name] for name in model.network.outputs], axis=1)
    return Samples(stimuli, logits.argmax(axis=1))


@pytest.mark.parametrize("network", [chain(40, 30, 4), fork(30, 25, 14, 3)], ids=["chain", "fork"])
def test_counts_become_the_activations(network: Network) -> None:
    # With many fine steps and many small weights little is left but quantisation: counts are linear
    # in what the ANN computes, on stimuli that the calibration has not seen.
    model = ann(network, 1)
    done = transfer_ann(model, labelled(model, 80, 2), PlainSimulator(), FINE)
    fresh = labelled(model, 60, 3)
    names = tuple(p.name for p in network.layers)
    found = PlainSimulator().run(done.model, fresh.inputs, record=Record(counts=names))
    shown = activations(model, fresh.inputs)
    scales = done.scales
    full = FINE.full_rate * FINE.duration / 1000
    for name in names:
        if name not in network.outputs:
            decoded = found.counts[name] * scales[name] / full
            off = np.abs(decoded - np.maximum(shown[name], 0)) / scales[name]
            assert off.mean() < 0.04
    # Leak and reset bend the response by a few per cent of the scale: where the ANN is clear, the
    # SNN agrees.
    ranked = np.sort(np.hstack([shown[name] for name in network.outputs]), axis=1)
    clear = ranked[:, -1] - ranked[:, -2] > 0.1 * scales[network.outputs[0]][0]
    labels, _ = decode_counts(found.output_values(done.model))
    assert clear.sum() >= 20
    assert (labels == fresh.labels)[clear].mean() >= 0.95


def test_the_sign_of_a_weight_is_kept() -> None:
    network = chain(2, 2, 2)
    values = {
        "input->dense_1.weight": np.array([[1.0, -1.0], [-1.0, 1.0]]),
        "dense_1->dense_2.weight": np.array([[1.0, -1.0], [-1.0, 1.0]]),
        "dense_1.bias": np.zeros(2),
        "dense_2.bias": np.zeros(2),
    }
    model = ArtificialModel(network, values)
    samples = Samples(
        np.array([[1.0, 0.2], [0.1, 0.9], [0.8, 0.0], [0.3, 0.7]]), np.array([0, 1, 0, 1])
    )
    done = transfer_ann(model, samples, PlainSimulator(), FINE)
    for name, weights in values.items():
        if name.endswith("weight"):
            np.testing.assert_array_equal(np.sign(done.model.parameters[name]), np.sign(weights))
    assert done.report.accuracy_after == 1.0


def test_calibration_helps_where_steps_are_coarse() -> None:
    model = ann(chain(8, 12, 4), 4)
    samples = labelled(model, 150, 5)
    coarse = TransferSettings(dt=1.0, samples=150)
    errors: list[float] = []
    for rounds in (0, 2):
        done = transfer_ann(model, samples, PlainSimulator(), replace(coarse, rounds=rounds))
        hidden = done.report.populations[1]
        errors.append(abs(hidden.wanted - hidden.measured) / hidden.wanted)
    assert errors[1] < 0.5 * errors[0]


@pytest.mark.parametrize(
    "settings",
    [
        replace(FINE, neuron=IFCurrDelta(tau_m=10.0, cm=0.4, v_reset=-70.0, tau_refrac=0.4)),
        replace(FINE, neuron=IFCurrDelta(i_offset=0.4)),
        replace(FINE, coding=ConstantCurrent(250.0), delay=1.0),
        replace(FINE, coding=Poisson(2000.0), dt=0.4, duration=400.0),
    ],
    ids=["membrane", "offset", "delay", "poisson"],
)
def test_other_neurons_and_codings_work_too(settings: TransferSettings) -> None:
    model = ann(chain(6, 9, 3), 6)
    done = transfer_ann(model, labelled(model, 60, 7), PlainSimulator(), settings)
    assert done.report.accuracy_after >= 0.85
    assert done.model.neuron == settings.neuron
    assert done.model.delay == settings.delay_ms


def test_the_report_counts_what_was_lost() -> None:
    # Neuron 0 fires, neuron 1 never should, neuron 2 has an activation that its scale clips. Their
    # norms are 1, 1 and 4 in, and 1, 0 and 1 out; √(in · out) has the median 1.5 where it is not 0.
    network = chain(1, 3, 2)
    values = {
        "input->dense_1.weight": np.array([[1.0], [-1.0], [4.0]]),
        "dense_1->dense_2.weight": np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]),
        "dense_1.bias": np.array([0.0, 0.0, 0.0]),
        "dense_2.bias": np.zeros(2),
    }
    stimuli = np.linspace(0.05, 1.0, 40)[:, None]
    samples = Samples(stimuli, np.ones(40, dtype=int))
    settings = replace(FINE, percentile=90.0)
    done = transfer_ann(ArtificialModel(network, values), samples, PlainSimulator(), settings)
    hidden = done.report.populations[1]
    shown = np.maximum(stimuli @ values["input->dense_1.weight"].T, 0)
    units = np.array([1.0, 1.0 / 1.5, 2.0])
    scales = np.percentile(shown / units, 90.0) * units
    np.testing.assert_allclose(done.scales["dense_1"], scales)
    assert hidden.scale == pytest.approx(scales.prod() ** (1 / 3))
    assert hidden.clipped == pytest.approx((shown > scales).mean())
    assert hidden.silent == 1
    assert hidden.dead == 0
    assert hidden.correlation > 0.9
    # The negative activations, then the others in order, up to the clipped one.
    assert hidden.wanted_curve[0] == 0.0
    assert np.argmax(hidden.wanted_curve) == len(hidden.wanted_curve) - 1 <= 20
    assert hidden.wanted_curve[-1] == pytest.approx(500.0 * (shown / scales).max(), rel=0.05)
    assert done.report.samples == 40
    assert done.report.accuracy_before == 1.0


def test_a_population_that_never_fires_is_reported_dead() -> None:
    # A gain that calibration cannot reach: the neuron is refractory for longer than the stimulus.
    neuron = IFCurrDelta(tau_refrac=0.0, v_thresh=-50.0)
    model = ann(chain(3, 4, 2), 8)
    settings = replace(FINE, neuron=neuron, duration=1.0, coding=ConstantCurrent(500.0))
    done = transfer_ann(model, labelled(model, 20, 9), PlainSimulator(), settings)
    assert any(p.dead for p in done.report.populations[1:])


def test_the_same_seed_gives_the_same_model() -> None:
    model = ann(chain(4, 5, 3), 10)
    samples = labelled(model, 50, 11)
    settings = TransferSettings(samples=30, rounds=2)
    done = transfer_ann(model, samples, PlainSimulator(), settings)
    first, second = done.model, transfer_ann(model, samples, PlainSimulator(), settings).model
    for name, array in first.parameters.items():
        np.testing.assert_array_equal(array, second.parameters[name])
    again = copy.deepcopy(done)
    assert again == done
    assert hash(again) == hash(done)
    moved = {name: 2.0 * array for name, array in done.scales.items()}
    assert replace(done, scales=moved) != done


def test_progress_counts_every_simulation() -> None:
    model = ann(fork(3, 2, 4, 2), 12)
    told: list[tuple[int, int, str]] = []
    transfer_ann(
        model,
        labelled(model, 10, 13),
        PlainSimulator(),
        TransferSettings(rounds=3),
        progress=lambda done, total, what: told.append((done, total, what)),
    )
    assert [done for done, _, _ in told] == list(range(20))
    assert {total for _, total, _ in told} == {20}
    assert told[0][2] == "dense_1, dense_2"
    assert told[-1][2] == "dense_3"


def test_refusals() -> None:
    model = ann(chain(3, 2), 14)
    samples = labelled(model, 10, 15)
    with pytest.raises(UnsupportedError, match="'tanh'"):
        transfer_ann(replace(model, activation=Tanh()), samples, PlainSimulator())
    with pytest.raises(DataError, match="there are none"):
        transfer_ann(model, samples.first(0), PlainSimulator())
    with pytest.raises(DataError, match="there is a label 2, and the network has 2 outputs"):
        transfer_ann(model, Samples(np.zeros((2, 3)), np.array([0, 2])), PlainSimulator())
    with pytest.raises(DataError):
        transfer_ann(model, Samples(np.zeros((4, 5)), np.zeros(4, dtype=int)), PlainSimulator())
    with pytest.raises(ModelError) as caught:
        TransferSettings(percentile=0.0, rounds=-1, samples=0, seed=-1)
    for word in ("percentile", "rounds", "samples", "seed"):
        assert word in caught.value.message
    with pytest.raises(ModelError, match="dt is 0"):
        TransferSettings(dt=0.0)


@needs_nest
def test_nest_and_the_plain_simulator_calibrate_alike() -> None:
    model = ann(fork(4, 3, 5, 3), 16)
    samples = labelled(model, 40, 17)
    settings = TransferSettings(samples=25, rounds=3)

    def made(simulator: Simulator) -> dict[str, object]:
        return dict(transfer_ann(model, samples, simulator, settings).model.parameters)

    plain = made(PlainSimulator())
    with NestSimulator(1) as nest:
        on_nest = made(nest)
    for name, array in plain.items():
        np.testing.assert_array_equal(array, on_nest[name])
