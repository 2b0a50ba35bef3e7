"""How a candidate does from epoch to epoch."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from volr.training.result import Epoch


@dataclass
class CandidateRecord:
    """How a candidate has done so far, and its best epoch (from 1; 0 is the start)."""

    number: int
    best: int = 0
    accuracy: float = -1.0
    loss: float = math.inf
    history: list[Epoch] = field(default_factory=list[Epoch])

    def add(self, epoch: Epoch, *, sound: bool) -> bool:
        """Whether this epoch is the best: of the highest accuracy, then of the lowest loss.

        A candidate that is not ``sound`` has diverged. Without a validation split, and so without
        accuracies, the last epoch is the best.
        """
        self.history.append(epoch)
        loss, accuracy = epoch.validation_loss, epoch.validation_accuracy
        if loss is None or accuracy is None:
            better = sound
        else:
            better = sound and (accuracy, -loss) > (self.accuracy, -self.loss)
            if better:
                self.accuracy, self.loss = accuracy, loss
        if better:
            self.best = len(self.history)
        return better
