"""Stairs while a network is trained: activations in levels, gradients straight through.

A unit sends s · clip(⌊z/s + ½⌋, 0, L), where its height s is trained with the weights. Rounding
counts as the identity in the gradient (Bengio, Léonard & Courville 2013, arXiv:1308.3432), and so
the derivative by s is ⌊z/s + ½⌋ − z/s between the first and the last level, L above and 0 below
(Esser et al., "Learned step size quantization", 2020, arXiv:1902.08153). Inputs are rounded to
levels of 1/L. At the end the weights and heights become whole numbers.

The logarithms of the heights stand among the parameters, as "dense_1.height": one for each unit, or
for each channel where kernels share weights. Populations at both ends of an identity share theirs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from volr.backends.torch.operations import by_unit
from volr.backends.torch.plan import activate
from volr.models.activations import ReLU
from volr.models.model import ArtificialModel
from volr.models.parameters import parameter_shapes
from volr.network.scaling import has_channels, tied
from volr.quantisation.heights import heights, passed_on, raised
from volr.quantisation.quantise import shown_by
from volr.quantisation.whole_numbers import whole_numbers

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from volr.backends.torch.plan import Step
    from volr.checks.arrays import Floats
    from volr.network import Network

HEIGHT = "height"
# Where training begins, so many percent of a unit's activations are within its levels.
_PERCENTILE = 99.9


def is_height(name: str) -> bool:
    """Whether it is the logarithm of heights, which no weight decay changes."""
    return name.endswith(f".{HEIGHT}")


@dataclass(frozen=True)
class Stairs:
    """The stairs of a network: the name of the heights of each population, and how many they are.

    Populations that are left out pass values on, or are outputs.
    """

    network: Network
    levels: int
    names: Mapping[str, tuple[str, int]]

    @staticmethod
    def of(network: Network, levels: int) -> Stairs:
        hidden = {
            each.name: each
            for each in network.layers
            if each.merge == "sum" and each.name not in network.outputs
        }
        names: dict[str, tuple[str, int]] = {}
        for name, each in hidden.items():
            group = tied(network, [name])
            members = [other for other in hidden if other in group]
            if group - {name} and not group <= {p.name for p in network.layers} - {
                *network.outputs
            }:
                # Units of inputs all have one height, and so have those of outputs.
                names[name] = f"{name}.{HEIGHT}", 1
            else:
                count = each.shape[0] if has_channels(network, name) else each.size
                names[name] = f"{members[0] if members else name}.{HEIGHT}", count
        return Stairs(network, levels, names)

    def sent(self, step: Step, z: Tensor, values: Mapping[str, Tensor]) -> Tensor:
        """What a step sends on, from its weighted sums ``[…, batch, unit]``."""
        if step.target not in self.names:
            return activate(step.activation, z)
        name, _ = self.names[step.target]
        height = by_unit(values[name].exp(), z.shape[-1]).unsqueeze(-2)
        level = (z / height).clamp(0.0, self.levels)
        return (level + (torch.floor(level + 0.5) - level).detach()) * height

    def taken(self, inputs: Tensor) -> Tensor:
        """What the inputs send."""
        return torch.floor(inputs * self.levels + 0.5) / self.levels

    def start(self, parameters: Mapping[str, Floats], inputs: Floats) -> dict[str, Floats]:
        """The heights with which training of these parameters begins, from some stimuli."""
        model = ArtificialModel(self.network, parameters, ReLU())
        found = heights(model, shown_by(model, inputs), self.levels, _PERCENTILE)
        logs: dict[str, list[Floats]] = {}
        for population, (name, count) in self.names.items():
            each = np.log(found[population]).reshape(count, -1).mean(axis=1)
            logs.setdefault(name, []).append(each)
        return {name: np.mean(each, axis=0) for name, each in logs.items()}

    def whole(self, values: Mapping[str, Floats]) -> ArtificialModel:
        """The staircase network of trained parameters and heights."""
        network = self.network
        weights = {name: values[name] for name in parameter_shapes(network)}
        model = ArtificialModel(network, weights, ReLU())
        own = {
            population: np.repeat(np.exp(values[name]), network[population].size // count)
            for population, (name, count) in self.names.items()
        }
        found = raised(model, passed_on(network, own, self.levels), self.levels)
        return whole_numbers(model, found, self.levels)
