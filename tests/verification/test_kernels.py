"""Mistakes with kernels and pools are found by every back end, and named with their cause."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from tests.backends.conformance import TARGETS, lacks, need
from tests.oracles import random_parameters
from tests.verification.kernels import MISTAKES, network_of, planted
from tests.verification.planted import Mistaken

from volr.backends.base import ArtificialBackend, Document, SpikingBackend
from volr.backends.engine import ENGINE
from volr.backends.expected import expected
from volr.backends.reference import REFERENCE, forward
from volr.errors import UnsupportedError
from volr.language import to_network
from volr.models.model import ArtificialModel, SpikingModel
from volr.models.parameters import parameter_shapes
from volr.neurons import IFCurrDelta, IFCurrExp
from volr.verification.behaviour import spiking_behaviour
from volr.verification.comparison import compare
from volr.verification.examples import random_stimuli
from volr.verification.outputs import artificial_behaviour

if TYPE_CHECKING:
    from collections.abc import Callable

    from volr.backends.base import Forward
    from volr.backends.readback import Readback
    from volr.checks.arrays import Floats
    from volr.models.model import Model
    from volr.network import Network

NETWORK = network_of(*MISTAKES)
STIMULI = random_stimuli(NETWORK, 6)


def artificial(network: Network = NETWORK) -> ArtificialModel:
    values = random_parameters(network, np.random.default_rng(3), weight=0.5, bias=0.4)
    return ArtificialModel(network, values)


def spiking(network: Network = NETWORK, *, simple: bool = True) -> SpikingModel:
    neuron = IFCurrDelta(tau_refrac=0.0) if simple else IFCurrExp(tau_refrac=0.5, tau_syn_I=5.0)
    return SpikingModel(
        network=network,
        parameters=random_parameters(network, np.random.default_rng(3), weight=1.5, bias=0.4),
        neuron=neuron,
        duration=20.0,
    )


def held(target: object, model: Model) -> Readback:
    match target:
        case Document():
            return target.read_back(target.write(model))
        case ArtificialBackend():
            assert isinstance(model, ArtificialModel)
            return target.read_back(model)
        case SpikingBackend():
            assert isinstance(model, SpikingModel)
            with target.start() as simulator:
                return simulator.read_back(model)
        case _:
            raise TypeError(target)


@pytest.mark.parametrize("name", TARGETS)
def test_each_mistake_is_named_by_what_is_held(name: str) -> None:
    """All of them at once, each in a projection of its own."""
    target = TARGETS[name]
    need(target)
    if lacks(target, NETWORK):
        pytest.skip(f"{name} lacks kernels or pools")
    is_artificial = not isinstance(target, SpikingBackend) and bool(target.activations)
    simple = not isinstance(target, ArtificialBackend) and "if_curr_delta" in target.neurons
    model: Model = artificial() if is_artificial else spiking(simple=simple)
    try:
        found = held(target, planted(model, *MISTAKES))
    except UnsupportedError as error:
        pytest.skip(f"{name}: {error.message}")
    causes = {
        each.where: each.cause
        for each in compare(expected(model, target.precision), found).differences
        if each.field == "weights"
    }
    assert causes == {f"input->{each}": mistake.said for each, mistake in MISTAKES.items()}


def wrong(model: ArtificialModel) -> Callable[[ArtificialModel], Forward]:
    def build(right: ArtificialModel) -> Forward:
        del right

        def run(inputs: Floats) -> Floats:
            return forward(model, inputs)

        return run

    return build


@pytest.mark.parametrize("name", MISTAKES)
def test_each_mistake_is_named_by_outputs_alone(name: str) -> None:
    model = artificial(network_of(*dict.fromkeys((name, "adds"))))
    build = wrong(planted(model, name))
    found = artificial_behaviour(model, replace(REFERENCE, build=build), STIMULI)
    assert found.first_difference is not None
    assert found.first_difference.cause == f"kernel: {MISTAKES[name].said}, in input->{name}"


@pytest.mark.parametrize("name", ["flipped", "pixel", "stride", "window"])
def test_mistakes_are_named_by_spikes_alone(name: str) -> None:
    def mistake(right: SpikingModel) -> SpikingModel:
        return planted(right, name)

    simulator = Mistaken(mistake, hidden=True)
    model = spiking(network_of(name, "adds"))
    found = spiking_behaviour(model, ENGINE, simulator, STIMULI)
    assert found.first_difference is not None
    assert found.first_difference.cause == f"kernel: {MISTAKES[name].said}, in input->{name}"


MEANS = "conv [1 6 6] 3 3 ⦶ avgpool _ 2 ⦶ dense _ 3"
LARGEST = "conv [1 6 6] 3 3 ⦶ maxpool _ 2 ⦶ dense _ 3"


@pytest.mark.parametrize(
    ("right", "other", "cause"),
    [
        (MEANS, LARGEST, "pool: the largest in place of the mean, in conv_1->dense_2"),
        (LARGEST, MEANS, "pool: the mean in place of the largest, in maxpool_2"),
    ],
)
def test_means_and_the_largest_are_told_apart_by_outputs(
    right: str, other: str, cause: str
) -> None:
    model, exchanged = artificial(to_network(right)), to_network(other)
    # Those that have more than one number are the same, and a weight for all is 1.
    numbers = iter([each for each in model.parameters.values() if each.size > 1])
    values = {
        name: next(numbers) if math.prod(shape) > 1 else np.ones(1)
        for name, shape in parameter_shapes(exchanged).items()
    }
    ones = {name: np.ones(1) for name, each in model.parameters.items() if each.size == 1}
    model = replace(model, parameters={**model.parameters, **ones})
    build = wrong(ArtificialModel(exchanged, values))
    stimuli = random_stimuli(model.network, 5)
    found = artificial_behaviour(model, replace(REFERENCE, build=build), stimuli)
    assert found.first_difference is not None
    assert found.first_difference.cause == cause


def test_biases_that_are_spread_by_pixel_are_named() -> None:
    network = to_network("conv [1 6 7] 3 3")
    model = artificial(network)
    biases = model.parameters["conv_1.bias"]

    def build(right: ArtificialModel) -> Forward:
        def run(inputs: Floats) -> Floats:
            without = replace(right, parameters={**right.parameters, "conv_1.bias": np.zeros(3)})
            return forward(without, inputs) + np.tile(biases, 20)

        return run

    backend = replace(REFERENCE, build=build)
    found = artificial_behaviour(model, backend, random_stimuli(network, 4))
    assert found.first_difference is not None
    assert found.first_difference.cause == (
        "bias: those of the channels of conv_1 are spread by pixel"
    )
