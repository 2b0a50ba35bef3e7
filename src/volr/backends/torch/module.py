"""An artificial network in PyTorch: one weight a projection, at most one bias a population.

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

from volr.backends.torch.operations import operation_of
from volr.errors import DataError
from volr.models.activations import Activation, Identity, ReLU, Sigmoid, Tanh
from volr.models.model import activation_of
from volr.models.parameters import (
    bias_name,
    fixed_weights,
    parameter_shapes,
    parameters,
    weight_name,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from volr.backends.base import Forward
    from volr.backends.torch.operations import Operation
    from volr.checks.arrays import Floats
    from volr.models.model import ArtificialModel
    from volr.models.parameters import Parameters
    from volr.network import Network, Population


@dataclass(frozen=True, slots=True)
class Step:
    """How one population comes about.

    ``terms`` are the source, the weight and the operation of each projection into it, which are
    added up, or the step ``takes_largest``. ``bias`` is the name of its biases, each of which is
    that of ``units_each`` units, or None. ``is_output`` says whether
    its weighted sum is read, ``is_source`` whether its activation is sent on. The populations
    ``done`` are not needed after this step.
    """

    target: str
    bias: str | None
    units_each: int
    terms: tuple[tuple[str, str, Operation], ...]
    takes_largest: bool
    activation: Activation
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
                bias=bias_name(population) if (biases := network.biases(population)) else None,
                units_each=population.size // max(1, biases),
                terms=tuple(
                    (p.source, weight_name(p), operation_of(network, p))
                    for p in network.incoming[population.name]
                ),
                takes_largest=population.merge == "max",
                activation=activation_of(network, population, activation),
                is_output=population.name in outputs,
                is_source=population.name in last_use,
                done=tuple(done.get(population.name, ())),
            )
            for population in network.layers
        ),
        outputs=network.outputs,
        activation=activation,
    )


class Pass:
    """What a pass through a network does in each step. In training it does more
    (``volr.training.trained_pass``).
    """

    def sums(
        self, step: Step, values: Mapping[str, Tensor], active: Mapping[str, Tensor]
    ) -> Tensor:
        """The weighted sums, or the largest of what arrives, from what the sources send."""
        if step.takes_largest:
            return _largest(step, active, values)
        return _sum(step, active, values)

    def sent(self, step: Step, z: Tensor) -> Tensor:
        """What is sent on."""
        return activate(step.activation, z)


def walk(
    plan: TorchPlan, values: Mapping[str, Tensor], inputs: Tensor, through: Pass = Pass()
) -> Iterator[tuple[Step, Tensor, Tensor]]:
    """Every step with its weighted sums and activations (the sums again where none are sent on).

    ``values`` are the parameters by our names; ``inputs`` is ``[batch, unit]``, with a leading axis
    where ``values`` have one. What is not needed any more is not held on to.
    """
    active = _input_parts(plan, inputs)
    for step in plan.steps:
        z = through.sums(step, values, active)
        a = through.sent(step, z) if step.is_source else z
        yield step, z, a
        if step.is_source:
            active[step.target] = a
        for name in step.done:
            del active[name]


def logits(
    plan: TorchPlan, values: Mapping[str, Tensor], inputs: Tensor, through: Pass = Pass()
) -> Tensor:
    """The outputs' weighted sums side by side; arguments as for ``walk``."""
    steps = walk(plan, values, inputs, through)
    read = {step.target: z for step, z, _ in steps if step.is_output}
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


def _sum(step: Step, active: Mapping[str, Tensor], values: Mapping[str, Tensor]) -> Tensor:
    """The weighted sums of a step, with its biases."""
    (source, weight, operation), *others = step.terms
    bias = None if step.bias is None else values[step.bias]
    if bias is not None and operation.takes_bias(bias.shape[-1]):
        z = operation(active[source], values[weight], bias)
    else:
        z = operation(active[source], values[weight])
        if bias is not None:
            z = z + bias.repeat_interleave(step.units_each, dim=-1).unsqueeze(-2)
    for source, weight, operation in others:
        z = operation.added(z, active[source], values[weight])
    return z


def _largest(step: Step, active: Mapping[str, Tensor], values: Mapping[str, Tensor]) -> Tensor:
    """The largest of what arrives in a step."""
    found = [
        operation.largest(active[source], values[weight])
        for source, weight, operation in step.terms
    ]
    return found[0] if len(found) == 1 else torch.stack(found).amax(dim=0)


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
