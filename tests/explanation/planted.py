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
from volr.explanation import Explanation, explain
from volr.models.model import ArtificialModel, SpikingModel
from volr.models.samples import Samples
from volr.transfer import TransferSettings, transfer_ann

if TYPE_CHECKING:
    from volr.checks.arrays import Floats

INPUT, HIDDEN = "input->dense_1.weight", "dense_1->dense_2.weight"
BIAS = "dense_1.bias"
TEST = 200
FLAT = (40,)


@lru_cache(maxsize=8)
def artificial(hidden: tuple[int, ...] = FLAT) -> ArtificialModel:
    """`dense 12 40 ⦶ dense 40 5`, or with other hidden layers; random weights of either sign."""
    network, rng = chain(12, *hidden, 5), np.random.default_rng(0)
    values: dict[str, Floats] = {}
    for projection in network.projections:
        target, size = projection.target, network[projection.source].size
        shape = (network[target].size, size)
        values[f"{projection.source}->{target}.weight"] = rng.normal(
            0.0, 1.5 / math.sqrt(size), shape
        )
        spread = 0.2 if target in network.outputs else 0.4
        values[f"{target}.bias"] = rng.normal(0.0, spread, shape[0])
    # Logits whose means differ would leave most stimuli to one class.
    [output] = network.outputs
    shown = activations(ArtificialModel(network, values), stimuli(500, 1))[output]
    values[f"{output}.bias"] = values[f"{output}.bias"] - shown.mean(axis=0)
    return ArtificialModel(network, values)


def stimuli(count: int, seed: int) -> Floats:
    return np.random.default_rng(seed).random((count, 12))


@lru_cache(maxsize=8)
def labelled(count: int, seed: int, hidden: tuple[int, ...] = FLAT) -> Samples:
    """Stimuli with the labels that the ANN gives them, the half of it that it is surer of."""
    inputs = stimuli(2 * count, seed)
    ann = artificial(hidden)
    logits = activations(ann, inputs)[ann.network.outputs[0]]
    ranked = np.sort(logits, axis=1)
    sure = np.sort(np.argsort(ranked[:, -2] - ranked[:, -1])[:count])
    return Samples(inputs[sure], logits[sure].argmax(axis=1))


@lru_cache(maxsize=32)
def transferred(
    settings: TransferSettings = TransferSettings(dt=0.25, rounds=1),
    hidden: tuple[int, ...] = FLAT,
) -> SpikingModel:
    with ENGINE.start() as engine:
        return transfer_ann(artificial(hidden), labelled(150, 2, hidden), engine, settings).model


@lru_cache(maxsize=1)
def sound() -> SpikingModel:
    """A spiking model without a mistake, which the tests then make."""
    return transferred()


def changed(model: SpikingModel, **values: Floats) -> SpikingModel:
    """The model with other parameters; a name has _ for what is no letter."""
    names = {name.replace("->", "_").replace(".", "_"): name for name in model.parameters}
    others = {names[name]: value for name, value in values.items()}
    return replace(model, parameters={**model.parameters, **others})


def accuracy(model: SpikingModel) -> float:
    """The share of the test stimuli whose label has the most spikes, the first of equal ones."""
    samples = labelled(TEST, 3, hidden_of(model))
    with ENGINE.start() as engine:
        counts = engine.run(model, samples.inputs).counts[model.network.outputs[0]]
    return float((counts.argmax(axis=1) == samples.labels).mean())


def explained(model: SpikingModel, *, train: bool = False, calibrating: int = 150) -> Explanation:
    """``train``: with remedies tried, each calibrated on so many stimuli."""
    hidden = hidden_of(model)
    with ENGINE.start() as engine:
        return explain(
            artificial(hidden),
            model,
            labelled(TEST, 3, hidden),
            engine,
            train=labelled(calibrating, 2, hidden) if train else None,
        )


def hidden_of(model: SpikingModel) -> tuple[int, ...]:
    return tuple(population.size for population in model.network.layers[:-1])
