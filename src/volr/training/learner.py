"""What the training loop asks of whatever it trains.

The loop knows samples, epochs, learning rates and the choice between candidates. A learner knows
where a network starts; its candidates take the steps, measure, and become a model.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from volr.checks.arrays import Booleans, Floats, Integers
    from volr.models.model import Model
    from volr.models.samples import Samples
    from volr.network import Network
    from volr.training.settings import TrainingSettings

ModelT_co = TypeVar("ModelT_co", bound="Model", covariant=True)


@dataclass(frozen=True)
class HiddenActivity:
    """What the hidden populations do on all samples, by name.

    ``dead`` is the number of neurons that do nothing for any of them, ``rates`` the mean rate, Hz,
    of neurons that spike.
    """

    dead: dict[str, int]
    rates: dict[str, float] = field(default_factory=dict[str, float])


class Learner(Protocol[ModelT_co]):
    """A kind of network, before the first update."""

    @property
    def network(self) -> Network: ...

    @property
    def deciding(self) -> int:
        """How many training samples decide between candidates."""
        ...

    @property
    def goes_on(self) -> bool:
        """Whether it starts from a model that is trained already, which may stay the best."""
        ...

    def slower(self, candidates: int) -> float:
        """By which fraction an update of so many candidates takes longer than one of a single."""
        ...

    def starts(
        self, samples: Samples, count: int, random: np.random.Generator
    ) -> list[dict[str, Floats]]:
        """So many initialisations, from a look at a few training samples."""
        ...

    def begin(
        self,
        samples: Samples,
        starts: Sequence[Mapping[str, Floats]],
        settings: TrainingSettings,
    ) -> Candidates[ModelT_co]:
        """One candidate for each of these initial parameters."""
        ...


class Candidates(Protocol[ModelT_co]):
    """Candidates in training on the same samples, which are named by their indices."""

    def descend(self, order: Integers, rates: Sequence[float]) -> None:
        """One update for each learning rate, in minibatches of the samples in this order."""
        ...

    def losses(self) -> Floats:
        """The sum of the losses of all samples since the last call, ``[candidate]``."""
        ...

    def measure(self, which: Integers) -> tuple[Floats, Floats]:
        """Mean loss and accuracy on some samples, each ``[candidate]``; NaN if there are none."""
        ...

    def finite(self) -> Booleans:
        """Whether all parameters are finite numbers, ``[candidate]``."""
        ...

    def remember(self, better: Booleans) -> None:
        """Take the present parameters of these as their best. At first the initial ones are."""
        ...

    def keep(self, index: int) -> None:
        """Go on with this candidate alone."""
        ...

    def state(self) -> dict[str, NDArray[Any]]:
        """All that their further course depends on, by name."""
        ...

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Go on from a ``state``, of as many candidates, instead of the initial parameters."""
        ...

    def model(self) -> ModelT_co:
        """The model with the best parameters of the only candidate that is left."""
        ...

    def activity(self) -> HiddenActivity:
        """What that model's hidden populations do."""
        ...
