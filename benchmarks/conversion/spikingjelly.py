"""SpikingJelly's ``ann2snn``, as its tutorial and its example for MNIST use it.

The tutorial (spikingjelly.readthedocs.io, "ANN2SNN") and
``spikingjelly.activation_based.ann2snn.examples.cnn_mnist`` say:

- Thresholds come from all training images, in batches of 100.
- The image is a constant input in every step. A Poisson encoder "can introduce additional accuracy
  loss".
- Answers are the largest of the sums of the outputs, step by step from the reset network.
- ``RateCodingRecipe`` has a mode: "max", "99.9%", which is recommended, or a fraction of the
  maximum. Fractions of 1/2 to 1/5 are compared; those below 1/3 lose more on their network and on
  this one, and are left out.
- ``LocalThresholdBalancingRecipe`` has thresholds by channel, and membranes that start at half of
  them. It loses less.
- There is no general rule for maxima of windows. Both recipes by channel put them before the
  neurons, so that the largest sum is what a neuron gets: the balancing one by itself, the other
  with ``channel_wise`` and ``pre_spike_maxpool``.
"""

from __future__ import annotations

import copy
import time
from contextlib import redirect_stderr
from io import StringIO
from typing import TYPE_CHECKING, Any

import torch
from peers.base import library

from conversion.base import STEPS, FanOut, Reading

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from torch import Tensor

    from conversion.carried import Carried
    from volr.checks.arrays import Floats

_CALIBRATED_TOGETHER = 100


class SpikingJelly:
    """A network that a recipe of ``ann2snn`` made."""

    family = "SpikingJelly"

    def __init__(
        self, carried: Carried, images: Floats, name: str, recipe: str, **options: object
    ) -> None:
        self.name = name
        self._carried = carried
        self._fan_out = FanOut(carried.model)
        ann2snn = library("spikingjelly.activation_based.ann2snn")
        self._functional = library("spikingjelly.activation_based.functional")
        batches = list(carried.given(images).split(_CALIBRATED_TOGETHER))
        made = getattr(ann2snn, recipe)(dataloader=batches, **options)
        # Its bars of progress would mix with ours.
        with redirect_stderr(StringIO()):
            converter = ann2snn.FXConverter(recipe=made)
            self._net: Any = converter.convert(copy.deepcopy(carried.modules))
        self._net.eval()
        of = library("spikingjelly.activation_based.neuron").BaseNode
        self._seen: list[Tensor] = []
        for each in self._net.modules():
            if isinstance(each, of):
                each.register_forward_hook(self._see)

    def _see(self, module: object, given: object, output: Tensor) -> None:
        del module, given
        self._seen.append(output)

    def run(self, images: Floats, number: int) -> Sequence[Reading]:
        """See ``Converted``."""
        del number
        self._functional.reset_net(self._net)
        given = self._carried.given(images)
        sent = {
            name: torch.zeros(len(self._fan_out.of[name]), dtype=torch.float64)
            for name in self._carried.neurons
        }
        (pixels,) = self._carried.model.network.inputs
        macs = self._fan_out.operations({pixels: (images != 0.0).sum(axis=0)})
        readings: list[Reading] = []
        seconds, total = 0.0, torch.zeros(())
        with torch.no_grad():
            for step in range(1, max(STEPS) + 1):
                started = time.perf_counter()
                total = total + self._net(given)
                seconds += time.perf_counter() - started
                for name, spikes in zip(sent, self._seen, strict=True):
                    sent[name] += spikes.flatten(1).sum(dim=0)
                self._seen.clear()
                if step in STEPS:
                    labels = total.argmax(dim=1).numpy()
                    acs = self._fan_out.operations({n: each.numpy() for n, each in sent.items()})
                    spikes = float(sum(each.sum() for each in sent.values()))
                    readings.append(Reading(step, labels, seconds, spikes, acs, step * macs))
        return readings


def networks(carried: Carried, images: Floats) -> Iterator[SpikingJelly]:
    """The network of each recipe that suits, with thresholds from these training images."""
    rates, balanced = "RateCodingRecipe", "LocalThresholdBalancingRecipe"
    if carried.largest:
        by_channel = {"channel_wise": True, "pre_spike_maxpool": True}
        yield SpikingJelly(carried, images, "99.9%, by channel", rates, mode="99.9%", **by_channel)
    else:
        modes: Mapping[str, object] = {"max": "max", "99.9%": "99.9%", "1/2": 1 / 2, "1/3": 1 / 3}
        for name, mode in modes.items():
            yield SpikingJelly(carried, images, name, rates, mode=mode)
    yield SpikingJelly(carried, images, "balanced", balanced)
