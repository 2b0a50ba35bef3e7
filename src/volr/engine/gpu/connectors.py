"""Connectors as PyTorch's own operations: here a new connector joins the dense path.

Each takes spikes, or means of them, ``[time, batch, …]`` in the shape of the source, and returns
what they bring in the shape of the target. One that has no operation here is refused by name.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from torch.nn import functional

from volr.errors import UnsupportedError
from volr.network.connectors import (
    AllToAll,
    AveragePool,
    Connector,
    Convolution,
    OneToOne,
    Pooled,
    Slice,
    Windows,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from torch import Tensor

    from volr.engine.schedule import Term


def arriving(term: Term, weight: Tensor, sent: Tensor) -> Tensor:
    """What ``sent`` ``[time, batch, pre]`` brings through a projection, ``[time, batch, post]``."""
    source, _ = term.ends
    shaped = sent.reshape(*sent.shape[:2], *source)
    return _applied(term.connector, weight, shaped).flatten(2)


def _applied(connector: Connector, weight: Tensor, sent: Tensor) -> Tensor:
    operation = OPERATIONS.get(type(connector))
    if operation is None:
        raise UnsupportedError(
            f"the engine on a GPU lacks the connector '{connector}'",
            help="--device cpu, or device='cpu' in Python",
        )
    return operation(connector, weight, sent)


def _all_to_all(connector: AllToAll, weight: Tensor, sent: Tensor) -> Tensor:
    del connector
    return functional.linear(sent.flatten(2), weight)


def _convolution(connector: Convolution, weight: Tensor, sent: Tensor) -> Tensor:
    operation = functional.conv1d if len(connector.window) == 1 else functional.conv2d
    found = operation(
        sent.flatten(0, 1),
        weight,
        stride=connector.stride,
        padding=connector.pad,
        groups=connector.groups,
    )
    return found.reshape(*sent.shape[:2], *found.shape[1:])


def _one_to_one(connector: OneToOne, weight: Tensor, sent: Tensor) -> Tensor:
    del connector
    return weight * sent


def _pooled(connector: Pooled, weight: Tensor, sent: Tensor) -> Tensor:
    for pool in connector.pools:
        sent = _means(pool, sent)
    return _applied(connector.connector, weight, sent)


def _slice(connector: Slice, weight: Tensor, sent: Tensor) -> Tensor:
    return functional.linear(sent.flatten(2).narrow(2, connector.first, connector.count), weight)


def _windows(connector: Windows, weight: Tensor, sent: Tensor) -> Tensor:
    means = _means(AveragePool(connector.window, connector.stride), sent)
    return weight * (math.prod(connector.window) * means)


def _means(pool: AveragePool, sent: Tensor) -> Tensor:
    operation: Any = functional.avg_pool1d if len(pool.window) == 1 else functional.avg_pool2d
    found: Tensor = operation(sent.flatten(0, 1), pool.window, pool.stride)
    return found.reshape(*sent.shape[:2], *found.shape[1:])


OPERATIONS: Mapping[type[Connector], Callable[[Any, Tensor, Tensor], Tensor]] = {
    AllToAll: _all_to_all,
    Convolution: _convolution,
    OneToOne: _one_to_one,
    Pooled: _pooled,
    Slice: _slice,
    Windows: _windows,
}
"""From a connector, its weights and what is sent to what arrives."""
