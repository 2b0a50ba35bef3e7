"""Models, stimuli and what is expected of them, for the scenarios that all back ends go through.

They are small and awkward: two inputs, projections that skip populations, blocks that are not
square, weights of both signs, populations with names that are code somewhere, an output that feeds
another one, and an input that is an output.
"""

from __future__ import annotations

import functools
import itertools
import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ParamSpec, TypeAlias, TypeVar, cast

import numpy as np
import pytest
from tests.backends import kernels
from tests.oracles import chain, fork, random_parameters

from volr.backends import BACKENDS, DOCUMENTS
from volr.backends.base import (
    ArtificialBackend,
    Backend,
    Document,
    Record,
    Recordings,
    SpikingBackend,
)
from volr.backends.expected import expected
from volr.backends.refusals import is_ready, missing_packages, missing_programs, require
from volr.engine.reference import Trace, simulate
from volr.errors import UnsupportedError
from volr.language import to_network
from volr.models.activations import ACTIVATIONS, Activation, ReLU, activation
from volr.models.coding import RATE_CODINGS, ConstantCurrent, Poisson, RateCoding
from volr.models.model import READOUTS, ArtificialModel, Readout, SpikingModel
from volr.network import Connector, Network, OneToOne, Population, Projection
from volr.neurons import RESETS, IFCondExp, IFCurrDelta, IFCurrExp, NeuronModel
from volr.verification.comparison import compare

if TYPE_CHECKING:
    from collections.abc import Callable

    from volr.backends.base import Simulator
    from volr.backends.readback import Readback
    from volr.checks.arrays import Booleans, Floats
    from volr.neurons import Reset
    from volr.verification.differences import Difference

Target: TypeAlias = Backend | Document
Started: TypeAlias = tuple[SpikingBackend, "Simulator"]
Given = ParamSpec("Given")
Result = TypeVar("Result")

ARTIFICIAL = {each.name: each for each in BACKENDS if isinstance(each, ArtificialBackend)}
SPIKING = {each.name: each for each in BACKENDS if isinstance(each, SpikingBackend)}
TARGETS: dict[str, Target] = {
    **{each.name: each for each in BACKENDS},
    **{f"{each.name} file": each for each in DOCUMENTS},
}
# By name, and as all that has the scope of a module, so that each is started once. The fixture
# `started` stands in `conftest.py`.
every_simulator = pytest.mark.parametrize("started", SPIKING, indirect=True, scope="module")

AWKWARD = Network(
    populations=tuple(
        Population(name, (size,))
        for name, size in {"λ'": 4, '"];import_os#': 3, "def": 5, "v": 6, "out": 4}.items()
    ),
    projections=(
        Projection("v", "out"),
        Projection("λ'", "out"),
        Projection("λ'", "def"),
        Projection("def", "out"),
        Projection('"];import_os#', "v"),
        Projection("def", "v"),
    ),
    inputs=('"];import_os#', "λ'"),
    outputs=("out",),
)
ODD = replace(AWKWARD, outputs=("out", "λ'", "def"))
AXES = Network(
    populations=(
        Population("input", (2, 3)),
        Population("map", (4, 1, 2)),
        Population("again", (2, 3)),
        Population("out", (5,)),
    ),
    projections=(
        Projection("input", "map"),
        Projection("map", "again"),
        Projection("input", "out"),
        Projection("again", "out"),
    ),
    inputs=("input",),
    outputs=("out", "map"),
)
"""Populations of more than one axis."""

MIXED = replace(
    AXES,
    projections=(
        *AXES.projections,
        Projection("input", "again", OneToOne()),
    ),
)
"""Every kind of connector, and two of them into one population."""

EVERY_CONNECTOR = {"mixed": MIXED, **kernels.NETWORKS}
NETWORKS = {
    "chain": chain(7, 5, 3),
    "fork": fork(6, 4, 5, 3),
    "skip": AWKWARD,
    "odd": ODD,
    "axes": AXES,
}

PROGRAM = to_network("dense 3 4 ⦶\n  dense 4 2")
"""Something to point at."""

DT = 0.5
STEPS = 50
NEURONS: dict[str, NeuronModel] = {
    each.name: each
    for each in (
        IFCurrDelta(v_rest=-64.0, v_reset=-66.0, tau_m=15.0, cm=0.8),
        IFCurrExp(v_rest=-64.0, v_reset=-66.0, tau_m=15.0, cm=0.8, tau_syn_E=3.0),
        IFCondExp(v_rest=-64.0, v_reset=-66.0, tau_m=15.0, cm=0.8, tau_syn_E=3.0, e_rev_I=-75.0),
    )
}
# What makes them spike, in the unit of each.
WEIGHTS = {"if_curr_delta": 4.0, "if_curr_exp": 1.2, "if_cond_exp": 0.03}
SAME_COUNTS = 0.98
"""The share of neurons with the specified spike counts, where the record does not say ``exact``."""
NEAR, EXACTLY_NEAR = 0.5, 1e-6
"""mV between mean membranes, for that share of them, and between membranes; of neurons that are
exact, but for a solver whose next step hangs on the last digits."""
NEAR_STEPS = 0.9
"""The share of steps that membranes are near at: a spike a step later is a jump for a while."""
SEED = 11
CI = bool(os.environ.get("CI"))


