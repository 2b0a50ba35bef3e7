"""Training in Futhark: a compiled program takes the steps and measures.

A candidate's state is the vector that the program's entry point hands back and goes on from:
parameters, what the optimizer remembers, and at the end the sum of the losses.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from volr.backends.futhark import library_of
from volr.backends.futhark.parameter_vector import flattened, unflattened
from volr.backends.reference import activations
from volr.models.activations import ReLU
from volr.models.model import ArtificialModel
from volr.training.fit import fit
from volr.training.initialisation import artificial_starts
from volr.training.learner import HiddenActivity
from volr.training.minibatches import DECIDING, stack_slower

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from volr.backends.futhark.library import Held, Library
    from volr.backends.futhark.parameter_vector import Singles
    from volr.checks.arrays import Booleans, Floats, Integers
    from volr.models.samples import Samples
    from volr.network import Network
    from volr.training.checkpoint import Checkpoint
    from volr.training.result import Training, TrainingProgress
    from volr.training.settings import TrainingSettings

# Floating-point operations in one call, some tenths of a second: Ctrl-C waits for no longer.
_CALL = 2e9
# The arrays of a state: a row for each candidate.
_NOW, _BEST = "now", "best"
# How many samples are looked at together where dead neurons are counted.
_CHUNK = 4096


def train(
    network: Network,
    samples: Samples,
    settings: TrainingSettings,
    progress: TrainingProgress | None,
    initial: ArtificialModel | None = None,
    checkpoint: Checkpoint | None = None,
) -> Training[ArtificialModel]:
    """See ``train_ann``, which has checked that everything fits."""
    library = library_of(network, settings.activation, settings.loss)
    try:
        learner = FutharkLearner(network, settings, library, initial)
        return fit(learner, samples, settings, progress, checkpoint)
    finally:
        library.tidy()


@dataclass(frozen=True)
class FutharkLearner:
    """See ``volr.training.learner.Learner``."""

    network: Network
    settings: TrainingSettings
    library: Library
    initial: ArtificialModel | None
    deciding: int = DECIDING
    goes_on: bool = False

    def slower(self, candidates: int) -> float:
        return stack_slower(self.network, self.settings.batch_size, candidates)

    def starts(
        self, samples: Samples, count: int, random: np.random.Generator
    ) -> list[dict[str, Floats]]:
        if self.initial is not None:
            return [dict(self.initial.parameters)]
        return artificial_starts(self.network, self.settings.activation, samples, count, random)

    def begin(
        self,
        samples: Samples,
        starts: Sequence[Mapping[str, Floats]],
        settings: TrainingSettings,
    ) -> FutharkCandidates:
        return FutharkCandidates(self.network, settings, self.library, samples, starts)


class FutharkCandidates:
    """See ``volr.training.learner.Candidates``. They are trained one after the other."""

    def __init__(
        self,
        network: Network,
        settings: TrainingSettings,
        library: Library,
        samples: Samples,
        starts: Sequence[Mapping[str, Floats]],
    ) -> None:
        self._network, self._settings, self._library = network, settings, library
        self._samples = samples
        self._inputs = samples.inputs.astype(np.float32)
        self._everything = (library.hold(self._inputs), library.hold(samples.labels))
        self._best = [flattened(network, start) for start in starts]
        remembered = 2 * network.parameter_count + 1
        # What the program's entry point takes beside rates.
        self._entry, self._arguments = "train_adam", (settings.decay,)
        if settings.optimizer == "sgd":
            remembered = network.parameter_count
            self._entry, self._arguments = "train_momentum", (settings.momentum, settings.decay)
        zeros = np.zeros(remembered + 1, dtype=np.float32)
        self._states = [library.hold(np.concatenate([values, zeros])) for values in self._best]

    def descend(self, order: Integers, rates: Sequence[float]) -> None:
        size = self._settings.batch_size
        updates = max(1, int(_CALL / (6.0 * size * self._network.synapse_count)))
        with np.errstate(over="ignore"):  # a rate that is infinite is one that diverges
            singles = np.array(rates).astype(np.float32)
        for first in range(0, len(rates), updates):
            last = first + updates
            drawn = order[first * size : last * size]
            self._states = [
                self._descended(state, drawn, singles[first:last]) for state in self._states
            ]

    def _descended(self, state: Held, order: Integers, rates: Singles) -> Held:
        size = self._settings.batch_size
        return self._library.call(
            self._entry, state, *self._everything, order, size, rates, *self._arguments
        )

    def losses(self) -> Floats:
        states = [self._library.array(state) for state in self._states]
        summed = np.array([float(state[-1]) for state in states])
        for state in states:
            state[-1] = 0.0
        self._states = [self._library.hold(state) for state in states]
        return summed

    def measure(self, which: Integers) -> tuple[Floats, Floats]:
        missing = np.full(len(self._states), np.nan)
        if not len(which):
            return missing, missing
        part = [self._library.hold(each[which]) for each in (self._inputs, self._samples.labels)]
        vectors = [self._library.hold(values) for values in self._values()]
        loss = [self._library.number("loss", each, *part) for each in vectors]
        share = [self._library.number("accuracy", each, *part) for each in vectors]
        count = len(which)
        return np.array(loss), np.array([round(each * count) / count for each in share])

    def finite(self) -> Booleans:
        return np.array([np.isfinite(values).all() for values in self._values()])

    def remember(self, better: Booleans) -> None:
        for index, values in enumerate(self._values()):
            if better[index]:
                self._best[index] = values

    def keep(self, index: int) -> None:
        self._states, self._best = [self._states[index]], [self._best[index]]

    def state(self) -> dict[str, NDArray[Any]]:
        return {
            _NOW: np.stack([self._library.array(state) for state in self._states]),
            _BEST: np.stack(self._best),
        }

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        self._states = [self._library.hold(np.array(each)) for each in state[_NOW]]
        self._best = [np.array(each) for each in state[_BEST]]

    def model(self) -> ArtificialModel:
        values = unflattened(self._network, self._best[0])
        return ArtificialModel(self._network, values, self._settings.activation)

    def activity(self) -> HiddenActivity:
        return HiddenActivity(_dead(self.model(), self._samples))

    def _values(self) -> list[Singles]:
        count = self._network.parameter_count
        return [self._library.array(state)[:count].copy() for state in self._states]


def _dead(model: ArtificialModel, samples: Samples) -> dict[str, int]:
    """How many neurons of each hidden population are 0 for every sample (only ReLUs can be)."""
    network = model.network
    sources = {projection.source for projection in network.projections}
    hidden = [each.name for each in network.layers if each.name in sources]
    if not isinstance(model.activation, ReLU):
        return dict.fromkeys(hidden, 0)
    alive = {name: np.zeros(network[name].size, dtype=np.bool_) for name in hidden}
    for first in range(0, len(samples), _CHUNK):
        shown = activations(model, samples.inputs[first : first + _CHUNK])
        for name in hidden:
            alive[name] |= (shown[name] > 0).any(axis=0)
    return {name: int((~each).sum()) for name, each in alive.items()}
