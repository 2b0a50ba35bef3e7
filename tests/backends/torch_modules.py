"""Random modules of PyTorch, of all operations that Volr reads."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random


class Shortcut(nn.Module):
    """What a module makes of a value, and the value itself, added up or side by side."""

    def __init__(self, inner: nn.Module, *, added: bool, weight: float = 1.0) -> None:
        super().__init__()
        self.inner = inner
        self.added = added
        self.weight = weight

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.inner(x)
        return self.weight * x + y if self.added else torch.cat([x, y], dim=1)


class Apply(nn.Module):
    """A function as a module."""

    def __init__(self, function: Callable[[torch.Tensor], torch.Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.function(x)


@dataclass
class Modules:
    """Makes modules with the activation of this ``kind``, layer by layer."""

    rng: Random
    kind: type[nn.Module]
    layers: list[nn.Module] = field(default_factory=list[nn.Module])

    def row(self, size: int) -> nn.Sequential:
        """Layers of rows, from one of this ``size``."""
        rng, layers = self.rng, list[nn.Module]()
        for _ in range(rng.randint(1, 3)):
            after = rng.randint(1, 6)
            match rng.randint(0, 4):
                case 0:
                    inner = nn.Sequential(nn.Linear(size, size), self.kind())
                    layers.append(Shortcut(inner, added=True, weight=rng.choice([1.0, 0.5])))
                case 1:
                    layers.append(Shortcut(nn.Linear(size, after), added=False))
                    layers.append(self.kind())
                    size += after
                case 2:
                    layers += [nn.BatchNorm1d(size), nn.Dropout(0.3), nn.Identity()]
                case _:
                    layers += [nn.Linear(size, after, bias=rng.random() < 0.7), self.kind()]
                    size = after
        layers.append(nn.Linear(size, rng.randint(2, 4)))
        return nn.Sequential(*layers)

    def maps(self, channels: int, places: tuple[int, ...]) -> tuple[nn.Sequential, Any]:
        """Layers of maps, and the shape that they give."""
        rng, layers = self.rng, list[nn.Module]()
        axes = len(places)
        conv: Any = (nn.Conv1d, nn.Conv2d)[axes - 1]
        norm: Any = (nn.BatchNorm1d, nn.BatchNorm2d)[axes - 1]
        largest: Any = (nn.MaxPool1d, nn.MaxPool2d)[axes - 1]
        mean: Any = (nn.AvgPool1d, nn.AvgPool2d)[axes - 1]
        for _ in range(rng.randint(1, 3)):
            match rng.randint(0, 5):
                case 0:
                    inner = nn.Sequential(
                        conv(channels, channels, 3, padding=1), norm(channels), self.kind()
                    )
                    added = rng.random() < 0.5
                    layers.append(Shortcut(inner, added=added))
                    channels *= 1 if added else 2
                case 1:
                    layers.append(mean(2, stride=rng.choice([1, 2]), padding=rng.choice([0, 1])))
                case 2:
                    layers += [conv(channels, channels, 1, groups=channels), self.kind()]
                    layers.append(largest(2, stride=rng.choice([1, 2])))
                case 3:
                    layers += [conv(channels, 4, 2), largest(2, stride=1), self.kind()]
                    channels = 4
                case _:
                    after = rng.randint(1, 4)
                    layers.append(
                        conv(
                            channels,
                            after,
                            rng.randint(1, 3),
                            stride=rng.randint(1, 2),
                            padding=rng.randint(0, 1),
                            dilation=rng.randint(1, 2),
                        )
                    )
                    layers += [norm(after), self.kind()]
                    channels = after
        found = nn.Sequential(*layers).eval()
        with torch.no_grad():
            shape = found(torch.zeros(1, layers_in(found, channels), *places)).shape[1:]
        return found, tuple(shape)


def layers_in(module: nn.Module, otherwise: int) -> int:
    """The channels that a module takes."""
    for each in module.modules():
        if isinstance(each, (nn.Conv1d, nn.Conv2d)):
            return each.in_channels
        if isinstance(each, (nn.BatchNorm1d, nn.BatchNorm2d)):
            return each.num_features
    return otherwise


def module_of(rng: Random) -> tuple[nn.Module, tuple[int, ...]]:
    """A random module in evaluation, and the shape of its stimuli."""
    kind = rng.choice([nn.ReLU, nn.ReLU, nn.ReLU, nn.Tanh, nn.Sigmoid])
    modules = Modules(rng, kind)
    torch.manual_seed(rng.getrandbits(32))
    axes = rng.randint(0, 2)
    if axes == 0:
        size = rng.randint(1, 6)
        shape: tuple[int, ...] = (size,)
        found = modules.row(size)
    else:
        places = tuple(rng.randint(7, 10) for _ in range(axes))
        shape = (rng.randint(1, 3), *places)
        maps, after = modules.maps(*_split(shape))
        flat = 1
        for each in after:
            flat *= each
        found = nn.Sequential(maps, nn.Flatten(), *modules.row(flat))
    settle(found)
    return found.eval(), shape


def _split(shape: tuple[int, ...]) -> tuple[int, tuple[int, ...]]:
    return shape[0], shape[1:]


def settle(module: nn.Module) -> None:
    """Numbers of a training in what normalises."""
    for each in module.modules():
        if isinstance(each, (nn.BatchNorm1d, nn.BatchNorm2d)):
            assert each.running_mean is not None
            assert each.running_var is not None
            each.running_mean.normal_()
            each.running_var.uniform_(0.5, 2.0)
            nn.init.normal_(each.weight)
            nn.init.normal_(each.bias)


class Residual(nn.Module):
    """A block as ResNets have it."""

    def __init__(self) -> None:
        super().__init__()
        self.one = nn.Conv2d(4, 4, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(4)
        self.two = nn.Conv2d(4, 4, 3, padding="same")

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(x + self.two(torch.relu(self.norm(self.one(x)))))


def users() -> nn.Sequential:
    """Batch normalisation, dropout, maximum, a skip and a softmax."""
    torch.manual_seed(0)
    module = nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Dropout(0.4),
        Residual(),
        nn.AvgPool2d(2),
        Apply(lambda x: x.view(x.size(0), -1)),
        nn.Linear(4 * 2 * 3, 3),
        nn.Softmax(dim=1),
    )
    settle(module)
    return module
