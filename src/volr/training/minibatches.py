"""What a training is made of: the samples of each minibatch, learning rates, the candidates.

It depends on the settings alone. So with the same seed, training on PyTorch and on Futhark set the
same samples aside, begin with the same parameters and see the same minibatches.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from volr.training.settings import EPOCHS, UPDATES, validation_count

if TYPE_CHECKING:
    from volr.checks.arrays import Integers
    from volr.models.model import Model
    from volr.network import Network
    from volr.training.learner import Learner
    from volr.training.settings import TrainingSettings

DECIDING = 4096
"""How many training samples decide between candidates."""
EXTRA = 0.1
"""The fraction by which training may take longer for candidates that are not kept."""
STACKED = 10_000_000
"""The most parameters of all candidates together."""
OVERHEAD = 1e7
"""Floating-point operations that take as long as an update of the smallest network."""
RISE, FIRST, LAST = 0.3, 1 / 25, 1 / 250_000
"""The part of ``one_cycle`` in which the rate rises, and its ends as shares of the highest rate."""
# So training draws other random numbers than a task or a transfer with the same seed.
_STREAM = 0x7A11


@dataclass(frozen=True)
class Course:
    """The first ``aside`` samples of ``order`` ``[sample]`` are for validation, the rest to train.

    An epoch is ``steps`` updates. ``random`` draws everything that follows: first the
    initialisations, then the order of the training samples in each epoch.
    """

    random: np.random.Generator
    order: Integers
    aside: int
    steps: int
    epochs: int

    @property
    def updates(self) -> int:
        """The number of updates in all epochs."""
        return self.steps * self.epochs


def course(samples: int, settings: TrainingSettings) -> Course:
    """The course of training on so many samples, with those for validation."""
    random = np.random.default_rng((_STREAM, settings.seed))
    order = random.permutation(samples)
    aside = validation_count(samples, settings.validation)
    steps = math.ceil((samples - aside) / settings.batch_size)
    epochs = settings.epochs or max(EPOCHS, math.ceil(UPDATES / steps))
    return Course(random, order, aside, steps, epochs)


def learning_rate(settings: TrainingSettings, done: float) -> float:
    """The learning rate after the fraction ``done`` of all updates.

    ``one_cycle`` rises from ``FIRST`` of it over the fraction ``RISE``, and falls to ``LAST`` of
    it, both as a half wave of the cosine. After L. N. Smith and N. Topin, "Super-convergence"
    (2018), arXiv:1708.07120, with PyTorch's numbers.
    """
    match settings.schedule:
        case "constant":
            return settings.rate
        case "cosine":
            return settings.rate * (1.0 + math.cos(math.pi * done)) / 2.0
        case "one_cycle":
            if done < RISE:
                return settings.rate * _half_wave(FIRST, 1.0, done / RISE)
            return settings.rate * _half_wave(1.0, LAST, (done - RISE) / (1.0 - RISE))


def _half_wave(start: float, end: float, done: float) -> float:
    return end + (start - end) * (1.0 + math.cos(math.pi * done)) / 2.0


def probation(learner: Learner[Model], settings: TrainingSettings, updates: int) -> tuple[int, int]:
    """How many candidates there are, and for how many of the ``updates`` they train together."""
    fit = STACKED // learner.network.parameter_count
    candidates = max(1, min(settings.candidates, fit))
    slower = learner.slower(candidates)
    if slower <= EXTRA:
        return candidates, updates
    together = math.floor(EXTRA / slower * updates)
    return (candidates, together) if together else (1, updates)


def stack_slower(network: Network, batch_size: int, candidates: int) -> float:
    """By which fraction an update of so many candidates, as one stack of matrices, takes longer.

    In a small network by next to nothing: starting an operation is most of the work.
    """
    # Forward, and backward to the weights and to the activations: two operations each.
    work = 6.0 * batch_size * network.multiplication_count
    return (OVERHEAD + candidates * work) / (OVERHEAD + work) - 1.0
