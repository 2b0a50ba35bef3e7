"""What an engine is to the benchmark, and what the engines made of PyTorch modules share."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import numpy as np
import torch
from torch import Tensor

from peers.windowed import Synapses, Windowed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


class Engine(Protocol):
    """A feed-forward network of ``volr.neurons.IFCurrDelta``, as ``peers.dynamics`` has it.

    ``note`` says where it differs from that. ``latency`` is how many steps a spike takes from one
    layer to the next. An engine is built from float32 ``weights``, the synapses of each layer,
    ``decay``, a = e^(−dt/τ_m), and the name of a PyTorch ``device``.
    """

    name: ClassVar[str]
    note: ClassVar[str]
    latency: ClassVar[int]

    def prepare(self, spikes: NDArray[np.bool_]) -> Any:
        """The input ``[time, batch, unit]`` in the engine's own layout and type; not timed."""
        ...

    def forward(self, given: Any) -> Tensor:
        """Spike counts of the last layer, ``[batch, unit]``, without derivatives."""
        ...

    def step(self, given: Any, wanted: Tensor) -> None:
        """Forward, mean squared error to the ``wanted`` counts, and back to all weights."""
        ...

    def spikes(self, given: Any) -> list[NDArray[np.bool_]] | None:
        """The spikes of every layer, ``[time, batch, unit]``; None of an engine without any."""
        ...

    def forget(self) -> None:
        """Drop the derivatives that ``step`` left with the weights; not timed."""
        ...


class TorchEngine:
    """An engine that goes layer by layer over all steps: each a matrix product, then neurons.

    One product for all steps is faster than one a step, and all of the libraries allow it.
    """

    name: ClassVar[str]
    note: ClassVar[str] = ""
    latency: ClassVar[int] = 0
    time_axis: ClassVar[int] = 0

    def __init__(self, weights: Sequence[Synapses], decay: float, device: str = "cpu") -> None:
        self.decay, self.device = decay, device
        self.linears = [self.linear(each) for each in weights]
        self.neurons = [self.neuron().to(device) for _ in weights]

    @property
    def weight_scale(self) -> float:
        """How many of the library's units of weight make one of ours."""
        return 1.0

    def linear(self, synapses: Synapses) -> torch.nn.Module:
        """The module of one layer's synapses, from ``[…, …, pre]`` to ``[…, …, post]``."""
        if isinstance(synapses, Windowed):
            module: torch.nn.Module = Windows(synapses, self.weight_scale)
        else:
            module = linear(synapses, self.weight_scale)
        return module.to(self.device)

    def neuron(self) -> torch.nn.Module:
        """The module of one layer of neurons."""
        raise NotImplementedError

    def layer(self, index: int, given: Tensor) -> Tensor:
        """Spikes of layer ``index`` from those that reach it, both over all steps, from rest."""
        raise NotImplementedError

    def prepare(self, spikes: NDArray[np.bool_]) -> Tensor:
        """See ``Engine``."""
        whole = torch.from_numpy(spikes.astype(np.float32))
        return whole.movedim(0, self.time_axis).contiguous().to(self.device)

    def forward(self, given: Tensor) -> Tensor:
        """See ``Engine``."""
        with torch.no_grad():
            return self._counts(given)

    def step(self, given: Tensor, wanted: Tensor) -> None:
        """See ``Engine``."""
        torch.nn.functional.mse_loss(self._counts(given), wanted).backward()

    def spikes(self, given: Tensor) -> list[NDArray[np.bool_]] | None:
        """See ``Engine``."""
        found: list[NDArray[np.bool_]] = []
        with torch.no_grad():
            for index in range(len(self.linears)):
                given = self.layer(index, given)
                found.append(given.movedim(self.time_axis, 0).cpu().numpy() != 0.0)
        return found

    def forget(self) -> None:
        """See ``Engine``."""
        for each in self.linears:
            each.zero_grad()

    def _counts(self, given: Tensor) -> Tensor:
        for index in range(len(self.linears)):
            given = self.layer(index, given)
        return given.sum(self.time_axis)


class Windows(torch.nn.Module):
    """PyTorch's own pool, if there is one, and its convolution or matrix product."""

    def __init__(self, synapses: Windowed, scale: float) -> None:
        super().__init__()
        self._source, self._pool = synapses.source, synapses.pool
        weights = synapses.weights
        if weights.ndim == 2:
            self._inner: torch.nn.Module = linear(weights, scale)
            self._dense = True
            return
        out, channels, window, _ = weights.shape
        self._inner = torch.nn.Conv2d(channels, out, window, bias=False)
        self._dense = False
        with torch.no_grad():
            self._inner.weight.copy_(torch.from_numpy(weights * scale))

    def forward(self, given: Tensor) -> Tensor:
        rows = given.reshape(-1, *self._source)
        if self._pool > 1:
            rows = torch.nn.functional.avg_pool2d(rows, self._pool)
        found: Tensor = self._inner(rows.flatten(1) if self._dense else rows)
        return found.reshape(*given.shape[:2], -1)


def linear(matrix: NDArray[np.float32], scale: float) -> torch.nn.Linear:
    """A matrix ``[post, pre]`` as a module, in a library's units of weight."""
    module = torch.nn.Linear(matrix.shape[1], matrix.shape[0], bias=False)
    with torch.no_grad():
        module.weight.copy_(torch.from_numpy(matrix * scale))
    return module


def library(module: str) -> Any:
    """A module of an optional library; these have no types, hence ``Any``."""
    return importlib.import_module(module)
