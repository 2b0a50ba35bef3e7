"""What the training loop asks of the kind of network that it trains.

The loop knows samples, losses, optimizers, candidates and epochs. A learner knows how a network
comes from samples to logits, where it starts, and what model its parameters make.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy as np
    from torch import Tensor

    from volr.checks.arrays import Floats
    from volr.models.model import Model
    from volr.models.samples import Samples
    from volr.training.initial_candidates import Values

ModelT_co = TypeVar("ModelT_co", bound="Model", covariant=True)


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


@dataclass(frozen=True)
class Activity:
    """What the hidden populations do on all samples, by name.

    ``dead`` is the number of neurons that do nothing for any of them, ``rates`` the mean rate, Hz,
    of neurons that spike.
    """

    dead: dict[str, int]
    rates: dict[str, float] = field(default_factory=dict[str, float])


class Learner(Protocol[ModelT_co]):
    """A kind of network in training; parameters by name, with a leading axis for candidates."""

    @property
    def chunk(self) -> int:
        """How many samples are run at once where nothing is learned from them."""
        ...

    @property
    def deciding(self) -> int:
        """How many training samples decide between candidates."""
        ...

    @property
    def goes_on(self) -> bool:
        """Whether it starts from a model that is trained already, and may be best as it is."""
        ...

    def part(self, samples: Samples) -> TensorSamples:
        """The samples in the form that ``answer`` takes."""
        ...

    def starts(
        self, samples: Samples, count: int, random: np.random.Generator
    ) -> Sequence[dict[str, Floats]]:
        """So many initialisations, from a look at a few training samples."""
        ...

    def slower(self, candidates: int) -> float:
        """By which fraction an update of so many candidates takes longer than one of a single."""
        ...

    def answer(self, values: Values, inputs: Tensor, candidates: int) -> Answer:
        """The logits for ``inputs`` ``[batch, …]``."""
        ...

    def activity(self, values: Values, everything: TensorSamples) -> Activity:
        """What the hidden populations do, with parameters of a single candidate."""
        ...

    def model(self, values: Values) -> ModelT_co:
        """The model with these parameters, those of a single candidate."""
        ...
