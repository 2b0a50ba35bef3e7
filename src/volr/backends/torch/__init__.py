"""PyTorch: artificial models as ordinary ``nn.Module``s.

This file can be imported without PyTorch; the others of the package need it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from volr.backends.base import ArtificialBackend
from volr.backends.readback import SINGLE
from volr.backends.refusals import check_supported, require
from volr.models.activations import ACTIVATION_NAMES
from volr.network.connectors import AllToAll, Convolution, OneToOne, Pooled, Windows

if TYPE_CHECKING:
    import torch

    from volr.backends.base import Forward
    from volr.backends.readback import ArtificialReadback
    from volr.backends.torch.module import NetworkModule
    from volr.models.model import ArtificialModel
    from volr.models.parameters import Parameters


def module_from(model: ArtificialModel, *, dtype: torch.dtype | None = None) -> NetworkModule:
    """The model as an ``nn.Module`` from ``[batch, unit]`` to logits, float32 unless told.

    Raises ``MissingError`` where PyTorch is not installed, ``UnsupportedError`` for a connector
    that it lacks.
    """
    require(TORCH)
    check_supported(TORCH, model)
    from volr.backends.torch.module import module_from as made

    return made(model, dtype=dtype)


def to_parameters(module: NetworkModule) -> Parameters:
    """The module's parameters under our names, in float64."""
    from volr.backends.torch.module import to_parameters as read

    return read(module)


def _build(model: ArtificialModel) -> Forward:
    require(TORCH)
    check_supported(TORCH, model)
    from volr.backends.torch.module import build

    return build(model)


def _read_back(model: ArtificialModel) -> ArtificialReadback:
    require(TORCH)
    check_supported(TORCH, model)
    from volr.backends.torch.read_back import read_back

    return read_back(model)


TORCH = ArtificialBackend(
    name="torch",
    summary="PyTorch, in float32",
    requires=("torch",),
    extra="torch",
    activations=ACTIVATION_NAMES,
    build=_build,
    read_back=_read_back,
    precision=SINGLE,
    connectors=(AllToAll, Convolution, OneToOne, Pooled, Windows),
    merges=("sum", "max"),
    several=True,
)
