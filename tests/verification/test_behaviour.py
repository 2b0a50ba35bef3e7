"""Planted mistakes change what a network does, and are named by what it then does."""

from __future__ import annotations

import functools
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.engine.examples import WEIGHTS
from tests.oracles import random_parameters
from tests.strategies import Program, programs
from tests.verification import planted
from tests.verification.planted import TWINS, Mistaken

from volr.backends.engine import ENGINE
from volr.backends.reference import REFERENCE, forward
from volr.engine.cpu import dynamics
from volr.engine.reference import simulate
from volr.language import to_network
from volr.models.coding import Poisson
from volr.models.model import ArtificialModel, SpikingModel
from volr.neurons import IFCondExp, IFCurrDelta, IFCurrExp, NeuronModel
from volr.verification import behaviour
from volr.verification.behaviour import spiking_behaviour
from volr.verification.examples import random_snn, random_stimuli
from volr.verification.outputs import artificial_behaviour
from volr.verification.verify import verify

if TYPE_CHECKING:
    from collections.abc import Callable

    from volr.backends.base import Forward, SpikingBackend
    from volr.checks.arrays import Booleans, Floats
    from volr.models.model import Readout

STIMULI = random_stimuli(TWINS, 12)
NEURONS: dict[str, NeuronModel] = {
    "delta": IFCurrDelta(v_reset=-62.0, tau_refrac=1.5, i_offset=0.2),
    "exp": IFCurrExp(v_reset=-62.0, tau_refrac=1.5, i_offset=0.2, tau_syn_I=3.0),
    "cond": IFCondExp(v_reset=-62.0, tau_refrac=1.5, i_offset=0.2),
}


def model_of(kind: str) -> SpikingModel:
    values = random_parameters(TWINS, np.random.default_rng(3), weight=WEIGHTS[kind], bias=0.4)
    return SpikingModel(network=TWINS, parameters=values, neuron=NEURONS[kind], duration=40.0)


MISTAKES = {
    "transposition: the block left->square is transposed": planted.transposed,
    "transposition: the block input->left is transposed": planted.misread,
    "sign: the block right->square is flipped": planted.flipped,
    "sign: negative weights act as positive ones": planted.unsigned,
    "order: the populations left and right are exchanged": planted.exchanged,
    "delay: 1 step more": planted.late,
    "reset: 'subtract' instead of 'hard'": planted.soft,
    "refractoriness: 0 steps instead of 3": planted.tireless,
    "constant current: i_offset is missing": planted.unoffset,
}


@pytest.mark.parametrize("kind", NEURONS)
@pytest.mark.parametrize("cause", MISTAKES)
def test_a_mistake_is_named_by_its_spikes_alone(kind: str, cause: str) -> None:
    simulator = Mistaken(MISTAKES[cause], hidden=True)
    found = spiking_behaviour(model_of(kind), ENGINE, simulator, STIMULI)
    assert found.equal < found.compared == 12 * sum(p.size for p in TWINS.populations)
    first = found.first_difference
    assert first is not None
    assert first.cause == cause
    assert first.expected != first.found


@pytest.mark.parametrize("coding", [Poisson(300.0), None])
def test_the_engine_agrees_with_itself(coding: Poisson | None) -> None:
    model = model_of("delta") if coding is None else replace(model_of("delta"), coding=coding)
    found = verify(model, ENGINE, STIMULI)
    assert found.equal
    assert found.behaviour is not None
    assert found.behaviour.equal == found.behaviour.compared > 0


def test_without_the_engine_the_specification_is_what_others_are_held_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    other = replace(ENGINE, name="other")
    cause = "delay: 1 step more"
    wanted = spiking_behaviour(
        model_of("exp"), other, Mistaken(MISTAKES[cause], hidden=True), STIMULI
    )

    def is_ready(record: SpikingBackend) -> bool:
        return record.name != ENGINE.name

    monkeypatch.setattr(behaviour, "is_ready", is_ready)
    monkeypatch.setattr(behaviour, "EngineSimulator", None)
    found = spiking_behaviour(
        model_of("exp"), other, Mistaken(MISTAKES[cause], hidden=True), STIMULI
    )
    assert found == wanted
    assert found.first_difference is not None
    assert found.first_difference.cause == cause


def test_the_first_difference_is_the_earliest_of_the_first_stimulus() -> None:
    """A flipped bias of one neuron of the last population, after which nothing comes."""
    model = model_of("delta")

    def mistake(right: SpikingModel) -> SpikingModel:
        bias = right.parameters["last.bias"].copy()
        bias[1] += 2.0
        return replace(right, parameters={**right.parameters, "last.bias": bias})

    found = spiking_behaviour(model, ENGINE, Mistaken(mistake, hidden=True), STIMULI)
    first = found.first_difference
    assert first is not None
    assert (first.stimulus, first.population, first.neuron) == (0, "last", 1)
    assert first.cause.startswith("unknown")
    with_it, without = (np.flatnonzero(_spikes(each)[:, 0, 1]) for each in (mistake(model), model))
    assert first.step == min(set(with_it) ^ set(without))
    # Brought forward by the mistake: the engine's membrane is still below its threshold.
    assert first.membrane is not None
    assert first.membrane < -50.0
    assert f"{-50.0 - first.membrane:.3g} mV below the threshold" in first.cause


def _spikes(model: SpikingModel) -> Booleans:
    return simulate(model, STIMULI[:1]).spikes["last"]


