"""The original's training with a simulator in the loop, flaws included.

    counts   ←  the simulator's, with the weights W as the original transfers them
    loss     =  softmax cross-entropy of the outputs' counts
    δ_out    =  (softmax(counts_out) − onehot(label)) / batch · [counts_out > 0]
    δ_p      =  Σ_q δ_q W_pq · [counts_p > 0]
    W_pq     ←  clip(W_pq − 0.1 · δ_qᵀ counts_p, ±100)

A count stands for the activation of a ReLU and for its derivative, so a neuron that is silent
learns nothing; the weights whose gradient is taken are not those that the simulator has, which are
shifted and scaled; there are no biases. That the derivative of the outputs is a ReLU's too, and
that the samples are gone through once, are guesses: the original does not say.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from studies.pedersen2019.recipe import BATCH_SIZES, ORIGINAL, RATE
from studies.pedersen2019.transfer import stripped, unscaled

from volr.backends.base import Record
from volr.models.parameters import weight_name
from volr.training import TrainingSettings
from volr.training.checks import check_samples

if TYPE_CHECKING:
    from collections.abc import Mapping

    from volr.backends.base import Simulator
    from volr.checks.arrays import Floats, Integers
    from volr.models.model import ArtificialModel, SpikingModel
    from volr.models.parameters import Parameters
    from volr.models.samples import Samples
    from volr.network import Network
    from volr.transfer import CalibrationProgress, TransferSettings

LARGEST = 100.0
"""Weights are clipped to this, and to minus this."""
# Sets these random numbers apart from those that others draw with the same seed.
_STREAM = 0x1009


@dataclass(frozen=True)
class LoopTraining:
    """The spiking model, the weights that it was made of, and the mean loss of every update."""

    model: SpikingModel
    weights: ArtificialModel
    losses: tuple[float, ...]


def train_original(
    start: ArtificialModel,
    samples: Samples,
    simulator: Simulator,
    settings: TransferSettings,
    seed: int,
    *,
    epochs: int = 1,
    progress: CalibrationProgress | None = None,
) -> LoopTraining:
    """Train the weights of ``start`` on ``samples``, in batches of 64; biases have no part in it.

    ``start`` has random weights (``recipe_initial``) or those of a trained network. Of ``settings``
    neuron and timing matter; ``seed`` draws the order of the samples. Raises ``TrainingError``
    where samples and network do not fit, and what the simulator raises.
    """
    network, batch = start.network, BATCH_SIZES["torch"]
    check_samples(network, samples, TrainingSettings(validation=0.0))
    random = np.random.default_rng((_STREAM, seed))
    orders = [random.permutation(len(samples)) for _ in range(epochs)]
    updates = [order[i : i + batch] for order in orders for i in range(0, len(order), batch)]
    names = tuple(population.name for population in network.populations)
    weights, losses = start, list[float]()
    for done, chosen in enumerate(updates):
        if progress is not None:
            progress(done, len(updates), "training")
        drawn = samples.take(chosen)
        # Each stimulus is simulated once: NAND and XOR have four.
        stimuli, which = np.unique(drawn.inputs, axis=0, return_inverse=True)
        record = Record(counts=names)
        recorded = simulator.run(_spiking(weights, settings), stimuli, record=record).counts
        counts = {name: each[which.reshape(-1)] for name, each in recorded.items()}
        loss, gradients = backpropagated(network, weights.parameters, counts, drawn.labels)
        values = {
            name: np.clip(value - RATE * gradients[name], -LARGEST, LARGEST)
            if name in gradients
            else value
            for name, value in weights.parameters.items()
        }
        weights = replace(weights, parameters=values)
        losses.append(loss)
    return LoopTraining(_spiking(weights, settings), weights, tuple(losses))


def backpropagated(
    network: Network, weights: Parameters, counts: Mapping[str, Integers], labels: Integers
) -> tuple[float, dict[str, Floats]]:
    """The mean loss of a batch, and its gradient by every weight, as the form above has them.

    ``counts`` of all populations are ``[batch, unit]``, ``labels`` ``[batch]``.
    """
    outputs = [counts[name] for name in network.outputs]
    logits = np.concatenate(outputs, axis=1).astype(np.float64)
    logits -= logits.max(axis=1, keepdims=True)
    share = np.exp(logits)
    share /= share.sum(axis=1, keepdims=True)
    rows = np.arange(len(labels))
    # A loss of 700 is as good as an infinite one.
    loss = -np.log(np.maximum(share[rows, labels], np.finfo(np.float64).tiny)).mean()
    share[rows, labels] -= 1.0
    ends = np.cumsum([each.shape[1] for each in outputs])[:-1]
    parts = np.split(share / len(labels), ends, axis=1)
    errors = {name: np.zeros(each.shape) for name, each in counts.items()}
    errors.update(zip(network.outputs, parts, strict=True))
    gradients: dict[str, Floats] = {}
    for population in reversed(network.layers):
        error = errors[population.name] * (counts[population.name] > 0)
        for projection in network.incoming[population.name]:
            name = weight_name(projection)
            gradients[name] = error.T @ counts[projection.source]
            errors[projection.source] = errors[projection.source] + error @ weights[name]
    return float(loss), gradients


def _spiking(weights: ArtificialModel, settings: TransferSettings) -> SpikingModel:
    return unscaled(stripped(weights, ORIGINAL), settings)
