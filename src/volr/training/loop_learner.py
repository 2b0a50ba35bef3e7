"""A spiking network in training with a simulator in the loop.

In the forward pass the simulator runs a minibatch and reports spike counts. In the backward pass
these counts are the activations of ordinary backpropagation. The activations of a population are

    n + f′ (z − (z as a constant))

where n is the measured count, z the charge that arrives with the counts measured in its sources,
and f′ the derivative of the rate model (``volr.training.rate_model``). The value of this is n, and
its derivative is that of f. The counts of the inputs follow from the coding.

With constant currents a stimulus always has the same answer. So each distinct stimulus of a
minibatch is simulated once; NAND and XOR have four. Candidates of small networks are simulated as
one network.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from volr.backends.base import Record
from volr.models.coding import (
    ConstantCurrent,
    Poisson,
    by_input,
    in_rates,
    input_drive,
    input_levels,
)
from volr.neurons.response import count_levels
from volr.training.backpropagation import TensorSamples
from volr.training.learner import HiddenActivity
from volr.training.rate_model import charge, membrane_slope, slope
from volr.training.side_by_side import apart, fits, side_by_side
from volr.training.spiking_units import FormLearner

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import Tensor

    from volr.backends.base import Simulator
    from volr.checks.arrays import Floats, Integers
    from volr.models.model import SpikingModel
    from volr.models.samples import Samples
    from volr.network import Network
    from volr.training.backpropagation import Answer, Values
    from volr.training.spiking import SpikingSettings

# Simulators are slow, so fewer samples than elsewhere decide between candidates, and show the
# activity of hidden populations.
_DECIDING, _LOOKED_AT = 256, 1024
# The most samples that the simulator gets at once where nothing is learned.
_CHUNK = 1024


@dataclass(frozen=True)
class Measured:
    """Spike counts of all that spikes, mean membranes (mV) of all that does not.

    Both ``[stimulus, unit]``, by name.
    """

    counts: Mapping[str, Tensor]
    means: Mapping[str, Tensor]


@dataclass
class LoopLearner(FormLearner):
    """See ``volr.training.learner.Learner``."""

    network: Network
    settings: SpikingSettings
    simulator: Simulator
    seed: int
    start: SpikingModel | None = None

    @property
    def chunk(self) -> int:
        return _CHUNK

    @property
    def deciding(self) -> int:
        return _DECIDING

    def part(self, samples: Samples) -> TensorSamples:
        """Inputs are the values, float64 ``[batch, unit]``."""
        return TensorSamples(torch.tensor(samples.inputs), torch.tensor(samples.labels))

    def slower(self, candidates: int) -> float:
        """Small networks run side by side, as quickly as one. Others run one after the other."""
        return 0.0 if fits(self.network, candidates) else candidates - 1.0

    def answers(self, candidates: Sequence[Values], inputs: Tensor) -> list[Answer]:
        """Run the simulator."""
        stimuli, rows = self._distinct(inputs.numpy())
        models = [self._sound(values) for values in candidates]
        measured = self._measure(models, stimuli, self.next_seed())
        return [self._answer(one, m, rows) for one, m in zip(candidates, measured, strict=True)]

    def activity(self, values: Values, everything: TensorSamples) -> HiddenActivity:
        """The dead never spike, on the first 1,024 samples: simulating all would take too long."""
        stimuli = everything.inputs[:_LOOKED_AT].numpy()
        [measured] = self._measure([self.form.model(values)], stimuli, self.next_seed())
        counts, seconds = measured.counts, self.settings.duration / 1000.0
        return HiddenActivity(
            dead={name: int((counts[name].sum(dim=0) == 0).sum()) for name in self.form.hidden},
            rates={name: float(counts[name].mean()) / seconds for name in self.form.hidden},
        )

    def _sound(self, values: Mapping[str, Tensor]) -> SpikingModel:
        """The model to simulate, with 0 for what has diverged: the logits show that it has."""
        finite = {
            name: torch.nan_to_num(each.detach(), 0.0, 0.0, 0.0) for name, each in values.items()
        }
        return self.form.model(finite)

    def _answer(self, values: Mapping[str, Tensor], measured: Measured, rows: Tensor) -> Answer:
        """Logits and penalty, differentiable; ``rows`` are the stimuli of the minibatch."""
        network, neuron, duration = self.network, self.settings.neuron, self.settings.duration
        counts = {name: measured.counts[name][rows] for name in network.inputs}
        membranes: dict[str, Tensor] = {}
        for population in network.layers:
            name = population.name
            z = charge(network, population, values, counts, neuron, duration)
            # 0, with the derivative of z.
            change = z - z.detach()
            if name in measured.counts:
                spikes = measured.counts[name][rows]
                counts[name] = spikes + slope(z.detach(), spikes) * change
            else:
                mean = measured.means[name][rows]
                membranes[name] = mean + membrane_slope(neuron, duration) * change
        return self.form.answer(counts, membranes)

    def _measure(
        self, models: Sequence[SpikingModel], stimuli: Floats, seed: int
    ) -> list[Measured]:
        """What each model does; they run as one network where that is quicker."""
        first, count = models[0], len(models)
        given = input_counts(first, stimuli, seed)
        spiking = tuple(p.name for p in self.network.layers if first.is_spiking(p.name))
        together = count > 1 and fits(self.network, count)
        found = [
            self.simulator.run(model, stimuli, record=Record(counts=spiking), seed=seed)
            for model in ([side_by_side(models)] if together else models)
        ]
        counts = [each.counts for each in found]
        means = [each.means for each in found]
        if together:
            counts, means = apart(counts[0], count), apart(means[0], count)
        return [
            Measured(_tensors({**given, **of_counts}), _tensors(of_means))
            for of_counts, of_means in zip(counts, means, strict=True)
        ]

    def _distinct(self, inputs: Floats) -> tuple[Floats, Tensor]:
        """The stimuli to simulate, and which of them each row of ``inputs`` is."""
        match self.settings.input_coding:
            case ConstantCurrent():
                stimuli, rows = np.unique(inputs, axis=0, return_inverse=True)
                return stimuli, torch.as_tensor(rows)
            case Poisson():
                return inputs, torch.arange(len(inputs))


def input_counts(model: SpikingModel, stimuli: Floats, seed: int) -> dict[str, Integers]:
    """The spike counts ``[batch, unit]`` of the inputs, by name, without running a simulator."""
    match in_rates(model.coding):
        case ConstantCurrent() as coding:
            levels, _ = count_levels(model.neuron, model.dt, model.steps)
            which = input_levels(coding, model.neuron, model.dt, model.steps, stimuli)
            return by_input(model.network, levels[which])
        case Poisson():
            drive = input_drive(model, stimuli, seed=seed)
            return {name: spikes.sum(axis=0) for name, spikes in drive.spikes.items()}


def _tensors(arrays: Mapping[str, Floats | Integers]) -> dict[str, Tensor]:
    return {name: torch.as_tensor(each.astype(np.float32)) for name, each in arrays.items()}
