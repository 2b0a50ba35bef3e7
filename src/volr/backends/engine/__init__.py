"""Volr's own engine: spiking models on the cores of this machine, spike for spike as on NEST.

It runs in float64, in this process. Numba compiles it when it is first used. ``SMOOTH`` is for
training: it computes conductances by a formula, in a fifth of the time of NEST's solver, and up to
one spike count in a hundred is different.
"""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from volr.backends.base import Record, Recordings, Simulator, SpikingBackend
from volr.backends.populations import nonspiking
from volr.backends.refusals import check_request, check_supported, require
from volr.models.coding import CODING_NAMES
from volr.models.model import READOUTS
from volr.neurons import NEURON_MODELS, RESETS

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from numpy.typing import ArrayLike

    from volr.backends.base import Progress
    from volr.backends.readback import SpikingReadback
    from volr.checks.arrays import Integers
    from volr.engine.devices import Device
    from volr.engine.simulation import Result
    from volr.models.model import SpikingModel
    from volr.models.spike_trains import SpikeTrains, Stimuli


@dataclass(frozen=True)
class EngineSimulator:
    """The engine, started: there is nothing to start, and nothing to end."""

    smooth: bool = False
    device: Literal["cpu", "cuda"] = "cpu"

    @property
    def backend(self) -> SpikingBackend:
        """See ``volr.backends.base.Simulator``."""
        return ENGINE

    def run(
        self,
        model: SpikingModel,
        stimuli: ArrayLike | SpikeTrains,
        *,
        record: Record = Record(),
        seed: int = 0,
        first: int = 0,
        progress: Progress | None = None,
    ) -> Recordings:
        """See ``volr.backends.base.Simulator``."""
        stimuli = check_request(ENGINE, model, stimuli, record, seed, first)
        starts = set(model.network.starts)
        counted, read = record.counted(model.network), nonspiking(model)
        wanted = dict.fromkeys([*counted, *read])
        result = self._simulation(model)(
            stimuli,
            seed=seed,
            first=first,
            layers=tuple(name for name in wanted if name not in starts),
            counts=tuple(name for name in counted if name in starts),
            spikes=record.spikes,
            membranes=record.membranes,
            progress=progress,
        )
        last = {name: result.totals[name] for name in read}
        return Recordings(
            counts={name: _counts(model, result, name) for name in counted},
            spikes=result.spikes,
            membranes=result.membranes,
            dt=model.dt,
            **{"final": {"finals": last}, "membrane": {"means": last}, "count": {}}[model.readout],
        )

    def _simulation(self, model: SpikingModel) -> Callable[..., Result]:
        """The function that simulates stimuli, with options for what is recorded."""
        if self.device == "cpu":
            from volr.engine.simulation import ready, simulate

            return partial(simulate, ready(model, smooth=self.smooth))
        from volr.engine.gpu import simulation

        def run(stimuli: Stimuli, **options: Any) -> Result:
            return simulation.simulate(model, stimuli, self.device, **options)

        return run

    def read_back(self, model: SpikingModel) -> SpikingReadback:
        """See ``volr.backends.base.Simulator``: what its kernels are given, and what they do."""
        from volr.backends.engine.read_back import read, told
        from volr.engine.simulation import ready

        check_supported(ENGINE, model)
        if self.device != "cpu":
            why = f"the program for {self.device} is another one, and it cannot be asked"
            return told(model, why)
        return read(model, ready(model))


def _counts(model: SpikingModel, result: Result, name: str) -> Integers:
    total = result.totals[name]
    return total.astype(np.int64) if model.is_spiking(name) else np.zeros(total.shape, np.int64)


SMOOTH = EngineSimulator(smooth=True)


def start(device: Device = "cpu") -> AbstractContextManager[Simulator]:
    """The engine; ``MissingError`` without Numba, and for ``cuda`` without a GPU."""
    require(ENGINE)
    from volr.engine.devices import device_of

    return nullcontext(EngineSimulator(device=device_of(device)))


ENGINE = SpikingBackend(
    name="engine",
    summary="Volr's own, in float64 on all cores, spike for spike as on NEST",
    requires=("numba",),
    extra="engine",
    neurons=tuple(each.name for each in NEURON_MODELS),
    exact=tuple(each.name for each in NEURON_MODELS),
    resets=RESETS,
    codings=CODING_NAMES,
    readouts=READOUTS,
    delays=True,
    several=True,
    start=start,
)
