"""Training in Futhark: the loop around a compiled program, which takes the steps and measures.

It follows the same course as training on PyTorch, so both come to the same network but for
rounding. A candidate's state is the vector that the program's entry point hands back and goes on
from: parameters, what the optimizer remembers, and at the end the sum of the losses.

One file in spite of its length: the loop, and the small records that nothing but the loop reads.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from volr.backends.futhark import library_of
from volr.backends.futhark.parameter_vector import flattened, unflattened
from volr.backends.reference import activations
from volr.errors import TrainingError
from volr.models.activations import ReLU
from volr.models.model import ArtificialModel
from volr.training.initialisation import initial_parameters
from volr.training.minibatches import DECIDING, ArtificialCost, course, learning_rate, probation
from volr.training.result import Epoch, Training
from volr.training.settings import LOOKED_AT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from volr.backends.futhark.library import Held, Library
    from volr.backends.futhark.parameter_vector import Singles
    from volr.checks.arrays import Integers
    from volr.models.samples import Samples
    from volr.network import Network
    from volr.training.result import TrainingProgress
    from volr.training.settings import TrainingSettings

Row: TypeAlias = tuple[float, float, float]

# Floating-point operations in one call, some tenths of a second: Ctrl-C waits for no longer.
_CALL = 2e9
# Samples at once where it is counted which neurons do nothing.
_CHUNK = 4096


@dataclass(frozen=True)
class _Best:
    """The best epoch so far (from 1), how it did on validation, and its parameters."""

    values: Singles
    epoch: int = 0
    accuracy: float = -1.0
    loss: float = float("inf")


@dataclass(frozen=True)
class _Candidate:
    """``history`` has for every epoch the training loss, the validation loss and accuracy.

    One that is not ``sound`` has diverged.
    """

    number: int
    state: Held
    best: _Best
    history: tuple[Row, ...] = ()
    sound: bool = True


@dataclass(frozen=True)
class _Part:
    """Samples in the program's memory."""

    inputs: Held
    labels: Held
    count: int


@dataclass(frozen=True)
class _Trainer:
    """The program, and the samples as it has them."""

    library: Library
    settings: TrainingSettings
    everything: _Part
    validation: _Part
    deciding: _Part
    parameters: int
    # How many updates one call makes at most.
    updates: int
    arguments: tuple[float, ...]

    def descended(self, state: Held, order: Integers, rates: Singles) -> Held:
        """The state after one update for each rate, on the samples in this order."""
        size = self.settings.batch_size
        entry = "train_adam" if self.settings.optimizer == "adam" else "train_momentum"
        for first in range(0, len(rates), self.updates):
            last = first + self.updates
            state = self.library.call(
                entry,
                state,
                self.everything.inputs,
                self.everything.labels,
                order[first * size : last * size],
                size,
                rates[first:last],
                *self.arguments,
            )
        return state

    def measured(self, values: Singles, part: _Part) -> tuple[float, float]:
        """The mean loss and the accuracy, NaN where there are no samples."""
        if not part.count:
            return float("nan"), float("nan")
        vector = self.library.hold(values)
        loss = self.library.number("loss", vector, part.inputs, part.labels)
        share = self.library.number("accuracy", vector, part.inputs, part.labels)
        return loss, round(share * part.count) / part.count

    def after_epoch(self, candidate: _Candidate, trained: int) -> _Candidate:
        """The candidate with one epoch more behind it, and the best of its epochs."""
        state: Singles = self.library.array(candidate.state)
        values = state[: self.parameters].copy()
        row = (float(state[-1]) / trained, *self.measured(values, self.validation))
        history = (*candidate.history, row)
        sound = bool(np.isfinite(row[0]) and np.isfinite(values).all())
        best = candidate.best
        if sound and _is_better(row, best):
            best = _Best(values, len(history), row[2], row[1])
        state[-1] = 0.0
        return _Candidate(candidate.number, self.library.hold(state), best, history, sound)

    def chosen(self, candidates: Sequence[_Candidate]) -> _Candidate:
        """The candidate with the lowest loss on training samples that decide."""

        def deciding(candidate: _Candidate) -> float:
            values = self.library.array(candidate.state)[: self.parameters]
            loss, _ = self.measured(values, self.deciding)
            return loss if np.isfinite(loss) else float("inf")

        return candidates[0] if len(candidates) == 1 else min(candidates, key=deciding)


def fit(
    network: Network,
    samples: Samples,
    settings: TrainingSettings,
    progress: TrainingProgress | None,
    initial: ArtificialModel | None = None,
) -> Training[ArtificialModel]:
    """See ``train_ann``, which has checked that everything fits."""
    library = library_of(network, settings.activation, settings.loss)
    try:
        return _fit(library, network, samples, settings, progress, initial)
    finally:
        library.tidy()


