"""The neurons that all engines are given, as a plain NumPy program in float64: the oracle.

A layer of leaky integrate-and-fire neurons, v_rest = v_reset = 0, v_thresh = 1, hard reset, no
refractoriness, ``IFCurrDelta`` with a = e^(−dt/τ_m):

    V ← a V + Σ_j w_j;    if V ≥ 1: emit a spike in this step, V ← 0

A spike of step k arrives in the next layer in step k + ``latency``: 0 in the libraries, which go
layer by layer, and 1 in simulators.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from peers.windowed import Synapses

THRESHOLD = 1.0
TIE = 1e-5
"""A membrane this close to the threshold may be on either side of it in float32."""


@dataclass(frozen=True)
class Agreement:
    """How an engine's spikes in one layer compare with the oracle's.

    ``spikes`` are the oracle's. ``differing`` are those that only one of the two has, both running
    freely. ``ties`` and ``wrong`` judge each decision of the engine by itself, from the engine's
    own history: its membrane within ``TIE`` of the threshold, or not.
    """

    layer: int
    spikes: int
    values: int
    differing: int
    ties: int
    wrong: int

    @property
    def density(self) -> float:
        """The oracle's spikes per neuron and step."""
        return self.spikes / self.values


def respond(
    weights: Sequence[Synapses], decay: float, spikes: NDArray[np.bool_], latency: int = 0
) -> list[NDArray[np.bool_]]:
    """The spikes of every layer, ``[time, batch, unit]`` as the input's.

    ``weights`` are matrices ``[post, pre]`` or windows, one a layer.
    """
    layers: list[NDArray[np.bool_]] = []
    for matrix in weights:
        drive = _drive(matrix, spikes, latency)
        found = np.empty(drive.shape, dtype=np.bool_)
        v = np.zeros(drive.shape[1:])
        for k, arriving in enumerate(drive):
            v = decay * v + arriving
            found[k] = v >= THRESHOLD
            v[found[k]] = 0.0
        layers.append(found)
        spikes = found
    return layers


def compare(
    weights: Sequence[Synapses],
    decay: float,
    spikes: NDArray[np.bool_],
    layers: Sequence[NDArray[np.bool_]],
    expected: Sequence[NDArray[np.bool_]],
    latency: int = 0,
) -> list[Agreement]:
    """An engine's ``layers`` beside those ``expected`` (of ``respond``) for the same ``spikes``."""
    agreements: list[Agreement] = []
    sent = spikes
    for number, (matrix, found, free) in enumerate(zip(weights, layers, expected, strict=True), 1):
        ties = wrong = 0
        v = np.zeros(found.shape[1:])
        for k, arriving in enumerate(_drive(matrix, sent, latency)):
            v = decay * v + arriving
            off = found[k] != (v >= THRESHOLD)
            close = np.abs(v - THRESHOLD) <= TIE
            ties += int(np.count_nonzero(off & close))
            wrong += int(np.count_nonzero(off & ~close))
            # The engine's reset and not the oracle's: one difference must not count again.
            v[found[k]] = 0.0
        differing = int(np.count_nonzero(found != free))
        emitted = int(np.count_nonzero(free))
        agreements.append(Agreement(number, emitted, free.size, differing, ties, wrong))
        sent = found
    return agreements


def _drive(synapses: Synapses, spikes: NDArray[np.bool_], latency: int) -> NDArray[np.float64]:
    steps, batch, pre = spikes.shape
    sent = spikes[: max(steps - latency, 0)].reshape(-1, pre)
    if isinstance(synapses, np.ndarray):
        found = sent.astype(np.float64) @ synapses.T.astype(np.float64)
    else:
        found = synapses.arriving(sent)
    drive = np.zeros((steps, batch, found.shape[1]))
    drive[latency:] = found.reshape(-1, batch, found.shape[1])
    return drive
