"""Values to spikes, and spikes to values.

    InputCoding  ::=  RateCoding | FirstSpike
    RateCoding   ::=  ConstantCurrent | Poisson

A stimulus is a row of values in [0, 1], one for each input neuron. With a rate coding, the value 1
is ``rate_max``; with ``volr.models.first_spike``, it is the first of all spikes. The outputs are
read as spike counts, as mean membranes or as the last membranes. The lowest index wins a tie.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias, TypeVar

import numpy as np

from volr.checks.annotations import settle
from volr.checks.arrays import real_array
from volr.checks.batches import check_batch
from volr.checks.names import named
from volr.errors import DataError, ModelError, UnsupportedError
from volr.models.activations import input_levels as whole_levels
from volr.models.first_spike import FirstSpike, clock_steps, input_steps, one_spike_each
from volr.models.samples import Samples
from volr.models.spike_trains import SpikeTrains
from volr.neurons import SMALLEST, NeuronModel
from volr.neurons.response import count_levels

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from volr.checks.arrays import Booleans, Floats, Integers
    from volr.models.model import SpikingModel
    from volr.models.spike_trains import Stimuli
    from volr.network import Network

T = TypeVar("T", bound=np.generic)


@dataclass(frozen=True, slots=True)
class ConstantCurrent:
    """Each input neuron gets the constant current whose spike count is nearest to value · rate_max.

    The current comes from the inverse of the neuron's response (``volr.neurons.response``), so the
    rate is linear in the value, as far as whole spikes allow. With a current proportional to the
    value it would not be, because of the leak and of the charge lost at each reset. The value 0 is
    no current. ``rate_max`` in Hz.
    """

    name: ClassVar[str] = "current"
    rate_max: float = NeuronModel.input_rate

    def __post_init__(self) -> None:
        _check_types(self)


@dataclass(frozen=True, slots=True)
class Poisson:
    """Each input neuron spikes in a step with the probability value · rate_max · dt.

    This is the discretised Poisson process, with at most one spike a step. Stimulus i of a run with
    the seed s draws from its own stream, (s, i). So the same seed gives identical spike trains on
    every back end, however the stimuli are split. ``rate_max`` in Hz.
    """

    name: ClassVar[str] = "poisson"
    rate_max: float = NeuronModel.input_rate

    def __post_init__(self) -> None:
        _check_types(self)


RateCoding: TypeAlias = ConstantCurrent | Poisson
RATE_CODINGS: tuple[type[RateCoding], ...] = (ConstantCurrent, Poisson)
InputCoding: TypeAlias = RateCoding | FirstSpike
CODING_NAMES: tuple[str, ...] = (*(each.name for each in RATE_CODINGS), FirstSpike.name)


def _check_types(coding: RateCoding) -> None:
    if wrong := settle(coding):
        raise ModelError(f"the input coding {coding.name}: " + "; ".join(wrong))


def in_rates(coding: InputCoding) -> RateCoding:
    """The coding, which has to be one of rates; ``UnsupportedError`` where it is not."""
    if isinstance(coding, FirstSpike):
        raise UnsupportedError(
            f"the inputs of this model are coded as {coding.name}, and this needs rates",
            help="make the model with `volr transfer` without `--coding first-spike`",
        )
    return coding


def rate_coding(name: str, rate_max: float) -> RateCoding:
    """The rate coding of that name; ``ModelError`` when there is none."""
    known = dict.fromkeys(CODING_NAMES) | {coding.name: coding for coding in RATE_CODINGS}
    coding = named("input coding", name, known, ModelError)
    if coding is None:
        raise ModelError(
            f"{name} is no coding by rates: its neurons and times come from a network of whole "
            "numbers",
            help="`volr transfer --coding first-spike` makes such a model",
        )
    return coding(rate_max)


def coding_by_name(name: str, rate_max: float | None, neuron: NeuronModel, dt: float) -> RateCoding:
    """The rate coding of that name and rate, Hz.

    The default rate is the one that suits the neuron, but at most a spike in each step of ``dt``
    ms. Raises ``ModelError`` as ``rate_coding`` does.
    """
    return rate_coding(name, _suited_rate(neuron, dt) if rate_max is None else rate_max)


def suited_coding(neuron: NeuronModel, dt: float) -> ConstantCurrent:
    """Constant currents at the rate that suits the neuron, as in ``coding_by_name``."""
    return ConstantCurrent(_suited_rate(neuron, dt))


def _suited_rate(neuron: NeuronModel, dt: float) -> float:
    rate = neuron.input_rate
    return min(rate, 1000.0 / dt) if dt > 0 else rate


def coding_problems(coding: InputCoding, dt: float) -> list[str]:
    """What keeps the coding from working at the step ``dt`` (ms), in words."""
    if isinstance(coding, FirstSpike):
        return []
    if not np.isfinite(coding.rate_max) or coding.rate_max <= 0:
        return [f"rate_max is {coding.rate_max} Hz, not above 0"]
    if coding.rate_max < SMALLEST:
        return [f"rate_max is {coding.rate_max} Hz, below {SMALLEST:g} Hz"]
    most = 1000.0 / dt
    # With a tolerance, because 1000 / 0.1 is not exactly 10,000.
    if coding.rate_max > most * (1 + 1e-9):
        return [f"rate_max is {coding.rate_max:g} Hz, but a step of {dt:g} ms allows {most:g} Hz"]
    return []


def stimuli_of(values: Any, size: int) -> Floats:
    """Lists, arrays or tensors as stimuli in float64.

    Raises ``DataError`` for values that are no numbers, and as ``check_stimuli`` does.
    """
    if isinstance(values, Samples):
        raise DataError("the stimuli are Samples, not an array", help="its `inputs` are stimuli")
    try:
        array = real_array(values, copy=False)
    except ValueError as error:
        raise DataError(f"the stimuli are {error}") from error
    check_stimuli(array, size)
    return array


def check_stimuli(values: Floats, size: int) -> None:
    """Raise ``DataError`` unless ``values`` is ``[batch, size]`` with every value in [0, 1]."""
    check_batch(values.shape, size)
    # The negation also catches NaN, for which every comparison is false.
    outside = ~((values >= 0.0) & (values <= 1.0))
    if outside.any():
        row, column = (int(i) for i in np.argwhere(outside)[0])
        raise DataError(
            f"value {column} of stimulus {row} is {values[row, column]}",
            help="scale the inputs to [0, 1]: a value stands for a fraction of the largest rate",
        )


def input_levels(
    coding: ConstantCurrent, neuron: NeuronModel, dt: float, steps: int, values: Floats
) -> Integers:
    """The nearest levels of ``count_levels`` for values in [0, 1], in the same shape."""
    counts, _ = count_levels(neuron, dt, steps)
    wanted = values * (coding.rate_max * steps * dt / 1000.0)
    return np.searchsorted((counts[:-1] + counts[1:]) / 2.0, wanted, side="left")


def input_currents(
    coding: ConstantCurrent, neuron: NeuronModel, dt: float, steps: int, values: Floats
) -> Floats:
    """The constant currents in nA, ``[batch, unit]``, for values ``[batch, unit]`` in [0, 1]."""
    _, currents = count_levels(neuron, dt, steps)
    return currents[input_levels(coding, neuron, dt, steps, values)]


def poisson_spikes(
    coding: Poisson, dt: float, steps: int, values: Floats, *, seed: int, first: int = 0
) -> Booleans:
    """Spikes ``[time, batch, unit]``; row i of ``values`` is stimulus number ``first + i``."""
    batch, units = values.shape
    spikes = np.empty((steps, batch, units), dtype=np.bool_)
    probability = values * (coding.rate_max * dt / 1000.0)
    for row in range(batch):
        stream = np.random.default_rng([seed, first + row])
        spikes[:, row, :] = stream.random((steps, units)) < probability[row]
    return spikes


@dataclass(frozen=True)
class Drive:
    """What drives each input population, by its name; every input is in one of the two, and the
    clock is in ``spikes``.

    ``currents`` are nA ``[batch, unit]`` into neurons, without i_offset. ``spikes`` are
    ``[time, batch, unit]`` and replace the neurons.
    """

    currents: Mapping[str, Floats]
    spikes: Mapping[str, Booleans]


def input_drive(model: SpikingModel, values: Stimuli, *, seed: int, first: int = 0) -> Drive:
    """The drive for values ``[batch, unit]``, or spike trains; row i is stimulus ``first + i``."""
    network = model.network
    if isinstance(values, SpikeTrains):
        return Drive({}, by_input(network, values.lasting(model.steps)))
    match model.coding:
        case ConstantCurrent():
            parts = by_input(network, values)
            currents = {
                name: input_currents(
                    model.coding, model.neuron_of(name), model.dt, model.steps, part
                )
                for name, part in parts.items()
            }
            return Drive(currents, {})
        case Poisson():
            spikes = poisson_spikes(
                model.coding, model.dt, model.steps, values, seed=seed, first=first
            )
            return Drive({}, by_input(network, spikes))
        case FirstSpike(levels=levels):
            at = input_steps(levels, whole_levels(values, levels))
            spikes = by_input(network, one_spike_each(model.steps, at))
            if network.clock is not None:
                each = np.tile(ticking(model), (len(values), 1))
                spikes[network.clock] = one_spike_each(model.steps, each)
            return Drive({}, spikes)


def ticking(model: SpikingModel) -> Integers:
    """The step in which each neuron of the clock spikes, ``[unit]``; none without a clock."""
    if not isinstance(model.coding, FirstSpike):
        return np.empty(0, np.int64)
    return clock_steps(model.network, model.coding.levels, model.delay_steps_of)


def by_input(network: Network, values: NDArray[T]) -> dict[str, NDArray[T]]:
    """Values ``[…, unit]`` of all inputs, which stand side by side, by input population."""
    ends = np.cumsum([network[name].size for name in network.inputs])[:-1]
    return dict(zip(network.inputs, np.split(values, ends, axis=-1), strict=True))


def decode_counts(counts: Integers | Floats) -> tuple[Integers, Integers]:
    """Labels, and how many outputs shared the highest count: both ``[batch]``.

    ``counts`` is ``[batch, unit]``, or other values of which the highest wins, such as membranes.
    If several share the highest, the label is the lowest index.
    """
    highest = counts.max(axis=1, keepdims=True)
    return counts.argmax(axis=1), (counts == highest).sum(axis=1)
