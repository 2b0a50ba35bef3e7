"""What a module's forward pass does: the operations of one run, in their order.

    inputs       narrow(stimuli, …)
    layer        linear(x, weight, bias), and addmm(sum, x, weightᵀ) for every further projection
    activation   relu(sum) | sigmoid(sum) | tanh(sum); none is the identity
    logits       a sum, or cat([sum | input, …])

PyTorch calls the ``Recorder`` for every operation. A population has the name of its bias in the
module, and an input the name of the weights that it is multiplied with.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import torch
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from volr.backends.probing import activation_of
from volr.errors import BackendError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from torch import nn

    from volr.checks.arrays import Floats


@dataclass(frozen=True)
class Block:
    """Units of a stimulus, from ``start`` on."""

    start: int
    size: int


@dataclass(eq=False)
class Sum:
    """Weighted sums: the bias, and the source and the weights of each term."""

    bias: Tensor
    terms: list[tuple[Block | Sum, Tensor]]
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


class Recorder(TorchFunctionMode):
    """Makes a ``Trace`` of the operations that happen while it is entered.

    Raises ``BackendError`` for an operation that no module of ours has.
    """

    def __init__(self, stimuli: Tensor, parameters: Iterable[Tensor]) -> None:
        super().__init__()
        self.trace = Trace()
        self._parameters = {id(each) for each in parameters}
        # What each tensor is, by its identity. They are kept, so that none gets another's.
        self._kept: list[Tensor] = [stimuli]
        self._known: dict[int, Any] = {id(stimuli): Block(0, stimuli.shape[1])}

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        if isinstance(result, Tensor):
            self._kept.append(result)
            self._known[id(result)] = self._meaning(func, args)
        return result

    def output(self, logits: Tensor) -> Trace:
        """The trace, whose result was ``logits``."""
        found: TracedStep | tuple[TracedStep, ...] = self._known[id(logits)]
        self.trace.logits = found if isinstance(found, tuple) else (found,)
        return self.trace

    def _meaning(self, func: Callable[..., Any], args: tuple[Any, ...]) -> Any:
        known = [self._of(each) for each in args if isinstance(each, Tensor)]
        if func is Tensor.narrow and isinstance(known[0], Block) and args[1] == -1:
            block = Block(known[0].start + args[2], args[3])
            if block not in self.trace.blocks:
                self.trace.blocks.append(block)
            return block
        if func is functional.linear:
            return self._sum(args[2], [(self._source(args[0]), args[1])])
        if func is Tensor.t and id(args[0]) in self._parameters:
            return ("transposed", args[0])
        if func is torch.addmm and isinstance(known[0], Sum):
            (kind, weight) = known[2]
            if kind == "transposed":
                before = known[0]
                self.trace.sums.remove(before)
                return self._sum(before.bias, [*before.terms, (self._source(args[1]), weight)])
        if func is torch.cat:
            return tuple(self._of(each) for each in args[0])
        if len(args) == 1 and isinstance(known[0], Sum):
            known[0].activation = activation_of(_plain(func))
            return Active(known[0])
        raise BackendError(f"the module does what none of ours does: {func.__name__}")

    def _sum(self, bias: Tensor, terms: list[tuple[Block | Sum, Tensor]]) -> Sum:
        made = Sum(bias, terms)
        self.trace.sums.append(made)
        return made

    def _source(self, values: Tensor) -> Block | Sum:
        found: TracedStep = self._of(values)
        if isinstance(found, Active):
            return found.sum
        if isinstance(found, Sum):
            # They are sent on as they are.
            found.activation = activation_of(lambda z: z)
        return found

    def _of(self, tensor: Tensor) -> Any:
        return tensor if id(tensor) in self._parameters else self._known[id(tensor)]


def trace(module: nn.Module, stimuli: Tensor) -> Trace:
    """What the module's forward pass does with stimuli ``[batch, unit]``."""
    recorder = Recorder(stimuli, module.parameters())
    with torch.no_grad(), recorder:
        result = cast("Tensor", module(stimuli))
    return recorder.output(result)


def _plain(function: Callable[[Tensor], Tensor]) -> Callable[[Floats], Floats]:
    def called(values: Floats) -> Floats:
        return function(torch.tensor(values)).numpy()

    return called
