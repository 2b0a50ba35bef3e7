"""Volr's trained network as modules of PyTorch, as the converters of others want it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

from volr.backends import backend
from volr.backends.base import ArtificialBackend
from volr.errors import UnsupportedError
from volr.models.activations import ReLU
from volr.models.parameters import bias_name, weight_name
from volr.network.connectors import AllToAll, Convolution, Pooled, Windows, shape_through

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from volr.checks.arrays import Floats
    from volr.models.model import ArtificialModel
    from volr.network import Connector
    from volr.network.connectors import Shape


@dataclass(frozen=True, eq=False)
class Carried:
    """``modules`` compute what ``model`` does, from images of its input's ``shape``.

    ``neurons`` are the populations, from the first on, that send through weights: those behind a
    ReLU, or behind the maximum that follows it.
    """

    model: ArtificialModel
    modules: nn.Sequential
    shape: Shape
    neurons: tuple[str, ...]

    @property
    def largest(self) -> bool:
        """Whether the largest of a window goes on anywhere."""
        return any(isinstance(each, nn.MaxPool2d) for each in self.modules)

    def given(self, images: Floats) -> Tensor:
        """Images ``[batch, pixel]`` as PyTorch has them."""
        return torch.from_numpy(images.astype(np.float32)).reshape(-1, *self.shape)

    def labels(self, images: Floats) -> NDArray[np.int64]:
        """What the modules answer, ``[batch]``."""
        with torch.no_grad():
            found: Tensor = self.modules(self.given(images))
        return found.argmax(dim=1).numpy()


def carried(model: ArtificialModel) -> Carried:
    """The modules of a chain of layers with ReLU. Raises ``UnsupportedError`` for others."""
    network = model.network
    if model.activation != ReLU():
        raise UnsupportedError(f"converters take networks with ReLU, not {model.activation}")
    modules: list[nn.Module] = []
    neurons: list[str] = []
    (at,) = network.inputs
    while at not in network.outputs:
        leaving = [each for each in network.projections if each.source == at]
        if len(leaving) != 1 or sum(e.target == leaving[0].target for e in network.projections) > 1:
            raise UnsupportedError(f"converters take a chain of layers, and {at!r} is part of none")
        (projection,) = leaving
        target = network[projection.target]
        weights = model.parameters[weight_name(projection)]
        modules += _modules(projection.connector, weights, *network.ends(projection))
        if projection.connector.trained and at not in network.inputs:
            neurons.append(at)
        if target.merge == "sum":
            modules[-1].get_parameter("bias").data = _tensor(model.parameters[bias_name(target)])
            if target.name not in network.outputs:
                modules.append(nn.ReLU())
        at = target.name
    whole = nn.Sequential(*modules).eval().requires_grad_(requires_grad=False)
    return Carried(model, whole, network[network.inputs[0]].shape, tuple(neurons))


def check(carried: Carried, images: Floats) -> None:
    """Compare the modules' logits with those of Volr's PyTorch."""
    torch_backend = backend("torch")
    assert isinstance(torch_backend, ArtificialBackend)
    wanted = torch_backend.build(carried.model)(images)
    with torch.no_grad():
        found = carried.modules(carried.given(images)).numpy()
    off = float(np.abs(found - wanted).max() / np.abs(wanted).max())
    assert off < 1e-5, f"the modules of PyTorch are off by {off:.1e} of the largest logit"


def _modules(
    connector: Connector, weights: Floats, source: Shape, target: Shape
) -> list[nn.Module]:
    match connector:
        case AllToAll():
            matrix = nn.Linear(math.prod(source), math.prod(target))
            matrix.weight.data = _tensor(weights)
            return [nn.Flatten(), matrix] if len(source) > 1 else [matrix]
        case Convolution(window=(_, _)):
            kernel = nn.Conv2d(
                source[0],
                target[0],
                _pair(connector.window),
                _pair(connector.stride),
                _pair(connector.pad),
                groups=connector.groups,
            )
            kernel.weight.data = _tensor(weights)
            return [kernel]
        case Pooled():
            pools = [nn.AvgPool2d(_pair(p.window), _pair(p.stride)) for p in connector.pools]
            read = shape_through(connector.pools, source)
            return [*pools, *_modules(connector.connector, weights, read, target)]
        case Windows(window=(_, _)) if (weights == 1.0).all():
            return [nn.MaxPool2d(_pair(connector.window), _pair(connector.stride))]
        case _:
            raise UnsupportedError(f"no module of the converters is {connector}")


def _tensor(values: Floats) -> Tensor:
    return torch.from_numpy(values.astype(np.float32))


def _pair(shape: Shape) -> tuple[int, int]:
    first, second = shape
    return first, second
