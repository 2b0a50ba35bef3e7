"""Neurons without leak on every simulator, against exact arithmetic: charges that add up to the
threshold exactly make a spike, however they are rounded.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from tests.backends.conformance import Started, every_simulator
from tests.integrators import integrator
from tests.oracles import chain

from volr.backends import BRIAN2_SCRIPT, PYNN
from volr.backends.base import Record, Simulator, SpikingBackend
from volr.backends.expected import expected
from volr.backends.nest import translation
from volr.backends.nest.translation import Translation
from volr.engine.reference import simulate
from volr.errors import ModelError, UnsupportedError
from volr.models.coding import Poisson
from volr.models.model import SpikingModel
from volr.neurons import RESETS, IFCondExp, IFCurrDelta, Reset
from volr.verification.comparison import compare
from volr.verification.verify import verify

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integrators import Integrator

    from volr.checks.arrays import Booleans, Floats
    from volr.neurons import NeuronModel

KINDS = ("delta", "exp")
# v_rest, mV, steps of refractoriness, dt, ms: NEURON cannot do without the second.
SETTINGS = [(0, 1, 1.0), (-65, 0, 0.5), (0, 3, 0.1), (-65, 1, 1.0)]


def of(*names: str) -> pytest.MarkDecorator:
    """On these simulators, which are started once for all tests."""
    return pytest.mark.parametrize("started", names, indirect=True, scope="module")


def networks(record: SpikingBackend, kind: str, reset: Reset, steps: int) -> Iterator[Integrator]:
    """What is compared on a back end: as it can have it, where it refuses the rest by name."""
    rests = (record.name == "nest" and reset == "subtract") or record.name == "pynn.neuron"
    late = record.name == "nest" and reset == "subtract" and kind == "delta"
    for seed, (rest, refractory, dt) in enumerate(SETTINGS):
        yield integrator(
            seed,
            kind=kind,
            reset=reset,
            steps=steps,
            rest=rest,
            refractory=max(refractory, 1) if rests else refractory,
            delay=2 if late else 1,
            dt=dt,
        )


def trains(simulator: Simulator, model: SpikingModel, stimuli: Floats) -> dict[str, Booleans]:
    names = tuple(each.name for each in model.network.populations)
    record = Record(counts=(), spikes=names)
    return dict(simulator.run(model, stimuli, record=record, seed=5).spikes)


@pytest.mark.parametrize("reset", RESETS)
@pytest.mark.parametrize("kind", KINDS)
@every_simulator
def test_spikes_are_those_of_exact_arithmetic(started: Started, kind: str, reset: Reset) -> None:
    record, simulator = started
    differing = total = fired = 0
    for each in networks(record, kind, reset, steps=120):
        if each.model.neuron.name not in record.neurons or reset not in record.resets:
            lacks = rf"{record.name} lacks the (neuron model|reset) '(if_curr_delta|subtract)'"
            with pytest.raises(UnsupportedError, match=lacks):
                simulator.read_back(each.model)
            return
        stimuli = np.random.default_rng(3).random((3, each.model.network.input_size))
        counted = each.differing(trains(simulator, each.model, stimuli))
        differing, total, fired = differing + counted[0], total + counted[1], fired + counted[2]
        assert not compare(expected(each.model), simulator.read_back(each.model)).differences
    assert (differing, total > 7_000, fired > 500) == (0, True, True)


@pytest.mark.parametrize("reset", RESETS)
@pytest.mark.parametrize("kind", KINDS)
def test_the_specification_is_exact(kind: str, reset: Reset) -> None:
    for seed in range(12):
        rest, refractory, dt = SETTINGS[seed % len(SETTINGS)]
        each = integrator(
            seed, kind=kind, reset=reset, steps=100, rest=rest, refractory=refractory, dt=dt
        )
        stimuli = np.full((1, each.model.network.input_size), 0.7)
        differing, _, fired = each.differing(simulate(each.model, stimuli, seed=seed).spikes)
        assert (differing, fired > 0) == (0, True), seed


def neurons(
    weights: list[float],
    neuron: IFCurrDelta,
    steps: int,
    *,
    biases: list[float] | None = None,
    delay: int = 1,
) -> SpikingModel:
    """A neuron for each weight, all of which get a spike in each step."""
    return SpikingModel(
        network=chain(1, len(weights)),
        parameters={
            "input->dense_1.weight": np.array(weights)[:, None],
            "dense_1.bias": np.array(biases or [0.0] * len(weights)),
        },
        neuron=neuron,
        coding=Poisson(1000.0),
        dt=1.0,
        duration=float(steps),
        delay=float(delay),
    )


def ideal(reset: Reset = "hard", refractory: int = 0) -> IFCurrDelta:
    return IFCurrDelta(
        v_rest=0.0,
        v_reset=0.0,
        v_thresh=1.0,
        tau_m=math.inf,
        tau_refrac=float(refractory),
        reset=reset,
    )


@every_simulator
def test_a_neuron_fires_as_soon_as_its_charges_add_up(started: Started) -> None:
    record, simulator = started
    if "if_curr_delta" not in record.neurons:
        pytest.skip(f"{record.name} has no if_curr_delta")
    every = {0.5: 2, 0.1: 10, 1 / 3: 3, 1.0: 1, 0.3: 4}
    found = trains(simulator, neurons([*every], ideal(), 30), np.ones((1, 1)))["dense_1"][:, 0]
    for train, steps in zip(found.T, every.values(), strict=True):
        # The first charge is there in step 1, since a spike takes a step.
        np.testing.assert_array_equal(np.flatnonzero(train), np.arange(steps, 30, steps))


@of("engine", "nest", "brian2")
def test_nothing_is_forgotten_in_a_long_run(started: Started) -> None:
    (_, simulator), steps = started, 12_000
    cases = [(0.1, 0.0, 10), (1 / 3, 0.0, 3), (0.0, 1 / 7, 7), (-0.2, 0.3, 10), (1 / 997, 0.0, 997)]
    weights, biases, every = map(list, zip(*cases, strict=True))
    model = neurons(weights, ideal(), steps, biases=biases)
    found = trains(simulator, model, np.ones((1, 1)))["dense_1"][:, 0]
    for train, gap in zip(found.T, every, strict=True):
        # A bias acts in a step before the first charge arrives; from the second spike on both do.
        fired = np.flatnonzero(train)[1:]
        assert len(fired) >= steps // gap - 2
        assert set(np.diff(fired).tolist()) == {gap}


@of("nest")
def test_nest_refuses_what_rounding_would_decide(started: Started) -> None:
    _, simulator = started
    longest = neurons([0.7], ideal("subtract", 1), 4_000, biases=[-1 / 3], delay=2)
    simulator.read_back(longest)
    with pytest.raises(UnsupportedError, match=r"5,000 steps.*without leak") as caught:
        simulator.read_back(replace(longest, duration=5_000.0))
    assert caught.value.help == "run it on engine or brian2, which keep the network"


def test_conductances_without_leak_are_refused_by_name() -> None:
    with pytest.raises(ModelError, match="only if_curr_delta and if_curr_exp have membranes"):
        IFCondExp(tau_m=math.inf)


def leaky(_: Translation, dt: float) -> float:
    """What is told instead of an endless time constant, ms."""
    return 1e6 * dt


@pytest.mark.parametrize("reset", RESETS)
@of("nest")
def test_a_planted_leak_is_found(
    started: Started, reset: Reset, monkeypatch: pytest.MonkeyPatch
) -> None:
    (_, nest), stimuli = started, np.ones((1, 1))
    model = neurons([0.25, 0.3], ideal(reset, 1), 60, delay=2)
    assert verify(model, nest, stimuli).equal
    # What is told is also what is taken for endless, so it shows in the spikes alone.
    monkeypatch.setattr(Translation, "endless", leaky)
    found = verify(model, nest, stimuli)
    assert not found.differences
    assert found.behaviour is not None
    first = found.behaviour.first_difference
    assert first is not None
    assert first.cause == "leak: a time constant of 1e+06 ms instead of none"


@of("nest")
def test_a_leak_is_read_back(started: Started, monkeypatch: pytest.MonkeyPatch) -> None:
    _, nest = started

    def told(neuron: NeuronModel, dt: float) -> dict[str, float]:
        return {**translation.in_our_words(neuron, dt), "tau_m": 1e6}

    monkeypatch.setattr("volr.backends.nest.in_our_words", told)
    found = verify(neurons([0.25], ideal(), 20), nest, np.ones((1, 1)))
    assert "tau_m is 1e+06, expected inf" in {each.message for each in found.differences}


@pytest.mark.parametrize("reset", RESETS)
@pytest.mark.parametrize("kind", KINDS)
def test_scripts_say_it_and_are_read_back(kind: str, reset: Reset) -> None:
    for document in (BRIAN2_SCRIPT, PYNN):
        if reset not in document.resets:
            continue
        for seed in range(4):
            model = integrator(seed, kind=kind, reset=reset, steps=20, rest=-65).model
            found = document.read_back(document.write(model))
            assert not compare(expected(model), found).differences
