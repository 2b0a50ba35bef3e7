"""The engine with a mistake in what it runs, and so in what it holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from volr.backends.base import Record, Recordings
from volr.backends.engine import EngineSimulator

if TYPE_CHECKING:
    from collections.abc import Callable

    from volr.backends.base import Progress
    from volr.backends.readback import SpikingReadback
    from volr.engine.simulation import Ready
    from volr.models.model import SpikingModel

    Change: TypeAlias = Callable[[Ready], Ready]


@dataclass(frozen=True)
class MistakenEngine(EngineSimulator):
    """Changes what the engine has made ready, which no model could be."""

    change: Change = lambda each: each

    def run(
        self,
        model: SpikingModel,
        stimuli: Any,
        *,
        record: Record = Record(),
        seed: int = 0,
        first: int = 0,
        progress: Progress | None = None,
    ) -> Recordings:
        from volr.engine.simulation import ready, simulate

        del seed, first, progress
        network, counted = model.network, record.counted(model.network)
        found = simulate(
            self.change(ready(model)),
            np.asarray(stimuli),
            counts=tuple(name for name in counted if name in network.starts),
            spikes=record.spikes,
            membranes=record.membranes,
        )
        silent = {name for name in counted if not model.is_spiking(name)}
        return Recordings(
            counts={
                name: (found.totals[name] * (name not in silent)).astype(int) for name in counted
            },
            spikes=found.spikes,
            membranes=found.membranes,
            finals={name: found.totals[name] for name in network.outputs},
        )

    def read_back(self, model: SpikingModel) -> SpikingReadback:
        from volr.backends.engine.read_back import read
        from volr.engine.simulation import ready

        return read(model, self.change(ready(model)))
