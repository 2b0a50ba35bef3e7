"""An artificial network in training: all candidates at once, as one stack of matrices."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import torch

from volr.backends.torch.module import array_of
from volr.backends.torch.plan import Pass, logits, plan_of, walk
from volr.models.activations import ReLU
from volr.models.model import ArtificialModel
from volr.models.parameters import parameter_shapes
from volr.training.backpropagation import Answer, TensorLearner, TensorSamples
from volr.training.initialisation import artificial_starts
from volr.training.learner import HiddenActivity
from volr.training.minibatches import stack_slower
from volr.training.normalisation import (
    MeasuringPass,
    Normalised,
    folded,
    is_statistic,
    normalised_in,
    statistics,
)
from volr.training.parts import part_count
from volr.training.regularisation import Regularisation, trained_hidden
from volr.training.shifts import shifted
from volr.training.stairs import Stairs
from volr.training.trained_pass import TrainedPass

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

    from volr.backends.torch.plan import TorchPlan
    from volr.checks.arrays import Floats
    from volr.models.activations import Activation
    from volr.models.samples import Samples
    from volr.network import Network
    from volr.training.backpropagation import Values

_CHUNK, _SHORT_CHUNK = 4096, 256


@dataclass
class ArtificialLearner(TensorLearner[ArtificialModel]):
    """See ``volr.training.learner.Learner``."""

    network: Network
    activation: Activation
    batch_size: int
    initial: ArtificialModel | None = None
    regularisation: Regularisation = Regularisation()
    levels: int | None = None

    @property
    def chunk(self) -> int:
        """Fewer where a neuron has few weights of its own: its values are to stay in the cache."""
        return _CHUNK if self.parts(_CHUNK) == 1 else _SHORT_CHUNK

    def parts(self, batch_size: int) -> int:
        return part_count(self.network, batch_size)

    @property
    def goes_on(self) -> bool:
        """Parameters that are given are only a start, unless they are to become whole numbers:
        then no epoch may be better than the first measurement.
        """
        return self.initial is not None and self.levels is not None

    @cached_property
    def plan(self) -> TorchPlan:
        return plan_of(self.network, self.activation)

    def part(self, samples: Samples) -> TensorSamples:
        """Inputs are float32 ``[batch, unit]``."""
        return tensors(samples)

    def starts(
        self, samples: Samples, count: int, random: np.random.Generator
    ) -> list[dict[str, Floats]]:
        if self.initial is not None:
            starts = [dict(self.initial.parameters)]
        else:
            starts = artificial_starts(self.network, self.activation, samples, count, random)
        return [
            self._with_heights(self._with_statistics(each, samples), samples) for each in starts
        ]

    def slower(self, candidates: int) -> float:
        return stack_slower(self.network, self.batch_size, candidates)

    def answer(self, values: Values, inputs: Tensor, candidates: int) -> Answer:
        """The outputs' weighted sums."""
        through = Pass()
        if self._stairs is not None:
            through = TrainedPass(candidates, {}, stairs=self._stairs, values=values)
            inputs = self._stairs.taken(inputs)
        if candidates > 1:
            inputs = inputs.expand(candidates, *inputs.shape)
        return Answer(logits(self.plan, values, inputs, through))

    def trained_answer(
        self, values: Values, inputs: Tensor, candidates: int, random: torch.Generator
    ) -> Answer:
        """The outputs' weighted sums for shifted inputs, with normalisation and dropout."""
        if not (own := self.regularisation):
            return self.answer(values, inputs, candidates)
        if own.shift:
            shapes = [self.network[name].shape for name in self.network.inputs]
            inputs = shifted(inputs, shapes, own.shift, random)
        through = TrainedPass(
            candidates,
            self._normalised,
            dropped=self._dropped,
            dropout=own.dropout,
            random=random,
            stairs=self._stairs,
            values=values,
        )
        if self._stairs is not None:
            inputs = self._stairs.taken(inputs)
        if candidates > 1:
            inputs = inputs.expand(candidates, *inputs.shape)
        return Answer(logits(self.plan, values, inputs, through))

    def is_trained(self, name: str) -> bool:
        return super().is_trained(name) and not is_statistic(name)

    def settled(self, values: Values) -> Values:
        """The parameters with normalisation folded into them."""
        return folded(self._normalised, values)

    @cached_property
    def _stairs(self) -> Stairs | None:
        return None if self.levels is None else Stairs.of(self.network, self.levels)

    @cached_property
    def _normalised(self) -> dict[str, Normalised]:
        return normalised_in(self.network) if self.regularisation.normalise else {}

    @cached_property
    def _dropped(self) -> frozenset[str]:
        return frozenset(each.name for each in trained_hidden(self.network))

    def _with_statistics(self, start: dict[str, Floats], samples: Samples) -> dict[str, Floats]:
        """A start, and the means, variances and scales with which normalisation changes nothing."""
        if not self._normalised:
            return start
        measuring = MeasuringPass(self._normalised)
        values = {name: torch.tensor(each, dtype=torch.float32) for name, each in start.items()}
        with torch.no_grad():
            logits(self.plan, values, self.part(samples).inputs, measuring)
            added = statistics(self._normalised, measuring.found, values)
        return start | {name: array_of(each) for name, each in added.items()}

    def _with_heights(self, start: dict[str, Floats], samples: Samples) -> dict[str, Floats]:
        """A start, and the heights of its stairs."""
        if self._stairs is None:
            return start
        weights = {name: start[name] for name in parameter_shapes(self.network)}
        return start | self._stairs.start(weights, samples.inputs)

    def activity(self, values: Values, everything: TensorSamples) -> HiddenActivity:
        """See ``dead_neurons``."""
        return HiddenActivity(dead_neurons(self.plan, values, everything, self.chunk))

    def model(self, values: Values) -> ArtificialModel:
        """The model with these parameters."""
        parameters = {name: array_of(value) for name, value in values.items()}
        if self._stairs is not None:
            return self._stairs.whole(parameters)
        return ArtificialModel(self.network, parameters, self.activation)


def tensors(samples: Samples, dtype: torch.dtype = torch.float32) -> TensorSamples:
    """The samples, their inputs in this type."""
    return TensorSamples(torch.tensor(samples.inputs, dtype=dtype), torch.tensor(samples.labels))


def dead_neurons(
    plan: TorchPlan, values: Values, everything: TensorSamples, size: int = _CHUNK
) -> dict[str, int]:
    """How many neurons of each hidden population are 0 for every sample (only ReLUs can be).

    ``size`` samples are run at once.
    """
    if not isinstance(plan.activation, ReLU):
        return {step.target: 0 for step in plan.steps if step.is_source}
    alive: dict[str, Tensor] = {}
    with torch.no_grad():
        for batch in everything.batches(size):
            for step, _, active in walk(plan, values, batch.inputs):
                if step.is_source:
                    now = (active > 0).any(dim=0)
                    alive[step.target] = alive.get(step.target, now) | now
    return {name: int((~each).sum()) for name, each in alive.items()}
