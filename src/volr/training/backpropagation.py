"""Backpropagation in PyTorch: what a network has to say to be trained by it.

The parameters of all candidates are tensors ``[candidate, …]``; those of a single candidate have no
leading axis.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Generic, TypeAlias

from torch import Tensor

from volr.models.parameters import fixed_weights
from volr.training.learner import ModelT_co
from volr.training.minibatches import DECIDING
from volr.training.stack import Stack

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import torch

    from volr.checks.arrays import Floats
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

    def cut(self, count: int) -> Iterator[TensorSamples]:
        """At most ``count`` parts of equal size, the last of which may be smaller."""
        return self.batches(max(1, -(-len(self) // count)))

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

    def parts(self, batch_size: int) -> int:
        """Into how many parts a minibatch is cut (``volr.training.parts``)."""
        del batch_size
        return 1

    @cached_property
    def fixed(self) -> frozenset[str]:
        """The weights that stay as they are."""
        return fixed_weights(self.network)

    def is_trained(self, name: str) -> bool:
        """Whether updates change this value; others stay, or are averages over minibatches."""
        return name not in self.fixed

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
