"""The oracle of ``benchmarks/spiking.py``: closed forms, and planted faults."""

from __future__ import annotations

import math

import numpy as np
import pytest
from benchmarks.peers.dynamics import compare, respond
from benchmarks.peers.windowed import Windowed

from volr.network.connectors import AllToAll, AveragePool, Convolution, Pooled

DECAY = math.exp(-1 / 20)


def chain(rng: np.random.Generator) -> list[np.ndarray]:
    """Signed weights of 5-4-3, ``[post, pre]``."""
    return [rng.normal(0.1, 0.5, (4, 5)), rng.normal(0.2, 0.8, (3, 4))]


@pytest.mark.parametrize("weight", [0.06, 0.11, 0.3, 0.7, 1.5])
def test_interval_under_a_constant_drive(weight: float):
    # V after n steps is w (1 − aⁿ) / (1 − a), which must reach 1.
    interval = math.ceil(math.log(1 - (1 - DECAY) / weight) / math.log(DECAY))
    spikes = np.ones((200, 1, 1), dtype=np.bool_)
    (found,) = respond([np.array([[weight]])], DECAY, spikes)
    assert np.flatnonzero(found[:, 0, 0]).tolist() == list(range(interval - 1, 200, interval))


def test_latency_moves_each_layer_by_its_depth():
    rng = np.random.default_rng(0)
    weights, spikes = chain(rng), rng.random((60, 2, 5)) < 0.4
    at_once, later = respond(weights, DECAY, spikes), respond(weights, DECAY, spikes, latency=1)
    for depth, (first, second) in enumerate(zip(at_once, later, strict=True), 1):
        assert first.any()
        assert np.array_equal(first[:-depth], second[depth:])
        assert not second[:depth].any()


@pytest.mark.parametrize("latency", [0, 1])
def test_the_oracle_agrees_with_itself(latency: int):
    rng = np.random.default_rng(1)
    weights, spikes = chain(rng), rng.random((40, 3, 5)) < 0.3
    expected = respond(weights, DECAY, spikes, latency)
    for layer, each in zip(
        expected, compare(weights, DECAY, spikes, expected, expected, latency), strict=True
    ):
        assert (each.differing, each.ties, each.wrong) == (0, 0, 0)
        assert (each.spikes, each.values) == (layer.sum(), layer.size)


def test_a_planted_spike_is_wrong():
    rng = np.random.default_rng(2)
    weights, spikes = chain(rng), rng.random((40, 3, 5)) < 0.3
    expected = respond(weights, DECAY, spikes)
    planted = expected[1].copy()
    step, stimulus, unit = np.argwhere(~planted)[0]
    planted[step, stimulus, unit] = True
    first, second = compare(weights, DECAY, spikes, [expected[0], planted], expected)
    assert (first.differing, first.wrong) == (0, 0)
    assert second.differing == 1
    assert second.wrong >= 1


def test_a_spike_at_the_threshold_is_a_tie():
    spikes = np.array([[[True]], [[False]]])
    found = np.array([[[True]], [[False]]])
    for weight, ties, wrong in ((1 - 1e-6, 1, 0), (1 - 1e-4, 0, 1)):
        weights = [np.array([[weight]])]
        (each,) = compare(weights, DECAY, spikes, [found], respond(weights, DECAY, spikes))
        assert (each.differing, each.ties, each.wrong) == (1, ties, wrong)


def test_windows_bring_what_a_connector_does():
    rng = np.random.default_rng(3)
    kernel = rng.normal(size=(3, 2, 2, 2)).astype(np.float32)
    windowed = Windowed(kernel, (2, 8, 6), pool=2)
    assert windowed.target == (3, 3, 2)
    pooled = Pooled((AveragePool((2, 2)),), Convolution((2, 2)))
    spikes = rng.random((5, 96)) < 0.4
    ends = windowed.source, windowed.target
    assert windowed.synapses == pooled.synapse_count(*ends)
    expected = pooled.apply(kernel.astype(float), spikes.astype(float), *ends)
    np.testing.assert_allclose(windowed.arriving(spikes), expected, rtol=1e-12)
    rows = Windowed(rng.normal(size=(7, 24)).astype(np.float32), (2, 8, 6), pool=2)
    every = Pooled((AveragePool((2, 2)),), AllToAll())
    expected = every.apply(rows.weights.astype(float), spikes.astype(float), (2, 8, 6), (7,))
    np.testing.assert_allclose(rows.arriving(spikes), expected, rtol=1e-12)
