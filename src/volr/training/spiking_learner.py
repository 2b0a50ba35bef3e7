"""A spiking network in training: the engine runs it, forwards and backwards.

Parameters are in units of its neurons, and logits and penalty are computed from its spike counts;
both are in ``volr.training.spiking_units``. A teacher is an artificial model that gives each label
a probability. Its logits are made such as counts can be: scaled as a transfer would scale them, and
0 where an output is to be silent. No count is below 0, so a network with negative targets would
never stop changing.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import torch

from volr.backends.reference import activations
from volr.backends.torch.module import array_of
from volr.engine.autograd import respond
from volr.engine.cpu.buffers import bytes_per_stimulus
from volr.engine.encoding import Encoded, encode, levels_of, trains_of
from volr.engine.readout import Response
from volr.engine.schedule import schedule_of
from volr.models.coding import ConstantCurrent, Poisson
from volr.models.parameters import parameter_shapes
from volr.training.backpropagation import TensorSamples
from volr.training.learner import HiddenActivity
from volr.training.spiking_units import SHARPNESS, TAUGHT_SHARPNESS, FormLearner
from volr.transfer.scaling import scales
from volr.transfer.settings import TransferSettings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import Tensor

    from volr.checks.arrays import Floats
    from volr.engine.schedule import Schedule
    from volr.models.model import ArtificialModel, SpikingModel
    from volr.models.samples import Samples
    from volr.network import Network
    from volr.training.backpropagation import Answer, Values
    from volr.training.spiking import SpikingSettings
    from volr.training.spiking_units import SpikingForm

# The most samples that run at once where nothing is learned, and the most bytes for their steps.
_CHUNK, _CHUNK_BYTES = 1024, 256_000_000


@dataclass
class SpikingLearner(FormLearner):
    """See ``volr.training.learner.Learner``."""

    network: Network
    settings: SpikingSettings
    seed: int
    start: SpikingModel | None = None
    teacher: ArtificialModel | None = None
    device: str = "cpu"

    @property
    def sharpness(self) -> float:
        return SHARPNESS if self.teacher is None else TAUGHT_SHARPNESS

    @cached_property
    def schedule(self) -> Schedule:
        zeros = {name: np.zeros(shape) for name, shape in parameter_shapes(self.network).items()}
        return schedule_of(self.form.with_parameters(zeros))

    @cached_property
    def bytes_each(self) -> dict[str, int]:
        """The memory of a stimulus in the engine, by population."""
        return bytes_per_stimulus(self.schedule, np.dtype(np.float32))

    @property
    def chunk(self) -> int:
        """Fewer where stimuli are long or populations large."""
        return max(1, min(_CHUNK, _CHUNK_BYTES // sum(self.bytes_each.values())))

    def part(self, samples: Samples) -> TensorSamples:
        """Inputs are the levels of constant currents, int32 ``[batch, unit]``, or values."""
        labels = torch.tensor(samples.labels)
        taught = None if self.teacher is None else _taught(self.teacher, samples.inputs, self.form)
        match self.settings.input_coding:
            case ConstantCurrent() as coding:
                levels = levels_of(self.schedule, coding, samples.inputs)
                return TensorSamples(torch.as_tensor(levels), labels, taught)
            case Poisson():
                return TensorSamples(torch.tensor(samples.inputs), labels, taught)

    def slower(self, candidates: int) -> float:
        """Candidates run one after the other."""
        return candidates - 1.0

    def answers(self, candidates: Sequence[Values], inputs: Tensor) -> list[Answer]:
        """Run the engine, once for each candidate."""
        encoded = self._encode(inputs)
        responses = (self._respond(values, encoded) for values in candidates)
        return [self.form.answer(each.counts, each.membranes) for each in responses]

    def activity(self, values: Values, everything: TensorSamples) -> HiddenActivity:
        """The dead never spike."""
        totals = {name: np.zeros(self.network[name].size) for name in self.form.hidden}
        with torch.no_grad():
            for batch in everything.batches(self.chunk):
                counts = self._respond(values, self._encode(batch.inputs)).counts
                for name, total in totals.items():
                    total += array_of(counts[name]).sum(axis=0)
        seconds = len(everything) * self.settings.duration / 1000.0
        return HiddenActivity(
            dead={name: int((total == 0).sum()) for name, total in totals.items()},
            rates={name: float(total.mean()) / seconds for name, total in totals.items()},
        )

    def _encode(self, inputs: Tensor) -> Encoded:
        match self.settings.input_coding:
            case ConstantCurrent():
                return trains_of(self.schedule, inputs.numpy())
            case Poisson() as coding:
                return encode(self.schedule, coding, inputs.numpy(), seed=self.next_seed())

    def _respond(self, values: Mapping[str, Tensor], encoded: Encoded) -> Response:
        # Everything else in training runs on the CPU, so parameters stay there.
        response = respond(
            self.schedule,
            {name: value.to(self.device) for name, value in self.form.to_model(values).items()},
            encoded,
            surrogate=self.settings.surrogate,
            window=self.settings.window,
        )
        return Response(
            counts={name: each.cpu() for name, each in response.counts.items()},
            membranes={name: each.cpu() for name, each in response.membranes.items()},
        )


def _taught(teacher: ArtificialModel, inputs: Floats, form: SpikingForm) -> Tensor:
    """The probabilities ``[batch, unit]`` that the teacher gives the labels, from logits on the
    scale of the spiking network's.
    """
    network = teacher.network
    shown = activations(teacher, inputs)
    scale = scales(network, shown, TransferSettings())[network.outputs[0]]
    logits = np.concatenate([shown[name] for name in network.outputs], axis=1)
    if form.settings.readout == "count":
        logits = np.maximum(logits - scale.zero, 0.0)
    sharp = torch.as_tensor(logits * (form.sharpness / scale.activation), dtype=torch.float32)
    return torch.softmax(sharp, dim=1)
