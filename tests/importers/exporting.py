"""Export a network of SpikingJelly's as NIR: `python exporting.py FILE.nir OUT.npz`.

Runs in the virtual environment of the peers, which has no Volr. The network is a kernel, a pool and
a dense layer between neurons. Its maps are not square, but its windows are: nir refuses others.
What is written beside the file are ``frames`` ``[time, batch, channel, y, x]``, all alike, and
``output`` ``[time, batch, unit]``.
"""

from __future__ import annotations

import importlib
import sys
from typing import Any

import numpy as np


def main() -> None:
    file, out = sys.argv[1:]
    # By name, since the type checker does not see the peers' environment.
    torch: Any = importlib.import_module("torch")
    nir: Any = importlib.import_module("nir")
    layer: Any = importlib.import_module("spikingjelly.activation_based.layer")
    neuron: Any = importlib.import_module("spikingjelly.activation_based.neuron")
    functional: Any = importlib.import_module("spikingjelly.activation_based.functional")
    exchange: Any = importlib.import_module("spikingjelly.activation_based.nir_exchange")
    torch.manual_seed(0)
    network = torch.nn.Sequential(
        layer.Conv2d(1, 3, 3, padding=1, stride=(2, 1)),
        neuron.LIFNode(tau=3.0, decay_input=False),
        layer.AvgPool2d(2, 2),
        layer.Flatten(),
        layer.Linear(24, 4),
        neuron.LIFNode(tau=3.0, decay_input=False),
    )
    for each in (network[0], network[4]):
        each.weight.data = each.weight.data.abs()
        # A bias acts from the first step on, and Volr's spikes come a step later in each layer.
        each.bias.data *= 0.0
    frames = (torch.rand(1, 5, 1, 9, 8) < 0.5).float().repeat(20, 1, 1, 1, 1)
    nir.write(file, exchange.export_to_nir(network, frames[0], dt=1e-3))
    functional.reset_net(network)
    with torch.no_grad():
        output = torch.stack([network(frame) for frame in frames])
    np.savez(out, frames=frames.numpy(), output=output.numpy())


if __name__ == "__main__":
    main()
