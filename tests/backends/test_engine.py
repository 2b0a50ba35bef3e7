"""The engine as a back end: what it hands out, what it refuses, and NEST's spikes."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

pytest.importorskip("numba")
from tests.engine.connected import CONNECTED
from tests.engine.examples import NEURONS, ODD, SKIP, spiking_model
from tests.needs import needs_nest
from tests.oracles import PlainSimulator, chain

from volr.backends import ENGINE, default_backend, simulator
from volr.backends.base import Record
from volr.backends.expected import expected
from volr.backends.nest import NestSimulator
from volr.errors import DataError, MissingError, ModelError, UnsupportedError
from volr.models.activations import ReLU
from volr.models.coding import ConstantCurrent, Poisson
from volr.models.model import ArtificialModel, Readout
from volr.verification.comparison import compare

if TYPE_CHECKING:
    from collections.abc import Iterator

    from volr.backends.base import Recordings, Simulator
    from volr.network import Network

neurons = pytest.mark.parametrize("kind", NEURONS)
CASES: tuple[tuple[Network, Readout], ...] = ((SKIP, "count"), (SKIP, "membrane"), (ODD, "count"))
STIMULI = np.random.default_rng(1).random((9, 15))


@pytest.fixture
def engine() -> Iterator[Simulator]:
    with simulator("engine") as started:
        yield started


def same(found: Recordings, expected: Recordings, error: float) -> None:
    assert found.counts.keys() == expected.counts.keys()
    for name, counts in expected.counts.items():
        np.testing.assert_array_equal(found.counts[name], counts)
        assert found.counts[name].dtype == np.int64
    assert found.spikes.keys() == expected.spikes.keys()
    for name, spikes in expected.spikes.items():
        np.testing.assert_array_equal(found.spikes[name], spikes)
        assert found.spikes[name].dtype == np.bool_
    for ours, theirs in (
        (found.membranes, expected.membranes),
        (found.means, expected.means),
    ):
        assert ours.keys() == theirs.keys()
        for name, values in theirs.items():
            np.testing.assert_allclose(ours[name], values, rtol=0, atol=error)
            assert ours[name].dtype == np.float64


@neurons
@pytest.mark.parametrize("coding", [ConstantCurrent(300.0), Poisson(300.0)])
@pytest.mark.parametrize(
    "record",
    [
        Record(),
        Record(counts=("left", "second")),
        Record(counts=(), spikes=("right", "last"), membranes=("first",)),
        Record(spikes=("first",), membranes=("last", "first")),
    ],
)
def test_recordings_are_those_of_the_reference(
    engine: Simulator, kind: str, coding: Any, record: Record
) -> None:
    error = 1e-3 if kind == "cond" else 1e-9
    for network, readout in CASES:
        model = spiking_model(kind, network, coding=coding, readout=readout)
        found = engine.run(model, STIMULI, record=record, seed=3)
        expected = PlainSimulator().run(model, STIMULI, record=record, seed=3)
        same(found, expected, error)
        if record.counts is None:
            np.testing.assert_allclose(
                found.output_values(model), expected.output_values(model), rtol=0, atol=error
            )


@pytest.fixture(scope="module")
def nest() -> Iterator[NestSimulator]:
    with NestSimulator(1) as started:
        yield started


@needs_nest
@pytest.mark.parametrize("reset", ["hard", "subtract"])
@pytest.mark.parametrize("kind", ["delta", "exp", "exp two decays"])
def test_recordings_are_those_of_nest(
    engine: Simulator, nest: NestSimulator, kind: str, reset: str
) -> None:
    # NEST takes up a jump one step late where the reset is a subtraction.
    model = spiking_model(
        kind, ODD, coding=ConstantCurrent(300.0), delay=2, steps=60, reset=reset, tau_refrac=0.5
    )
    names = tuple(ODD.by_name)
    record = Record(counts=names, spikes=names, membranes=names)
    found, expected = (each.run(model, STIMULI, record=record) for each in (engine, nest))
    same(found, expected, 1e-9)


def test_progress_adds_up(engine: Simulator) -> None:
    told: list[int] = []
    engine.run(spiking_model("delta", SKIP), np.ones((400, 15)), progress=told.append)
    assert sum(told) == 400


def test_it_is_where_a_spiking_model_runs() -> None:
    model = spiking_model("cond", SKIP, reset="subtract")
    assert default_backend(model) is ENGINE
    assert ENGINE.generation == "SNN"


def test_what_does_not_fit_is_refused(engine: Simulator) -> None:
    model = spiking_model("delta", SKIP)
    with pytest.raises(DataError, match=r"\[2, 14\], the network takes \[batch, 15\]"):
        engine.run(model, np.zeros((2, 14)))
    wrong = np.zeros((2, 15))
    wrong[1, 3] = 1.5
    with pytest.raises(DataError, match=r"value 3 of stimulus 1 is 1.5"):
        engine.run(model, wrong)
    for record in (
        Record(counts=("hidden",)),
        Record(spikes=("hidden",)),
        Record(membranes=("hidden",)),
    ):
        with pytest.raises(ModelError, match="cannot record 'hidden'"):
            engine.run(model, STIMULI, record=record)
    artificial: Any = ArtificialModel(SKIP, model.parameters, ReLU())
    with pytest.raises(UnsupportedError, match="this one is artificial"):
        engine.run(artificial, STIMULI)


def test_lists_and_tensors_are_stimuli_too(engine: Simulator) -> None:
    import torch

    model = spiking_model("delta", chain(2, 3))
    stimuli = np.random.default_rng(0).random((4, 2))
    wanted = engine.run(model, stimuli).counts["dense_1"]
    given: list[Any] = [stimuli.tolist(), tuple(stimuli), torch.tensor(stimuli, requires_grad=True)]
    for each in given:
        np.testing.assert_array_equal(engine.run(model, each).counts["dense_1"], wanted)
    for each, said in (([["a", "b"]], "the type <U1"), ([[1.0, 0.5], [1.0]], "a list that is no")):
        with pytest.raises(DataError, match=f"the stimuli are .*{said}"):
            engine.run(model, each)
    for seed in (-1, 1.5, "1"):
        with pytest.raises(DataError, match="the seed is"):
            engine.run(model, stimuli, seed=seed)  # type: ignore[arg-type]


def test_it_hands_out_nothing_of_nothing(engine: Simulator) -> None:
    for readout in ("count", "membrane"):
        model = replace(spiking_model("exp", SKIP), readout=readout)
        found = engine.run(model, np.empty((0, 15)), record=Record(spikes=("first",)))
        assert found.output_values(model).shape == (0, 5)
        assert found.spikes["first"].shape == (25, 0, 11)


def test_without_numba_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", {}.get)
    with pytest.raises(MissingError, match="engine needs numba") as caught:
        simulator("engine")
    assert caught.value.help == "pip install 'volr[engine]'"


@neurons
def test_it_is_asked_what_it_holds_of_every_connector(kind: str) -> None:
    from volr.backends.engine.read_back import read
    from volr.engine.simulation import ready

    model = spiking_model(kind, CONNECTED, seed=4)
    prepared = ready(model)
    assert compare(expected(model), read(model, prepared)).differences == ()
    # A single weight of a kernel that is packed elsewhere.
    name = "strided->joined.weight"
    tiles = [each.copy() for each in prepared.tiles[name]]
    tiles[0][np.flatnonzero(tiles[0])[0]] *= 2
    changed = replace(prepared, tiles={**prepared.tiles, name: tuple(tiles)})
    (difference,) = compare(expected(model), read(model, changed)).differences
    assert (difference.field, difference.where) == ("weights", "strided->joined")
