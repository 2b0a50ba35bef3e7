"""The original's recipe, ours, and the steps between them; the artificial network of each.

The original work (Pedersen 2019) trained an artificial network and turned it into a spiking one:

- Weights are drawn from N(1, 1), biases are 0; gradient descent at the constant rate 0.1, in
  batches of 64 (Futhark: 128). How many epochs it does not say: as many as ours.
- A population's weights W are put into [0, 1], (W − min W) / (max W − min W), so that all are
  excitatory, and a synapse has 0.065 / n µS of that, n being the presynaptic size.
- There are no biases, nor other constant currents, and nothing is measured.
- An input gets a constant current proportional to its value, 12 nA for the value 1.

Ours changes five things, the switches of a ``Recipe``:

    switch            off, as in the original              on
    initialisation    N(1, 1) and gradient descent         ``volr.training``'s
    signs             weights shifted to be 0 or more      as trained
    biases            none                                 as trained, constant currents
    scaling           0.065 / n of the weights' range      by percentiles of activations and in
                                                           units of the neuron
    calibration       none                                 gains and offsets, measured
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

import numpy as np

from volr.checks.names import named
from volr.errors import DataError
from volr.models.model import ArtificialModel
from volr.models.parameters import parameter_shapes, weight_name
from volr.training import TrainingSettings, train_ann

if TYPE_CHECKING:
    from volr.models.samples import Samples
    from volr.network import Network
    from volr.training.artificial import TrainingBackend
    from volr.training.result import Training, TrainingProgress

RATE = 0.1
BATCH_SIZES: dict[TrainingBackend, int] = {"torch": 64, "futhark": 128}
# Sets these random numbers apart from those that others draw with the same seed.
_STREAM = 0x0416


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Which of the original's shortcomings are repaired."""

    initialisation: bool
    signs: bool
    biases: bool
    scaling: bool
    calibration: bool


ORIGINAL = Recipe(initialisation=False, signs=False, biases=False, scaling=False, calibration=False)
OURS = Recipe(initialisation=True, signs=True, biases=True, scaling=True, calibration=True)
SWITCHES: tuple[str, ...] = tuple(each.name for each in fields(Recipe))
"""In the order in which the ladder repairs them: that of the parts of a transfer."""


def _ladder() -> dict[str, Recipe]:
    rung, rungs = ORIGINAL, {"original": ORIGINAL}
    for switch in SWITCHES:
        rung = replace(rung, **{switch: True})
        rungs[f"+ {switch}"] = rung
    # The last rung has everything.
    del rungs[f"+ {SWITCHES[-1]}"]
    return rungs | {"ours": OURS}


LADDER: dict[str, Recipe] = _ladder()
"""From the original to ours, one repair after the other; ``ours`` adds the last of them."""
LEFT_OUT: dict[str, Recipe] = {
    f"ours − {switch}": replace(OURS, **{switch: False}) for switch in SWITCHES
}
"""Ours without one of its repairs each; the last of them is the ladder's last rung but one."""


def recipe_named(name: str) -> Recipe:
    """The step of that name, in ``LADDER`` or ``LEFT_OUT``; ``DataError`` names the nearest."""
    return named("step", name, LADDER | LEFT_OUT, DataError)


def recipe_training(
    recipe: Recipe,
    seed: int,
    settings: TrainingSettings = TrainingSettings(),
    backend: TrainingBackend = "torch",
) -> TrainingSettings:
    """How the artificial network is trained; ``settings`` are ours, whose epochs both take."""
    if recipe.initialisation:
        return replace(settings, seed=seed)
    return TrainingSettings(
        epochs=settings.epochs,
        batch_size=BATCH_SIZES[backend],
        optimizer="sgd",
        learning_rate=RATE,
        schedule="constant",
        validation=0.0,
        candidates=1,
        seed=seed,
    )


def recipe_initial(network: Network, recipe: Recipe, seed: int) -> ArtificialModel | None:
    """What training begins with; None where ours is drawn."""
    return None if recipe.initialisation else original_start(network, seed)


def original_start(network: Network, seed: int) -> ArtificialModel:
    """The original's initialisation: weights from N(1, 1) and biases 0."""
    random = np.random.default_rng((_STREAM, seed))
    weights = {weight_name(projection) for projection in network.projections}
    return ArtificialModel(
        network,
        {
            name: random.normal(1.0, 1.0, shape) if name in weights else np.zeros(shape)
            for name, shape in parameter_shapes(network).items()
        },
    )


def recipe_ann(
    network: Network,
    samples: Samples,
    recipe: Recipe,
    seed: int,
    settings: TrainingSettings = TrainingSettings(),
    *,
    backend: TrainingBackend = "torch",
    progress: TrainingProgress | None = None,
) -> Training[ArtificialModel]:
    """The artificial network, trained on ``samples`` as the recipe says.

    Only ``initialisation`` matters: recipes that agree in it have the same model. Raises as
    ``train_ann`` does.
    """
    return train_ann(
        network,
        samples,
        recipe_training(recipe, seed, settings, backend),
        on=backend,
        initial=recipe_initial(network, recipe, seed),
        progress=progress,
    )
