"""An ANN that labels its own stimuli, its spiking model, and mistakes that are planted in it."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from tests.oracles import chain

from volr.backends import ENGINE
from volr.backends.reference import activations
from volr.explaining import Explanation, explain
from volr.models.model import ArtificialModel, SpikingModel
from volr.models.samples import Samples
from volr.transfer import TransferSettings, transfer_ann

if TYPE_CHECKING:
    from volr.models.arrays import Floats

INPUT, HIDDEN = "input->dense_1.weight", "dense_1->dense_2.weight"
BIAS = "dense_1.bias"
TEST = 200


@lru_cache(maxsize=1)
def artificial() -> ArtificialModel:
    """`dense 12 40 ⦶ dense 40 5` with random weights of either sign."""
    network, rng = chain(12, 40, 5), np.random.default_rng(0)
    values = {
        INPUT: rng.normal(0.0, 1.5 / math.sqrt(12), (40, 12)),
        BIAS: rng.normal(0.0, 0.4, 40),
        HIDDEN: rng.normal(0.0, 1.5 / math.sqrt(40), (5, 40)),
        "dense_2.bias": rng.normal(0.0, 0.2, 5),
    }
    # Logits whose means differ would leave most stimuli to one class.
    shown = activations(ArtificialModel(network, values), stimuli(500, 1))["dense_2"]
    values["dense_2.bias"] = values["dense_2.bias"] - shown.mean(axis=0)
    return ArtificialModel(network, values)


def stimuli(count: int, seed: int) -> Floats:
    return np.random.default_rng(seed).random((count, 12))


@lru_cache(maxsize=8)
def labelled(count: int, seed: int) -> Samples:
    """Stimuli with the labels that the ANN gives them, the half of it that it is surer of."""
    inputs = stimuli(2 * count, seed)
    logits = activations(artificial(), inputs)["dense_2"]
    ranked = np.sort(logits, axis=1)
    sure = np.sort(np.argsort(ranked[:, -2] - ranked[:, -1])[:count])
    return Samples(inputs[sure], logits[sure].argmax(axis=1))


def transferred(settings: TransferSettings = TransferSettings(dt=0.25, rounds=1)) -> SpikingModel:
    with ENGINE.start() as engine:
        return transfer_ann(artificial(), labelled(150, 2), engine, settings).model


@lru_cache(maxsize=1)
def sound() -> SpikingModel:
    """A spiking model without a mistake, which the tests then make."""
    return transferred()


def changed(model: SpikingModel, **values: Floats) -> SpikingModel:
    """The model with other parameters; a name has _ for what is no letter."""
    names = {name.replace("->", "_").replace(".", "_"): name for name in model.parameters}
    others = {names[name]: value for name, value in values.items()}
    return replace(model, parameters={**model.parameters, **others})


def explained(model: SpikingModel, *, train: bool = False) -> Explanation:
    with ENGINE.start() as engine:
        return explain(
            artificial(),
            model,
            labelled(TEST, 3),
            ENGINE,
            engine,
            train=labelled(150, 2) if train else None,
        )