@dataclass(frozen=True)
class Timing:
    """Delay and refractoriness in steps; i_offset in nA; tau_syn_I in ms, tau_syn_E being 3."""

    delay: int
    refractory: int
    i_offset: float
    tau_syn_I: float = 7.0  # noqa: N815


# What may be asked for where neurons rest, or spikes travel, a step at least, or where synapses
# have one time constant; and where neurons never rest.
LENIENT = Timing(3, 4, 0.2, tau_syn_I=3.0)
TIRELESS = Timing(3, 0, 0.2, tau_syn_I=3.0)


@dataclass(frozen=True)
class Case:
    """What spiking models differ in; all else about them is the same."""

    neuron: str
    reset: str = "hard"
    coding: type[RateCoding] = ConstantCurrent
    readout: Readout = "count"
    timing: Timing = LENIENT

    def __str__(self) -> str:
        return f"{self.neuron}-{self.reset}-{self.coding.name}-{self.readout}"

    def is_claimed(self, target: SpikingBackend | Document) -> bool:
        """Whether the record says that there is such a thing."""
        return (
            self.neuron in target.neurons
            and self.reset in target.resets
            and self.coding.name in target.codings
            and self.readout in target.readouts
        )


# Each coding and each readout meets delays of one step and of three.
VARIANTS: tuple[tuple[type[RateCoding], Readout, Timing], ...] = (
    (ConstantCurrent, "count", Timing(1, 0, 0.1)),
    (Poisson, "membrane", Timing(3, 1, -0.1)),
    (Poisson, "count", Timing(1, 4, 0.0)),
    (ConstantCurrent, "membrane", Timing(3, 4, 0.2)),
)
CASES = [Case(neuron, reset, *each) for neuron in NEURONS for reset in RESETS for each in VARIANTS]


def artificial(network: Network, activation: Activation = ReLU(), seed: int = 0) -> ArtificialModel:
    values = random_parameters(network, np.random.default_rng(seed), weight=0.5, bias=0.4)
    return ArtificialModel(network, values, activation)


def spiking(case: Case, network: Network | None = None) -> SpikingModel:
    """Unless told otherwise on the network with all kinds of outputs; where membranes are read, on
    that whose outputs have no projections."""
    if network is None:
        network = ODD if case.readout == "count" else AWKWARD
    timing, neuron = case.timing, NEURONS[case.neuron]
    if not isinstance(neuron, IFCurrDelta):
        neuron = replace(neuron, tau_syn_I=timing.tau_syn_I)
    return SpikingModel(
        network=network,
        parameters=random_parameters(
            network, np.random.default_rng(7), weight=WEIGHTS[case.neuron], bias=0.4
        ),
        neuron=replace(
            neuron,
            reset=cast("Reset", case.reset),
            tau_refrac=timing.refractory * DT,
            i_offset=timing.i_offset,
        ),
        coding=case.coding(rate_max=400.0),
        dt=DT,
        duration=STEPS * DT,
        delay=timing.delay * DT,
        readout=case.readout,
    )


def stimuli_for(network: Network, count: int = 6) -> Floats:
    return np.random.default_rng(3).random((count, network.input_size))


@functools.cache
def specified(case: Case) -> Trace:
    """What the specification says, which is the same for every back end."""
    model = spiking(case)
    return simulate(model, stimuli_for(model.network), seed=SEED)


def need(target: Target) -> None:
    """Skip what is not installed; in CI, where everything is, fail instead."""
    if CI:
        require(target)
    elif not is_ready(target):
        pytest.skip(f"needs {', '.join((*missing_packages(target), *missing_programs(target)))}")


def skip_unless_claimed(target: SpikingBackend | Document, case: Case) -> None:
    """Skip, and say so, what the record does not say that there is: it is not passed."""
    if not case.is_claimed(target):
        pytest.skip(f"{target.name} does not claim {case}")


def lacks(target: Target, network: Network) -> bool:
    """Whether the record says that it lacks a part of the network."""
    kinds = {type(each) for p in network.projections for each in p.connector.parts}
    return (
        not {p.merge for p in network.populations} <= {*target.merges}
        or (any(p.number > 1 for p in network.projections) and not target.several)
        or not (Connector in target.connectors or kinds <= {*target.connectors})
    )


