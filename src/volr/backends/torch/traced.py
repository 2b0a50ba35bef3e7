"""What is found in the trace of a module's forward pass: inputs, weighted sums, activations."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from volr.backends.torch.calls import numbers_of

if TYPE_CHECKING:
    from torch import Tensor

    from volr.backends.terms import Term
    from volr.checks.arrays import Floats
    from volr.network.connectors import Shape


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


@dataclass(frozen=True)
class Active:
    """The activation of weighted sums."""

    sum: Sum


TracedStep: TypeAlias = Block | Sum | Active


@dataclass
class Trace:
    """What a forward pass did: ``sums`` and ``blocks`` in their order, and what the logits are."""

    sums: list[Sum] = field(default_factory=list[Sum])
    blocks: list[Block] = field(default_factory=list[Block])
    logits: tuple[TracedStep, ...] = ()


@dataclass(frozen=True)
class View:
    """Another tensor's values in another shape."""

    tensor: Tensor
