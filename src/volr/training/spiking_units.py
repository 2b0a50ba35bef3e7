"""A spiking network in training: parameters in units of its neurons, and logits from its counts.

A weight of 1 has the charge of a spike, excitatory or inhibitory. A bias of 1 is the rheobase, or
its replacement without leak (``rate_model.current_unit``). So one learning rate fits all neuron
models. With conductances the unit depends on the sign: the driving force of inhibition is some 12
mV, that of excitation 57.

**Start.** An artificial network is initialised as for its own training (no neuron silent for all
samples, none always active). The analytic part of the transfer maps it to the spiking one, so that
every population begins with rates that its neurons can have.

**Logits.** ``count``: the spikes of each output over those of the full rate, times ``SHARPNESS``.
The full rate is that of the transfer: rate_max, or more with conductances. ``membrane``: its mean
above rest, in units of v_thresh − v_reset, times ``SHARPNESS``.

**Penalty.** ``rate_penalty`` · (1 − r/f)² for each hidden neuron whose mean rate r over the
minibatch is below the floor f, averaged over the neurons of a population, summed over populations.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import torch

from volr.backends.reference import activations
from volr.backends.torch.module import array_of
from volr.models.activations import ReLU
from volr.models.model import ArtificialModel, SpikingModel
from volr.models.parameters import bias_name, weight_name
from volr.training.backpropagation import Answer, TensorLearner
from volr.training.initialisation import initial_parameters
from volr.training.rate_model import current_unit
from volr.transfer.scaling import Correction, scales, spiking_model
from volr.transfer.settings import TransferSettings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import Tensor

    from volr.checks.arrays import Floats
    from volr.models.samples import Samples
    from volr.network import Network
    from volr.training.backpropagation import Values
    from volr.training.spiking import SpikingSettings

SHARPNESS = 10.0
"""The logit of an output at its full rate, or of a membrane at the threshold."""
TAUGHT_SHARPNESS = 40.0
"""The same with a teacher, whose information is in the smaller probabilities."""


@dataclass(frozen=True)
class Unit:
    """The value of a parameter in the model that is 1 in training, if positive or negative."""

    positive: float
    negative: float

    @property
    def least(self) -> float:
        return min(self.positive, self.negative)

    def to_model(self, values: Tensor) -> Tensor:
        """The parameter in the model's unit, differentiable."""
        if self.positive == self.negative:
            return values * self.positive
        return torch.where(values < 0, values * self.negative, values * self.positive)

    def to_training(self, values: Floats) -> Floats:
        """The parameter in training's unit."""
        return values / np.where(values < 0, self.negative, self.positive)


