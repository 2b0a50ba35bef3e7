"""Calls that make something of each number alone, one after the other: a function of our own.

A staircase is such a chain, and what its inputs make of stimuli is one. What a chain computes is
found by calling it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from volr.backends.torch.traced import Block, Chain, Sum

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from torch import Tensor

    from volr.checks.arrays import Floats


@dataclass(frozen=True, eq=False)
class Call:
    """A call of one of PyTorch's functions, whose first argument is the values."""

    func: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The function's name."""
        return getattr(self.func, "__name__", "")

    def __call__(self, values: Tensor) -> Tensor:
        """The same call with other values."""
        return self.func(values, *self.args[1:], **self.kwargs)


def continued(found: Any, call: Call, result: Tensor) -> Any:
    """What is ``found``, after one call more.

    None where the call neither goes on with a chain nor begins one: of stimuli a chain begins with
    another type, of sums with a quotient.
    """
    before = call.args[0]
    if result is before and call.name == "to":
        # It has that type already.
        return found
    if result.shape != before.shape:
        return None
    if isinstance(found, Chain):
        return Chain(found.of, (*found.calls, call))
    begins = (isinstance(found, Block) and call.name == "to") or (
        isinstance(found, Sum) and call.name == "div"
    )
    return Chain(found, (call,)) if begins else None


def plain(
    function: Callable[[Tensor], Tensor], dtype: torch.dtype = torch.float64
) -> Callable[[Floats], Floats]:
    """The function of arrays, float64, that a function of tensors of a type is."""

    def called(values: Floats) -> Floats:
        return function(torch.tensor(values, dtype=dtype)).double().numpy()

    return called
