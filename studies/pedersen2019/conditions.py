"""The conditions of the original's method, and what an experiment on it measures.

ann-original            the original's artificial network
original-random         its training with a simulator in the loop, from random weights
original-transferred    the same from the weights of ann-original
original, + signs, …    the steps of the ablation: transfers without any training
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from studies.pedersen2019.loop import train_original
from studies.pedersen2019.recipe import LADDER, LEFT_OUT, ORIGINAL, original_start, recipe_ann
from studies.pedersen2019.transfer import INPUTS, recipe_transfer

from volr.experiments.condition import (
    Built,
    Condition,
    artificial,
    calibrated_on,
    trained,
)
from volr.experiments.conditions import ANN
from volr.experiments.run_progress import of_calibration, of_training
from volr.experiments.settings import FOR_ARTIFICIAL, FOR_SPIKING, FOR_TRANSFER
from volr.training import Epoch

if TYPE_CHECKING:
    from studies.pedersen2019.recipe import Recipe

    from volr.experiments.condition import Ingredients
    from volr.experiments.settings import Settings


def _ann(given: Ingredients) -> Built:
    return trained(
        recipe_ann(
            given.network,
            given.train,
            ORIGINAL,
            given.seed,
            given.settings.training(given.seed),
            progress=of_training(given.progress),
        )
    )


def _in_loop(given: Ingredients) -> Built:
    seed = given.seed
    start = artificial(given.needed[0]) if given.needed else original_start(given.network, seed)
    looped = train_original(
        start,
        given.shown_in_loop,
        given.simulators[given.on],
        given.settings.transfer(seed),
        seed,
        progress=of_calibration(given.progress, "training"),
    )
    return Built(looped.model, (Epoch(float(np.mean(looped.losses)), None, None),))


def _transferred(given: Ingredients, recipe: Recipe) -> Built:
    [ann] = given.needed
    return Built(
        recipe_transfer(
            artificial(ann),
            given.train,
            given.calibrator,
            given.settings.transfer(given.seed),
            recipe,
            progress=of_calibration(given.progress),
        )
    )


def _without_calibration(settings: Settings, _on: str) -> tuple[str, ...]:
    # The rate of the original's inputs is fixed: there may be no room for it in a long step.
    replace(settings.transfer(0), coding=INPUTS)
    return ()


def _with_calibration(settings: Settings, on: str) -> tuple[str, ...]:
    return (*_without_calibration(settings, on), calibrated_on(settings, on))


ANN_ORIGINAL = Condition(
    "ann-original", "torch", _ann, ("epochs",), is_spiking=False, home=__name__
)
RANDOM = Condition(
    "original-random",
    "loop",
    _in_loop,
    (*FOR_SPIKING, "loop_samples"),
    backends=_without_calibration,
    home=__name__,
)
TRANSFERRED = Condition(
    "original-transferred",
    "torch",
    _in_loop,
    (*FOR_SPIKING, "loop_samples", "epochs"),
    needs=(ANN_ORIGINAL,),
    backends=_without_calibration,
    home=__name__,
)


def _step(name: str, recipe: Recipe) -> Condition:
    # Signs and spaces are no part of a file's name.
    words = name.replace("−", "without").replace("+", "with").split()
    return Condition(
        name,
        "torch",
        partial(_transferred, recipe=recipe),
        (*FOR_SPIKING, *FOR_TRANSFER, *FOR_ARTIFICIAL),
        needs=(ANN if recipe.initialisation else ANN_ORIGINAL,),
        backends=_with_calibration,
        file_name="-".join(["ablation", *words]),
        home=__name__,
    )


ABLATION: tuple[Condition, ...] = tuple(
    _step(name, recipe)
    for name, recipe in (LADDER | LEFT_OUT).items()
    # The last rung but one of the ladder has two names.
    if name in LADDER or recipe not in LADDER.values()
)

CONDITIONS: tuple[Condition, ...] = (*ABLATION, ANN_ORIGINAL, RANDOM, TRANSFERRED)
MEASURED: tuple[Condition, ...] = (ANN_ORIGINAL, ANN, RANDOM, TRANSFERRED, *ABLATION)
"""What an experiment has unless told otherwise."""
