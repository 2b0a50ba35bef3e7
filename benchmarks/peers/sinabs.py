"""sinabs: whole sequences, ``[batch, time, unit]``."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar

from peers.base import TorchEngine, library

if TYPE_CHECKING:
    import torch
    from torch import Tensor


class Sinabs(TorchEngine):
    """``LIF`` with one spike a step at most, reset to 0, input not scaled by 1 − a."""

    name: ClassVar[str] = "sinabs"
    time_axis: ClassVar[int] = 1

    def neuron(self) -> torch.nn.Module:
        """See ``TorchEngine``."""
        layers = library("sinabs.layers")
        activation = library("sinabs.activation")
        neuron = layers.LIF(
            tau_mem=-1.0 / math.log(self.decay),
            spike_fn=activation.SingleSpike,
            reset_fn=activation.MembraneReset(),
            norm_input=False,
        )
        # It would learn its time constants too, which is more work and not what is asked.
        return neuron.requires_grad_(requires_grad=False)

    def layer(self, index: int, given: Tensor) -> Tensor:
        """See ``TorchEngine``."""
        neuron: Any = self.neurons[index]
        neuron.reset_states()
        return neuron(self.linears[index](given))
