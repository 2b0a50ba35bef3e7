"""The network that a back end says it holds, in Volr's names and units.

    Answer[T] ::=  Asked(value, note) | Told(why)
    Readback  ::=  ArtificialReadback | SpikingReadback

``volr verify`` compares a ``Readback`` with what is ``Expected`` of the model. The comparison
proves something only where the running simulator or the written document was *asked*. A field that
cannot be asked for is *told*: its value would come from the model, which would be compared with
itself. So a ``Told`` has no value.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeAlias, TypeVar

import numpy as np

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import ArrayLike

    from volr.backends.terms import Ends
    from volr.checks.arrays import Floats, Integers

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
K = TypeVar("K", bound=Hashable)

Names: TypeAlias = tuple[str, ...] | frozenset[str]
"""Populations in their order, or as a set where the back end has no order among them."""

METADATA = "in Volr's own metadata: the format has no field for it"
"""The note on what a document says in metadata that no other program reads."""

NO_RESET = "for neurons that never spike, it holds only what a spike would subtract"
"""Why a simulator with the reset ``subtract`` cannot be asked for ``v_reset``."""

SEVERAL = -2
"""In place of a step, for a neuron of a clock that spikes more than once."""

DOUBLE, SINGLE = 1e-12, 2.0**-23
"""The relative error of numbers in float64 that were converted a few times, and in float32."""


@dataclass(frozen=True)
class Asked(Generic[T_co]):
    """A value that the running simulator, or the written document, gives itself.

    ``note`` says how it was asked, where that needs a simulation for example, or is ``METADATA``.
    """

    value: T_co
    note: str = ""


@dataclass(frozen=True)
class Told:
    """A field that the back end cannot be asked for, and ``why`` it cannot."""

    why: str


Answer: TypeAlias = Asked[T] | Told

Number: TypeAlias = "float | Floats"
"""A parameter of neurons: one for all of a population, or ``[unit]``."""

PROGRAM = {"program": Told("the program that uses the tables is not run when the file is read")}
"""``rest`` of a document whose tables are read, but whose program is not run."""


@dataclass(frozen=True)
class Cells:
    """The neurons of one population: ``kind`` and ``reset`` are Volr's names.

    ``numbers`` are all parameters except ``i_offset``, which is part of the biases. A parameter
    that differs within the population is ``[unit]``, or NaN where it cannot be. ``v_thresh`` is
    infinite for neurons that never spike.
    """

    kind: Answer[str]
    reset: Answer[str]
    numbers: Mapping[str, Answer[Number]]


@dataclass(frozen=True, kw_only=True)
class _Holding:
    """The fields that artificial and spiking networks share. Arrays are float64.

    ``populations``  sizes by name, those of the inputs among them
    ``inputs``, ``outputs``  their names, in the order of a stimulus and of the logits
    ``weights``      ``[post, pre]`` of each projection that there is, NaN for a missing synapse
    ``biases``       ``[unit]`` of each population but the inputs; of spiking neurons the whole
                     constant current, nA, i_offset included
    ``precision``    the relative error with which it holds a number: see ``precision_of``
    ``merges``       "max" by population whose largest input counts, or what else it does, in
                     ``terms`` or in ``probing``; all others add up
    ``rest``         the other parts of a document by name: what is wrong with each, in words, or
                     nothing; ``Told`` where reading cannot tell
    """

    populations: Mapping[str, Answer[int]]
    inputs: Answer[Names]
    outputs: Answer[Names]
    weights: Mapping[Ends, Answer[Floats]]
    biases: Mapping[str, Answer[Floats]]
    precision: Answer[float]
    merges: Mapping[str, Answer[str]] = field(default_factory=dict[str, "Answer[str]"])
    rest: Mapping[str, Answer[tuple[str, ...]]] = field(
        default_factory=dict[str, "Answer[tuple[str, ...]]"]
    )


@dataclass(frozen=True, kw_only=True)
class ArtificialReadback(_Holding):
    """An artificial network: ``activations`` are the ``title`` of each population that sends its
    own on, and the ``input_formula`` of inputs that do not send their stimulus as it is.
    """

    activations: Mapping[str, Answer[str]]


@dataclass(frozen=True, kw_only=True)
class SpikingReadback(_Holding):
    """A spiking network.

    ``cells``   by population, without inputs that are given as spikes; ``Told`` for a population
                whose neurons cannot be asked for anything
    ``delays``  ms, from each population to each other; where those of synapses differ, all that
                occur, from the shortest to the longest
    ``dt``      ms
    ``ticks``   the step in which each neuron of a clock spikes, ``[unit]``, by its name: −1 for one
                that does not spike, ``SEVERAL`` for one that spikes more than once
    """

    cells: Mapping[str, Cells | Told]
    delays: Mapping[Ends, Answer[Number]]
    dt: Answer[float]
    ticks: Mapping[str, Answer[Integers]] = field(default_factory=dict[str, "Answer[Integers]"])


Readback: TypeAlias = ArtificialReadback | SpikingReadback


def all_asked(values: Mapping[K, T], note: str = "") -> dict[K, Asked[T]]:
    """Each of the values as asked."""
    return {key: Asked(value, note) for key, value in values.items()}


def all_told(keys: Iterable[K], why: str) -> dict[K, Told]:
    """Each of the keys as told, all for the same reason."""
    return dict.fromkeys(keys, Told(why))


def asked_cells(kind: str, reset: str, numbers: Mapping[str, Number]) -> Cells:
    """Neurons that were asked for everything."""
    return Cells(Asked(kind), Asked(reset), all_asked(numbers))


def by_kind(
    held: Mapping[str, Floats], read: Callable[[dict[str, float]], Mapping[str, float]]
) -> dict[str, Number]:
    """What ``read`` makes of the numbers ``[unit]`` that a simulator has of its neurons, by name.

    It is called once for each kind of neurons, and the numbers that differ are ``[unit]``.
    """
    rows = np.stack(np.broadcast_arrays(*held.values()), axis=1)
    kinds, which = np.unique(rows, axis=0, return_inverse=True)
    found = [read(dict(zip(held, map(float, row), strict=True))) for row in kinds]
    return {key: shared(np.array([each[key] for each in found])[which.ravel()]) for key in found[0]}


def shared(values: ArrayLike) -> Number:
    """The value that all of them share up to rounding; all of them where they differ."""
    each = np.asarray(values, dtype=np.float64).ravel()
    same = uniform(each)
    return each if math.isnan(same) and not np.isnan(each).all() else same


def distinct(values: ArrayLike) -> Number:
    """The value that all of them share up to rounding; where they differ, each once, ascending."""
    same = uniform(values)
    each = np.unique(np.asarray(values, dtype=np.float64))
    if not math.isnan(same) or np.isnan(each).any() or not each.size:
        return same
    apart = np.diff(each) > 1e-9 * np.abs(each[1:])
    return each[np.append(True, apart)]


def uniform(values: ArrayLike) -> float:
    """The value that all of them share; NaN where they differ by more than rounding."""
    flat = np.asarray(values, dtype=np.float64).ravel()
    same = flat.size > 0 and np.allclose(flat, flat[0], rtol=1e-12, atol=0.0)
    return float(flat[0]) if same else float("nan")


def precision_of(dtypes: Iterable[np.dtype[Any]]) -> Answer[float]:
    """The relative error of numbers of the coarsest of these types."""
    errors = [float(np.finfo(dtype).eps) for dtype in dtypes]
    return Asked(max(DOUBLE, *errors)) if errors else Told("it holds no numbers")
