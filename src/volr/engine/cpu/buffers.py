"""Some stimuli on their way through a network: the memory that they take, and keeping it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from volr.engine.cpu.connectors import synapses_of
from volr.engine.cpu.events import MANY, Events, block_of, empty_events
from volr.engine.cpu.vectors import TILE_BYTES
from volr.engine.schedule import Layer, Schedule
from volr.system.cores import cores

if TYPE_CHECKING:
    from numpy.typing import NDArray

SLICE = 32
"""Stimuli in a slice, or more if they are small."""
_SLICE_VALUES = 400_000


@dataclass(frozen=True, eq=False)
class Memory:
    """What a population's kernels read and write, flat ``[stimulus, step, unit]``.

    ``drives`` are as many as ``channels``: first what arrives, then what the way back needs.
    Only ``total`` is ``[stimulus, unit]``. See ``volr.engine.cpu.membranes``.
    """

    drives: tuple[NDArray[Any], ...]
    membrane: NDArray[Any]
    state: NDArray[np.uint8]
    total: NDArray[Any]

    def part(self, first: int, last: int, values: int, units: int) -> Memory:
        """The stimuli ``first`` to ``last``, with ``values`` numbers each, ``units`` in total."""
        cut = slice(first * values, last * values)
        drives = tuple(each[cut] for each in self.drives)
        membrane = drives[0] if self.membrane is self.drives[0] else self.membrane[cut]
        total = self.total[first * units : last * units]
        return Memory(drives, membrane, self.state[cut], total)

    def of_units(self, units: NDArray[np.int64], size: int) -> Memory:
        """A copy of some ``units`` of a population of that ``size``."""

        def some(values: NDArray[Any]) -> NDArray[Any]:
            return values.reshape(-1, size)[:, units].ravel()

        drives = tuple(map(some, self.drives))
        membrane = drives[0] if self.membrane is self.drives[0] else some(self.membrane)
        return Memory(drives, membrane, some(self.state), some(self.total))

    def put_units(self, own: Memory, units: NDArray[np.int64], size: int) -> None:
        """Write back what ``of_units`` gave."""
        pairs = [*zip(self.drives, own.drives, strict=True), (self.membrane, own.membrane)]
        pairs += [(self.state, own.state), (self.total, own.total)]
        for whole, part in pairs:
            whole.reshape(-1, size)[:, units] = part.reshape(-1, len(units))


def empty_memory(layer: Layer, values: int, units: int, dtype: np.dtype[Any]) -> Memory:
    """Room for ``values`` numbers, ``units`` in total."""
    drives = tuple(np.empty(values, dtype) for _ in layer.channels)
    # A conductance is not a membrane: it needs a place of its own.
    membrane = np.empty(values, dtype) if layer.neuron.has_conductances else drives[0]
    return Memory(drives, membrane, np.empty(values, np.uint8), np.empty(units, dtype))


def bytes_per_value(layer: Layer, dtype: np.dtype[Any]) -> int:
    """Memory of a neuron in a step."""
    return dtype.itemsize * (len(layer.channels) + layer.neuron.has_conductances) + 1


@dataclass(frozen=True, eq=False)
class Batch:
    """Some stimuli on their way through a network: lists of spikes, and memories, by name."""

    key: _Key
    events: dict[str, Events]
    memory: dict[str, Memory]

    @property
    def stimuli(self) -> int:
        return self.key[1]


_Key = tuple[Schedule, int, np.dtype[Any], bool]
# The last few kinds of batches, and of each as many as are used at once.
_spare: dict[_Key, list[Batch]] = {}
_SPARE = 4


def slice_size(schedule: Schedule) -> int:
    """Stimuli in a slice: their spikes fit into the third cache, and few slices are many enough."""
    return max(SLICE, min(1024, _SLICE_VALUES // neuron_steps(schedule)))


def neuron_steps(schedule: Schedule) -> int:
    """The number of neurons times steps, of one stimulus."""
    return schedule.steps * sum(schedule.sizes.values())


def empty_batch(schedule: Schedule, stimuli: int, dtype: np.dtype[Any], density: float) -> Batch:
    """Room for ``stimuli``; ``density`` is the share of the inputs that spikes in a step."""
    sources = {term.source for layer in schedule.layers for term in layer.terms}
    steps, inputs = schedule.steps, dict(schedule.inputs)
    key = (schedule, stimuli, dtype, density >= MANY)
    spare = _spare.get(key)
    if spare:
        try:
            return spare.pop()
        except IndexError:  # another thread took it in the meantime
            pass
    return Batch(
        key,
        {
            # How often hidden neurons will spike is unknown; in most networks it is seldom.
            name: empty_events(
                stimuli, steps, size, block_of(size, density if name in inputs else 0.0)
            )
            for name, size in schedule.sizes.items()
            if name in sources
        },
        {
            layer.name: empty_memory(
                layer, stimuli * steps * layer.size, stimuli * layer.size, dtype
            )
            for layer in schedule.layers
        },
    )


def put_back(batch: Batch) -> None:
    """Keep the memory of a batch for the next one: to get it from the system takes longer than to
    fill it."""
    spare = _spare.setdefault(batch.key, [])
    if len(spare) < cores():
        spare.append(batch)
    # A list of the keys is made in one step; to walk through a dictionary takes many.
    for oldest in list(_spare)[:-_SPARE]:
        _spare.pop(oldest, None)


def bytes_per_stimulus(schedule: Schedule, dtype: np.dtype[Any]) -> dict[str, int]:
    """What a stimulus takes in a batch, by population."""
    # Of the lists of spikes: an entry a neuron, and where each block begins; and for a layer what
    # a tile's drive takes while it is summed.
    found = {name: schedule.steps * (2 * size + _begins(size)) for name, size in schedule.inputs}
    return found | {
        layer.name: schedule.steps
        * (
            (bytes_per_value(layer, dtype) + 2) * layer.size
            + _begins(layer.size)
            + TILE_BYTES
            # A list of senders, and what returns to them.
            + (4 + 2 * dtype.itemsize)
            * max(
                (synapses_of(each, layer.channels).senders for each in layer.terms),
                default=0,
            )
        )
        for layer in schedule.layers
    }


def _begins(size: int) -> int:
    """Bytes at the most, in a step."""
    return 8 * (-(-size // block_of(size, 1.0)) + 1)
