"""A spiking network in training: parameters in units of its neurons, and the engine for the rest.

A parameter of 1 is a weight that carries the charge of a spike, or a bias of the rheobase, whatever
the neuron model, so that one learning rate fits all of them.

**Start.** An artificial network is initialised as for its own training (no neuron silent for all
samples, none always on) and mapped to the spiking one by the analytic part of the transfer, so that
every population begins with rates that its neurons can have.

**Logits.** ``count``: the spikes of each output, of those at rate_max, times ``SHARPNESS``.
``membrane``: its mean above rest, in units of v_thresh − v_reset, times ``SHARPNESS``.

**Penalty.** For each hidden neuron with r, its mean rate over the minibatch, below the floor f:
``rate_penalty`` · (1 − r/f)², averaged over the neurons of a population, summed over populations.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import torch

from volr.backends.reference import activations
from volr.backends.torch.module import array_of
from volr.engine.autograd import respond
from volr.engine.batches import bytes_per_stimulus
from volr.engine.encoding import Encoded, encode, levels_of, trains_of
from volr.engine.plan import plan_of
from volr.models.activations import ReLU
from volr.models.coding import ConstantCurrent, Poisson
from volr.models.model import ArtificialModel, SpikingModel
from volr.models.parameters import bias_name, parameter_shapes, weight_name
from volr.training.initialisation import initial_parameters
from volr.training.learner import Activity, Answer, Part
from volr.transfer.scaling import Correction, scales, spiking_model
from volr.transfer.settings import TransferSettings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from volr.engine.plan import Plan
    from volr.engine.readout import Response
    from volr.models.arrays import Floats
    from volr.models.samples import Samples
    from volr.network import Network
    from volr.training.candidates import Values
    from volr.training.spiking import SpikingSettings

SHARPNESS = 10.0
"""The logit of an output at rate_max, or of a membrane at the threshold."""
# Samples that are run at once where nothing is learned, and the most memory for their steps.
_CHUNK, _CHUNK_BYTES = 1024, 256_000_000


@dataclass
class SpikingLearner:
    """See ``volr.training.learner.Learner``. Random input spikes are drawn anew for every batch."""

    network: Network
    settings: SpikingSettings
    seed: int
    start: SpikingModel | None = None
    _drawn: int = field(default=0, init=False)

    @property
    def goes_on(self) -> bool:
        """Whether there is a model to go on from."""
        return self.start is not None

    @cached_property
    def plan(self) -> Plan:
        zeros = {name: np.zeros(shape) for name, shape in parameter_shapes(self.network).items()}
        return plan_of(self._model(zeros))

    @cached_property
    def units(self) -> dict[str, float]:
        """How many of the model's units make one of the training's, by parameter."""
        neuron = self.settings.neuron
        units = {weight_name(p): neuron.unit_weight for p in self.network.projections}
        return units | {bias_name(p): neuron.rheobase for p in self.network.layers}

    @cached_property
    def bytes_each(self) -> dict[str, int]:
        """The memory of a stimulus in the engine, by population."""
        return bytes_per_stimulus(self.plan, np.dtype(np.float32))

    @property
    def chunk(self) -> int:
        """Fewer where stimuli are long or populations large."""
        return max(1, min(_CHUNK, _CHUNK_BYTES // sum(self.bytes_each.values())))

    def part(self, samples: Samples) -> Part:
        """Inputs are the levels of constant currents, int32 ``[batch, unit]``, or values."""
        labels = torch.tensor(samples.labels)
        match self.settings.coding:
            case ConstantCurrent():
                levels = levels_of(self.plan, self.settings.coding, samples.inputs)
                return Part(torch.as_tensor(levels), labels)
            case Poisson():
                return Part(torch.tensor(samples.inputs), labels)

    def starts(
        self, samples: Samples, count: int, random: np.random.Generator
    ) -> list[dict[str, Floats]]:
        """The model to go on from, or artificial networks that were transferred untrained."""
        if self.start is not None:
            return [self._in_units(self.start)]
        return [self._in_units(self._random(samples.inputs, random)) for _ in range(count)]

    def slower(self, candidates: int) -> float:
        """They run one after the other."""
        return candidates - 1.0

    def answer(self, values: Values, inputs: Tensor, candidates: int) -> Answer:
        """Run the engine, once for each candidate."""
        encoded = self._encode(inputs)
        if candidates == 1:
            return self._answer(self._respond(values, encoded))
        each = [
            self._answer(
                self._respond({name: value[index] for name, value in values.items()}, encoded)
            )
            for index in range(candidates)
        ]
        penalties = [torch.as_tensor(answer.penalty) for answer in each]
        return Answer(torch.stack([answer.logits for answer in each]), torch.stack(penalties))

    def activity(self, values: Values, everything: Part) -> Activity:
        """The dead never spike."""
        totals = {name: np.zeros(self.network[name].size) for name in self._hidden}
        with torch.no_grad():
            for batch in everything.batches(self.chunk):
                counts = self._respond(values, self._encode(batch.inputs)).counts
                for name, total in totals.items():
                    total += array_of(counts[name]).sum(axis=0)
        seconds = len(everything) * self.settings.duration / 1000.0
        return Activity(
            dead={name: int((total == 0).sum()) for name, total in totals.items()},
            rates={name: float(total.mean()) / seconds for name, total in totals.items()},
        )

    def model(self, values: Values) -> SpikingModel:
        """The spiking model with these parameters."""
        return self._model(
            {name: array_of(value) * self.units[name] for name, value in values.items()}
        )

    @property
    def _hidden(self) -> list[str]:
        return [p.name for p in self.network.layers if p.name not in self.network.outputs]

    def _model(self, parameters: Mapping[str, Floats]) -> SpikingModel:
        s = self.settings
        return SpikingModel(
            network=self.network,
            parameters=parameters,
            neuron=s.neuron,
            coding=s.coding,
            dt=s.dt,
            duration=s.duration,
            delay=s.delay_ms,
            readout=s.readout,
        )

    def _random(self, inputs: Floats, random: np.random.Generator) -> SpikingModel:
        s = self.settings
        drawn = initial_parameters(self.network, ReLU(), inputs, random)
        artificial = ArtificialModel(self.network, drawn)
        mapping = TransferSettings(
            neuron=s.neuron, coding=s.coding, dt=s.dt, duration=s.duration, delay=s.delay
        )
        scale = scales(self.network, activations(artificial, inputs), mapping)
        none = {population.name: Correction() for population in self.network.layers}
        return spiking_model(artificial, self.network, scale, none, mapping)

    def _in_units(self, model: SpikingModel) -> dict[str, Floats]:
        return {name: value / self.units[name] for name, value in model.parameters.items()}

    def _encode(self, inputs: Tensor) -> Encoded:
        match self.settings.coding:
            case ConstantCurrent():
                return trains_of(self.plan, inputs.numpy())
            case Poisson():
                self._drawn += 1
                seed = (self.seed << 32) + self._drawn
                return encode(self.plan, self.settings.coding, inputs.numpy(), seed=seed)

    def _respond(self, values: Mapping[str, Tensor], encoded: Encoded) -> Response:
        scaled = {name: value * self.units[name] for name, value in values.items()}
        return respond(
            self.plan,
            scaled,
            encoded,
            surrogate=self.settings.surrogate,
            window=self.settings.window,
        )

    def _answer(self, response: Response) -> Answer:
        s = self.settings
        outputs = self.network.outputs
        if s.readout == "count":
            full = s.coding.rate_max * s.duration / 1000.0
            logits = torch.cat([response.counts[name] for name in outputs], dim=1)
            logits = logits * (SHARPNESS / full)
        else:
            logits = torch.cat([response.membranes[name] for name in outputs], dim=1)
            logits = logits * (SHARPNESS / s.neuron.theta)
        if s.rate_penalty == 0 or s.rate_floor == 0:
            return Answer(logits)
        floor = s.rate_floor * s.duration / 1000.0
        missing = [
            (1.0 - response.counts[name].mean(dim=0) / floor).clamp(min=0.0).square().mean()
            for name in self._hidden
        ]
        return Answer(logits, s.rate_penalty * sum(missing, torch.zeros(())))
