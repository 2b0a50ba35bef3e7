"""Neurons without leak: what their numbers are, and what is at their threshold."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
import pytest

from volr.errors import ModelError
from volr.language import to_network
from volr.model_files.model_file import read_model_file, save_model
from volr.models.model import SpikingModel
from volr.neurons import RESETS, TIE, IFCurrDelta, IFCurrExp, Reset, neuron_model, raised
from volr.neurons.response import count_levels, spike_count

if TYPE_CHECKING:
    from pathlib import Path

    from volr.neurons import NeuronModel

ENDLESS: list[NeuronModel] = [
    IFCurrDelta(tau_m=math.inf, cm=0.3),
    IFCurrExp(tau_m=math.inf, cm=0.3, v_rest=-64.0, tau_syn_E=3.0, tau_syn_I=7.0),
]


@pytest.mark.parametrize("neuron", ENDLESS, ids=lambda each: each.name)
def test_numbers_are_the_limit_of_a_weak_leak(neuron: NeuronModel) -> None:
    weak = replace(neuron, tau_m=1e6)
    assert neuron.decay(0.5) == 1.0
    assert neuron.rise(0.5) == pytest.approx(weak.rise(0.5), rel=1e-6) == 0.5 / 0.3
    if isinstance(neuron, IFCurrExp) and isinstance(weak, IFCurrExp):
        rises = neuron.synaptic_rises(0.5)
        assert rises == pytest.approx(weak.synaptic_rises(0.5), rel=1e-6)
        # All of the charge of 1 nA that decays with 3 ms is 3 pC: 10 mV at 0.3 nF.
        steps = np.arange(400)
        left = math.exp(-0.5 / 3.0) ** steps
        assert rises[0] * left.sum() == pytest.approx(3.0 / 0.3, rel=1e-12)


@pytest.mark.parametrize("neuron", ENDLESS, ids=lambda each: each.name)
def test_the_threshold_is_a_billionth_of_a_spikes_cost_lower(neuron: NeuronModel) -> None:
    assert neuron.v_thresh - neuron.fires_at() == pytest.approx(TIE * neuron.theta, rel=1e-5)
    assert raised(neuron.fires_at(), neuron.v_reset) == pytest.approx(neuron.v_thresh, rel=1e-15)
    assert neuron.fires_at(single=True) < neuron.fires_at()
    leaky = replace(neuron, tau_m=20.0)
    assert leaky.fires_at() == leaky.fires_at(single=True) == leaky.v_thresh


def test_no_other_number_may_be_infinite() -> None:
    for name in ("cm", "v_rest", "v_reset", "tau_refrac", "i_offset"):
        with pytest.raises(ModelError, match=f"{name} is inf"):
            neuron_model("if_curr_delta", {"tau_m": math.inf, name: math.inf})
    for wrong in (-math.inf, math.nan):
        with pytest.raises(ModelError, match="tau_m is"):
            IFCurrDelta(tau_m=wrong)


def exact_count(neuron: NeuronModel, steps: int, push: Fraction) -> int:
    """Spikes in ``steps`` steps, each of which adds ``push`` to the membrane."""
    rest, low, high = map(Fraction, (neuron.v_rest, neuron.v_reset, neuron.v_thresh))
    v, count = rest, 0
    for _ in range(steps):
        v += push
        if v >= high:
            count += 1
            v = low if neuron.reset == "hard" else v - (high - low)
    return count


@pytest.mark.parametrize("reset", RESETS)
@pytest.mark.parametrize(("rest", "low"), [(0, 0), (-65, -65), (-65, -67)])
def test_a_current_that_reaches_the_threshold_exactly_fires(
    reset: Reset, rest: int, low: int
) -> None:
    neuron = IFCurrDelta(
        v_rest=rest,
        v_reset=low,
        v_thresh=rest + 15,
        tau_m=math.inf,
        cm=0.25,
        tau_refrac=0.0,
        reset=reset,
    )
    for n in range(1, 60):
        push = Fraction(15, n)
        current = np.array([float(push) * 0.25 / 0.5])
        found = int(spike_count(neuron, 0.5, 120, current)[0])
        assert found == exact_count(neuron, 120, push), n


@pytest.mark.parametrize("reset", RESETS)
def test_each_level_has_a_current_that_gives_it(reset: Reset) -> None:
    neuron = IFCurrDelta(v_reset=-66.0, tau_m=math.inf, tau_refrac=0.0, i_offset=0.1, reset=reset)
    counts, currents = count_levels(neuron, 1.0, 40)
    assert (counts[0], counts[-1]) == (0, 40)
    if reset == "subtract":
        np.testing.assert_array_equal(counts, np.arange(41))
    for count, current in zip(counts, currents, strict=True):
        assert exact_count(neuron, 40, Fraction(float(current + neuron.i_offset))) == count


def test_a_file_keeps_it_in_words_that_json_has(tmp_path: Path) -> None:
    network = to_network("dense 2 3")
    values = {"input->dense_1.weight": np.ones((3, 2)), "dense_1.bias": np.zeros(3)}
    model = SpikingModel(network=network, parameters=values, neuron=ENDLESS[1])
    path = tmp_path / "endless.safetensors"
    save_model(model, path)
    loaded = read_model_file(path).model
    assert isinstance(loaded, SpikingModel)
    assert loaded.neuron == ENDLESS[1]
    header = path.read_bytes()[8:].split(b"\n")[0]
    text = header[: header.index(b"}}") + 2].decode(errors="replace")
    assert '\\"tau_m\\": \\"inf\\"' in text
    assert "Infinity" not in text


def test_words_are_read_as_they_are_written() -> None:
    from volr.checks.json_values import in_words, out_of_words

    numbers = {"tau_m": math.inf, "cm": 0.5}
    text = json.dumps(in_words(numbers), allow_nan=False)
    assert {key: out_of_words(each) for key, each in json.loads(text).items()} == numbers
