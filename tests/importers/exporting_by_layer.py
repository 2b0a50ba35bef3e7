"""Export networks with different neurons in each layer: `python … LIBRARY FOLDER`.

Runs in the virtual environment of the peers, which has no Volr. Beside each NIR file stand, as
``.npz``, ``trains`` ``[time, batch, unit]`` and the library's own ``output`` for them, ``[time,
batch, unit]``.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

# By name, since the type checker does not see the peers' environment.
torch: Any = importlib.import_module("torch")
nir: Any = importlib.import_module("nir")

STEPS, BATCH, SIZES = 60, 3, (6, 9, 4)


def dense(layer: int, scale: float) -> Any:
    """A linear layer without biases: Volr's act from the first step on, and spikes come later."""
    found = torch.nn.Linear(SIZES[layer], SIZES[layer + 1])
    found.weight.data = scale * (torch.rand(SIZES[layer + 1], SIZES[layer]) - 0.2)
    found.bias.data *= 0.0
    return found


def snntorch(trains: Any, reset: str) -> tuple[Any, Any]:
    snn: Any = importlib.import_module("snntorch")
    export: Any = importlib.import_module("snntorch.export_nir")
    # Its usual resets come a step after the spike, which NIR has no word for.
    how = {"init_hidden": True, "reset_mechanism": reset, "reset_delay": False}
    cells = [
        snn.Leaky(beta=torch.full((size,), beta), threshold=torch.full((size,), at), **how)
        for size, beta, at in zip(SIZES[1:], (0.9, 0.7), (1.0, 0.8), strict=True)
    ]
    # A membrane above twice its threshold is reset in a way of its own.
    network = torch.nn.Sequential(dense(0, 0.4), cells[0], dense(1, 0.3), cells[1])
    graph = export.export_to_nir(network, trains[0], ignore_dims=[0])
    for each in cells:
        each.reset_hidden()
    return graph, torch.stack([network(frame) for frame in trains])


def norse(trains: Any, kind: str) -> tuple[Any, Any]:
    library: Any = importlib.import_module("norse.torch")
    export: Any = importlib.import_module("norse.torch.utils.export_nir")
    cells: list[Any] = []
    numbers = zip(SIZES[1:], (50.0, 200.0), (0.2, 0.3), strict=True)
    for layer, (size, mem, at) in enumerate(numbers):
        rest = {"v_leak": torch.zeros(size), "v_reset": torch.zeros(size)}
        rest |= {"tau_mem_inv": torch.full((size,), mem), "v_th": torch.full((size,), at)}
        if kind == "kinds" and layer == 1:
            cells.append(library.IAFCell(library.IAFParameters(v_th=torch.full((size,), 4.0))))
        else:
            cells.append(library.LIFBoxCell(library.LIFBoxParameters(**rest), dt=1e-3))
    network = library.SequentialState(dense(0, 3.0), cells[0], dense(1, 3.0), cells[1])
    graph = export.to_nir(network, trains[0], dt=1.0)
    state, found = None, []
    for frame in trains:
        output, state = network(frame, state)
        found.append(output)
    return graph, torch.stack(found)


def sinabs(trains: Any, reset: str) -> tuple[Any, Any]:
    layers: Any = importlib.import_module("sinabs.layers")
    activation: Any = importlib.import_module("sinabs.activation")
    export: Any = importlib.import_module("sinabs.nir")
    # Its usual neurons spike several times in a step.
    how = {"norm_input": False, "spike_fn": activation.SingleSpike}
    how["reset_fn"] = (
        activation.MembraneSubtract() if reset == "subtract" else (activation.MembraneReset())
    )
    cells = [
        layers.LIF(tau_mem=tau, spike_threshold=torch.tensor(at), **how)
        for tau, at in ((20.0, 2.0), (8.0, 1.5))
    ]
    network = torch.nn.Sequential(dense(0, 0.8), cells[0], dense(1, 0.9), cells[1])
    batches = trains.transpose(0, 1)
    graph = export.to_nir(network, batches)
    for each in cells:
        each.reset_states()
    return graph, network(batches).transpose(0, 1)


LIBRARIES: dict[str, tuple[Callable[..., tuple[Any, Any]], tuple[str, ...]]] = {
    "snntorch": (snntorch, ("subtract", "zero")),
    "norse": (norse, ("leaky", "kinds")),
    "sinabs": (sinabs, ("subtract", "zero")),
}


def main() -> None:
    library, folder = sys.argv[1], Path(sys.argv[2])
    make, kinds = LIBRARIES[library]
    for kind in kinds:
        torch.manual_seed(0)
        trains = (torch.rand(STEPS, BATCH, SIZES[0]) < 0.4).float()
        with torch.no_grad():
            graph, output = make(trains, kind)
        nir.write(folder / f"{library} {kind}.nir", graph)
        arrays = {"trains": trains.numpy(), "output": output.numpy()}
        np.savez(folder / f"{library} {kind}.npz", **arrays)


if __name__ == "__main__":
    main()
