"""Several initialisations trained together, as one stack, and the choice between them.

Whether a small network learns depends on where it starts. So several candidates start out on the
same minibatches, with parameters ``[candidate, …]``; after a probation the one with the lowest
training loss goes on alone. In a small network a stack costs what one candidate does, since to
start an operation takes longer than its arithmetic, and the probation lasts to the end; in a large
one it is so short that the extra work stays within a tenth of the whole.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import torch
from torch import Tensor

from volr.system.caches import cache_for

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from volr.checks.arrays import Booleans, Floats, Integers
    from volr.training.settings import TrainingSettings

Values: TypeAlias = dict[str, Tensor]
"""Parameters by our names; with a leading axis where there are several candidates."""


@dataclass(frozen=True)
class Best:
    """Each candidate's best epoch so far (from 1), how it did on validation, and its parameters.

    Arrays are ``[candidate]``.
    """

    epoch: Integers
    accuracy: Floats
    loss: Floats
    values: Values


@dataclass(frozen=True)
class Candidates:
    """Those still in training. ``numbers`` and ``losses`` are ``[candidate]``.

    ``values`` and ``best.values`` have no leading axis where one candidate is left. ``losses`` are
    the sums over the epoch's samples so far; ``history`` has for every epoch the training loss, the
    validation loss and the validation accuracy, ``[3, candidate]``.
    """

    numbers: Integers
    values: Values
    optimizer: torch.optim.Optimizer
    losses: Tensor
    history: tuple[Floats, ...]
    best: Best


def begin(starts: Sequence[Mapping[str, Floats]], settings: TrainingSettings) -> Candidates:
    """One candidate for each of these initial parameters, in float32."""
    count = len(starts)
    values: Values = {}
    for name in starts[0]:
        each = np.stack([start[name] for start in starts]).astype(np.float32)
        values[name] = torch.as_tensor(each if count > 1 else each[0]).requires_grad_()
    return Candidates(
        numbers=np.arange(count),
        values=values,
        optimizer=make_optimizer(values, settings),
        losses=torch.zeros(count),
        history=(),
        best=Best(
            epoch=np.zeros(count, dtype=np.int64),
            accuracy=np.full(count, -1.0),
            loss=np.full(count, np.inf),
            values={name: each.detach().clone() for name, each in values.items()},
        ),
    )


def make_optimizer(values: Values, settings: TrainingSettings) -> torch.optim.Optimizer:
    # PyTorch imports its compiler with the first optimizer, and that makes a folder for what it
    # compiles. Left to itself it takes one in /tmp, under a name that others can guess.
    os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", str(cache_for("torch")))
    rate, decay = settings.rate, settings.decay
    match settings.optimizer:
        case "adam":
            return torch.optim.AdamW(values.values(), lr=rate, weight_decay=decay, fused=True)
        case "sgd":
            return torch.optim.SGD(
                values.values(),
                lr=rate,
                momentum=settings.momentum,
                weight_decay=decay,
                fused=True,
            )


def keep(candidates: Candidates, index: int, settings: TrainingSettings) -> Candidates:
    """The candidate at ``index`` alone, with its history and the state of its optimizer."""
    values = {name: _leaf(each[index]) for name, each in candidates.values.items()}
    optimizer = make_optimizer(values, settings)
    old = candidates.optimizer.state
    for name, value in values.items():
        for key, state in old[candidates.values[name]].items():
            of_each = isinstance(state, Tensor) and state.ndim > 0
            optimizer.state[value][key] = state[index].clone() if of_each else state
    best = candidates.best
    one = np.array([index])
    return Candidates(
        numbers=candidates.numbers[one],
        values=values,
        optimizer=optimizer,
        losses=candidates.losses[index : index + 1],
        history=tuple(epoch[:, one] for epoch in candidates.history),
        best=Best(
            epoch=best.epoch[one],
            accuracy=best.accuracy[one],
            loss=best.loss[one],
            values={name: each[index].clone() for name, each in best.values.items()},
        ),
    )


def all_finite(candidates: Candidates) -> Booleans:
    """Whether every parameter of a candidate is a finite number, ``[candidate]``."""
    finite = torch.ones(len(candidates.numbers), dtype=torch.bool)
    for each in candidates.values.values():
        finite &= torch.isfinite(each).view(len(finite), -1).all(dim=1)
    return finite.numpy()


def improved(candidates: Candidates, measured: Floats, sound: Booleans) -> Best:
    """The best of each candidate after an epoch: of the highest accuracy, then the lowest loss.

    ``measured`` is the epoch's row of ``Candidates.history``; a candidate that is not ``sound`` has
    diverged. Without a validation split, and so without accuracies, the last epoch is the best.
    """
    best = candidates.best
    _, loss, accuracy = measured
    better = (accuracy > best.accuracy) | ((accuracy == best.accuracy) & (loss < best.loss))
    better = sound & (better | np.isnan(accuracy))
    chosen = torch.as_tensor(better)
    values: Values = {}
    for name, each in candidates.values.items():
        mask = chosen.view(-1, *[1] * (each.ndim - 1)) if len(better) > 1 else chosen
        values[name] = torch.where(mask, each.detach(), best.values[name])
    return Best(
        epoch=np.where(better, len(candidates.history) + 1, best.epoch),
        accuracy=np.where(better, accuracy, best.accuracy),
        loss=np.where(better, loss, best.loss),
        values=values,
    )


def _leaf(values: Tensor) -> Tensor:
    return values.detach().clone().requires_grad_()
