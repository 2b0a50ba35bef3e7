"""Training: initialisation, losses, backpropagation."""

from volr.training.artificial import train_ann
from volr.training.result import Epoch, Progress, Training
from volr.training.settings import Loss, Optimizer, Schedule, TrainingSettings

__all__ = [
    "Epoch",
    "Loss",
    "Optimizer",
    "Progress",
    "Schedule",
    "Training",
    "TrainingSettings",
    "train_ann",
]