def _fit(
    library: Library,
    network: Network,
    samples: Samples,
    settings: TrainingSettings,
    progress: TrainingProgress | None,
    initial: ArtificialModel | None,
) -> Training[ArtificialModel]:
    plan = course(len(samples), settings)
    training = plan.order[plan.aside :]
    cost = ArtificialCost(network, settings.batch_size)
    count, together = probation(cost, network, settings, plan.updates)
    trainer = _Trainer(
        library=library,
        settings=settings,
        everything=_part(library, samples),
        validation=_part(library, samples.take(plan.order[: plan.aside])),
        deciding=_part(library, samples.take(training[:DECIDING] if count > 1 else training[:0])),
        parameters=network.parameter_count,
        updates=max(1, int(_CALL / (6.0 * settings.batch_size * network.synapse_count))),
        arguments=_arguments(settings),
    )
    rates = np.array([learning_rate(settings, n / plan.updates) for n in range(plan.updates)])
    with np.errstate(over="ignore"):  # a rate that is infinite is one that diverges
        rates = rates.astype(np.float32)
    # What the network will be shown: float32.
    looked_at = samples.inputs[training[:LOOKED_AT]].astype(np.float32).astype(np.float64)
    candidates: list[_Candidate] = []
    for number in range(count):
        start = (
            initial_parameters(network, settings.activation, looked_at, plan.random)
            if initial is None
            else initial.parameters
        )
        candidates.append(_candidate(library, number, flattened(network, start), settings))
    updates = 0
    for epoch in range(1, plan.epochs + 1):
        order = training[plan.random.permutation(len(training))]
        for part in _cut_at(together - updates, plan.steps):
            if updates == together:
                candidates = [trainer.chosen(candidates)]
            drawn = order[part.start * settings.batch_size : part.stop * settings.batch_size]
            pace = rates[updates : updates + len(part)]
            candidates = [
                replace(each, state=trainer.descended(each.state, drawn, pace))
                for each in candidates
            ]
            updates += len(part)
        candidates = [trainer.after_epoch(each, len(training)) for each in candidates]
        _check(candidates, settings)
        _report(candidates, epoch, plan.epochs, progress)
        latest = max(each.best.epoch for each in candidates)
        if settings.patience and epoch - latest >= settings.patience:
            break
    kept = trainer.chosen(candidates)
    model = ArtificialModel(network, unflattened(network, kept.best.values), settings.activation)
    return Training(
        model=model,
        history=tuple(_epoch(each) for each in kept.history),
        kept_epoch=kept.best.epoch,
        candidate=kept.number,
        candidates=count,
        probation=min(together, updates),
        dead=_dead(model, samples),
    )


def _part(library: Library, samples: Samples) -> _Part:
    inputs = library.hold(samples.inputs.astype(np.float32))
    return _Part(inputs, library.hold(samples.labels), len(samples))


def _arguments(settings: TrainingSettings) -> tuple[float, ...]:
    """What the program's entry point takes beside rates: momentum and weight decay."""
    match settings.optimizer:
        case "adam":
            return (settings.decay,)
        case "sgd":
            return (settings.momentum, settings.decay)


def _candidate(
    library: Library, number: int, values: Singles, settings: TrainingSettings
) -> _Candidate:
    match settings.optimizer:
        case "adam":
            remembered = 2 * len(values) + 1
        case "sgd":
            remembered = len(values)
    state = np.concatenate([values, np.zeros(remembered + 1, dtype=np.float32)])
    return _Candidate(number, library.hold(state), _Best(values))


def _cut_at(update: int, steps: int) -> list[range]:
    """The updates of an epoch, in two parts where ``update`` is among them."""
    if 0 < update < steps:
        return [range(update), range(update, steps)]
    return [range(steps)]


def _is_better(row: Row, best: _Best) -> bool:
    """Of a higher accuracy, then of a lower loss; the latest where there is no accuracy."""
    _, loss, accuracy = row
    if np.isnan(accuracy):
        return True
    return accuracy > best.accuracy or (accuracy == best.accuracy and loss < best.loss)


def _check(candidates: Sequence[_Candidate], settings: TrainingSettings) -> None:
    """Raise ``TrainingError`` if all have diverged."""
    if not any(each.sound for each in candidates):
        history = candidates[0].history
        raise TrainingError(
            f"training diverged in epoch {len(history)}: the loss was {history[-1][0]:g}",
            help=f"lower the learning rate, which is {settings.rate:g}",
        )


def _report(
    candidates: Sequence[_Candidate], epoch: int, of: int, progress: TrainingProgress | None
) -> None:
    """Tell how the candidate of the lowest loss does."""
    if progress is not None:
        rows = [each.history[-1] for each in candidates if each.sound]
        latest = _epoch(min(rows, key=lambda row: row[0]))
        progress(epoch, of, latest.loss, latest.validation_accuracy)


def _epoch(row: Row) -> Epoch:
    loss, validation_loss, accuracy = row
    aside = not np.isnan(accuracy)
    return Epoch(loss, validation_loss if aside else None, accuracy if aside else None)


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
