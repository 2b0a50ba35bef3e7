"""sinabs' ``from_model``, as its tutorials use it.

"Converting an ANN to an SNN" (sinabs.readthedocs.io, MNIST) says:

- ``from_model(ann, input_shape, add_spiking_output=True)``, all else as it is by default: a neuron
  may spike several times in a step, and its membrane stays above −1.
- A pixel spikes in a step with the probability of its value.
- Answers are the outputs with the most spikes.

"Scaling parameters for rate-coded conversion to SNNs" says what to do where that is not enough:
``sinabs.utils.normalize_weights`` divides the weights of each layer, so that the 99th percentile of
its activations is 1. Then the weights of the first layer are multiplied by a factor of "2-10", by
trial. The factor here is the first of 1, 2, 5 and 10 with the most right answers for training
images.

The networks of these tutorials have no biases. ``normalize_weights`` divides a bias as it does the
weights beside it, and does not divide it by what the layers before were divided by, so a network
with biases computes something else afterwards. Here the function gets one layer at a time, and the
biases of all later layers are divided too. So the network computes the same as before.
"""

from __future__ import annotations

import copy
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from peers.base import library
from torch import nn

from conversion.base import STEPS, FanOut, Reading, right

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from torch import Tensor

    from conversion.carried import Carried
    from volr.checks.arrays import Floats
    from volr.models.samples import Samples

# So many steps go through the network at once, since these are all in memory.
_TOGETHER = 8
_NORMALISED_ON = 1000
_FACTORS = (1.0, 2.0, 5.0, 10.0)
_TRIED_ON, _TRIED_FOR = 500, 32


class Sinabs:
    """A network that ``from_model`` made of these modules."""

    family = "sinabs"

    def __init__(self, carried: Carried, modules: nn.Sequential, name: str, batch: int) -> None:
        self.name = name
        self._carried = carried
        self._fan_out = FanOut(carried.model)
        self._utils = library("sinabs.utils")
        self._net: Any = (
            library("sinabs.from_torch")
            .from_model(
                modules, input_shape=carried.shape, add_spiking_output=True, batch_size=batch
            )
            .spiking_model
        )
        self._net.eval()
        of = library("sinabs.layers").StatefulLayer
        self._seen: list[Tensor] = []
        for each in self._net.modules():
            if isinstance(each, of):
                each.register_forward_hook(self._see)

    def _see(self, module: object, given: object, output: Tensor) -> None:
        del module, given
        self._seen.append(output)

    def run(self, images: Floats, number: int, most: int = max(STEPS)) -> Sequence[Reading]:
        """See ``Converted``. ``most`` is the number of steps."""
        self._utils.reset_states(self._net)
        self._utils.set_batch_size(self._net, len(images))
        random = torch.Generator().manual_seed(number)
        values = self._carried.given(images).unsqueeze(1).expand(-1, _TOGETHER, -1, -1, -1)
        network = self._carried.model.network
        names = (*network.inputs, *self._carried.neurons, *network.outputs)
        sent = {
            each: torch.zeros(len(self._fan_out.of[each]), dtype=torch.float64) for each in names
        }
        readings: list[Reading] = []
        seconds, total = 0.0, torch.zeros(())
        with torch.no_grad():
            for step in range(_TOGETHER, most + 1, _TOGETHER):
                started = time.perf_counter()
                given = (torch.rand(values.shape, generator=random) < values).float().flatten(0, 1)
                found: Tensor = self._net(given)
                total = total + found.unflatten(0, (len(images), _TOGETHER)).sum(dim=1)
                seconds += time.perf_counter() - started
                for each, spikes in zip(names, (given, *self._seen), strict=True):
                    sent[each] += spikes.flatten(1).sum(dim=0)
                self._seen.clear()
                if step in STEPS:
                    labels = total.argmax(dim=1).numpy()
                    acs = self._fan_out.operations({n: each.numpy() for n, each in sent.items()})
                    spikes = float(sum(each.sum() for each in sent.values()))
                    readings.append(Reading(step, labels, seconds, spikes, acs, 0.0))
        return readings


def networks(carried: Carried, train: Samples, batch: int) -> Iterator[Sinabs]:
    """The network as it is, and with weights that are scaled. There is no rule for maxima."""
    if carried.largest:
        return
    yield Sinabs(carried, copy.deepcopy(carried.modules), "as it is", batch)
    even = normalised(carried, train.inputs[:_NORMALISED_ON])
    some = train.first(_TRIED_ON)
    tried: dict[float, int] = {}
    for factor in _FACTORS:
        network = Sinabs(carried, amplified(even, factor), "", len(some))
        answers = network.run(some.inputs, 0, _TRIED_FOR)[-1].labels
        tried[factor] = right(answers, np.asarray(some.labels))
    best = max(_FACTORS, key=lambda factor: tried[factor])
    yield Sinabs(carried, amplified(even, best), f"normalised, × {best:g}", batch)


def normalised(carried: Carried, images: Floats) -> nn.Sequential:
    """The same function, up to a factor; the 99th percentile of each ReLU's activations is 1."""
    modules = copy.deepcopy(carried.modules)
    utils = library("sinabs.utils")
    names = [name for name, _ in modules.named_children()]
    weighted = [name for name in names if hasattr(modules.get_submodule(name), "weight")]
    relus = [name for name in names if isinstance(modules.get_submodule(name), nn.ReLU)]
    for number, (relu, layer) in enumerate(zip(relus, weighted[:-1], strict=True)):
        weights = modules.get_submodule(layer).get_parameter("weight")
        before = float(weights.abs().sum())
        utils.normalize_weights(modules, carried.given(images), [relu], [layer])
        for later in weighted[number + 1 :]:
            modules.get_submodule(later).get_parameter("bias").data *= (
                float(weights.abs().sum()) / before
            )
    return modules


def amplified(modules: nn.Sequential, factor: float) -> nn.Sequential:
    """The first layer's weights times a factor, and all biases, so that answers stay the same."""
    changed = copy.deepcopy(modules)
    changed[0].get_parameter("weight").data *= factor
    for name, each in changed.named_parameters():
        if name.endswith("bias"):
            each.data *= factor
    return changed
