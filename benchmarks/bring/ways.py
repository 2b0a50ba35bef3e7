"""What a user writes to make a trained module of PyTorch's a spiking network, by converter.

The lines of a function are those that are counted, so each is as short as the converter's own
documentation has it (``benchmarks/conversion`` names the pages), and no shorter. A function gives
the number of right answers to ``given.images`` after so many ``steps``, and the steps.

Norse and snnTorch have no converter. They write NIR files, which have no ReLU.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from importlib import import_module as library
from typing import TYPE_CHECKING

import torch

import volr

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from torch import Tensor, nn

    from volr.checks.arrays import Floats
    from volr.models.samples import Samples


@dataclass(frozen=True, eq=False)
class Given:
    """What the user has: the trained ``module``, the ``shape`` of its images, and data."""

    module: nn.Sequential
    shape: tuple[int, int, int]
    train: Samples
    test: Samples

    @property
    def calibration(self) -> list[Tensor]:
        """A thousand training images, in batches."""
        return list(self._tensor(self.train.inputs[:1000]).split(100))

    @property
    def images(self) -> Tensor:
        return self._tensor(self.test.inputs)

    @property
    def labels(self) -> Tensor:
        return torch.tensor(self.test.labels)

    def _tensor(self, inputs: Floats) -> Tensor:
        return torch.tensor(inputs, dtype=torch.float32).reshape(-1, *self.shape)


def spikingjelly(given: Given, steps: int) -> tuple[int, int]:
    ann2snn = library("spikingjelly.activation_based.ann2snn")
    recipe = ann2snn.RateCodingRecipe(dataloader=given.calibration, mode="99.9%")
    network = ann2snn.FXConverter(recipe=recipe).convert(given.module)
    with torch.no_grad():
        total = torch.stack([network(given.images) for _ in range(steps)]).sum(0)
    return int((total.argmax(1) == given.labels).sum()), steps


def spikingjelly_by_channel(given: Given, steps: int) -> tuple[int, int]:
    ann2snn = library("spikingjelly.activation_based.ann2snn")
    options = {"mode": "99.9%", "channel_wise": True, "pre_spike_maxpool": True}
    recipe = ann2snn.RateCodingRecipe(dataloader=given.calibration, **options)
    network = ann2snn.FXConverter(recipe=recipe).convert(given.module)
    with torch.no_grad():
        total = torch.stack([network(given.images) for _ in range(steps)]).sum(0)
    return int((total.argmax(1) == given.labels).sum()), steps


def spikingjelly_balanced(given: Given, steps: int) -> tuple[int, int]:
    ann2snn = library("spikingjelly.activation_based.ann2snn")
    recipe = ann2snn.LocalThresholdBalancingRecipe(dataloader=given.calibration)
    network = ann2snn.FXConverter(recipe=recipe).convert(given.module)
    with torch.no_grad():
        total = torch.stack([network(given.images) for _ in range(steps)]).sum(0)
    return int((total.argmax(1) == given.labels).sum()), steps


def sinabs(given: Given, steps: int) -> tuple[int, int]:
    from_model, count = library("sinabs.from_torch").from_model, len(given.images)
    network = from_model(given.module, given.shape, add_spiking_output=True, batch_size=count)
    values = given.images.unsqueeze(1).expand(-1, steps, -1, -1, -1)
    with torch.no_grad():
        spikes = network.spiking_model((torch.rand(values.shape) < values).float().flatten(0, 1))
    total = spikes.unflatten(0, (count, steps)).sum(1)
    return int((total.argmax(1) == given.labels).sum()), steps


def norse(given: Given, steps: int) -> tuple[int, int]:
    to_nir, from_nir = library("norse.torch").to_nir, library("norse.torch").from_nir
    network = from_nir(to_nir(given.module, given.images[:1]))
    with torch.no_grad():
        total = torch.stack([network(given.images)[0] for _ in range(steps)]).sum(0)
    return int((total.argmax(1) == given.labels).sum()), steps


def snntorch(given: Given, steps: int) -> tuple[int, int]:
    export, import_ = library("snntorch.export_nir"), library("snntorch.import_nir")
    network = import_.import_from_nir(export.export_to_nir(given.module, given.images[:1]))
    with torch.no_grad():
        total = torch.stack([network(given.images)[0] for _ in range(steps)]).sum(0)
    return int((total.argmax(1) == given.labels).sum()), steps


def volr_rates(given: Given, steps: int) -> tuple[int, int]:
    model = volr.import_torch(given.module, given.shape).model
    settings = volr.TransferSettings(duration=float(steps), dt=1.0)
    spiking = volr.transfer_ann(model, given.train, settings=settings).model
    return volr.evaluate(spiking, given.test).correct, spiking.steps


def volr_exact(given: Given, steps: int) -> tuple[int, int]:
    del steps  # the network decides how many it takes
    model = volr.import_torch(given.module, given.shape).model
    whole = volr.quantise(model, given.train).model
    spiking = volr.to_first_spikes(whole)
    return volr.evaluate(spiking, given.test).correct, spiking.steps


def volr_exact_on_nest(given: Given, steps: int) -> tuple[int, int]:
    del steps
    model = volr.import_torch(given.module, given.shape).model
    whole = volr.quantise(model, given.train).model
    spiking = volr.to_first_spikes(whole)
    return volr.evaluate(spiking, given.test, on="nest").correct, spiking.steps


def lines(way: Callable[[Given, int], tuple[int, int]]) -> int:
    """The lines that the user writes, without the function's head and without ``del steps``."""
    return sum(
        bool(line.strip()) and not line.strip().startswith(("def ", "del "))
        for line in inspect.getsource(way).splitlines()
    )


WAYS: Mapping[str, Callable[[Given, int], tuple[int, int]]] = {
    "SpikingJelly, 99.9%": spikingjelly,
    "SpikingJelly, by channel": spikingjelly_by_channel,
    "SpikingJelly, balanced": spikingjelly_balanced,
    "sinabs, from_model": sinabs,
    "Norse, NIR": norse,
    "snnTorch, NIR": snntorch,
    "Volr, rates": volr_rates,
    "Volr, exact, engine": volr_exact,
    "Volr, exact, NEST": volr_exact_on_nest,
}
