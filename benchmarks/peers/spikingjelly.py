"""SpikingJelly: multi-step mode, ``[time, batch, unit]``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from peers.base import TorchEngine, library

if TYPE_CHECKING:
    import torch
    from torch import Tensor


class SpikingJelly(TorchEngine):
    """``LIFNode`` with V ← V − V/τ + X: 1 − 1/τ is a."""

    name: ClassVar[str] = "spikingjelly"

    def neuron(self) -> torch.nn.Module:
        """See ``TorchEngine``."""
        neuron = library("spikingjelly.activation_based.neuron")
        surrogate = library("spikingjelly.activation_based.surrogate")
        return neuron.LIFNode(
            tau=1.0 / (1.0 - self.decay),
            decay_input=False,
            v_threshold=1.0,
            v_reset=0.0,
            surrogate_function=surrogate.ATan(),
            detach_reset=True,
            step_mode="m",
        )

    def layer(self, index: int, given: Tensor) -> Tensor:
        """See ``TorchEngine``."""
        neuron: Any = self.neurons[index]
        neuron.reset()
        return neuron(self.linears[index](given))
