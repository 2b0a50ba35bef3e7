"""PyTorch's optimizers, with their state by our names of parameters."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, TypeAlias

import torch
from torch import Tensor

from volr.system.caches import cache_for
from volr.training.normalisation import is_scale
from volr.training.stairs import is_height

if TYPE_CHECKING:
    from collections.abc import Mapping

    from volr.training.settings import TrainingSettings

State: TypeAlias = dict[str, dict[str, Tensor]]
"""What an optimizer remembers, by parameter."""


def optimizer_of(values: Mapping[str, Tensor], settings: TrainingSettings) -> torch.optim.Optimizer:
    """The optimizer of these parameters. Weight decay leaves the scales of normalisation alone:
    what they multiply is normalised, so it would only make updates larger. It leaves the heights of
    stairs alone too, which are logarithms.
    """
    # PyTorch imports its compiler with the first optimizer, and that makes a folder for what it
    # compiles. Left to itself it takes one in /tmp, under a name that others can guess.
    os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", str(cache_for("torch")))
    rate, decay = settings.rate, settings.decay
    decayed = [value for name, value in values.items() if not _is_left_alone(name)]
    scales = [value for name, value in values.items() if _is_left_alone(name)]
    groups: list[dict[str, Any]] = [{"params": decayed}]
    if scales:
        groups.append({"params": scales, "weight_decay": 0.0})
    match settings.optimizer:
        case "adam":
            return torch.optim.AdamW(groups, lr=rate, weight_decay=decay, fused=True)
        case "sgd":
            return torch.optim.SGD(
                groups, lr=rate, momentum=settings.momentum, weight_decay=decay, fused=True
            )


def _is_left_alone(name: str) -> bool:
    return is_scale(name) or is_height(name)


def state_of(optimizer: torch.optim.Optimizer, values: Mapping[str, Tensor]) -> State:
    """What it remembers of each parameter."""
    return {
        name: {k: each for k, each in optimizer.state[value].items() if isinstance(each, Tensor)}
        for name, value in values.items()
    }


def remind(optimizer: torch.optim.Optimizer, values: Mapping[str, Tensor], state: State) -> None:
    """Give it a state of ``state_of``."""
    for name, value in values.items():
        for key, each in state.get(name, {}).items():
            optimizer.state[value][key] = each


def of_one(state: State, index: int) -> State:
    """The state of one of several candidates. What is no array by candidate is of all of them."""
    return {
        name: {key: v[index].clone() if v.ndim > 0 else v for key, v in each.items()}
        for name, each in state.items()
    }
