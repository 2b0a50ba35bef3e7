"""PyTorch: artificial models as ordinary ``nn.Module``s.

This file can be imported without PyTorch; ``volr.backends.torch_module`` is what needs it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from volr.backends.base import ArtificialBackend, require
from volr.models.activations import ACTIVATIONS

if TYPE_CHECKING:
    import torch

    from volr.backends.base import Forward
    from volr.backends.torch_module import NetworkModule
    from volr.models.model import ArtificialModel
    from volr.models.parameters import Parameters


def module_from(model: ArtificialModel, *, dtype: torch.dtype | None = None) -> NetworkModule:
    """The model as an ``nn.Module`` from ``[batch, unit]`` to logits, float32 unless told.

    Raises ``MissingError`` where PyTorch is not installed.
    """
    require(TORCH)
    from volr.backends import torch_module

    return torch_module.module_from(model, dtype=dtype)


def to_parameters(module: NetworkModule) -> Parameters:
    """The module's parameters under our names, in float64."""
    from volr.backends import torch_module

    return torch_module.to_parameters(module)


def _build(model: ArtificialModel) -> Forward:
    require(TORCH)
    from volr.backends import torch_module

    return torch_module.build(model)


TORCH = ArtificialBackend(
    name="torch",
    summary="PyTorch, in float32",
    requires=("torch",),
    extra="torch",
    activations=tuple(each.name for each in ACTIVATIONS),
    build=_build,
)
