"""An artificial network in PyTorch: one weight a projection, one bias a population.

A network becomes a ``TorchPlan``, its steps in a straight line; ``walk`` follows it.
``NetworkModule`` walks it with parameters of its own. Training walks it with many candidates at
once: parameters that all have one leading axis more, and activations ``[candidate, batch, unit]``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from volr.errors import DataError
from volr.models.activations import Activation, Identity, ReLU, Sigmoid, Tanh
from volr.models.parameters import bias_name, parameter_shapes, parameters, weight_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from volr.backends.base import Forward
    from volr.checks.arrays import Floats
    from volr.models.model import ArtificialModel
    from volr.models.parameters import Parameters
    from volr.network import Network


@dataclass(frozen=True, slots=True)
class Step:
    """How one population comes about.

    ``terms`` are the source and the weight of each projection into it. ``is_output`` says whether
    its weighted sum is read, ``is_source`` whether its activation is sent on. The populations
    ``done`` are not needed after this step.
    """

    target: str
    bias: str
    terms: tuple[tuple[str, str], ...]
    is_output: bool
    is_source: bool
    done: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TorchPlan:
    """A network in a straight line. ``inputs`` are names and sizes, side by side in a stimulus."""

    inputs: tuple[tuple[str, int], ...]
    steps: tuple[Step, ...]
    outputs: tuple[str, ...]
    activation: Activation


def plan_of(network: Network, activation: Activation) -> TorchPlan:
    """The plan of a network whose populations have this activation."""
    last_use = {
        projection.source: population.name
        for population in network.populations
        for projection in network.incoming[population.name]
    }
    done: dict[str, list[str]] = {}
    for source, target in last_use.items():
        done.setdefault(target, []).append(source)
    outputs = set(network.outputs)
    return TorchPlan(
        inputs=tuple((name, network[name].size) for name in network.inputs),
        steps=tuple(
            Step(
                target=population.name,
                bias=bias_name(population),
                terms=tuple((p.source, weight_name(p)) for p in network.incoming[population.name]),
                is_output=population.name in outputs,
                is_source=population.name in last_use,
                done=tuple(done.get(population.name, ())),
            )
            for population in network.layers
        ),
        outputs=network.outputs,
        activation=activation,
    )


def walk(
    plan: TorchPlan, values: Mapping[str, Tensor], inputs: Tensor
) -> Iterator[tuple[Step, Tensor, Tensor]]:
    """Every step with its weighted sums and activations (the sums again where none are sent on).

    ``values`` are the parameters by our names; ``inputs`` is ``[batch, unit]``, with a leading axis
    where ``values`` have one. What is not needed any more is not held on to.
    """
    active = _input_parts(plan, inputs)
    for step in plan.steps:
        (source, weight), *others = step.terms
        z = _affine(active[source], values[weight], values[step.bias])
        for source, weight in others:
            z = _add_product(z, active[source], values[weight])
        a = activate(plan.activation, z) if step.is_source else z
        yield step, z, a
        if step.is_source:
            active[step.target] = a
        for name in step.done:
            del active[name]


def logits(plan: TorchPlan, values: Mapping[str, Tensor], inputs: Tensor) -> Tensor:
    """The outputs' weighted sums side by side; arguments as for ``walk``."""
    read = {step.target: z for step, z, _ in walk(plan, values, inputs) if step.is_output}
    if len(plan.outputs) == 1 and read:
        return read[plan.outputs[0]]
    read |= _input_parts(plan, inputs)
    return torch.cat([read[name] for name in plan.outputs], dim=-1)


def activate(activation: Activation, z: Tensor) -> Tensor:
    """The activation of each weighted sum, in the shape of ``z``."""
    match activation:
        case ReLU():
            return torch.relu(z)
        case Sigmoid():
            return torch.sigmoid(z)
        case Tanh():
            return torch.tanh(z)
        case Identity():
            return z


def _input_parts(plan: TorchPlan, inputs: Tensor) -> dict[str, Tensor]:
    parts: dict[str, Tensor] = {}
    start = 0
    for name, size in plan.inputs:
        parts[name] = inputs.narrow(-1, start, size)
        start += size
    return parts


def _affine(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    if weight.ndim == 2:
        return functional.linear(x, weight, bias)
    return torch.baddbmm(bias.unsqueeze(1), x, weight.mT)


def _add_product(z: Tensor, x: Tensor, weight: Tensor) -> Tensor:
    if weight.ndim == 2:
        return torch.addmm(z, x, weight.t())
    return torch.baddbmm(z, x, weight.mT)


class NetworkModule(nn.Module):
    """A network as an ordinary module, from stimuli ``[batch, unit]`` to logits ``[batch, unit]``.

    Its parameters are called as ours are, with a colon for the last dot, which PyTorch does not
    allow: ``input->dense_1:weight`` ``[post, pre]`` and ``dense_1:bias`` ``[unit]``. They begin as
    those of ``nn.Linear`` do, drawn with ``seed``; PyTorch's own random state is left alone.
    ``forward`` raises ``DataError`` for stimuli of another shape.
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
        fan_in = {
            population.name: sum(network[p.source].size for p in network.incoming[population.name])
            for population in network.layers
        }
        bounds = {weight_name(p): fan_in[p.target] ** -0.5 for p in network.projections}
        bounds |= {bias_name(p): fan_in[p.name] ** -0.5 for p in network.layers}
        for name, shape in parameter_shapes(network).items():
            values = torch.empty(shape, dtype=dtype)
            values.uniform_(-bounds[name], bounds[name], generator=generator)
            self.register_parameter(torch_name(name), nn.Parameter(values))

    def named_values(self) -> dict[str, Tensor]:
        """The parameters by our names."""
        return {ours: cast("Tensor", getattr(self, theirs)) for ours, theirs in self._names.items()}

    def forward(self, stimuli: Tensor) -> Tensor:
        if stimuli.ndim != 2 or stimuli.shape[1] != self.network.input_size:
            raise DataError(
                f"the stimuli have the shape {list(stimuli.shape)}, the network takes "
                f"[batch, {self.network.input_size}]"
            )
        return logits(self.plan, self.named_values(), stimuli)

    def extra_repr(self) -> str:
        network = self.network
        return (
            f"{network.input_size} -> {network.output_size}, "
            f"populations={len(network.populations)}, projections={len(network.projections)}, "
            f"activation={self.plan.activation.name}"
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
