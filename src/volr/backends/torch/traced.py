"""What is found in the trace of a module's forward pass: inputs, weighted sums, activations."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeAlias, cast

from volr.backends.probing import ANOTHER
from volr.backends.terms import WINDOWS
from volr.backends.torch.calls import numbers_of
from volr.network.connectors import Windows

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from volr.backends.terms import Reading, Term
    from volr.checks.arrays import Floats
    from volr.network.connectors import AveragePool, Shape


@dataclass(frozen=True)
class Block:
    """Units of a stimulus, from ``start`` on."""

    start: int
    size: int


@dataclass(frozen=True, eq=False)
class Constant:
    """A parameter, or what was made of one, the ``origin``, before stimuli came into it."""

    value: Tensor
    origin: Tensor

    @property
    def numbers(self) -> Floats:
        """The values, float64."""
        return numbers_of(self.value)


@dataclass(frozen=True, eq=False)
class TracedTerm:
    """A term of a sum, and the parameter that its weights come from."""

    term: Term[Block | Sum]
    origin: Tensor


@dataclass(eq=False)
class Sum:
    """Weighted sums of this ``shape``: the terms, how they are merged, and the biases ``[unit]``.

    ``bias`` is the parameter that the biases come from; both are None where there are none.
    """

    terms: tuple[TracedTerm, ...]
    shape: Shape
    merge: str
    biases: Floats | None = None
    bias: Tensor | None = None
    activation: str | None = None

    def add(self, numbers: Floats, origin: Tensor) -> None:
        """Biases more."""
        self.biases = numbers if self.biases is None else self.biases + numbers
        self.bias = origin


@dataclass(frozen=True, eq=False)
class Chain:
    """What ``calls`` make of each number of stimuli or of sums, one after the other."""

    of: Block | Sum
    calls: tuple[Callable[[Tensor], Tensor], ...]

    def __call__(self, values: Tensor) -> Tensor:
        for each in self.calls:
            values = each(values)
        return values


@dataclass(frozen=True)
class Active:
    """The activation of weighted sums."""

    sum: Sum


TracedStep: TypeAlias = Block | Sum | Active


@dataclass
class Trace:
    """What a forward pass did: ``sums`` and ``blocks`` in their order, and what the logits are.

    ``taken`` is what is sent of a block, where that is not its values.
    """

    sums: list[Sum] = field(default_factory=list[Sum])
    blocks: list[Block] = field(default_factory=list[Block])
    taken: dict[Block, Chain] = field(default_factory=dict[Block, Chain])
    logits: tuple[TracedStep, ...] = ()

    def narrowed(self, whole: Block | Chain, start: int, size: int) -> Block:
        """A part of the stimuli, or of what was made of their numbers."""
        first = whole.of if isinstance(whole, Chain) else whole
        block = Block(cast("Block", first).start + start, size)
        if block not in self.blocks:
            self.blocks.append(block)
        if isinstance(whole, Chain):
            self.taken[block] = whole
        return block


def merge_of(terms: tuple[TracedTerm, ...], merge: str) -> str:
    """How terms are merged that are added up, or otherwise as it says."""
    if merge != "sum":
        return merge
    if any(isinstance(each.term.connector, Windows) for each in terms):
        return ANOTHER
    return WINDOWS if any(each.term.read.largest for each in terms) else merge


@dataclass(frozen=True, eq=False)
class Unfolded:
    """The windows of what is read along its last axis, one by one."""

    read: Reading[Block | Sum]
    pool: AveragePool

    def added_up(self) -> Reading[Block | Sum] | None:
        """The sum of each window; None where the windows do not fit."""
        means = self.read.through(self.pool)
        return None if means is None else scaled(means, self.pool.window[0])


def scaled(read: Reading[Block | Sum], factor: float) -> Reading[Block | Sum]:
    """What is read, multiplied."""
    return replace(read, factor=factor * read.factor)


@dataclass(frozen=True)
class View:
    """Another tensor's values in another shape."""

    tensor: Tensor