def test_membranes_that_are_read_are_compared() -> None:
    model = replace(model_of("delta"), readout="membrane")
    assert verify(model, ENGINE, STIMULI).equal
    simulator = Mistaken(planted.flipped, hidden=True)
    first = spiking_behaviour(model, ENGINE, simulator, STIMULI).first_difference
    assert first is not None
    assert first.cause == "sign: the block right->square is flipped"


def test_membranes_of_a_back_end_with_a_method_of_its_own_are_said_to_be_that() -> None:
    """Membranes so little apart that no spike differs."""

    def another(model: SpikingModel) -> SpikingModel:
        return replace(model, neuron=replace(model.neuron, tau_m=1.00001 * model.neuron.tau_m))

    model = replace(model_of("delta"), readout="membrane")
    last = model.network["last"].size
    backend = replace(ENGINE, name="own", exact=())
    found = spiking_behaviour(model, backend, Mistaken(another, hidden=True), STIMULI)
    assert found.membranes == last * len(STIMULI)
    assert found.first_difference is not None
    assert found.first_difference.cause == (
        "own integrates if_curr_delta in a way of its own; no spike differs"
    )


def test_a_back_end_with_a_method_of_its_own_is_said_to_have_one() -> None:
    def another(model: SpikingModel) -> SpikingModel:
        return replace(model, neuron=replace(model.neuron, tau_m=23.0))

    backend = replace(ENGINE, name="own", exact=())
    found = spiking_behaviour(model_of("delta"), backend, Mistaken(another, hidden=True), STIMULI)
    assert found.first_difference is not None
    assert "own integrates if_curr_delta in a way of its own" in found.first_difference.cause


@pytest.mark.parametrize(
    ("cause", "mistake"),
    [
        ("transposition: the block left->square is transposed", planted.transposed),
        ("transposition: the block input->left is transposed", planted.misread),
        ("sign: the block right->square is flipped", planted.flipped),
        ("order: the populations left and right are exchanged", planted.exchanged),
    ],
)
def test_mistakes_of_artificial_back_ends_are_named(
    cause: str, mistake: Callable[[ArtificialModel], ArtificialModel]
) -> None:
    values = random_parameters(TWINS, np.random.default_rng(3), weight=0.5, bias=0.4)
    model = ArtificialModel(TWINS, values)

    def build(right: ArtificialModel) -> Forward:
        wrong = mistake(right)

        def run(inputs: Floats) -> Floats:
            return forward(wrong, inputs)

        return run

    found = artificial_behaviour(model, replace(REFERENCE, build=build), STIMULI)
    assert found.first_difference is not None
    assert found.first_difference.cause == cause
    assert found.first_difference.population == "last"
    assert artificial_behaviour(model, REFERENCE, STIMULI).first_difference is None


@settings(max_examples=25)
@given(programs(), st.sampled_from([planted.late, planted.soft, planted.unsigned]))
def test_whatever_changes_a_spike_is_caught(
    program: Program, mistake: Callable[[SpikingModel], SpikingModel]
) -> None:
    """By the behaviour whenever a spike differs, and by what is held in any case."""
    network = to_network(program.source)
    model = random_snn(network, seed=2)
    stimuli = random_stimuli(network, 4)
    simulator = Mistaken(mistake)
    backend = replace(ENGINE, start=lambda: _Started(simulator))
    found = verify(model, backend, stimuli)
    if not _same_parameters(model, mistake(model)):
        assert found.differences
    behaviour = found.behaviour
    assert behaviour is not None
    assert (behaviour.first_difference is None) == (behaviour.compared == behaviour.equal)
    if behaviour.first_difference is not None:
        assert not behaviour.first_difference.cause.startswith("unknown")


def _same_parameters(one: SpikingModel, other: SpikingModel) -> bool:
    same = all(np.array_equal(v, other.parameters[k]) for k, v in one.parameters.items())
    return same and (one.delay, one.neuron) == (other.delay, other.neuron)


class _Started:
    def __init__(self, simulator: Mistaken) -> None:
        self.simulator = simulator

    def __enter__(self) -> Mistaken:
        return self.simulator

    def __exit__(self, *_: object) -> None:
        pass


@pytest.mark.parametrize("readout", ["count", "membrane"])
def test_the_engine_is_held_to_its_specification(
    monkeypatch: pytest.MonkeyPatch, readout: Readout
) -> None:
    # A kernel that is told the right number and takes twice as long: nothing that is read shows it.
    model = replace(model_of("delta"), readout=readout)
    assert verify(model, ENGINE, STIMULI).equal
    real: Any = dynamics.run_delta

    @functools.wraps(real)
    def tired(*arguments: Any) -> None:
        *others, refractory, mean = arguments
        real(*others, 2 * refractory, mean)

    monkeypatch.setattr(dynamics, "run_delta", tired)
    found = verify(model, ENGINE, STIMULI)
    assert not found.differences
    assert found.behaviour is not None
    assert found.behaviour.equal < found.behaviour.compared


def test_the_reference_is_not_compared_with_itself() -> None:
    network = to_network("dense 3 4 ⦶ dense 4 2")
    values = random_parameters(network, np.random.default_rng(3), weight=1.0, bias=0.4)
    found = verify(ArtificialModel(network, values), REFERENCE, random_stimuli(network, 3))
    assert found.equal
    assert found.behaviour is None
