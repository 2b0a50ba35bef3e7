"""snnTorch: a loop over steps, ``[time, batch, unit]``."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import torch

from peers.base import TorchEngine, library

if TYPE_CHECKING:
    from torch import Tensor


class SnnTorch(TorchEngine):
    """``Leaky`` with reset to 0, which it does at the start of the next step: the same spikes.

    Its modules for whole sequences, ``LeakyParallel`` and ``StateLeaky``, have no reset.
    """

    name: ClassVar[str] = "snntorch"

    def neuron(self) -> torch.nn.Module:
        """See ``TorchEngine``."""
        snntorch = library("snntorch")
        surrogate = library("snntorch.surrogate")
        return snntorch.Leaky(
            beta=self.decay, reset_mechanism="zero", spike_grad=surrogate.fast_sigmoid()
        )

    def layer(self, index: int, given: Tensor) -> Tensor:
        """See ``TorchEngine``."""
        neuron = self.neurons[index]
        drives = self.linears[index](given)
        membrane = torch.zeros_like(drives[0])
        found: list[Tensor] = []
        # `unbind` and not an index a step, whose derivatives would each be as large as all steps.
        for drive in drives.unbind(0):
            spikes, membrane = neuron(drive, membrane)
            found.append(spikes)
        return torch.stack(found)
