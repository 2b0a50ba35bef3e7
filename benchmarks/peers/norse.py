"""Norse: a cell in a loop over steps, ``[time, batch, unit]``."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import torch

from peers.base import TorchEngine, library

if TYPE_CHECKING:
    from torch import Tensor

DT = 0.001


class Norse(TorchEngine):
    """``LIFBoxCell``: V ← V + (dt/τ)(X − V), so that dt/τ is 1 − a and X wants 1/(1 − a).

    ``Lift``, its module for whole sequences, takes up to twice as long: it indexes them a step at a
    time, and the derivative of each index is as large as all steps.
    """

    name: ClassVar[str] = "norse"

    @property
    def weight_scale(self) -> float:
        """See ``TorchEngine``."""
        return 1.0 / (1.0 - self.decay)

    def neuron(self) -> torch.nn.Module:
        """See ``TorchEngine``."""
        norse = library("norse.torch")
        parameters = norse.LIFBoxParameters(
            tau_mem_inv=torch.tensor((1.0 - self.decay) / DT), reset_method=reset
        )
        return norse.LIFBoxCell(p=parameters, dt=DT)

    def layer(self, index: int, given: Tensor) -> Tensor:
        """See ``TorchEngine``."""
        neuron, state = self.neurons[index], None
        found: list[Tensor] = []
        for drive in self.linears[index](given).unbind(0):
            spikes, state = neuron(drive, state)
            found.append(spikes)
        return torch.stack(found)


def reset(z: Tensor, v: Tensor, v_reset: Tensor, v_thresh: Tensor) -> Tensor:
    """Norse's own reset to a value, held to be constant as in the other libraries."""
    del v_thresh
    kept = z.detach()
    return (1 - kept) * v + kept * v_reset
