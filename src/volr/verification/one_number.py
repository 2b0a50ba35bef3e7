"""The one weight or bias whose mistake explains the whole numbers of a population.

It is not tried but solved for: each whole number that a neuron told leaves only an interval for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from volr.backends.reference import activations
from volr.exact.first_spikes import hold_down
from volr.exact.sums import staircase_of
from volr.models.parameters import bias_name, by_unit, unit_biases, weight_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from volr.checks.arrays import Floats, Integers
    from volr.models.model import ArtificialModel
    from volr.network import Population

# The most weights of a neuron that are looked at.
_MOST = 400


def one_number(
    ann: ArtificialModel,
    population: Population,
    stimuli: Floats,
    found: Mapping[str, Integers],
    waits: int,
) -> str | None:
    """The one weight or bias that explains the whole numbers of a population, in words.

    Its sources told the right ones. A number that is wrong by δ, and brings b to the sum of its
    sources' window, makes the membrane z + δ b + n (σ + δ c) in step n of the window, where c is
    what it brings if every source tells 1: the clock takes away the current of the right number.
    An output is read when it ``waits`` for so many steps.
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
        if (by := _change(ann, name, found[name], sums, (brings, stays), waits)) is not None
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
    by_one: tuple[Floats, Floats],
    waits: int,
) -> float | None:
    """The smallest δ, whole and not 0, that gives the values that were found, ``[batch, unit]``."""
    brings, stays = by_one
    if name in ann.network.outputs:
        return _smallest(*_bounds(found - sums, brings + waits * stays))
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
    nearest = float(least) if least > 0 else float(most)
    return nearest if np.isfinite(nearest) else None
