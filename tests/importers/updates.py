"""What importers compute of small files, by plain NumPy in float64: their updates, written out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from tests.importers import files

if TYPE_CHECKING:
    from volr.checks.arrays import Floats


def drive(graph_weight: Floats = files.WEIGHT) -> Floats:
    return files.FRAMES @ graph_weight.T


def membranes(
    x: Floats,
    keep: Floats | float,
    threshold: float,
    *,
    start: float = 0.0,
    to: float = 0.0,
    subtract: bool = False,
) -> Floats:
    """v ← keep v + x, spikes at ``threshold`` and the reset ``to``, or one subtraction a spike."""
    v = np.full(x.shape[1:], start)
    given: list[Floats] = []
    for each in x:
        v = keep * v + each
        spikes = np.floor(np.maximum(v, 0.0) / threshold) if subtract else 1.0 * (v > threshold)
        v = v - threshold * spikes if subtract else np.where(spikes > 0, to, v)
        given.append(spikes)
    return np.stack(given)  # fmt: skip


TAUS = np.array([0.002, 0.003, 0.004, 0.005])
C = files.DT / 0.002
UPDATES: dict[tuple[str, str], Floats] = {
    ("norse", "lif"): membranes(C * drive(), 1 - C, 0.5),
    ("norse", "lif, r 3"): membranes(C * drive(), 1 - C, 0.5),
    ("norse", "lif, v_leak"): membranes(C * (drive() + 0.1), 1 - C, 0.5, start=0.1),
    ("norse", "lif, v_reset"): membranes(C * drive(), 1 - C, 0.5),
    ("norse", "lif, several tau"): membranes(files.DT / TAUS * drive(), 1 - files.DT / TAUS, 0.5),
    ("norse", "if, r 1/dt"): membranes(drive(), 1.0, 1.0),
    ("norse", "threshold"): drive(),
    ("norse", "branches"): membranes(C * drive(-files.WEIGHT), 1 - C, 0.5) @ -files.LATER.T,
    ("norse", "two layers"): membranes(
        C * membranes(C * drive(), 1 - C, 0.5) @ files.LATER.T, 1 - C, 0.5
    ),
    ("snntorch", "lif"): membranes(0.05 * drive(), 0.95, 0.5),
    ("snntorch", "lif, r 3"): membranes(0.15 * drive(), 0.95, 0.5),
    ("snntorch", "lif, v_reset"): membranes(0.05 * drive(), 0.95, 0.5),
    # All thresholds are scaled as that of the least r/tau: the last one's.
    ("snntorch", "lif, several tau"): membranes(0.02 * drive(), 1 - 1e-4 / TAUS, 0.5),
    ("snntorch", "lif, short tau"): membranes(2.0 * drive(), 0.0, 0.5),
    ("spikingjelly", "lif"): membranes(C * drive(), 1 - C, 0.5),
    ("spikingjelly", "lif, r 2"): membranes(drive(), 1 - C, 0.5),
    ("spikingjelly", "lif, v_leak and v_reset"): membranes(
        C * (drive() + 0.1), 1 - C, 0.5, start=0.1, to=0.1
    ),
    ("spikingjelly", "if, r 1/dt"): membranes(drive(), 1.0, 1.0),
    ("sinabs", "lif"): membranes(drive(), 0.0, 0.5, subtract=True),
    ("sinabs", "lif, r 3"): membranes(drive(), 0.0, 0.5, subtract=True),
    ("sinabs", "lif, tau in steps"): membranes(drive(), np.exp(-0.5), 0.5, subtract=True),
    ("sinabs", "threshold"): drive(),
    ("sinabs", "branches"): membranes(drive(-files.WEIGHT), 0.0, 0.5, subtract=True)
    @ -files.LATER.T,
}  # fmt: skip
