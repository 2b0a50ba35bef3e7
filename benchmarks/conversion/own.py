"""Volr's own transfers: by rates, and by first spikes. All run on the engine.

Rates are those of `volr transfer` with the options that docs/results.md has for LeNet: reset by
subtraction, synaptic currents of 1 ms, no refractory period but a step, 50 ms in steps of 0.5 ms;
500 training images calibrate. First spikes are those of `volr quantise --levels L` and `volr
transfer --coding first-spike`, which have no other options.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np

import volr
from conversion.base import Reading
from volr.experiments.costs.measure import operations
from volr.models.coding import decode_counts
from volr.models.samples import Samples

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from volr.backends.base import Simulator
    from volr.checks.arrays import Floats
    from volr.models.model import ArtificialModel, SpikingModel

LEVELS = (8, 32)


class Own:
    """A spiking network on a simulator."""

    family = "Volr"

    def __init__(self, name: str, model: SpikingModel, simulator: Simulator) -> None:
        self.name = name
        self._model, self._simulator = model, simulator
        # The engine compiles what it has not seen yet.
        simulator.run(model, np.zeros((2, model.network.input_size)))

    def run(self, images: Floats, number: int) -> Sequence[Reading]:
        """See ``Converted``. Spikes are counted in a second run, whose records take time."""
        del number
        started = time.perf_counter()
        found = self._simulator.run(self._model, images)
        labels, _ = decode_counts(found.output_values(self._model))
        seconds = time.perf_counter() - started
        unlabelled = Samples(images, np.zeros(len(images), np.int64))
        costs = operations(self._model, unlabelled, self._simulator)
        count = len(images)
        return [
            Reading(
                self._model.steps,
                labels,
                seconds,
                costs.active * count,
                costs.acs * count,
                costs.macs * count,
            )
        ]


class FirstSpikes(Own):
    """First spikes, whose whole numbers are held against those of the quantised network."""

    def __init__(self, levels: int, quantised: ArtificialModel, simulator: Simulator) -> None:
        spiking = volr.to_first_spikes(quantised)
        super().__init__(f"first spikes, {levels} levels", spiking, simulator)
        self.quantised, self.levels = quantised, levels
        self.compared = self.different = self.images = self.other_labels = 0

    def run(self, images: Floats, number: int) -> Sequence[Reading]:
        """See ``Converted``."""
        readings = super().run(images, number)
        agreement = volr.verify_against(self._model, self.quantised, self._simulator, images)
        self.compared += agreement.compared
        self.different += agreement.different
        self.images += len(images)
        self.other_labels += int((readings[0].labels != self.quantised_labels(images)).sum())
        return readings

    def quantised_labels(self, images: Floats) -> NDArray[np.int64]:
        """What the quantised network answers on PyTorch, ``[batch]``."""
        backend = volr.backend("torch")
        assert isinstance(backend, volr.ArtificialBackend)
        return backend.build(self.quantised)(images).argmax(axis=1)


def networks(model: ArtificialModel, train: Samples, simulator: Simulator) -> Iterator[Own]:
    """By rates, unless the largest of a window goes on, and by first spikes."""
    if all(each.merge == "sum" for each in model.network.populations):
        neuron = volr.IFCurrExp(tau_syn_E=1.0, tau_syn_I=1.0, tau_refrac=0.5, reset="subtract")
        settings = volr.TransferSettings(neuron=neuron)
        yield Own("rates", volr.transfer_ann(model, train, simulator, settings).model, simulator)
    for levels in LEVELS:
        made = volr.quantise(model, train, volr.QuantisationSettings(levels=levels))
        yield FirstSpikes(levels, made.model, simulator)
