"""From a staircase network to a spiking one that computes the same whole numbers, and back.

All numbers are whole multiples of a grid's unit u mV, a power of two. Every population has the same
neurons: currents that stay, no leak, one spike,

    v_rest = v_reset = −G,    v_thresh = (L − ½) σ,    c_m = dt, so that 1 nA adds 1 mV a step,

where G is above every weighted sum of a hidden population. A weight m is a current of m u nA. What
the clock's three spikes bring to a neuron with the bias β, and with the sum M of its weights, is

    G + β               the membrane, held down by G, becomes the weighted sum z in step E
    −(G + β) − M + σ    every source has spiked, so the current was M + G + β; now it is σ
    G                   in step E + L, neurons that have not spiked are lifted over the threshold

(``volr.models.first_spike`` has E, the step in which a window ends). Outputs stay where they are:
they get β, and −β − M, so that V − v_rest is z from step E on. Where the largest counts, a synapse
is so strong that the first spike makes its neuron spike.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from typing import TYPE_CHECKING

import numpy as np

from volr.checks import arguments
from volr.checks.annotations import as_float, shown
from volr.errors import ModelError
from volr.exact.sums import largest_sums, staircase_of, summed_weights
from volr.models.activations import Staircase
from volr.models.first_spike import (
    FirstSpike,
    aligned_delays,
    last_step,
    starts,
    unsuited,
    with_clock,
)
from volr.models.model import ArtificialModel, SpikingModel
from volr.models.parameters import bias_name, unit_biases, weight_name
from volr.models.timing import MOST_STEPS, timing_problems
from volr.network.subgraph import without_clock
from volr.neurons import LARGEST, SMALLEST, IFCurrExp

if TYPE_CHECKING:
    from collections.abc import Mapping

    from volr.checks.arrays import Floats
    from volr.models.parameters import Parameters
    from volr.network import Network, Population, Projection


def to_first_spikes(
    model: ArtificialModel, *, dt: float = 1.0, delay: float | None = None
) -> SpikingModel:
    """The spiking network that computes the whole numbers of a staircase network.

    ``dt`` and ``delay`` are in ms; a delay of None is one step. Projections that skip layers get
    longer ones. Raises ``ModelError`` for a network that is no staircase network of whole numbers,
    for one in which neurons cannot tell their values by one spike, and for times that do not fit.
    """
    arguments.check_model("to_first_spikes", model, kind=ArtificialModel)
    stairs = staircase_of(model)
    network, levels = model.network, stairs.levels
    dt, delay = _times(dt, delay)
    if wrong := unsuited(network) or timing_problems(dt, dt, delay):
        raise ModelError("this network cannot compute with first spikes: " + "; ".join(wrong))
    delays = aligned_delays(network, levels, round(delay / dt))

    def steps_of(projection: Projection) -> int:
        return delays[projection.name]

    steps = last_step(network, levels, steps_of) + 1
    if steps > MOST_STEPS:
        most = _most_levels(network, round(delay / dt))
        raise ModelError(
            f"with {levels:,} levels this network takes {steps:,} steps, and a stimulus has at "
            f"most {MOST_STEPS:,}",
            help="choose a shorter --delay" if most < 2 else f"choose --levels up to {most:,}",
        )
    if not SMALLEST <= dt <= LARGEST / steps:
        raise ModelError(
            f"dt is {dt:g} ms, and with it go a capacitance of {dt:g} nF and a refractoriness of "
            f"{steps * dt:g} ms, which no neuron has",
            help=f"choose a dt from {SMALLEST:g} to {LARGEST / steps:.3g} ms",
        )
    clocked = with_clock(network, starts(network, levels, steps_of))
    coding = FirstSpike(levels, stairs.step)
    hold = hold_down(model, levels)
    if hold * coding.unit > LARGEST:
        raise ModelError(
            f"weighted sums of this network can become {hold - 1.0:,.0f}, which is "
            f"{hold / stairs.step:,.0f} levels; a level is about 1 mV, and a membrane goes down to "
            f"-{LARGEST:,.0f} mV at the most",
            help="a larger step, or smaller weights: `volr quantise` makes such a network",
        )
    return SpikingModel(
        network=clocked,
        parameters=_parameters(model, clocked, hold, coding),
        neuron=neuron_for(coding, hold, dt, steps),
        coding=coding,
        dt=dt,
        duration=steps * dt,
        delay=delay,
        delays={name: each * dt for name, each in delays.items()},
        readout="final",
    )


def _most_levels(network: Network, delay: int) -> int:
    """The most levels with which a network of this delay, in steps, is ready within a stimulus."""

    def steps(levels: int) -> int:
        delays = aligned_delays(network, levels, delay)
        return last_step(network, levels, lambda each: delays[each.name]) + 1

    return bisect_right(range(MOST_STEPS), MOST_STEPS, key=steps) - 1


def _times(dt: object, delay: object) -> tuple[float, float]:
    """dt and delay, ms, as Python's own numbers; a delay of None is one step."""
    found: list[float] = []
    for name, given in (("dt", dt), ("delay", dt if delay is None else delay)):
        number = as_float(given)
        if number is None:
            raise ModelError(f"{name} is {shown(given)}, not a time in ms")
        found.append(number)
    return found[0], found[1]


