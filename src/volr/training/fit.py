"""The training loop: epochs, minibatches and candidates, whatever does the arithmetic.

Whether a small network learns depends on where it starts. So several candidates start out on the
same minibatches; after a probation the one with the lowest training loss goes on alone. In a small
network a stack of candidates costs what one does, since to start an operation takes longer than its
arithmetic, and the probation lasts to the end. In a large network it is so short that the extra
work stays within a tenth of the whole.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from volr.errors import TrainingError
from volr.system.threads import one_thread
from volr.training.candidate_record import CandidateRecord
from volr.training.checkpoint import Kept
from volr.training.minibatches import course, learning_rate, probation
from volr.training.result import Epoch, Training
from volr.training.settings import LOOKED_AT

if TYPE_CHECKING:
    from volr.checks.arrays import Integers
    from volr.models.model import Model
    from volr.models.samples import Samples
    from volr.training.checkpoint import Checkpoint
    from volr.training.learner import Candidates, Learner, ModelT_co
    from volr.training.result import TrainingProgress
    from volr.training.settings import TrainingSettings


@one_thread()
def fit(
    learner: Learner[ModelT_co],
    samples: Samples,
    settings: TrainingSettings,
    progress: TrainingProgress | None,
    checkpoint: Checkpoint | None = None,
) -> Training[ModelT_co]:
    """See ``train_ann`` and ``train_snn``, which have checked that everything fits."""
    kept = None if checkpoint is None else checkpoint.read()
    plan = course(len(samples), settings)
    validation, training = plan.order[: plan.aside], plan.order[plan.aside :]
    deciding = training[: learner.deciding]
    count, together = probation(learner, settings, plan.updates)

    starts = learner.starts(samples.take(training[:LOOKED_AT]), count, plan.random)
    candidates = learner.begin(samples, starts, settings)
    records = [CandidateRecord(number) for number in range(count)]
    if learner.goes_on:
        [records[0].loss], [records[0].accuracy] = candidates.measure(validation)
    updates = done = 0
    if kept is not None:
        updates, done, records = kept.updates, kept.epoch, list(kept.records)
        if len(records) < count:
            candidates.keep(records[0].number)
        candidates.restore(kept.arrays)
        plan.random.bit_generator.state = kept.random
    if checkpoint is not None:
        checkpoint.start()
    for epoch in range(done + 1, plan.epochs + 1):
        if settings.patience and epoch - 1 - max(r.best for r in records) >= settings.patience:
            break
        order = training[plan.random.permutation(len(training))]
        for part in _cut_at(together - updates, plan.steps):
            if updates == together:
                records = _choose(candidates, records, deciding)
            drawn = order[part.start * settings.batch_size : part.stop * settings.batch_size]
            rates = [
                learning_rate(settings, update / plan.updates)
                for update in range(updates, updates + len(part))
            ]
            candidates.descend(drawn, rates)
            updates += len(part)
        _after_epoch(candidates, records, len(training), validation, settings)
        if progress is not None:
            # The candidate with the lowest loss; one that has diverged may have NaN.
            latest = [each.history[-1] for each in records]
            lowest = min((each for each in latest if each.loss == each.loss), key=_loss)
            progress(epoch, plan.epochs, lowest.loss, lowest.validation_accuracy)
        if checkpoint is not None and checkpoint.is_due():
            state = plan.random.bit_generator.state
            checkpoint.write(Kept(epoch, updates, tuple(records), dict(state), candidates.state()))
    [best] = _choose(candidates, records, deciding)

    activity = candidates.activity()
    return Training(
        model=candidates.model(),
        history=tuple(best.history),
        kept_epoch=best.best,
        candidate=best.number,
        candidates=count,
        probation=min(together, updates),
        dead=activity.dead,
        rates=activity.rates,
        went_on_after=done,
    )


def _cut_at(update: int, steps: int) -> list[range]:
    """The updates of an epoch, in two parts where ``update`` is among them."""
    if 0 < update < steps:
        return [range(update), range(update, steps)]
    return [range(steps)]


def _choose(
    candidates: Candidates[Model], records: list[CandidateRecord], deciding: Integers
) -> list[CandidateRecord]:
    """Keep the candidate with the lowest loss on ``deciding``, which are training samples."""
    if len(records) == 1:
        return records
    loss, _ = candidates.measure(deciding)
    index = int(np.where(np.isfinite(loss), loss, np.inf).argmin())
    candidates.keep(index)
    return [records[index]]


def _after_epoch(
    candidates: Candidates[Model],
    records: list[CandidateRecord],
    trained: int,
    validation: Integers,
    settings: TrainingSettings,
) -> None:
    """Measure, and remember what is best; ``TrainingError`` if all candidates have diverged."""
    losses = candidates.losses() / trained
    measured = np.stack([losses, *candidates.measure(validation)], axis=1)
    sound = np.isfinite(losses) & candidates.finite()
    if not sound.any():
        raise TrainingError(
            f"training diverged in epoch {len(records[0].history) + 1}: the loss was {losses[0]:g}",
            help=f"lower the learning rate, which is {settings.rate:g}",
        )
    better = [
        record.add(_epoch(*row), sound=bool(is_sound))
        for record, row, is_sound in zip(records, measured.tolist(), sound, strict=True)
    ]
    candidates.remember(np.array(better))


def _epoch(loss: float, validation_loss: float, accuracy: float) -> Epoch:
    aside = not math.isnan(accuracy)
    return Epoch(loss, validation_loss if aside else None, accuracy if aside else None)


def _loss(epoch: Epoch) -> float:
    return epoch.loss
