"""The networks that are converted: trained once, and kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from peers.tables import say

import volr
from volr.experiments.programs import PROGRAMS
from volr.system.caches import cache_path

if TYPE_CHECKING:
    from pathlib import Path

    from volr.models.model import ArtificialModel

NAMES = ("lenet-avgpool", "lenet")
SETTINGS = volr.TrainingSettings(
    epochs=15, batch_size=128, schedule="one_cycle", learning_rate=0.005, shift=2
)
"""Those that docs/how-to/train.md has for LeNet."""


def trained(name: str, data: volr.Data) -> ArtificialModel:
    """The program of that name, trained for MNIST with seed 0, which takes minutes. The user's
    cache keeps it.
    """
    path: Path = cache_path("benchmarks") / f"{name}.safetensors"
    if path.exists():
        return artificial(path)
    say(f"training {name}, which takes minutes; {path} will keep it")
    model = volr.train_ann(volr.to_network(PROGRAMS[name]), data.train, SETTINGS).model
    path.parent.mkdir(parents=True, exist_ok=True)
    volr.save_model(model, path, {"task": "mnist", "seed": SETTINGS.seed})
    return model


def artificial(path: Path) -> ArtificialModel:
    """The artificial model in a file."""
    model = volr.load_model(path)
    assert isinstance(model, volr.ArtificialModel), f"{path} is no artificial model"
    return model
