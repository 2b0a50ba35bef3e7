"""Candidates in training in PyTorch: what steps they take, and what is kept of them.

The parameters of all candidates are tensors ``[candidate, …]``; those of a single candidate have no
leading axis.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic

import numpy as np
import torch
from torch import Tensor, autograd

from volr.training.learner import ModelT_co
from volr.training.losses import losses, taught_losses
from volr.training.normalisation import is_statistic
from volr.training.optimizers import State, of_one, optimizer_of, remind, state_of
from volr.training.parts import Workers

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from volr.checks.arrays import Booleans, Floats, Integers
    from volr.models.samples import Samples
    from volr.training.backpropagation import TensorLearner, TensorSamples, Values
    from volr.training.learner import HiddenActivity
    from volr.training.settings import TrainingSettings

# So training draws other random numbers than what else has its seed.
_STREAM = 0x0D12_0907
# The parts of a state, whose arrays are named after parameters.
_NOW, _BEST, _OPTIMIZER, _RANDOM, _DRAWN = "now ", "best ", "optimizer ", "random", "drawn"


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
        each = {
            name: np.stack([start[name] for start in starts]).astype(np.float32)
            for name in starts[0]
        }
        whole = len(starts) > 1
        self._begin({name: torch.as_tensor(v if whole else v[0]) for name, v in each.items()})
        self._best = {name: each.detach().clone() for name, each in self._values.items()}
        self._losses = torch.zeros(len(starts))
        count = learner.parts(settings.batch_size)
        self._workers = Workers(count)
        # One for each part, so that parts can draw at the same time.
        self._random = [
            torch.Generator().manual_seed((settings.seed + part * _STREAM) ^ _STREAM)
            for part in range(count)
        ]

    def _begin(self, values: Values) -> None:
        """Go on from these, with an optimizer that remembers nothing."""
        self._values = {name: self._leaf(name, each) for name, each in values.items()}
        self._trained = {k: each for k, each in self._values.items() if each.requires_grad}
        self._optimizer = optimizer_of(self._trained, self._settings)

    def _leaf(self, name: str, values: Tensor) -> Tensor:
        own = values.detach().clone()
        return own.requires_grad_() if self._learner.is_trained(name) else own

    def descend(self, order: Integers, rates: Sequence[float]) -> None:
        drawn = self._everything.take(torch.as_tensor(order))
        for batch, rate in zip(drawn.batches(self._settings.batch_size), rates, strict=True):
            self._update(batch, rate)

    def _update(self, batch: TensorSamples, rate: float) -> None:
        """One step. Candidates do not affect each other: the gradient is that of a sum."""
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        # Candidates in probation are one stack of large products already.
        parts = [batch] if self._count > 1 else list(batch.cut(len(self._random)))
        if len(parts) == 1:
            self._optimizer.zero_grad()
            each, penalty = self._loss(self._values, batch, self._random[0])
            autograd.backward((each.mean(dim=-1) + penalty).sum())
            self._losses += each.detach().sum(dim=-1)
        else:
            self._gradients_of(parts, len(batch))
        self._optimizer.step()

    def _loss(
        self, values: Values, batch: TensorSamples, random: torch.Generator
    ) -> tuple[Tensor, Tensor | float]:
        """The loss of every sample, and the penalty."""
        answer = self._learner.trained_answer(values, batch.inputs, self._count, random)
        if batch.taught is None:
            return losses(self._settings.loss, answer.logits, batch.labels), answer.penalty
        return taught_losses(answer.logits, batch.taught), answer.penalty

    def _gradients_of(self, parts: Sequence[TensorSamples], total: int) -> None:
        """The gradients of the mean loss of all parts. Averages over minibatches become the mean
        of what each part makes of them.
        """
        trained = list(self._trained.values())
        averages = {k: each for k, each in self._values.items() if is_statistic(k)}

        def work(part: int) -> tuple[Sequence[Tensor], Tensor, Values]:
            own = {name: each.clone() for name, each in averages.items()}
            each, penalty = self._loss(self._values | own, parts[part], self._random[part])
            loss = each.sum() / total + penalty * (len(each) / total)
            return autograd.grad(loss, trained), each.detach(), own

        found = list(self._workers.map(work, range(len(parts))))
        for index, value in enumerate(trained):
            value.grad = torch.stack([gradients[index] for gradients, _, _ in found]).sum(dim=0)
        for _, each, _ in found:
            self._losses += each.sum(dim=-1)
        for name, each in averages.items():
            each.copy_(torch.stack([own[name] for _, _, own in found]).mean(dim=0))

    def losses(self) -> Floats:
        summed = self._losses
        self._losses = torch.zeros_like(summed)
        return summed.numpy()

    def measure(self, which: Integers) -> tuple[Floats, Floats]:
        loss = torch.zeros(self._count, dtype=torch.float64)
        correct = torch.zeros(self._count, dtype=torch.float64)
        part = self._everything.take(torch.as_tensor(which))
        with torch.no_grad():
            values = self._learner.settled(self._values)

        def work(batch: TensorSamples) -> tuple[Tensor, Tensor]:
            with torch.no_grad():
                z = self._learner.answer(values, batch.inputs, self._count).logits
                of_each = losses(self._settings.loss, z, batch.labels)
                return of_each.sum(dim=-1), (z.argmax(dim=-1) == batch.labels).sum(dim=-1)

        for lost, hit in self._workers.map(work, list(part.batches(self._learner.chunk))):
            loss += lost
            correct += hit
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
        state = of_one(state_of(self._optimizer, self._trained), index)
        self._begin({name: each[index] for name, each in self._values.items()})
        remind(self._optimizer, self._trained, state)
        self._count = 1
        self._losses = self._losses[index : index + 1]
        self._best = {name: each[index].clone() for name, each in self._best.items()}

    def state(self) -> dict[str, NDArray[Any]]:
        remembered = state_of(self._optimizer, self._trained)
        return {
            **{f"{_NOW}{name}": each.detach().numpy() for name, each in self._values.items()},
            **{f"{_BEST}{name}": each.numpy() for name, each in self._best.items()},
            **{
                f"{_OPTIMIZER}{key} {name}": value.numpy()
                for name, each in remembered.items()
                for key, value in each.items()
            },
            _RANDOM: np.stack([each.get_state().numpy() for each in self._random]),
            _DRAWN: np.array(self._learner.drawn),
        }

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        def those(prefix: str) -> Values:
            return {
                name.removeprefix(prefix): torch.tensor(each)
                for name, each in state.items()
                if name.startswith(prefix)
            }

        self._begin(those(_NOW))
        self._best = those(_BEST)
        remembered: State = {}
        for text, each in those(_OPTIMIZER).items():
            key, name = text.split(" ", 1)
            remembered.setdefault(name, {})[key] = each
        remind(self._optimizer, self._trained, remembered)
        for each, own in zip(self._random, state[_RANDOM], strict=True):
            each.set_state(torch.tensor(own))
        self._learner.drawn = int(state[_DRAWN])

    def model(self) -> ModelT_co:
        exact = {name: each.double() for name, each in self._best.items()}
        return self._learner.model(self._learner.settled(exact))

    def activity(self) -> HiddenActivity:
        return self._learner.activity(self._learner.settled(self._best), self._everything)
