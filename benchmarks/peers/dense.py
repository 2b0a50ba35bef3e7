"""The matrix products alone: what bounds every library that multiplies spikes as numbers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar

import torch
from torch import Tensor

from peers.base import TorchEngine
from peers.windowed import Windowed, size_of
from peers.workloads import HIDDEN_DENSITY

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from peers.windowed import Synapses


class Dense(TorchEngine):
    """One product a layer for all steps, ``conv2d`` for a convolution; no neurons and no pools.

    What the neurons would emit and what would come back are made up beforehand.
    Derivatives by the input of the network are not asked for: nobody needs them.
    """

    name: ClassVar[str] = "dense product"
    note: ClassVar[str] = "matrix products alone, no neurons"

    def linear(self, synapses: Synapses) -> torch.nn.Module:
        """See ``TorchEngine``: means are as much made up as spikes are."""
        if isinstance(synapses, Windowed):
            synapses = Windowed(synapses.weights, synapses.read)
        return super().linear(synapses)

    def __init__(self, weights: Sequence[Synapses], decay: float, device: str = "cpu") -> None:
        super().__init__(weights, decay, device)
        self._reads = [
            math.prod(each.read) if isinstance(each, Windowed) else each.shape[1]
            for each in weights
        ]
        self._sizes = [size_of(each)[0] for each in weights]

    def neuron(self) -> torch.nn.Module:
        """See ``TorchEngine``: there are none."""
        return torch.nn.Identity()

    def prepare(self, spikes: NDArray[np.bool_]) -> Tensor:
        """See ``Engine``; makes up spikes and errors."""
        shape = spikes.shape[:2]
        self._hidden = [
            torch.zeros(*shape, size, device=self.device)
            .bernoulli_(HIDDEN_DENSITY)
            .requires_grad_()
            for size in self._reads[1:]
        ]
        self._errors = [torch.ones(*shape, size, device=self.device) for size in self._sizes]
        return super().prepare(spikes)

    def step(self, given: Tensor, wanted: Tensor) -> None:
        """The products of the way forward and of the way back."""
        del wanted
        inputs = [given, *self._hidden]
        outputs = [linear(each) for linear, each in zip(self.linears, inputs, strict=True)]
        torch.autograd.backward(outputs, self._errors)
        for each in self._hidden:
            each.grad = None

    def spikes(self, given: Tensor) -> None:
        """There are none."""
        del given

    def _counts(self, given: Tensor) -> Tensor:
        inputs = [given, *self._hidden]
        last = given
        for linear, each in zip(self.linears, inputs, strict=True):
            last = linear(each)
        return last[0]
