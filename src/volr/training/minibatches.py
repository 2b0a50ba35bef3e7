"""The course of training, whatever does the arithmetic: what is drawn, and at which rate.

Training on PyTorch and on Futhark follow the same one: with the same seed they set the same samples
aside, begin with the same parameters and see the same minibatches.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from volr.training.settings import EPOCHS, UPDATES, validation_count

if TYPE_CHECKING:
    from volr.checks.arrays import Integers
    from volr.network import Network
    from volr.training.settings import TrainingSettings

DECIDING = 4096
"""How many training samples decide between candidates."""
EXTRA = 0.1
"""How much longer training may take for the sake of candidates that do not go on."""
STACKED = 10_000_000
"""The most parameters of all candidates together."""
OVERHEAD = 1e7
"""Floating-point operations that take as long as an update of the smallest network."""
# Sets training's random numbers apart from those that others draw with the same seed.
_STREAM = 0x7A11


@dataclass(frozen=True)
class Course:
    """The first ``aside`` samples of ``order`` ``[sample]`` validate, the others train.

    An epoch is ``steps`` updates. ``random`` draws all that comes after: the initialisations, and
    then the order of the training samples in each epoch.
    """

    random: np.random.Generator
    order: Integers
    aside: int
    steps: int
    epochs: int

    @property
    def updates(self) -> int:
        """Of all epochs."""
        return self.steps * self.epochs


def course(samples: int, settings: TrainingSettings) -> Course:
    """The course of training on so many samples, those to be set aside included."""
    random = np.random.default_rng((_STREAM, settings.seed))
    order = random.permutation(samples)
    aside = validation_count(samples, settings.validation)
    steps = math.ceil((samples - aside) / settings.batch_size)
    epochs = settings.epochs or max(EPOCHS, math.ceil(UPDATES / steps))
    return Course(random, order, aside, steps, epochs)


def learning_rate(settings: TrainingSettings, done: float) -> float:
    """The rate when the fraction ``done`` of all updates is behind."""
    match settings.schedule:
        case "constant":
            return settings.rate
        case "cosine":
            return settings.rate * (1.0 + math.cos(math.pi * done)) / 2.0


class HasSlower(Protocol):
    """Whoever can tell what candidates cost."""

    def slower(self, candidates: int) -> float:
        """By which fraction an update of so many candidates takes longer than one of a single."""
        ...


def probation(
    learner: HasSlower, network: Network, settings: TrainingSettings, updates: int
) -> tuple[int, int]:
    """How many candidates there are, and for how many of the ``updates`` they train together."""
    fit = STACKED // network.parameter_count
    candidates = max(1, min(settings.candidates, fit))
    slower = learner.slower(candidates)
    if slower <= EXTRA:
        return candidates, updates
    together = math.floor(EXTRA / slower * updates)
    return (candidates, together) if together else (1, updates)


@dataclass(frozen=True)
class ArtificialCost:
    """What candidates of an artificial network cost, as one stack of matrices."""

    network: Network
    batch_size: int

    def slower(self, candidates: int) -> float:
        """In a small network next to nothing: starting an operation is most of the work."""
        # Forward, and backward to the weights and to the activations: two operations each.
        work = 6.0 * self.batch_size * self.network.synapse_count
        return (OVERHEAD + candidates * work) / (OVERHEAD + work) - 1.0