def unless_refused(
    target: Target, act: Callable[Given, Result], *args: Given.args, **kwargs: Given.kwargs
) -> Result | UnsupportedError:
    """What comes of it; or the refusal, which says who refuses and what to do."""
    try:
        return act(*args, **kwargs)
    except UnsupportedError as error:
        refusal = error
    assert target.name.split(".")[0] in refusal.message.lower()
    assert refusal.help
    return refusal


def leniently(
    target: SpikingBackend | Document, case: Case, act: Callable[[SpikingModel], Result]
) -> tuple[Case, Result] | None:
    """What ``act`` makes of the model, and of which case it is: at a lenient timing if it must.

    None where the neuron model is not there with this reset at all, and the refusal says so.
    """
    refusals: list[UnsupportedError] = []
    for each in (case, replace(case, timing=LENIENT), replace(case, timing=TIRELESS)):
        found = unless_refused(target, act, spiking(each))
        if not isinstance(found, UnsupportedError):
            return each, found
        refusals.append(found)
    assert case.neuron in refusals[-1].message
    assert case.reset in refusals[-1].message
    return None


def recorded(simulator: Simulator, model: SpikingModel) -> Recordings:
    """All counts and spikes, and the membranes of all that is no input where they can be had."""
    names = tuple(model.network.by_name)
    stimuli = stimuli_for(model.network)
    spikes = Record(counts=names, spikes=names)
    whole = replace(spikes, membranes=tuple(layer.name for layer in model.network.layers))
    try:
        return simulator.run(model, stimuli, record=whole, seed=SEED)
    except UnsupportedError:
        return simulator.run(model, stimuli, record=spikes, seed=SEED)


def artificial_models(target: ArtificialBackend | Document) -> list[ArtificialModel]:
    """Every network with every activation.

    Where a program has to be run for each, such as a compiler, every network and every activation.
    A staircase is for whole numbers, and has tests of its own.
    """
    names = [each.name for each in ACTIVATIONS if each.name in target.activations]
    cases = list(itertools.product(NETWORKS, names))
    if target.programs and names:
        cases = list(zip(NETWORKS, itertools.cycle(names), strict=False))
    return [artificial(NETWORKS[key], activation(name)) for key, name in cases]


def lacking(record: SpikingBackend) -> list[Any]:
    """Models of which the record says that the back end lacks them, in one respect each."""
    has = Case(record.neurons[0], record.resets[0])
    cases = [replace(has, neuron=each) for each in NEURONS if each not in record.neurons]
    cases += [replace(has, reset=each) for each in RESETS if each not in record.resets]
    cases += [replace(has, coding=each) for each in RATE_CODINGS if each.name not in record.codings]
    cases += [replace(has, readout=each) for each in READOUTS if each not in record.readouts]
    return [artificial(PROGRAM), *(spiking(each, PROGRAM) for each in cases)]


def assert_agrees(
    record: SpikingBackend, model: SpikingModel, trace: Trace, found: Recordings
) -> None:
    """That all spikes, counts, membranes and means are the trace's.

    Spike for spike where the record says ``exact``; otherwise ``SAME_COUNTS`` of all neurons have
    the same count, and as many membranes and means are ``NEAR``. What is given is the same always.
    """
    network = model.network
    exact = model.neuron.name in record.exact
    same: list[Booleans] = []
    for population in network.populations:
        name, spikes = population.name, trace.spikes[population.name]
        assert found.spikes[name].dtype == np.bool_
        assert found.spikes[name].shape == spikes.shape
        np.testing.assert_array_equal(found.counts[name], found.spikes[name].sum(axis=0))
        if exact or name not in trace.membranes:
            np.testing.assert_array_equal(found.spikes[name], spikes, err_msg=name)
        same.append((found.counts[name] == spikes.sum(axis=0)).ravel())
    assert np.concatenate(same).mean() >= SAME_COUNTS
    silent = {name for name in network.outputs if not model.is_spiking(name)}
    assert set(found.means) == silent
    near, share = (EXACTLY_NEAR, SAME_COUNTS) if exact else (NEAR, NEAR_STEPS)
    for name in silent:
        wanted = trace.membranes[name].mean(axis=0) - model.neuron.v_rest
        assert found.means[name].shape == wanted.shape
        assert np.quantile(np.abs(found.means[name] - wanted), SAME_COUNTS) < near
    for name, membranes in found.membranes.items():
        assert membranes.shape == trace.membranes[name].shape
        assert np.quantile(np.abs(membranes - trace.membranes[name]), share) < near


def differences(
    target: Target, model: ArtificialModel | SpikingModel, found: Readback
) -> tuple[Difference, ...]:
    """All in what is held that is not the model's, within what the record claims."""
    return compare(expected(model, target.precision), found).differences
