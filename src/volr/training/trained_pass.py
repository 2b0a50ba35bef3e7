"""A pass through an artificial network in training: normalised, with neurons left out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch

from volr.backends.torch.plan import Pass
from volr.training.normalisation import normalise

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from torch import Tensor

    from volr.backends.torch.plan import Step
    from volr.training.normalisation import Normalised
    from volr.training.stairs import Stairs


@dataclass(frozen=True)
class TrainedPass(Pass):
    """``candidates`` are run at once; those of ``normalised`` are normalised, over the minibatch if
    it is ``updating``. Each neuron of ``dropped`` is 0 with the probability ``dropout``, drawn from
    ``random``; the others are divided by 1 − ``dropout``. N. Srivastava et al., "Dropout: a simple
    way to prevent neural networks from overfitting" (2014). With ``stairs`` activations are in
    levels, whose heights are among ``values``.
    """

    candidates: int
    normalised: Mapping[str, Normalised]
    updating: bool = True
    dropped: Collection[str] = ()
    dropout: float = 0.0
    random: torch.Generator | None = None
    stairs: Stairs | None = None
    values: Mapping[str, Tensor] = field(default_factory=dict[str, "Tensor"])

    def sums(
        self, step: Step, values: Mapping[str, Tensor], active: Mapping[str, Tensor]
    ) -> Tensor:
        if (each := self.normalised.get(step.target)) is None:
            return super().sums(step, values, active)
        trained, fixed = each.split(step)
        z = super().sums(trained, values, active)
        y = normalise(each, z, values, self.candidates, updating=self.updating)
        return y if fixed is None else y + super().sums(fixed, values, active)

    def sent(self, step: Step, z: Tensor) -> Tensor:
        if self.stairs is None:
            active = super().sent(step, z)
        else:
            active = self.stairs.sent(step, z, self.values)
        if not self.dropout or step.target not in self.dropped:
            return active
        kept = 1.0 - self.dropout
        mask = torch.empty_like(active).bernoulli_(kept, generator=self.random)
        return active * mask / kept
