"""Backpropagation in minibatches: the loop, and what it measures after every epoch."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import torch
from torch import autograd

from volr.errors import TrainingError
from volr.system.threads import one_thread
from volr.training.initial_candidates import all_finite, begin, improved, keep
from volr.training.losses import losses, taught_losses
from volr.training.minibatches import course, learning_rate, probation
from volr.training.result import Epoch, Training
from volr.training.settings import LOOKED_AT

if TYPE_CHECKING:
    from volr.checks.arrays import Floats
    from volr.models.model import Model
    from volr.models.samples import Samples
    from volr.network import Network
    from volr.training.initial_candidates import Candidates
    from volr.training.learner import Learner, TensorSamples
    from volr.training.result import TrainingProgress
    from volr.training.settings import TrainingSettings

ModelT = TypeVar("ModelT", bound="Model")


@one_thread()
def fit(
    learner: Learner[ModelT],
    network: Network,
    samples: Samples,
    settings: TrainingSettings,
    progress: TrainingProgress | None,
) -> Training[ModelT]:
    """See ``train_ann`` and ``train_snn``, which have checked that everything fits."""
    plan = course(len(samples), settings)
    random, epochs = plan.random, plan.epochs
    everything = learner.part(samples)
    order = torch.as_tensor(plan.order)
    validation, training = (
        everything.take(order[: plan.aside]),
        everything.take(order[plan.aside :]),
    )
    deciding = training.take(torch.arange(min(learner.deciding, len(training))))
    count, together = probation(learner, network, settings, plan.updates)

    looked_at = samples.take(plan.order[plan.aside : plan.aside + LOOKED_AT])
    candidates = begin(learner.starts(looked_at, count, random), settings)
    if learner.goes_on:
        candidates = _before(learner, candidates, validation, settings)
    updates = 0
    for epoch in range(1, epochs + 1):
        shuffled = training.take(torch.as_tensor(random.permutation(len(training))))
        for batch in shuffled.batches(settings.batch_size):
            if updates == together:
                candidates = _choose(learner, candidates, deciding, settings)
            rate = learning_rate(settings, updates / plan.updates)
            _update(learner, candidates, batch, settings, rate)
            updates += 1
        candidates = _after_epoch(learner, candidates, len(training), validation, settings)
        _report(candidates, epoch, epochs, progress)
        if settings.patience and epoch - candidates.best.epoch.max() >= settings.patience:
            break
    candidates = _choose(learner, candidates, deciding, settings)

    best = candidates.best
    activity = learner.activity(best.values, everything)
    return Training(
        model=learner.model(best.values),
        history=tuple(_epoch(*each[:, 0].tolist()) for each in candidates.history),
        kept_epoch=int(best.epoch[0]),
        candidate=int(candidates.numbers[0]),
        candidates=count,
        probation=min(together, updates),
        dead=activity.dead,
        rates=activity.rates,
    )


def _before(
    learner: Learner[ModelT],
    candidates: Candidates,
    validation: TensorSamples,
    settings: TrainingSettings,
) -> Candidates:
    """The candidates with what they began with as the best so far, epoch 0."""
    loss, accuracy = _measure(learner, candidates, validation, settings)
    return replace(candidates, best=replace(candidates.best, loss=loss, accuracy=accuracy))


def _update(
    learner: Learner[Model],
    candidates: Candidates,
    batch: TensorSamples,
    settings: TrainingSettings,
    rate: float,
) -> None:
    """One step of the optimizer. Candidates leave each other alone: their losses are summed."""
    optimizer = candidates.optimizer
    for group in optimizer.param_groups:
        group["lr"] = rate
    optimizer.zero_grad()
    answer = learner.answer(candidates.values, batch.inputs, len(candidates.numbers))
    if batch.taught is None:
        each = losses(settings.loss, answer.logits, batch.labels)
    else:
        each = taught_losses(answer.logits, batch.taught)
    autograd.backward((each.mean(dim=-1) + answer.penalty).sum())
    optimizer.step()
    candidates.losses.add_(each.detach().sum(dim=-1))


def _measure(
    learner: Learner[Model], candidates: Candidates, part: TensorSamples, settings: TrainingSettings
) -> tuple[Floats, Floats]:
    """The mean loss and the accuracy of each candidate; NaN where there are no samples."""
    loss = torch.zeros(len(candidates.numbers), dtype=torch.float64)
    correct = torch.zeros(len(candidates.numbers), dtype=torch.float64)
    with torch.no_grad():
        for batch in part.batches(learner.chunk):
            z = learner.answer(candidates.values, batch.inputs, len(candidates.numbers)).logits
            loss += losses(settings.loss, z, batch.labels).sum(dim=-1)
            correct += (z.argmax(dim=-1) == batch.labels).sum(dim=-1)
    total = len(part) or float("nan")
    return (loss / total).numpy(), (correct / total).numpy()


def _choose(
    learner: Learner[Model],
    candidates: Candidates,
    deciding: TensorSamples,
    settings: TrainingSettings,
) -> Candidates:
    """The candidate with the lowest loss on ``deciding``, which are training samples."""
    if len(candidates.numbers) == 1:
        return candidates
    loss, _ = _measure(learner, candidates, deciding, settings)
    return keep(candidates, int(np.where(np.isfinite(loss), loss, np.inf).argmin()), settings)


def _after_epoch(
    learner: Learner[Model],
    candidates: Candidates,
    trained: int,
    validation: TensorSamples,
    settings: TrainingSettings,
) -> Candidates:
    """The candidates with one epoch more behind them; ``TrainingError`` if all have diverged."""
    loss = candidates.losses.numpy() / trained
    history = (
        *candidates.history,
        np.stack([loss, *_measure(learner, candidates, validation, settings)]),
    )
    sound = np.isfinite(loss) & all_finite(candidates)
    if not sound.any():
        raise TrainingError(
            f"training diverged in epoch {len(history)}: the loss was {loss[0]:g}",
            help=f"lower the learning rate, which is {settings.rate:g}",
        )
    return replace(
        candidates,
        losses=torch.zeros_like(candidates.losses),
        history=history,
        best=improved(candidates, history[-1], sound),
    )


def _report(candidates: Candidates, epoch: int, of: int, progress: TrainingProgress | None) -> None:
    """Tell how the candidate of the lowest loss does."""
    if progress is not None:
        history = candidates.history[-1]
        latest = _epoch(*history[:, int(np.nanargmin(history[0]))].tolist())
        progress(epoch, of, latest.loss, latest.validation_accuracy)


def _epoch(loss: float, validation_loss: float, accuracy: float) -> Epoch:
    aside = not math.isnan(accuracy)
    return Epoch(loss, validation_loss if aside else None, accuracy if aside else None)