@dataclass(frozen=True)
class SpikingForm:
    """The parameters, starts and logits of spiking networks in training, whatever runs them."""

    network: Network
    settings: SpikingSettings
    sharpness: float = SHARPNESS

    @cached_property
    def units(self) -> dict[str, Unit]:
        """The unit of every parameter."""
        neuron = self.settings.neuron
        synapse = Unit(neuron.unit_weight, neuron.inhibitory_unit)
        bias = current_unit(neuron, self.settings.duration)
        current = Unit(bias, bias)
        units = {weight_name(each): synapse for each in self.network.projections}
        return units | {bias_name(each): current for each in self.network.layers}

    @cached_property
    def mapping(self) -> TransferSettings:
        """The transfer from an artificial network to this kind of spiking network."""
        return TransferSettings.of(self.settings)

    @property
    def least_units(self) -> dict[str, float]:
        """The smaller unit of every parameter. No value is larger in training than in this unit."""
        return {name: unit.least for name, unit in self.units.items()}

    @property
    def hidden(self) -> list[str]:
        """The populations that are not outputs."""
        return [p.name for p in self.network.layers if p.name not in self.network.outputs]

    def to_model(self, values: Mapping[str, Tensor]) -> Values:
        """Parameters in the model's units, differentiable."""
        return {name: self.units[name].to_model(value) for name, value in values.items()}

    def to_training(self, model: SpikingModel) -> dict[str, Floats]:
        """A model's parameters in units of training."""
        return {name: self.units[name].to_training(v) for name, v in model.parameters.items()}

    def model(self, values: Mapping[str, Tensor]) -> SpikingModel:
        """The spiking model with these parameters, which are in units of training."""
        exact = {name: value.detach().double() for name, value in values.items()}
        return self.with_parameters(
            {name: array_of(value) for name, value in self.to_model(exact).items()}
        )

    def with_parameters(self, parameters: Mapping[str, Floats]) -> SpikingModel:
        """The spiking model with these parameters, which are in its own units."""
        return self.settings.model(self.network, parameters, self.settings.readout)

    def random_start(self, inputs: Floats, random: np.random.Generator) -> dict[str, Floats]:
        """An artificial network that was initialised on ``inputs`` and transferred untrained."""
        drawn = initial_parameters(self.network, ReLU(), inputs, random)
        artificial = ArtificialModel(self.network, drawn)
        scale = scales(self.network, activations(artificial, inputs), self.mapping)
        none = {population.name: Correction() for population in self.network.layers}
        made = spiking_model(artificial, self.network, scale, none, self.mapping)
        return self.to_training(made)

    def answer(self, counts: Mapping[str, Tensor], membranes: Mapping[str, Tensor]) -> Answer:
        """Logits and penalty from ``[batch, unit]``: spike counts, and mean membranes (mV)."""
        s = self.settings
        outputs = self.network.outputs
        if s.readout == "count":
            full = self.mapping.full_rate * s.duration / 1000.0
            logits = torch.cat([counts[name] for name in outputs], dim=1) * (self.sharpness / full)
        else:
            logits = torch.cat([membranes[name] for name in outputs], dim=1)
            logits = logits * (self.sharpness / s.neuron.theta)
        if s.rate_penalty == 0 or s.rate_floor == 0:
            return Answer(logits)
        floor = s.rate_floor * s.duration / 1000.0
        missing = [
            (1.0 - counts[name].mean(dim=0) / floor).clamp(min=0.0).square().mean()
            for name in self.hidden
        ]
        return Answer(logits, s.rate_penalty * sum(missing, torch.zeros(())))


class FormLearner(TensorLearner[SpikingModel]):
    """What both learners of spiking networks share: see ``volr.training.learner.Learner``.

    Random input spikes are drawn anew for every minibatch.
    """

    settings: SpikingSettings
    seed: int
    start: SpikingModel | None

    @property
    def sharpness(self) -> float:
        return SHARPNESS

    @cached_property
    def form(self) -> SpikingForm:
        return SpikingForm(self.network, self.settings, self.sharpness)

    @abstractmethod
    def answers(self, candidates: Sequence[Values], inputs: Tensor) -> list[Answer]:
        """The logits of each candidate for ``inputs`` ``[batch, …]``."""

    @property
    def goes_on(self) -> bool:
        """Whether there is a model to go on from."""
        return self.start is not None

    def starts(
        self, samples: Samples, count: int, random: np.random.Generator
    ) -> list[dict[str, Floats]]:
        """The model to go on from, or artificial networks that were transferred untrained."""
        if self.start is not None:
            return [self.form.to_training(self.start)]
        return [self.form.random_start(samples.inputs, random) for _ in range(count)]

    def answer(self, values: Values, inputs: Tensor, candidates: int) -> Answer:
        """See ``answers``."""
        if candidates == 1:
            [answer] = self.answers([values], inputs)
            return answer
        each = [{name: v[index] for name, v in values.items()} for index in range(candidates)]
        answers = self.answers(each, inputs)
        penalties = torch.stack([torch.as_tensor(answer.penalty) for answer in answers])
        return Answer(torch.stack([answer.logits for answer in answers]), penalties)

    def model(self, values: Values) -> SpikingModel:
        """The spiking model with these parameters."""
        return self.form.model(values)

    def next_seed(self) -> int:
        """The seed for the input spikes of the next minibatch."""
        self.drawn += 1
        return (self.seed << 32) + self.drawn
