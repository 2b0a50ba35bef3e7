"""What counts as right, on models whose answers are known beforehand."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from tests.needs import needs_numba
from tests.oracles import PlainSimulator, chain, random_parameters, simulate_delta

from volr.backends import ENGINE, document, simulator
from volr.backends.base import SpikingBackend
from volr.backends.reference import REFERENCE
from volr.errors import DataError, MissingError, UnsupportedError, VolrError
from volr.experiments.evaluation import data_seed, evaluate
from volr.models.activations import Identity
from volr.models.coding import Poisson, poisson_spikes
from volr.models.model import ArtificialModel, SpikingModel
from volr.models.samples import Samples
from volr.neurons import IFCurrDelta

if TYPE_CHECKING:
    from collections.abc import Generator

    from volr.backends.base import Simulator

STARTED: list[str] = []


@contextmanager
def start() -> Generator[Simulator]:
    STARTED.append("started")
    yield PlainSimulator()


PLAIN = SpikingBackend(
    name="plain",
    summary="the equations",
    neurons=("if_curr_delta",),
    codings=("current", "poisson"),
    start=start,
)


@pytest.fixture
def linear() -> ArtificialModel:
    """Three inputs, two outputs: (2x − z, y)."""
    values = {
        "input->dense_1.weight": np.array([[2.0, 0.0, -1.0], [0.0, 1.0, 0.0]]),
        "dense_1.bias": np.zeros(2),
    }
    return ArtificialModel(chain(3, 2), values, Identity())


@pytest.fixture
def spiking() -> SpikingModel:
    network = chain(3, 5, 2)
    values = random_parameters(network, np.random.default_rng(0), weight=8.0, bias=0.3)
    return SpikingModel(
        network=network,
        parameters=values,
        neuron=IFCurrDelta(),
        coding=Poisson(200.0),
        dt=1.0,
        duration=20.0,
        delay=1.0,
    )


def test_an_artificial_model_is_right_where_the_right_logit_is_the_largest(
    linear: ArtificialModel,
) -> None:
    inputs = np.array([[1, 0, 0], [1, 1, 1], [0, 1, 0], [0.5, 0.2, 0.9], [0.1, 0.9, 0]])
    # The larger of 2x − z and y: 0, then a tie, which goes to 0, then 1, 1, 1.
    right = evaluate(linear, Samples(inputs, np.array([0, 0, 1, 1, 1])), REFERENCE)
    assert (right.backend, right.samples, right.correct, right.ties) == ("reference", 5, 5, 0)
    assert right.accuracy == 1.0
    assert right.seconds > 0
    some = evaluate(linear, Samples(inputs, np.array([1, 1, 0, 1, 1])), REFERENCE)
    assert (some.correct, some.accuracy) == (2, 0.4)


def test_a_spiking_model_is_read_out_as_counts_and_ties_are_told(spiking: SpikingModel) -> None:
    inputs = np.random.default_rng(1).random((40, 3))
    labels = np.random.default_rng(2).integers(0, 2, 40)
    given = poisson_spikes(Poisson(200.0), 1.0, 20, inputs, seed=6)
    counts = simulate_delta(spiking, given=given)[0]["dense_2"].sum(axis=0)
    reported: list[int] = []
    STARTED.clear()
    found = evaluate(spiking, Samples(inputs, labels), PLAIN, seed=6, progress=reported.append)
    assert found.correct == ((counts[:, 1] > counts[:, 0]) == labels).sum()
    assert found.ties == (counts[:, 0] == counts[:, 1]).sum()
    assert 0 < found.ties < 40
    assert (found.backend, found.samples, sum(reported)) == ("plain", 40, 40)
    assert STARTED == ["started"]


def test_a_simulator_that_runs_already_is_used(spiking: SpikingModel) -> None:
    samples = Samples(np.random.default_rng(1).random((40, 3)), np.zeros(40, dtype=int))
    STARTED.clear()
    counts = {evaluate(spiking, samples, PlainSimulator(), seed=seed).correct for seed in range(4)}
    assert STARTED == []
    # The seed draws the spikes.
    assert len(counts) > 1


def test_refusals(linear: ArtificialModel, spiking: SpikingModel) -> None:
    samples = Samples(np.zeros((4, 3)), np.zeros(4, dtype=int))
    with pytest.raises(UnsupportedError, match="no spiking neurons"):
        evaluate(spiking, samples, REFERENCE)
    with pytest.raises(UnsupportedError, match="simulates spiking models"):
        evaluate(linear, samples, PLAIN)
    with pytest.raises(DataError, match=r"\[4, 2\].*\[batch, 3\]"):
        evaluate(linear, Samples(np.zeros((4, 2)), np.zeros(4, dtype=int)), REFERENCE)
    with pytest.raises(DataError, match="no samples"):
        evaluate(linear, samples.first(0), REFERENCE)
    with pytest.raises(DataError, match="there is a label 2, and the network has 2 outputs"):
        evaluate(linear, Samples(np.zeros((2, 3)), np.array([0, 2])), REFERENCE)
    missing = SpikingBackend(
        name="missing",
        summary="not there",
        requires=("volr_is_not_there",),
        extra="nowhere",
        neurons=PLAIN.neurons,
        codings=PLAIN.codings,
        start=start,
    )
    with pytest.raises(MissingError, match=r"pip install 'volr\[nowhere\]'"):
        evaluate(spiking, samples, missing)


@pytest.mark.parametrize(
    ("origin", "otherwise", "expected"),
    [
        ({"task": "xor", "seed": 4}, None, 4),
        ({"task": "xor", "seed": 4}, 9, 4),
        ({"task": "nand", "seed": 4}, 9, 9),
        ({"task": "nand", "seed": 4}, None, 0),
        ({}, None, 0),
        ({"task": "xor"}, 9, 9),
        ({"task": "xor", "seed": "four"}, None, 0),
        ({"task": "xor", "seed": -1}, None, 0),
    ],
)
def test_data_are_split_as_for_the_training(
    origin: dict[str, str | int | float], otherwise: int | None, expected: int
) -> None:
    assert data_seed(origin, "xor", otherwise) == expected


@needs_numba
def test_a_name_a_back_end_and_a_started_simulator_are_the_same(spiking: SpikingModel) -> None:
    samples = Samples(np.random.default_rng(1).random((40, 3)), np.zeros(40, dtype=int))
    with simulator("engine") as started:
        found = [evaluate(spiking, samples, on) for on in ("engine", ENGINE, started)]
    found.append(evaluate(spiking, samples))
    assert {(each.backend, each.correct) for each in found} == {("engine", found[0].correct)}


def test_a_document_runs_nothing(linear: ArtificialModel) -> None:
    samples = Samples(np.zeros((2, 3)), np.array([0, 1]))
    on: Any = document("nir")
    with pytest.raises(VolrError, match="nir is a document, which runs nothing"):
        evaluate(linear, samples, on)


def test_an_unknown_name_lists_what_there_is(linear: ArtificialModel) -> None:
    samples = Samples(np.zeros((2, 3)), np.array([0, 1]))
    with pytest.raises(VolrError, match="'nset'") as caught:
        evaluate(linear, samples, "nset")
    assert "nest" in str(caught.value)
