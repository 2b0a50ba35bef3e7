"""Backpropagation in PyTorch: several candidates as one stack, and what steps it takes.

The parameters of all candidates are tensors ``[candidate, …]``; those of a single candidate have no
leading axis.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeAlias

import numpy as np
import torch
from torch import Tensor, autograd

from volr.training.learner import ModelT_co
from volr.training.losses import losses, taught_losses
from volr.training.minibatches import DECIDING
from volr.training.optimizers import State, of_one, optimizer_of, remind, state_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from volr.checks.arrays import Booleans, Floats, Integers
    from volr.models.samples import Samples
    from volr.network import Network
    from volr.training.learner import HiddenActivity
    from volr.training.settings import TrainingSettings

Values: TypeAlias = dict[str, Tensor]
"""Parameters by our names; with a leading axis where there are several candidates."""
# So training draws other random numbers than what else has its seed.
_STREAM = 0x0D12_0907
# The parts of a state, whose arrays are named after parameters.
_NOW, _BEST, _OPTIMIZER, _RANDOM, _DRAWN = "now ", "best ", "optimizer ", "random", "drawn"


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
    drawn: int = 0
    """How often it has drawn input spikes."""

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

    def trained_answer(
        self, values: Values, inputs: Tensor, candidates: int, random: torch.Generator
    ) -> Answer:
        """The logits that a minibatch is learned from, as far as training has others."""
        del random
        return self.answer(values, inputs, candidates)

    def is_trained(self, name: str) -> bool:
        """Whether updates change this value; others stay, or are averages over minibatches."""
        del name
        return True

    def settled(self, values: Values) -> Values:
        """The parameters of the network outside of training."""
        return values

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
        each = {
            name: np.stack([start[name] for start in starts]).astype(np.float32)
            for name in starts[0]
        }
        whole = len(starts) > 1
        self._begin({name: torch.as_tensor(v if whole else v[0]) for name, v in each.items()})
        self._best = {name: each.detach().clone() for name, each in self._values.items()}
        self._losses = torch.zeros(len(starts))
        self._random = torch.Generator().manual_seed(settings.seed ^ _STREAM)

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
        self._optimizer.zero_grad()
        answer = self._learner.trained_answer(self._values, batch.inputs, self._count, self._random)
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
            values = self._learner.settled(self._values)
            for batch in part.batches(self._learner.chunk):
                z = self._learner.answer(values, batch.inputs, self._count).logits
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
            _RANDOM: self._random.get_state().numpy(),
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
        self._random.set_state(torch.tensor(state[_RANDOM]))
        self._learner.drawn = int(state[_DRAWN])

    def model(self) -> ModelT_co:
        exact = {name: each.double() for name, each in self._best.items()}
        return self._learner.model(self._learner.settled(exact))

    def activity(self) -> HiddenActivity:
        return self._learner.activity(self._learner.settled(self._best), self._everything)
