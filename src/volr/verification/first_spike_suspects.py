"""Known mistakes of a spiking network that should tell whole numbers, tried one after another.

Each suspect is the model with one mistake, run on the engine. If its whole numbers are those that
were found, this mistake is the cause.
"""

from __future__ import annotations

import itertools
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from volr.engine.simulation import ready, simulate
from volr.errors import ModelError, NetworkError
from volr.exact.decoding import telling, told
from volr.exact.first_spikes import first_difference, to_first_spikes
from volr.exact.sums import staircase_of
from volr.models.first_spike import starts
from volr.models.parameters import weight_name
from volr.network.connectors import Slice, Windows
from volr.verification.kernel_suspects import kernel_suspects
from volr.verification.one_number import one_number

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from volr.checks.arrays import Floats, Integers
    from volr.engine.simulation import Ready
    from volr.models.model import ArtificialModel, SpikingModel
    from volr.network import Network, Projection

# Time constants, ms, that are too short for what should stay.
_LEAKS = (1e3, 1e4, 1e5, 1e6)
# What the clock's spikes are for, in the order of a population's slice.
_TICKS = ("the spike that lifts it", "the spike that sets its current", "the push at the end")
# The most networks with a wrong kernel or pool that are tried.
_MOST = 400


def cause_of(
    model: SpikingModel,
    ann: ArtificialModel,
    population: str,
    stimuli: Floats,
    found: Mapping[str, Integers],
) -> str:
    """The mistake that explains the whole numbers ``[batch, unit]`` that were found, in words.

    ``population`` is the first with a wrong one.
    """
    if wrong := first_difference(to_first_spikes(ann, dt=model.dt, delay=model.delay), model):
        return f"the spiking model is not that of the artificial one: {wrong}"
    for said, suspect in _suspects(model):
        if _tells(model, suspect, stimuli, found):
            return said
    begin = starts(model.network, staircase_of(ann).levels, model.delay_steps_of)
    waits = model.steps - 1 - begin[population]
    if said := one_number(ann, ann.network[population], stimuli, found, waits):
        return said
    silent = [
        name for name in found if name not in ann.network.outputs and (found[name][0] == -1).any()
    ]
    if silent:
        return f"unknown: some neurons of {silent[0]} do not spike exactly once"
    return "unknown: no mistake that was tried gives these whole numbers"


def _tells(
    model: SpikingModel, suspect: Ready, stimuli: Floats, found: Mapping[str, Integers]
) -> bool:
    """Whether a suspect's whole numbers, as a reader decodes them who knows of no mistake, are
    those that were found."""
    run = simulate(suspect, stimuli, spikes=telling(model))
    numbers, _ = told(model, run.spikes, {n: run.totals[n] for n in model.network.outputs})
    return all(np.array_equal(numbers[name], each) for name, each in found.items())


def _suspects(model: SpikingModel) -> Iterator[tuple[str, Ready]]:
    """The mistakes in words, each with what runs then, the likeliest first."""
    prepared = ready(model)
    yield from _clocks(model, prepared)
    changed: list[tuple[str, dict[str, float]]] = []
    for tau in _LEAKS:
        both = {"tau_syn_E": tau, "tau_syn_I": tau}
        changed += [
            (f"leak: tau_m is {tau:g} ms instead of none", {"tau_m": tau}),
            (f"leak: currents decay with {tau:g} ms instead of staying", both),
            (f"leak: membranes and currents decay with {tau:g} ms", {"tau_m": tau, **both}),
        ]
    changed += [
        ("hold-down: v_rest is 0 mV", {"v_rest": 0.0}),
        ("refractoriness: neurons can spike again", {"tau_refrac": model.dt}),
    ]
    for said, change in changed:
        yield said, ready(replace(model, neuron=replace(model.neuron, **change)))
    for more in (1, -1):
        for each in model.network.projections:
            delay = (model.delay_steps_of(each) + more) * model.dt
            if delay > 0 and each.source != model.network.clock:
                yield (
                    f"delay: that of {each.name} is a step {'longer' if more > 0 else 'shorter'}",
                    _with_delay(prepared, each, more),
                )
    for said, network in _windows(model.network):
        yield said, ready(replace(model, network=network))
    kernels = kernel_suspects(model.network, model.parameters, largest=False)
    for said, network, values in itertools.islice(kernels, _MOST):
        with suppress(ModelError):
            yield said, ready(replace(model, network=network, parameters=values))


def _windows(network: Network) -> Iterator[tuple[str, Network]]:
    """Networks of the same populations in which the windows of one pool are of another size."""
    for place, each in enumerate(network.projections):
        if not isinstance(each.connector, Windows):
            continue
        window, stride = each.connector.window, each.connector.stride
        for more in itertools.product((-1, 0, 1), repeat=len(window)):
            other = tuple(size + by for size, by in zip(window, more, strict=True))
            if other == window or min(other) < 1:
                continue
            wrong = replace(each, connector=Windows(other, stride))
            projections = (*network.projections[:place], wrong, *network.projections[place + 1 :])
            with suppress(NetworkError):
                shape = "x".join(map(str, other))
                yield (
                    f"pool: the windows of {each.name} are {shape}",
                    replace(network, projections=projections),
                )


def _clocks(model: SpikingModel, prepared: Ready) -> Iterator[tuple[str, Ready]]:
    clock = prepared.schedule.clock

    def ticking(steps: tuple[int, ...]) -> Ready:
        return replace(prepared, schedule=replace(prepared.schedule, clock=steps))

    for more, how in ((1, "late"), (-1, "early")):
        yield f"clock: every spike is a step {how}", ticking(tuple(each + more for each in clock))
    for projection in model.network.projections:
        part = projection.connector
        if projection.source != model.network.clock or not isinstance(part, Slice):
            continue
        for unit, what in zip(range(part.first, part.first + part.count), _TICKS, strict=False):
            said = f"clock: {what}, of {projection.target},"
            for more, how in ((1, "a step late"), (-1, "a step early"), (None, "missing")):
                at = -1 if more is None else clock[unit] + more
                yield f"{said} is {how}", ticking((*clock[:unit], at, *clock[unit + 1 :]))


def _with_delay(prepared: Ready, projection: Projection, more: int) -> Ready:
    name = weight_name(projection)
    schedule = prepared.schedule
    layers = tuple(
        replace(
            layer,
            terms=tuple(
                replace(term, delay=term.delay + more) if term.weight == name else term
                for term in layer.terms
            ),
        )
        for layer in schedule.layers
    )
    return replace(prepared, schedule=replace(schedule, layers=layers))
