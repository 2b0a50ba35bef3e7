"""Forwards and backwards through a network, slice by slice of the stimuli.

Forwards, population by population: the spikes of the sources as lists, what they deliver, the
neurons step by step. Backwards, in reverse: what the targets return, the neurons' steps from the
last to the first; in the end, over all stimuli, what each list of spikes is owed by each weight.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from volr.engine.cpu.buffers import Batch, neuron_steps, slice_size
from volr.engine.cpu.connectors import in_tiles, synapses_of
from volr.engine.cpu.connectors.base import Sent, Span
from volr.engine.cpu.dynamics import backward, forward
from volr.engine.cpu.events import NOTHING, by_neuron, list_spikes, turn_round
from volr.engine.cpu.work import everywhere, scratch, slices
from volr.engine.encoding import list_inputs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from volr.engine.cpu.connectors import Tiles
    from volr.engine.cpu.connectors.base import Owed, Synapses
    from volr.engine.cpu.events import ByNeuron
    from volr.engine.encoding import Encoded
    from volr.engine.schedule import Layer, Schedule
    from volr.engine.surrogates import Surrogate

# What returns to a population is written and read again while the second cache has it.
_RETURNED_BYTES = 200_000
# Blocks of steps are turned round in so many parts.
_PARTS = 4


def forwards(
    schedule: Schedule,
    encoded: Encoded,
    tiles: Tiles,
    lifts: Mapping[str, NDArray[Any]],
    batch: Batch,
    first: int,
    last: int,
    *,
    differentiable: bool,
) -> None:
    """Run the stimuli ``first`` to ``last`` of a batch, population by population."""
    start = 0
    for name, size in schedule.inputs:
        if name in batch.events:
            list_inputs(encoded, batch.events[name], start, first, last, schedule.steps)
        start += size
    for layer in schedule.layers:
        memory = batch.memory[layer.name]
        for channel, drive in enumerate(memory.drives):
            for number, term in enumerate(layer.terms):
                events, tile = batch.events[term.source], tiles[term.weight][channel]
                synapses = synapses_of(term, layer.channels)
                span = Span(first, last, schedule.steps, term.delay)
                synapses.deliver(events, tile, drive, span, add=number > 0)
        part = memory.part(first, last, schedule.steps * layer.size, layer.size)
        forward(
            schedule, layer, part, lifts[layer.name], last - first, differentiable=differentiable
        )
        if layer.name in batch.events:
            events = batch.events[layer.name]
            values = schedule.steps * layer.size
            list_spikes(
                memory.state,
                0,
                values,
                layer.size,
                first,
                last,
                schedule.steps,
                layer.size,
                events.block,
                events.index,
                events.begin,
            )


@dataclass(frozen=True, eq=False)
class Gradient:
    """Derivatives of the loss by the weights, in their shapes, and by the lifts ``[unit]``."""

    weights: dict[str, NDArray[Any]]
    lifts: dict[str, NDArray[Any]]


def backwards(
    schedule: Schedule,
    weights: Mapping[str, NDArray[Any]],
    lifts: Mapping[str, NDArray[Any]],
    batch: Batch,
    by_total: Mapping[str, NDArray[Any]],
    surrogate: Surrogate,
    window: int,
) -> Gradient:
    """The gradient of a loss whose derivatives by the totals ``[stimulus, unit]`` are given.

    The memories of the batch are used up.
    """
    returning = in_tiles(schedule, weights, back=True)
    parts = slices(batch.stimuli, slice_size(schedule))
    of_lift: dict[tuple[str, int], NDArray[Any]] = {}

    def work(part: tuple[int, int]) -> None:
        first, last = part
        for layer in reversed(schedule.layers):
            lift = lifts[layer.name]
            some = max(1, _RETURNED_BYTES // (schedule.steps * layer.size * lift.itemsize))
            for begin, end in slices(last - first, some):
                of_lift[layer.name, first + begin] = _some_back(
                    schedule,
                    layer,
                    returning,
                    lift,
                    batch,
                    by_total[layer.name],
                    surrogate,
                    window,
                    (first + begin, first + end),
                )

    everywhere(work, parts, size=batch.stimuli * neuron_steps(schedule))
    # In the order of the stimuli, so that the sum does not depend on who was first.
    summed = {name: np.zeros_like(lift) for name, lift in lifts.items()}
    for name, first in sorted(of_lift):
        summed[name] += of_lift[name, first]
    return Gradient(_weight_gradients(schedule, weights, batch), summed)


def _some_back(
    schedule: Schedule,
    layer: Layer,
    returning: Tiles,
    lift: NDArray[Any],
    batch: Batch,
    by_total: NDArray[Any],
    surrogate: Surrogate,
    window: int,
    part: tuple[int, int],
) -> NDArray[Any]:
    """One population of some stimuli; the derivative by its lifts."""
    first, last = part
    values = schedule.steps * layer.size
    returned: NDArray[Any] | None = None
    for target in schedule.layers:
        for term in target.terms:
            if term.source != layer.name:
                continue
            span = Span(first, last, schedule.steps, term.delay)
            drives = batch.memory[target.name].drives
            for errors, tiles in zip(drives, returning[term.weight], strict=True):
                add = returned is not None
                if returned is None:
                    returned = scratch((last - first) * values, lift.dtype, "returned")
                synapses = synapses_of(term, target.channels)
                synapses.send_back(errors, tiles, returned, span, window, add=add)
    memory = batch.memory[layer.name].part(first, last, values, layer.size)
    wanted = np.ascontiguousarray(by_total[first:last]).reshape(-1)
    return backward(
        schedule, layer, memory, lift, returned, wanted, last - first, surrogate, window
    )


def _weight_gradients(
    schedule: Schedule, weights: Mapping[str, NDArray[Any]], batch: Batch
) -> dict[str, NDArray[Any]]:
    """What each weight is owed, from the lists of spikes and the derivatives by the drives."""
    turned = _turned_round(schedule, batch)
    found: dict[str, tuple[Synapses, list[Owed]]] = {}
    for layer in schedule.layers:
        for term in layer.terms:
            span = Span(0, batch.stimuli, schedule.steps, term.delay)
            sent = Sent(batch.events[term.source], turned.get((term.source, term.delay), NOTHING))
            synapses, drives = (
                synapses_of(term, layer.channels),
                batch.memory[layer.name].drives,
            )
            found[term.weight] = synapses, [synapses.owed(sent, each, span) for each in drives]
    work = [part for _, owed in found.values() for each in owed for part in each.work]
    everywhere(lambda part: part(), work, size=batch.stimuli * neuron_steps(schedule))
    return {
        name: synapses.gradient([each.total() for each in owed], weights[name])
        for name, (synapses, owed) in found.items()
    }


def _turned_round(schedule: Schedule, batch: Batch) -> dict[tuple[str, int], ByNeuron]:
    """The spikes by neuron, of each source and delay of synapses that want them so."""
    steps, all_steps = schedule.steps, batch.stimuli * schedule.steps
    wanted = {
        (term.source, term.delay)
        for layer in schedule.layers
        for term in layer.terms
        if synapses_of(term, layer.channels).turned
    }
    turned = {
        (name, delay): by_neuron(batch.events[name], batch.stimuli, steps)
        for name, delay in sorted(wanted)
    }

    def work(part: tuple[tuple[str, int], tuple[int, int]]) -> None:
        (name, delay), (first, last) = part
        events, lists = batch.events[name], turned[name, delay]
        turn_round(
            events.index,
            events.begin,
            events.blocks,
            first,
            last,
            lists.block,
            all_steps,
            steps,
            delay,
            events.size,
            lists.index,
            lists.begin,
        )

    parts: list[tuple[tuple[str, int], tuple[int, int]]] = []
    for key, lists in turned.items():
        share = max(1, -(-lists.blocks // _PARTS))
        parts += [(key, part) for part in slices(lists.blocks, share)]
    everywhere(work, parts, size=batch.stimuli * neuron_steps(schedule))
    return turned
