"""Neurons of one population whose parameters differ from unit to unit."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from volr.checks.arrays import real_array
from volr.errors import ModelError
from volr.neurons.base import NeuronModel, parameter_names

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import ArrayLike

    from volr.checks.arrays import Floats, Integers


@dataclass(frozen=True)
class NeuronsByUnit:
    """The neurons of a population: ``kinds`` that differ, and ``which`` of them each unit is.

    All have the same neuron model and the same reset. ``by_unit`` makes them of arrays. Where all
    units are alike there is one kind, and ``which`` may be empty.
    """

    kinds: tuple[NeuronModel, ...]
    which: tuple[int, ...] = ()

    @classmethod
    def of_units(cls, units: Sequence[NeuronModel]) -> NeuronsByUnit:
        """The neurons with one model for each unit."""
        numbers: dict[NeuronModel, int] = {}
        which = tuple(numbers.setdefault(each, len(numbers)) for each in units)
        return cls(tuple(numbers), which)

    @property
    def first(self) -> NeuronModel:
        """The neuron of the first unit. Its model and its reset are those of all."""
        return self.kinds[0]

    @property
    def name(self) -> str:
        """The name of the neuron model."""
        return self.first.name

    def at(self, unit: int) -> NeuronModel:
        """The neuron of a unit."""
        return self.kinds[self.which[unit]] if len(self.kinds) > 1 else self.first

    def units(self, size: int) -> list[tuple[NeuronModel, Integers]]:
        """Each kind with the numbers of its units, of a population of that ``size``."""
        if len(self.kinds) == 1:
            return [(self.first, np.arange(size))]
        which = np.array(self.which, dtype=np.int64)
        return [(kind, np.flatnonzero(which == n)) for n, kind in enumerate(self.kinds)]

    def of(self, function: Callable[[NeuronModel], float]) -> float | Floats:
        """What a function gives for each unit, ``[unit]``, or for all where they are alike."""
        each = [function(kind) for kind in self.kinds]
        return each[0] if len(each) == 1 else np.array(each, dtype=np.float64)[list(self.which)]

    def stacked(
        self, function: Callable[[NeuronModel], dict[str, float]]
    ) -> dict[str, float | Floats]:
        """Numbers by name for each unit: one where they are alike, or else ``[unit]``."""
        each = [function(kind) for kind in self.kinds]
        found: dict[str, float | Floats] = {}
        for key, value in each[0].items():
            values = [one[key] for one in each]
            alike = all(one == value for one in values)
            found[key] = value if alike else np.array(values, dtype=np.float64)[list(self.which)]
        return found

    def changed(self, change: Callable[[NeuronModel], NeuronModel]) -> NeuronsByUnit:
        """The same with all neurons changed alike."""
        return NeuronsByUnit(tuple(map(change, self.kinds)), self.which)


Neurons: TypeAlias = NeuronModel | NeuronsByUnit
"""The neurons of a population."""


def units_in(neurons: Neurons) -> NeuronsByUnit:
    """The neurons unit by unit, also where all are alike."""
    return neurons if isinstance(neurons, NeuronsByUnit) else NeuronsByUnit((neurons,))


def by_unit(neuron: NeuronModel, **numbers: ArrayLike) -> NeuronsByUnit:
    """Neurons that differ from ``neuron`` in these parameters, one value for each unit.

    >>> volr.by_unit(volr.IFCurrExp(), tau_m=[10.0, 20.0, 15.0])

    Raises ``ModelError`` for unknown parameters, arrays that are no rows of one length, and values
    that no neuron can have.
    """
    known = parameter_names(type(neuron))
    rows: dict[str, Floats] = {}
    for name, given in numbers.items():
        if name not in known:
            raise ModelError(
                f"{neuron.name} has no parameter {name!r} that can differ by unit",
                help=f"its parameters are {', '.join(known)}",
            )
        try:
            rows[name] = real_array(given, copy=False)
        except ValueError as error:
            raise ModelError(f"the values of {name} are {error}") from error
        if rows[name].ndim != 1 or not rows[name].size:
            shape = list(rows[name].shape)
            raise ModelError(f"the values of {name} have the shape {shape}, not one for each unit")
    lengths = {name: len(row) for name, row in rows.items()}
    if len(set(lengths.values())) != 1:
        listed = ", ".join(f"{count} of {name}" for name, count in lengths.items()) or "none"
        raise ModelError(f"there is not one number of values by unit: there are {listed}")
    units = [*zip(*(row.tolist() for row in rows.values()), strict=True)]
    # One neuron for each kind, in the order of the units.
    made = {
        each: replace(neuron, **dict(zip(rows, each, strict=True))) for each in dict.fromkeys(units)
    }
    return NeuronsByUnit.of_units([made[each] for each in units])


def neurons_problem(given: object, size: int, known: tuple[type[NeuronModel], ...]) -> str | None:
    """Why something is no neurons of a population of that size, in words."""
    if type(given) in known:
        return None
    if not isinstance(given, NeuronsByUnit):
        return "no neuron model"
    kinds = {(type(each), each.reset) for each in given.kinds if type(each) in known}
    if len(kinds) != 1 or not all(type(each) in known for each in given.kinds):
        return "neurons by unit of several models or resets, and they may differ in numbers alone"
    if len(given.kinds) > 1 and len(given.which) != size:
        return f"{len(given.which)} neurons by unit, and the population has {size}"
    if not all(0 <= each < len(given.kinds) for each in given.which):
        return "neurons by unit with units of no kind"
    return None


def settled(given: Neurons) -> Neurons:
    """Neurons of which no two kinds are equal, in the order of the units; one where all are."""
    if isinstance(given, NeuronModel):
        return given
    numbers: dict[NeuronModel, int] = {}
    order = dict.fromkeys(given.which or (0,))
    of_kind = {kind: numbers.setdefault(given.kinds[kind], len(numbers)) for kind in order}
    kinds = tuple(numbers)
    if len(kinds) == 1:
        return kinds[0]
    return NeuronsByUnit(kinds, tuple(of_kind[each] for each in given.which))
