"""Mistakes to plant into back ends: each is a model as a back end with that mistake has it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from volr.backends.base import Record
from volr.backends.engine import ENGINE, EngineSimulator
from volr.models.model import ArtificialModel, SpikingModel
from volr.network import Network, Population, Projection

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike

    from volr.backends.base import Progress, Recordings
    from volr.backends.readback import SpikingReadback
    from volr.checks.arrays import Floats
    from volr.models.spike_trains import SpikeTrains

# Two branches of one size that are merged, so that populations can be exchanged, and a square block
# and others that are not, so that each kind can be transposed.
TWINS = Network(
    populations=tuple(
        Population(name, (size,))
        for name, size in {"input": 5, "left": 4, "right": 4, "square": 4, "last": 3}.items()
    ),
    projections=(
        Projection("input", "left"),
        Projection("input", "right"),
        Projection("left", "square"),
        Projection("right", "square"),
        Projection("square", "last"),
    ),
    inputs=("input",),
    outputs=("last",),
)


ModelT = TypeVar("ModelT", ArtificialModel, SpikingModel)


def with_block(model: ModelT, name: str, change: Callable[[Floats], Floats]) -> ModelT:
    values = {**model.parameters, f"{name}.weight": change(model.parameters[f"{name}.weight"])}
    return replace(model, parameters=values)


def exchanged(model: ModelT) -> ModelT:
    """The branches in the wrong order where they are merged."""
    values = dict(model.parameters)
    a, b = "left->square.weight", "right->square.weight"
    values[a], values[b] = values[b], values[a]
    return replace(model, parameters=values)


def transposed(model: ModelT) -> ModelT:
    return with_block(model, "left->square", np.transpose)


def misread(model: ModelT) -> ModelT:
    """A block that is not square, its numbers taken in the other order."""
    return with_block(model, "input->left", lambda w: w.ravel().reshape(w.shape[::-1]).T)


def flipped(model: ModelT) -> ModelT:
    return with_block(model, "right->square", np.negative)


def unsigned(model: ModelT) -> ModelT:
    values = {
        name: np.abs(value) if name.endswith("weight") else value
        for name, value in model.parameters.items()
    }
    return replace(model, parameters=values)


def late(model: SpikingModel) -> SpikingModel:
    return replace(model, delay=model.delay + model.dt)


def soft(model: SpikingModel) -> SpikingModel:
    return replace(model, neuron=replace(model.neuron, reset="subtract"))


def tireless(model: SpikingModel) -> SpikingModel:
    return replace(model, neuron=replace(model.neuron, tau_refrac=0.0))


def unoffset(model: SpikingModel) -> SpikingModel:
    return replace(model, neuron=replace(model.neuron, i_offset=0.0))


class Mistaken:
    """The engine with a mistake: in what it does, and, unless it hides it, in what it holds."""

    def __init__(
        self, mistake: Callable[[SpikingModel], SpikingModel], *, hidden: bool = False
    ) -> None:
        self.backend = ENGINE
        self.mistake = mistake
        self.hidden = hidden

    def run(
        self,
        model: SpikingModel,
        stimuli: ArrayLike | SpikeTrains,
        *,
        record: Record = Record(),
        seed: int = 0,
        first: int = 0,
        progress: Progress | None = None,
    ) -> Recordings:
        wrong = self.mistake(model)
        return EngineSimulator().run(
            wrong, stimuli, record=record, seed=seed, first=first, progress=progress
        )

    def read_back(self, model: SpikingModel) -> SpikingReadback:
        return EngineSimulator().read_back(model if self.hidden else self.mistake(model))
