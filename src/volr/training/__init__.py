"""Training: initialisation, losses, backpropagation."""

from volr.training.artificial import TrainingBackend, train_ann
from volr.training.in_loop import train_in_loop
from volr.training.result import Epoch, Training, TrainingProgress
from volr.training.settings import Loss, Optimizer, Schedule, TrainingSettings
from volr.training.spiking import SpikingSettings, settings_of, train_snn

__all__ = [
    "Epoch",
    "Loss",
    "Optimizer",
    "Schedule",
    "SpikingSettings",
    "Training",
    "TrainingBackend",
    "TrainingProgress",
    "TrainingSettings",
    "settings_of",
    "train_ann",
    "train_in_loop",
    "train_snn",
]
