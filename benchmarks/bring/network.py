"""A VGG-like network with batch normalisation, trained for Fashion-MNIST in plain PyTorch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from volr.checks.arrays import Floats
    from volr.models.samples import Samples

SHAPE = (1, 28, 28)


def vgg() -> nn.Sequential:
    """Two blocks of two convolutions and a maximum, and two layers behind them."""

    def block(before: int, after: int) -> list[nn.Module]:
        return [
            *(nn.Conv2d(before, after, 3, padding=1), nn.BatchNorm2d(after), nn.ReLU()),
            *(nn.Conv2d(after, after, 3, padding=1), nn.BatchNorm2d(after), nn.ReLU()),
            nn.MaxPool2d(2),
        ]

    return nn.Sequential(
        *(*block(1, 8), *block(8, 16), nn.Flatten(), nn.Dropout(0.2)),
        *(nn.Linear(16 * 7 * 7, 64), nn.ReLU(), nn.Linear(64, 10)),
    )


def trained(samples: Samples, epochs: int) -> nn.Sequential:
    """The network after so many epochs, in evaluation."""
    torch.manual_seed(0)
    module, given, labels = vgg(), images(samples.inputs), torch.tensor(samples.labels)
    optimizer = torch.optim.Adam(module.parameters())
    batches = -(-len(given) // 128)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.01, total_steps=epochs * batches)
    for _ in range(epochs):
        for chosen in torch.randperm(len(given)).split(128):
            optimizer.zero_grad()
            nn.functional.cross_entropy(module(given[chosen]), labels[chosen]).backward()
            optimizer.step()
            schedule.step()
    return module.eval().requires_grad_(requires_grad=False)


def images(inputs: Floats) -> Tensor:
    """Stimuli ``[batch, pixel]`` as PyTorch has them."""
    return torch.from_numpy(inputs.astype(np.float32)).reshape(-1, *SHAPE)


def answers(module: nn.Module, inputs: Floats) -> NDArray[np.int64]:
    """What the float network answers, ``[batch]``."""
    with torch.no_grad():
        return torch.cat([module(each) for each in images(inputs).split(500)]).argmax(1).numpy()
