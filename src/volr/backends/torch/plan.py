"""A network as a plan of steps in PyTorch, and the walk through it.

A network becomes a ``TorchPlan``, its steps in a straight line; ``walk`` follows it. A module walks
it with parameters of its own. Training walks it with many candidates at once: parameters that all
have one leading axis more, and activations ``[candidate, batch, unit]``.
"""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from volr.backends.torch.exact import exact_sums
from volr.backends.torch.operations import by_unit, operation_of
from volr.models.activations import Activation, Identity, ReLU, Sigmoid, Staircase, Tanh
from volr.models.model import activation_of
from volr.models.parameters import bias_name, weight_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from torch import Tensor

    from volr.backends.torch.operations import Operation
    from volr.network import Network


@dataclass(frozen=True, slots=True)
class Step:
    """How one population comes about.

    ``terms`` are the source, the weight and the operation of each projection into it. They are
    added up, or the step ``takes_largest``. ``bias`` is the name of its biases, by unit or by
    channel, or None. ``is_output`` says whether its weighted sum is read, ``is_source`` whether its
    activation is sent on. The populations ``done`` are not needed after this step. Sums of
    ``whole`` numbers are exact.
    """

    target: str
    bias: str | None
    terms: tuple[tuple[str, str, Operation], ...]
    takes_largest: bool
    activation: Activation
    is_output: bool
    is_source: bool
    done: tuple[str, ...]
    whole: bool = False


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
    whole = isinstance(activation, Staircase)
    return TorchPlan(
        inputs=tuple((name, network[name].size) for name in network.inputs),
        steps=tuple(
            Step(
                target=population.name,
                bias=bias_name(population) if network.biases(population) else None,
                terms=tuple(
                    (p.source, weight_name(p), operation_of(network, p, whole=whole))
                    for p in network.incoming[population.name]
                ),
                takes_largest=population.merge == "max",
                activation=activation_of(network, population, activation),
                is_output=population.name in outputs,
                is_source=population.name in last_use,
                done=tuple(done.get(population.name, ())),
                whole=whole,
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
        with exact_sums() if step.whole else nullcontext():
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
        case Staircase(levels=levels, step=step):
            return torch.floor(torch.div(z, step) + 0.5).clamp(0, levels)


def taken(activation: Activation, inputs: Tensor) -> Tensor:
    """What the inputs send of stimuli, in their shape: see ``volr.models.activations``."""
    match activation:
        case Staircase(levels=levels):
            exact = inputs.to(torch.float32).to(torch.float64)
            return torch.floor(exact * levels + 0.5).to(inputs.dtype)
        case _:
            return inputs


def _input_parts(plan: TorchPlan, inputs: Tensor) -> dict[str, Tensor]:
    parts: dict[str, Tensor] = {}
    start, sent = 0, taken(plan.activation, inputs)
    for name, size in plan.inputs:
        parts[name] = sent.narrow(-1, start, size)
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
            z = z + by_unit(bias, z.shape[-1]).unsqueeze(-2)
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
