"""Known mistakes of a spiking network that should tell whole numbers, tried one after another.

Each suspect is the model with one mistake, run on the engine. If its whole numbers are those that
were found, this mistake is the cause. One wrong weight or bias is not tried but solved for: the
whole numbers of a neuron over some stimuli leave only an interval for it.
"""

from __future__ import annotations

import itertools
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from volr.backends.reference import activations
from volr.engine.simulation import ready, simulate
from volr.errors import ModelError
from volr.exact.decoding import telling, told
from volr.exact.first_spikes import first_difference, hold_down, to_first_spikes
from volr.exact.sums import staircase_of
from volr.models.parameters import bias_name, by_unit, unit_biases, weight_name
from volr.network.connectors import Slice
from volr.verification.kernel_suspects import kernel_suspects

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from volr.checks.arrays import Floats, Integers
    from volr.engine.simulation import Ready
    from volr.models.model import ArtificialModel, SpikingModel
    from volr.network import Population, Projection

# Time constants, ms, that are too short for what should stay.
_LEAKS = (1e3, 1e4, 1e5, 1e6)
# What the clock's spikes are for, in the order of a population's slice.
_TICKS = ("the spike that lifts it", "the spike that sets its current", "the push at the end")
# The most networks with a wrong kernel or pool, and the most weights of a neuron, that are tried.
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
    if said := _one_number(ann, ann.network[population], stimuli, found):
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
    kernels = kernel_suspects(model.network, model.parameters, largest=False)
    for said, network, values in itertools.islice(kernels, _MOST):
        with suppress(ModelError):
            yield said, ready(replace(model, network=network, parameters=values))


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


def _one_number(
    ann: ArtificialModel, population: Population, stimuli: Floats, found: Mapping[str, Integers]
) -> str | None:
    """The one weight or bias that explains the whole numbers of a population, in words.

    Its sources told the right ones. A number that is wrong by δ, and brings b to the sum of its
    sources' window, makes the membrane z + δ b + n (σ + δ c) in step n of the window, where c is
    what it brings if every source tells 1: the clock takes away the current of the right number.
    """
    if population.merge == "max":
        return None
    shown = activations(ann, stimuli)
    name, network, values = population.name, ann.network, ann.parameters
    unit = int((found[name] != shown[name]).any(axis=0).argmax())
    sums: Floats = np.tile(unit_biases(population, values), (len(stimuli), 1))
    candidates: list[tuple[str, Floats, Floats]] = []
    for each in network.incoming[name]:
        given, ends = shown[each.source], network.ends(each)
        weights = values[weight_name(each)]
        sums = sums + each.connector.apply(weights, given, *ends)
        mine: set[int] = set()
        for some in each.connector.entries(*ends):
            mine.update(some.index[some.post == unit].tolist())
        for index in sorted(mine)[:_MOST]:
            alone = np.zeros_like(weights)
            alone.flat[index] = 1.0
            place = ", ".join(map(str, np.unravel_index(index, weights.shape)))
            brings = each.connector.apply(alone, given, *ends)
            stays = each.connector.apply(alone, np.ones((1, given.shape[1])), *ends)
            candidates.append((f"{weight_name(each)}[{place}]", brings, stays))
    if count := network.biases(population):
        place = unit * count // population.size
        alone = np.zeros(count)
        alone[place] = 1.0
        once = by_unit(population, alone)[None, :]
        brings = np.repeat(once, len(stimuli), axis=0)
        candidates.append((f"{bias_name(population)}[{place}]", brings, once))
    fitting = [
        f"{what}, by {by:+,.0f}"
        for what, brings, stays in candidates
        if (by := _change(ann, name, found[name], sums, brings, stays)) is not None
    ]
    if not fitting:
        return None
    others = f", or one of {len(fitting) - 1} others" if len(fitting) > 1 else ""
    return f"one number is wrong: {fitting[0]}{others}"


def _change(
    ann: ArtificialModel,
    name: str,
    found: Integers,
    sums: Floats,
    brings: Floats,
    stays: Floats,
) -> float | None:
    """The smallest δ, whole and not 0, that gives the values that were found, ``[batch, unit]``."""
    if name in ann.network.outputs:
        return _smallest(*_bounds(found - sums, brings))
    stairs = staircase_of(ann)
    threshold = (stairs.levels - 0.5) * stairs.step
    step = stairs.levels - np.clip(found, 0, stairs.levels)
    # At the threshold in this step, by the push in the last one, and below it before.
    missing = threshold - sums - step * stairs.step
    missing = missing - np.where(found > 0, 0.0, hold_down(ann, stairs.levels))
    reached, later = found >= 0, step > 0
    low, _ = _bounds(missing[reached], (brings + step * stays)[reached])
    _, unmoved = _bounds(missing[~reached], (brings + step * stays)[~reached])
    missing = threshold - sums - step * stairs.step
    _, high = _bounds((missing + stairs.step)[later], (brings + (step - 1) * stays)[later])
    return _smallest(low, min(high, unmoved))


def _bounds(missing: Floats, factor: Floats) -> tuple[float, float]:
    """The least δ with δ · factor ≥ missing everywhere, and the largest with ≤; factors are ≥ 0.

    Where no δ helps, there is none: infinity, or minus infinity.
    """
    some = factor > 0
    ratio = missing[some] / factor[some]
    low = float(ratio.max(initial=-np.inf)) if (missing[~some] <= 0).all() else np.inf
    high = float(ratio.min(initial=np.inf)) if (missing[~some] >= 0).all() else -np.inf
    return low, high


def _smallest(low: float, high: float) -> float | None:
    """The whole number nearest to 0, and not 0, between the two; None if there is none."""
    least, most = np.ceil(low), np.floor(high)
    if not least <= most or (least <= 0 <= most):
        return None
    return float(least) if least > 0 else float(most)
