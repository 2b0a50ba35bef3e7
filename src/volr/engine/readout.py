"""What a run of the engine returns, on any device."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, slots=True, eq=False)
class Response:
    """What the layers did, by name; everything that depends on a parameter is differentiable.

    ``counts`` ``[batch, unit]`` are the spikes of each layer that spikes, ``membranes``
    ``[batch, unit]`` the mean over time of V − v_rest, mV, of each layer that does not. Where a
    trace was asked for, ``spikes`` ``[time, batch, unit]``, 0 or 1, are those of the former, and
    ``potentials`` ``[time, batch, unit]`` V − v_rest, mV, before the reset, of all layers.
    """

    counts: dict[str, Tensor]
    membranes: dict[str, Tensor]
    spikes: dict[str, Tensor] = field(default_factory=dict["str", "Tensor"])
    potentials: dict[str, Tensor] = field(default_factory=dict["str", "Tensor"])
