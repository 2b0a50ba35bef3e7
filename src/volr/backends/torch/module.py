"""An artificial network in PyTorch: one weight a projection, at most one bias a population."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np
import torch
from torch import Tensor, nn

from volr.backends.torch.plan import logits, plan_of
from volr.checks.batches import check_batch
from volr.models.activations import Activation, ReLU
from volr.models.parameters import (
    bias_name,
    fixed_weights,
    parameter_shapes,
    parameters,
    weight_name,
)

if TYPE_CHECKING:
    from volr.backends.base import Forward
    from volr.checks.arrays import Floats
    from volr.models.model import ArtificialModel
    from volr.models.parameters import Parameters
    from volr.network import Network, Population


class NetworkModule(nn.Module):
    """A network as an ordinary module, from stimuli ``[batch, unit]`` to logits ``[batch, unit]``.

    Its parameters are called as ours are, with a colon for the last dot, which PyTorch does not
    allow: ``input->dense_1:weight`` ``[post, pre]`` and ``dense_1:bias`` ``[unit]``, for example.
    They begin as those of ``nn.Linear`` and ``nn.Conv2d`` do, drawn with ``seed``; PyTorch's own
    random state is left alone. ``forward`` raises ``DataError`` for stimuli of another shape.
    """

    def __init__(
        self,
        network: Network,
        activation: Activation = ReLU(),
        *,
        seed: int = 0,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        super().__init__()
        self.network = network
        self.plan = plan_of(network, activation)
        self._names = {name: torch_name(name) for name in parameter_shapes(network)}
        generator = torch.Generator().manual_seed(seed)
        bounds = {p.name: _fan_in(network, p) ** -0.5 for p in network.layers}
        bounds |= {weight_name(p): bounds[p.target] for p in network.projections}
        bounds |= {bias_name(p): bounds[p.name] for p in network.layers}
        fixed = fixed_weights(network)
        for name, shape in parameter_shapes(network).items():
            values = torch.ones(shape, dtype=dtype)
            if name not in fixed:
                values.uniform_(-bounds[name], bounds[name], generator=generator)
            parameter = nn.Parameter(values, requires_grad=name not in fixed)
            self.register_parameter(torch_name(name), parameter)

    def named_values(self) -> dict[str, Tensor]:
        """The parameters by our names."""
        return {ours: cast("Tensor", getattr(self, theirs)) for ours, theirs in self._names.items()}

    def forward(self, stimuli: Tensor) -> Tensor:
        check_batch(stimuli.shape, self.network.input_size)
        return logits(self.plan, self.named_values(), stimuli)

    def extra_repr(self) -> str:
        network = self.network
        return (
            f"{network.input_size} -> {network.output_size}, "
            f"populations={len(network.populations)}, projections={len(network.projections)}, "
            f"activation={self.plan.activation.name}"
        )


def _fan_in(network: Network, population: Population) -> int:
    """How many weights each of its sums has, of those that are trained; at least 1."""
    return max(
        1,
        sum(
            p.connector.fan_in(*network.ends(p))
            for p in network.incoming[population.name]
            if p.connector.trained
        ),
    )


def torch_name(ours: str) -> str:
    """The name of a parameter in PyTorch: colons for dots, and %3A for what was a colon."""
    return ours.replace("%", "%25").replace(":", "%3A").replace(".", ":")


def our_name(theirs: str) -> str:
    """The inverse of ``torch_name``."""
    return theirs.replace(":", ".").replace("%3A", ":").replace("%25", "%")


def module_from(model: ArtificialModel, *, dtype: torch.dtype | None = None) -> NetworkModule:
    """The model as a module with its parameters, in float32 unless told."""
    module = NetworkModule(model.network, model.activation, dtype=dtype or torch.float32)
    with torch.no_grad():
        for name, value in module.named_values().items():
            value.copy_(torch.tensor(model.parameters[name]))
    return module


def to_parameters(module: NetworkModule) -> Parameters:
    """The module's parameters under our names, in float64."""
    values = {name: array_of(value) for name, value in module.named_values().items()}
    return parameters(module.network, values)


def array_of(values: Tensor) -> Floats:
    """A float64 copy, wherever the values are."""
    return np.array(values.detach().to("cpu", torch.float64).numpy())


def build(model: ArtificialModel) -> Forward:
    """The model's forward function in float32; ``DataError`` for stimuli that do not fit."""
    module = module_from(model)

    def forward(stimuli: Floats) -> Floats:
        with torch.inference_mode():
            return array_of(module(torch.tensor(stimuli, dtype=torch.float32)))

    return forward
