"""Batch normalisation while a network is trained, and none in the trained network.

What the trained projections into a population bring, z = Σ W x, is normalised over the minibatch:

    y = scale · (z − mean) / √(variance + ε) + bias                                         (1)

by group: a group is a neuron, or a channel where a kernel leads to the population. A minibatch that
is cut into parts (``volr.training.parts``) is normalised part by part. An identity of
fixed weight that enters beside them is added to y as it is, so that (1) can be folded exactly.
Outside of minibatches, mean and variance are running averages over them, and (1) is

    W ← W · scale / √(variance + ε),   bias ← bias − mean · scale / √(variance + ε)         (2)

S. Ioffe and C. Szegedy, "Batch normalization" (2015), arXiv:1502.03167; ε and the weight of a
minibatch in the averages are PyTorch's. Training begins with the mean and the variance of a few
hundred samples, and with the scale and the bias that change nothing. So the network begins as it
was initialised, or as it was given.

``scale``, ``mean`` and ``variance`` stand among the parameters, as "dense_1.scale" and so on.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional

from volr.backends.torch.operations import by_unit
from volr.backends.torch.plan import Pass
from volr.models.parameters import bias_name, weight_name
from volr.training.regularisation import groups_of, trained_hidden

if TYPE_CHECKING:
    from collections.abc import Mapping

    from volr.backends.torch.plan import Step
    from volr.network import Network

EPSILON = 1e-5
MOMENTUM = 0.1
"""The weight of a minibatch in the running averages."""
SCALE, MEAN, VARIANCE = "scale", "mean", "variance"


def is_statistic(name: str) -> bool:
    """Whether it is a mean or a variance, which no gradient changes."""
    return name.endswith((f".{MEAN}", f".{VARIANCE}"))


def is_scale(name: str) -> bool:
    """Whether it is a scale, which no weight decay changes."""
    return name.endswith(f".{SCALE}")


@dataclass(frozen=True)
class Normalised:
    """A population whose trained part is normalised.

    ``groups`` is the number of groups, ``bias`` the name of its bias. ``trained`` are the names of
    the weights that lead to it and are trained.
    """

    name: str
    groups: int
    bias: str
    trained: frozenset[str]

    def split(self, step: Step) -> tuple[Step, Step | None]:
        """The trained part of its step, without bias, and the rest if there is any."""
        trained = tuple(term for term in step.terms if term[1] in self.trained)
        fixed = tuple(term for term in step.terms if term[1] not in self.trained)
        rest = replace(step, bias=None, terms=fixed) if fixed else None
        return replace(step, bias=None, terms=trained), rest


def normalised_in(network: Network) -> dict[str, Normalised]:
    """The populations that are normalised, by name."""
    return {
        each.name: Normalised(
            each.name,
            groups_of(network, each),
            bias_name(each),
            frozenset(weight_name(p) for p in network.incoming[each.name] if p.connector.trained),
        )
        for each in trained_hidden(network)
    }


def normalise(
    of: Normalised, z: Tensor, values: Mapping[str, Tensor], candidates: int, *, updating: bool
) -> Tensor:
    """Equation (1) for ``z`` ``[batch, …]``, with a leading axis for several candidates.

    ``updating`` takes mean and variance from the minibatch, and moves the averages in ``values``.
    """
    scale, bias = values[f"{of.name}.{SCALE}"], values[of.bias]
    by_sample = z if candidates == 1 else z.movedim(0, 1)
    grouped = by_sample.reshape(len(by_sample), candidates * of.groups, -1)
    by_group = bias.numel() == scale.numel()
    # Of a single value there is no variance.
    updating = updating and grouped.shape[0] * grouped.shape[2] > 1
    y = functional.batch_norm(
        grouped,
        values[f"{of.name}.{MEAN}"].view(-1),
        values[f"{of.name}.{VARIANCE}"].view(-1),
        scale.reshape(-1),
        bias.reshape(-1) if by_group else None,
        training=updating,
        momentum=MOMENTUM,
        eps=EPSILON,
    )
    if not by_group:
        y = y + bias.reshape(candidates * of.groups, -1)
    y = y.reshape(by_sample.shape)
    return y if candidates == 1 else y.movedim(1, 0)


def folded(normalised: Mapping[str, Normalised], values: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Equation (2): the parameters of the network alone, in the type of ``values``."""
    found = dict(values)
    for each in normalised.values():
        scale, mean, variance = (
            found.pop(f"{each.name}.{what}") for what in (SCALE, MEAN, VARIANCE)
        )
        factor = scale * torch.rsqrt(variance + EPSILON)
        for name in each.trained:
            weight, axis = found[name], factor.ndim - 1
            rows = by_unit(factor, weight.shape[axis])
            found[name] = weight * rows.reshape(*rows.shape, *[1] * (weight.ndim - rows.ndim))
        bias = found[each.bias]
        found[each.bias] = bias - by_unit(mean * factor, bias.shape[-1])
    return found


@dataclass
class MeasuringPass(Pass):
    """Measures the mean and the variance of the trained part of each population, by group."""

    normalised: Mapping[str, Normalised]
    found: dict[str, tuple[Tensor, Tensor]] = field(
        default_factory=dict[str, tuple[Tensor, Tensor]]
    )

    def sums(
        self, step: Step, values: Mapping[str, Tensor], active: Mapping[str, Tensor]
    ) -> Tensor:
        if (each := self.normalised.get(step.target)) is not None:
            z = super().sums(each.split(step)[0], values, active)
            grouped = z.reshape(len(z), each.groups, -1)
            variance, mean = torch.var_mean(grouped, dim=(0, 2), correction=0)
            self.found[step.target] = mean, variance
        return super().sums(step, values, active)


def statistics(
    normalised: Mapping[str, Normalised],
    measured: Mapping[str, tuple[Tensor, Tensor]],
    values: Mapping[str, Tensor],
) -> dict[str, Tensor]:
    """What joins the parameters ``values`` of a network, and takes their place, so that (1) leaves
    all as it was.
    """
    found: dict[str, Tensor] = {}
    for each in normalised.values():
        mean, variance = measured[each.name]
        bias = values[each.bias]
        found[each.bias] = bias + by_unit(mean, len(bias))
        found[f"{each.name}.{SCALE}"] = torch.sqrt(variance + EPSILON)
        found[f"{each.name}.{MEAN}"], found[f"{each.name}.{VARIANCE}"] = mean, variance
    return found
