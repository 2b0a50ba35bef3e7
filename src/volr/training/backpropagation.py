"""Backpropagation in PyTorch: several candidates as one stack, and what steps it takes.

The parameters of all candidates are tensors ``[candidate, …]``; those of a single candidate have no
leading axis.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeAlias

import numpy as np
import torch
from torch import Tensor, autograd

from volr.models.parameters import fixed_weights
from volr.system.caches import cache_for
from volr.training.learner import ModelT_co
from volr.training.losses import losses, taught_losses
from volr.training.minibatches import DECIDING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from volr.checks.arrays import Booleans, Floats, Integers
    from volr.models.samples import Samples
    from volr.network import Network
    from volr.training.learner import HiddenActivity
    from volr.training.settings import TrainingSettings

Values: TypeAlias = dict[str, Tensor]
"""Parameters by our names; with a leading axis where there are several candidates."""


@dataclass(frozen=True)
class TensorSamples:
    """Samples as tensors: inputs ``[batch, …]``, labels int64 ``[batch]``.

    ``taught`` ``[batch, unit]`` is what a teacher gives each label as a probability.
    """

    inputs: Tensor
    labels: Tensor
    taught: Tensor | None = None

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, indices: Tensor) -> TensorSamples:
        return self._part(indices)

    def batches(self, size: int) -> Iterator[TensorSamples]:
        for start in range(0, len(self), size):
            yield self._part(slice(start, start + size))

    def _part(self, which: Tensor | slice) -> TensorSamples:
        taught = None if self.taught is None else self.taught[which]
        return TensorSamples(self.inputs[which], self.labels[which], taught)


@dataclass(frozen=True)
class Answer:
    """``logits`` ``[batch, unit]`` of a single candidate, ``[candidate, batch, unit]`` of several.

    ``penalty`` is added to each candidate's mean loss: a number, or ``[candidate]``.
    """

    logits: Tensor
    penalty: Tensor | float = 0.0


class TensorLearner(ABC, Generic[ModelT_co]):
    """A ``Learner`` that PyTorch differentiates: it knows how a network comes to its logits."""

    network: Network

    @property
    @abstractmethod
    def chunk(self) -> int:
        """How many samples are run at once where nothing is learned from them."""

    @property
    def deciding(self) -> int:
        """See ``Learner``."""
        return DECIDING

    @abstractmethod
    def part(self, samples: Samples) -> TensorSamples:
        """The samples in the form that ``answer`` takes."""

    @abstractmethod
    def answer(self, values: Values, inputs: Tensor, candidates: int) -> Answer:
        """The logits for ``inputs`` ``[batch, …]``."""

    @abstractmethod
    def activity(self, values: Values, everything: TensorSamples) -> HiddenActivity:
        """What the hidden populations do, with parameters of a single candidate."""

    @abstractmethod
    def model(self, values: Values) -> ModelT_co:
        """The model with these parameters, those of a single candidate."""

    def begin(
        self,
        samples: Samples,
        starts: Sequence[Mapping[str, Floats]],
        settings: TrainingSettings,
    ) -> Stack[ModelT_co]:
        """See ``Learner``."""
        return Stack(self, samples, starts, settings)


class Stack(Generic[ModelT_co]):
    """See ``volr.training.learner.Candidates``; parameters are float32."""

    def __init__(
        self,
        learner: TensorLearner[ModelT_co],
        samples: Samples,
        starts: Sequence[Mapping[str, Floats]],
        settings: TrainingSettings,
    ) -> None:
        self._learner, self._settings, self._count = learner, settings, len(starts)
        self._everything = learner.part(samples)
        self._fixed = fixed_weights(learner.network)
        self._values: Values = {}
        for name in starts[0]:
            each = np.stack([start[name] for start in starts]).astype(np.float32)
            value = torch.as_tensor(each if len(starts) > 1 else each[0])
            # Fixed weights are like the others, without a gradient.
            self._values[name] = value.clone() if name in self._fixed else _leaf(value)
        self._best = {name: each.detach().clone() for name, each in self._values.items()}
        self._optimizer = _optimizer(self._values, settings)
        self._losses = torch.zeros(len(starts))

    def descend(self, order: Integers, rates: Sequence[float]) -> None:
        drawn = self._everything.take(torch.as_tensor(order))
        for batch, rate in zip(drawn.batches(self._settings.batch_size), rates, strict=True):
            self._update(batch, rate)

    def _update(self, batch: TensorSamples, rate: float) -> None:
        """One step. Candidates do not affect each other: the gradient is that of a sum."""
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        self._optimizer.zero_grad()
        answer = self._learner.answer(self._values, batch.inputs, self._count)
        if batch.taught is None:
            each = losses(self._settings.loss, answer.logits, batch.labels)
        else:
            each = taught_losses(answer.logits, batch.taught)
        autograd.backward((each.mean(dim=-1) + answer.penalty).sum())
        self._optimizer.step()
        self._losses += each.detach().sum(dim=-1)

    def losses(self) -> Floats:
        summed = self._losses
        self._losses = torch.zeros_like(summed)
        return summed.numpy()

    def measure(self, which: Integers) -> tuple[Floats, Floats]:
        loss = torch.zeros(self._count, dtype=torch.float64)
        correct = torch.zeros(self._count, dtype=torch.float64)
        part = self._everything.take(torch.as_tensor(which))
        with torch.no_grad():
            for batch in part.batches(self._learner.chunk):
                z = self._learner.answer(self._values, batch.inputs, self._count).logits
                loss += losses(self._settings.loss, z, batch.labels).sum(dim=-1)
                correct += (z.argmax(dim=-1) == batch.labels).sum(dim=-1)
        total = len(part) or float("nan")
        return (loss / total).numpy(), (correct / total).numpy()

    def finite(self) -> Booleans:
        finite = torch.ones(self._count, dtype=torch.bool)
        for each in self._values.values():
            finite &= torch.isfinite(each).view(self._count, -1).all(dim=1)
        return finite.numpy()

    def remember(self, better: Booleans) -> None:
        chosen = torch.as_tensor(better)
        for name, each in self._values.items():
            mask = chosen.view(-1, *[1] * (each.ndim - 1)) if self._count > 1 else chosen
            self._best[name] = torch.where(mask, each.detach(), self._best[name])

    def keep(self, index: int) -> None:
        """The state of its optimizer stays."""
        values = {
            name: each[index].clone() if name in self._fixed else _leaf(each[index])
            for name, each in self._values.items()
        }
        optimizer = _optimizer(values, self._settings)
        for name, value in values.items():
            for key, state in self._optimizer.state[self._values[name]].items():
                of_each = isinstance(state, Tensor) and state.ndim > 0
                optimizer.state[value][key] = state[index].clone() if of_each else state
        self._values, self._optimizer, self._count = values, optimizer, 1
        self._losses = self._losses[index : index + 1]
        self._best = {name: each[index].clone() for name, each in self._best.items()}

    def model(self) -> ModelT_co:
        return self._learner.model(self._best)

    def activity(self) -> HiddenActivity:
        return self._learner.activity(self._best, self._everything)


def _optimizer(values: Values, settings: TrainingSettings) -> torch.optim.Optimizer:
    # PyTorch imports its compiler with the first optimizer, and that makes a folder for what it
    # compiles. Left to itself it takes one in /tmp, under a name that others can guess.
    os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", str(cache_for("torch")))
    rate, decay = settings.rate, settings.decay
    trained = [each for each in values.values() if each.requires_grad]
    match settings.optimizer:
        case "adam":
            return torch.optim.AdamW(trained, lr=rate, weight_decay=decay, fused=True)
        case "sgd":
            return torch.optim.SGD(
                trained,
                lr=rate,
                momentum=settings.momentum,
                weight_decay=decay,
                fused=True,
            )


def _leaf(values: Tensor) -> Tensor:
    return values.detach().clone().requires_grad_()