def hold_down(model: ArtificialModel, levels: int) -> float:
    """G: one more than the largest weighted sum there can be in a population that spikes."""
    network = model.network
    return 1.0 + max(
        (
            float(largest_sums(network, model.parameters, each, levels).max())
            for each in network.layers
            if each.merge == "sum" and each.name not in network.outputs
        ),
        default=0.0,
    )


def neuron_for(coding: FirstSpike, hold: float, dt: float, steps: int) -> IFCurrExp:
    """The neuron of all populations; ``hold`` is G."""
    return IFCurrExp(
        v_rest=-hold * coding.unit,
        v_reset=-hold * coding.unit,
        v_thresh=(coding.levels - 0.5) * coding.step * coding.unit,
        tau_m=math.inf,
        tau_syn_E=math.inf,
        tau_syn_I=math.inf,
        cm=dt,
        tau_refrac=steps * dt,
    )


def strongest(coding: FirstSpike, hold: float) -> float:
    """The weight, in units of the grid, with which one spike lifts a neuron to its threshold."""
    return hold + coding.levels * coding.step


def clock_weights(
    network: Network,
    values: Parameters,
    population: Population,
    hold: float,
    step: int,
) -> Floats:
    """What each spike of the clock brings to each neuron, ``[post, tick]``, on the grid.

    ``network`` and ``values`` are those of the staircase network.
    """
    bias = unit_biases(population, values)
    weights = np.zeros(population.size)
    for each in network.incoming[population.name]:
        weights = weights + summed_weights(network, each, values[weight_name(each)])
    if population.name in network.outputs:
        return np.stack([bias, -bias - weights], axis=1)
    lift = hold + bias
    return np.stack([lift, -lift - weights + step, np.full(population.size, hold)], axis=1)


def _parameters(
    model: ArtificialModel, clocked: Network, hold: float, coding: FirstSpike
) -> dict[str, Floats]:
    values = model.parameters
    found: dict[str, Floats] = {}
    for each in clocked.projections:
        name = weight_name(each)
        target = clocked[each.target]
        if each.source == clocked.clock:
            brought = clock_weights(model.network, values, target, hold, coding.step)
            found[name] = coding.unit * brought
        elif target.merge == "max":
            found[name] = coding.unit * strongest(coding, hold) * values[name]
        else:
            found[name] = coding.unit * values[name]
    # A constant current would not end.
    for population in clocked.layers:
        if bias_name(population) in values:
            found[bias_name(population)] = np.zeros_like(values[bias_name(population)])
    return found


def from_first_spikes(model: SpikingModel) -> ArtificialModel:
    """The staircase network whose whole numbers a spiking network computes.

    Raises ``ModelError`` for a model with another coding, and for one whose numbers are not, one
    and all, those that ``to_first_spikes`` gives that network.
    """
    arguments.check_model("from_first_spikes", model, kind=SpikingModel)
    coding = model.coding
    if not isinstance(coding, FirstSpike):
        raise ModelError(
            f"this model has the coding {coding.name}, and only {FirstSpike.name} computes whole "
            "numbers",
            help="`volr transfer --coding first-spike` makes such a model",
        )
    network = without_clock(model.network)
    values: dict[str, Floats] = {}
    hold = -model.neuron.v_rest / coding.unit
    for population in network.layers:
        ticking = _clock_projection(model.network, population)
        for each in network.incoming[population.name]:
            weights = model.parameters[weight_name(each)]
            largest = population.merge == "max"
            values[weight_name(each)] = np.ones_like(weights) if largest else weights / coding.unit
        if (count := network.biases(population)) and ticking is not None:
            brought = model.parameters[weight_name(ticking)][:, 0] / coding.unit
            bias = brought - (0.0 if population.name in network.outputs else hold)
            values[bias_name(population)] = bias.reshape(count, -1)[:, 0]
    found = ArtificialModel(network, values, Staircase(coding.levels, coding.step))
    again = to_first_spikes(found, dt=model.dt, delay=model.delay)
    if wrong := first_difference(again, model):
        raise ModelError(
            f"this model does not compute the whole numbers of its staircase network: {wrong}",
            help="make it again with `volr transfer --coding first-spike`",
        )
    return found


def _clock_projection(network: Network, population: Population) -> Projection | None:
    into = network.incoming[population.name]
    return next((each for each in into if each.source == network.clock), None)


def first_difference(wanted: SpikingModel, model: SpikingModel) -> str | None:
    """Where a model differs from the one that it should be, in words."""
    if model.network != wanted.network:
        return "its clock reaches other populations"
    for name in ("dt", "duration", "delay", "delays"):
        if getattr(model, name) != getattr(wanted, name):
            return f"{name} is {getattr(model, name)}, not {getattr(wanted, name)}"
    for name in model.neurons:
        return f"{name} has neurons of its own"
    for name, number in wanted.neuron.numbers.items():
        if model.neuron.numbers.get(name) != number:
            return f"{name} is {model.neuron.numbers.get(name)}, not {number:g}"
    if model.neuron != wanted.neuron:
        return f"its neurons are {model.neuron.name} with the reset {model.neuron.reset}"
    return _first_wrong(wanted.parameters, model.parameters)


def _first_wrong(wanted: Mapping[str, Floats], found: Mapping[str, Floats]) -> str | None:
    for name, values in wanted.items():
        if (wrong := np.argwhere(found[name] != values)).size:
            place = tuple(int(each) for each in wrong[0])
            at = ", ".join(map(str, place))
            return f"{name} [{at}] is {found[name][place]:.17g}, not {values[place]:.17g}"
    return None
