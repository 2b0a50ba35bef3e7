"""The original work's recipe, flaws included, and what each repair is worth."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from volr.experiments.original.loop import IMAGES, LoopTraining, train_original
from volr.experiments.original.recipe import (
    LADDER,
    LEFT_OUT,
    ORIGINAL,
    OURS,
    Recipe,
    recipe_ann,
    recipe_initial,
    recipe_named,
    recipe_training,
)
from volr.experiments.original.transfer import NEURON, recipe_transfer, stripped
from volr.training import TrainingSettings
from volr.transfer import TransferSettings

if TYPE_CHECKING:
    from volr.backends.base import Simulator
    from volr.models.model import ArtificialModel, SpikingModel
    from volr.models.samples import Samples
    from volr.network import Network

__all__ = [
    "IMAGES",
    "LADDER",
    "LEFT_OUT",
    "NEURON",
    "ORIGINAL",
    "OURS",
    "LoopTraining",
    "Made",
    "Recipe",
    "make",
    "recipe_ann",
    "recipe_initial",
    "recipe_named",
    "recipe_training",
    "recipe_transfer",
    "stripped",
    "train_original",
]


@dataclass(frozen=True)
class Made:
    """What a step makes: the artificial model, trained, and the spiking one."""

    artificial: ArtificialModel
    spiking: SpikingModel


def make(
    step: str,
    network: Network,
    samples: Samples,
    seed: int,
    simulator: Simulator,
    *,
    training: TrainingSettings = TrainingSettings(),
    transfer: TransferSettings = TransferSettings(neuron=NEURON),
    artificial: ArtificialModel | None = None,
) -> Made:
    """Both models of a ``step`` of the ablation (``LADDER``, ``LEFT_OUT``), learned on ``samples``.

    ``simulator`` is what is calibrated on; ``training`` and ``transfer`` are ours, and the step
    changes them, the seed included. ``artificial`` is the artificial model if it is there already:
    all steps with the same ``initialisation`` share it. Raises as training and transfer do, and
    ``DataError`` for an unknown step.
    """
    recipe = recipe_named(step)
    if artificial is None:
        artificial = recipe_ann(network, samples, recipe, seed, training)
    settings = replace(transfer, seed=seed)
    return Made(artificial, recipe_transfer(artificial, samples, simulator, settings, recipe))
