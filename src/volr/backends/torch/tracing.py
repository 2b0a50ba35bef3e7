"""What a module's forward pass does: the operations of one run, in their order.

    inputs       narrow(stimuli, …)
    layer        linear(x, weight, bias), and addmm(sum, x, weightᵀ) for every further projection
                 conv1d(maps, weight, bias, …), conv2d(…); x · weight, where there is one weight;
                 sum + sum; sum + bias
    pools        avg_pool1d(maps, …), avg_pool2d(…) of what is read
    largest      max_pool1d(x · weight, …), max_pool2d(…); stack([…]).amax(0) of several
    activation   relu(sum) | sigmoid(sum) | tanh(sum); none is the identity
    staircase    clamp(floor(div(sum, step) + ½), …); sums in place of means, and weights divided
    logits       a sum, or cat([sum | input, …])

PyTorch calls the ``Recorder`` for every operation. Strides, paddings and so on are those of the
call. ``calls`` says what one operation is.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from volr.backends.probing import activation_of
from volr.backends.terms import Reading, Term, by_channel
from volr.backends.torch.calls import RESHAPES, Pool, kernel_of, pool_of
from volr.backends.torch.chains import Call, continued, plain
from volr.backends.torch.traced import (
    Active,
    Block,
    Chain,
    Constant,
    Sum,
    Trace,
    TracedStep,
    TracedTerm,
    Unfolded,
    View,
    merge_of,
    scaled,
)
from volr.errors import BackendError
from volr.network.connectors import AllToAll, AveragePool, Convolution, OneToOne, Windows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from torch import nn

    from volr.checks.arrays import Floats
    from volr.network.connectors import Connector, Shape


class Recorder(TorchFunctionMode):
    """Makes a ``Trace`` of the operations that happen while it is entered.

    Raises ``BackendError`` for an operation that no module of ours has.
    """

    def __init__(self, stimuli: Tensor, parameters: Iterable[Tensor]) -> None:
        super().__init__()
        self.trace = Trace()
        # What each tensor is, by its identity. They are kept, so that none gets another's.
        self._kept: list[Tensor] = [stimuli, *parameters]
        self._known: dict[int, Any] = {id(each): Constant(each, each) for each in self._kept}
        self._known[id(stimuli)] = Block(0, stimuli.shape[1])

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
            self._known[id(result)] = self._meaning(func, args, kwargs or {}, result)
        return result

    def output(self, logits: Tensor) -> Trace:
        """The trace, whose result was ``logits``."""
        found = self._known[id(logits)]
        self.trace.logits = found if isinstance(found, tuple) else (self._step(logits),)
        return self.trace

    def _meaning(
        self,
        func: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
        result: Tensor,
    ) -> Any:
        given = [each for each in (*args, *kwargs.values()) if isinstance(each, Tensor)]
        known = [self._known[id(each)] for each in given]
        constants = [each for each in known if isinstance(each, Constant)]
        shape = tuple(result.shape[1:])
        name = getattr(func, "__name__", "")
        if known and len(constants) == len(known):
            return Constant(result, constants[0].origin)
        if func is Tensor.narrow and isinstance(known[0], (Block, Chain)) and args[1] == -1:
            return self.trace.narrowed(known[0], args[2], args[3])
        if name in RESHAPES and result.shape[0] == 1:
            return self._reshaped(args[0], shape)
        if func is functional.linear:
            return self._weighted(args[0], AllToAll(), constants, shape)
        if kernel := kernel_of(func, args, kwargs):
            return self._weighted(args[0], kernel, constants, shape)
        pool = pool_of(func, args, kwargs)
        if pool and (found := self._pooled(args[0], pool)) is not None:
            return found
        if len(given) == 1 and (chain := self._chained(Call(func, args, kwargs), result)):
            return chain
        if name == "unfold" and args[1:2] == (-1,) and not kwargs:
            return Unfolded(self._read(args[0]), AveragePool(args[2:3], args[3:]))
        if name == "sum" and args[1:] == (-1,) and isinstance(known[0], Unfolded):
            return known[0].added_up()
        is_product = name in ("mul", "__rmul__") and len(args) == 2 and not kwargs
        if is_product and (found := self._times(args[0], args[1], shape)) is not None:
            return found
        if name == "add" and len(args) == 2 and not kwargs:
            return self._added(*args)
        if func is torch.addmm and isinstance(known[2], Constant) and not kwargs:
            term = self._term(args[1], AllToAll(), known[2].numbers.T, known[2].origin, shape)
            return self._joined(self._sum(args[0]), self._made((term,), shape, "sum"))
        if func is torch.stack and args[1:] in ((), (0,)):
            return [self._sum(each) for each in args[0]]
        if name == "amax" and isinstance(known[0], list) and (args[1:] == (0,) or kwargs):
            return self._largest_of(cast("list[Sum]", known[0]))
        if func is torch.cat:
            return tuple(self._step(each) for each in args[0])
        if len(args) == 1 and known and not isinstance(known[0], (Block, Reading)):
            return self._activated(self._sum(args[0]), func)
        raise BackendError(f"the module does what none of ours does: {name}")

    # --- what is read

    def _chained(self, call: Call, result: Tensor) -> Chain | None:
        """What a call makes of each number, if it goes on with or begins a chain of such calls."""
        values = call.args[0]
        found = self._known[id(self._base(values))]
        if call.name == "div" and not isinstance(found, (Block, Reading, Chain)):
            found = self._sum(values)
        return continued(found, call, result)

    def _reshaped(self, values: Tensor, shape: Shape) -> Any:
        found = self._known[id(values)]
        if isinstance(found, Reading):
            return cast("Reading[Block | Sum]", found).reshaped(shape)
        return found if isinstance(found, View) else View(values)

    def _base(self, values: Tensor) -> Tensor:
        """The tensor whose values these are."""
        found = self._known[id(values)]
        return found.tensor if isinstance(found, View) else values

    def _read(self, values: Tensor) -> Reading[Block | Sum]:
        found = self._known[id(values)]
        if isinstance(found, Reading):
            return cast("Reading[Block | Sum]", found)
        step = self._step(values)
        source = step.sum if isinstance(step, Active) else step
        if isinstance(step, Sum):
            # They are sent on as they are.
            step.activation = activation_of(lambda z: z)
        shape = tuple(values.shape[1:])
        return Reading[Block | Sum](source, shape, shape)

    def _step(self, values: Tensor) -> TracedStep:
        found = self._known[id(self._base(values))]
        if isinstance(found, Chain) and isinstance(found.of, Sum):
            return self._activated(found.of, found)
        return found if isinstance(found, (Block, Active)) else self._sum(values)

    def _activated(self, of: Sum, function: Callable[[Tensor], Tensor]) -> Active:
        of.activation = activation_of(plain(function))
        return Active(of)

    # --- sums

    def _term(
        self, values: Tensor, connector: Connector, weights: Floats, origin: Tensor, target: Shape
    ) -> TracedTerm:
        read = self._read(values)
        if isinstance(connector, Convolution) and read.maps() is None:
            raise BackendError("the module reshapes what its pools have made")
        return TracedTerm(Term(read, connector, weights, target), origin)

    def _weighted(
        self, values: Tensor, connector: Connector, given: list[Constant], target: Shape
    ) -> Sum:
        weights, *bias = given
        term = self._term(values, connector, weights.numbers, weights.origin, target)
        made = self._made((term,), target, "sum")
        if bias:
            numbers = bias[0].numbers
            made.biases = by_channel(numbers, target) if len(target) > 1 else numbers
            made.bias = bias[0].origin
        return made

    def _times(self, values: Tensor, other: Any, target: Shape) -> Any:
        """What one number makes of values; None where it is something else."""
        if not isinstance(other, Tensor):
            return scaled(self._read(values), float(other))
        first, second = self._known[id(values)], self._known[id(other)]
        if isinstance(first, Constant):
            values, second = other, first
        if not isinstance(second, Constant) or second.value.numel() != 1:
            return None
        return self._term(values, OneToOne(), second.numbers.reshape(1), second.origin, target)

    def _pooled(self, values: Tensor, call: Pool) -> Any:
        pool, largest = call.pool, call.largest
        base = self._known[id(self._base(values))]
        if largest and isinstance(base, TracedTerm) and isinstance(base.term.connector, OneToOne):
            # A weight for all, and then the largest of each window.
            read = base.term.read.reshaped(tuple(values.shape[1:]))
            if read.maps() is None or pool.misfit(read.shape):
                return None
            windows = Windows(pool.window, pool.stride)
            target = pool.reduced(read.shape)
            return TracedTerm(Term(read, windows, base.term.weights, target), base.origin)
        found = self._read(values).through(pool, largest=largest)
        return None if found is None else scaled(found, call.factor)

    def _added(self, one: Tensor, other: Any) -> Sum:
        if not isinstance(other, Tensor):
            raise BackendError("the module adds a number to a sum")
        addend = self._known[id(other)]
        if not isinstance(addend, Constant):
            return self._joined(self._sum(one), self._sum(other))
        found = self._sum(one)
        found.add(np.broadcast_to(addend.numbers, tuple(one.shape)).ravel(), addend.origin)
        return found

    def _joined(self, one: Sum, other: Sum) -> Sum:
        """Two sums, added up: one sum of all their terms."""
        made = self._made((*one.terms, *other.terms), one.shape, "sum")
        self.trace.sums.remove(one)
        self.trace.sums.remove(other)
        # The biases of the first have the name.
        for each in (other, one):
            if each.biases is not None and each.bias is not None:
                made.add(each.biases, each.bias)
        return made

    def _largest_of(self, sums: list[Sum]) -> Sum:
        terms = tuple(term for each in sums for term in each.terms)
        for each in sums:
            self.trace.sums.remove(each)
        return self._made(terms, sums[0].shape, "max")

    def _sum(self, values: Tensor) -> Sum:
        """The sum that a tensor is; a term alone becomes one."""
        base = self._base(values)
        found = self._known[id(base)]
        if isinstance(found, TracedTerm):
            merge = "max" if isinstance(found.term.connector, Windows) else "sum"
            found = self._known[id(base)] = self._made((found,), found.term.target, merge)
        if isinstance(found, Reading):
            found = self._known[id(base)] = self._means(cast("Reading[Block | Sum]", found))
        if not isinstance(found, Sum):
            raise BackendError("the module has sums of what is none")
        return found

    def _means(self, read: Reading[Block | Sum]) -> Sum:
        """The sum that means are, of what one weight for all has made."""
        before = read.source
        if not isinstance(before, Sum) or len(before.terms) != 1 or read.largest:
            raise BackendError("the module has sums of what is none")
        (traced,) = before.terms
        if not isinstance(traced.term.connector, OneToOne) or before.biases is not None:
            raise BackendError("the module has sums of what is none")
        earlier = traced.term.read.reshaped(read.of)
        whole = replace(
            earlier,
            shape=read.shape,
            pools=(*earlier.pools, *read.pools),
            factor=earlier.factor * read.factor,
        )
        self.trace.sums.remove(before)
        term = replace(traced.term, read=whole, target=read.shape)
        return self._made((replace(traced, term=term),), read.shape, "sum")

    def _made(self, terms: tuple[TracedTerm, ...], shape: Shape, merge: str) -> Sum:
        made = Sum(terms, shape, merge_of(terms, merge))
        self.trace.sums.append(made)
        return made


def trace(module: nn.Module, stimuli: Tensor) -> Trace:
    """What the module's forward pass does with stimuli ``[1, unit]``."""
    recorder = Recorder(stimuli, module.parameters())
    with torch.no_grad(), recorder:
        result = cast("Tensor", module(stimuli))
    return recorder.output(result)
