"""The original work's recipe, flaws included, and what each repair is worth."""

from __future__ import annotations

from volr.experiments.original.loop import LoopTraining, train_original
from volr.experiments.original.recipe import (
    LADDER,
    LEFT_OUT,
    ORIGINAL,
    OURS,
    Recipe,
    original_start,
    recipe_ann,
    recipe_initial,
    recipe_named,
    recipe_training,
)
from volr.experiments.original.transfer import INPUTS, NEURON, recipe_transfer, stripped

__all__ = [
    "INPUTS",
    "LADDER",
    "LEFT_OUT",
    "NEURON",
    "ORIGINAL",
    "OURS",
    "LoopTraining",
    "Recipe",
    "original_start",
    "recipe_ann",
    "recipe_initial",
    "recipe_named",
    "recipe_training",
    "recipe_transfer",
    "stripped",
    "train_original",
]
