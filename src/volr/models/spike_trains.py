"""Spike trains that are given, in place of values that are coded as spikes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from volr.checks.arrays import Floats, array_of, real_array, same_fields
from volr.errors import DataError

if TYPE_CHECKING:
    from volr.checks.arrays import Booleans


@dataclass(frozen=True, eq=False)
class SpikeTrains:
    """The spikes of all inputs, side by side, in each time step: ``[time, batch, unit]``.

    They stand in place of values wherever a spiking model is given stimuli, and so does a plain
    array of that shape. The model's inputs have to be given as spikes: its coding is ``Poisson``,
    whose rate then plays no part. Nothing spikes after the last step of the trains. Raises
    ``DataError`` for an array that has other axes, or values other than 0 and 1.
    """

    spikes: Booleans

    def __post_init__(self) -> None:
        try:
            found = array_of(self.spikes)
            each = found if found.dtype == np.bool_ else real_array(found, copy=False)
        except ValueError as error:
            raise DataError(f"the spike trains are {error}") from error
        if each.ndim != 3:
            raise DataError(
                f"the spike trains have the shape {list(each.shape)}, not [time, batch, unit]",
                help="the trains of one stimulus, [time, unit], are a batch too: trains[:, None]",
            )
        if each.dtype != np.bool_ and (wrong := np.argwhere((each != 0.0) & (each != 1.0))).size:
            step, row, unit = (int(i) for i in wrong[0])
            raise DataError(
                f"unit {unit} of stimulus {row} has {each[step, row, unit]:g} in step {step}, and "
                "a spike train has 1 where there is a spike, and 0 elsewhere",
                help="a train of times becomes one of steps by rounding each time to a step",
            )
        object.__setattr__(self, "spikes", each.astype(np.bool_, copy=False))

    def __len__(self) -> int:
        """The number of stimuli."""
        return self.spikes.shape[1]

    def __getitem__(self, part: slice) -> SpikeTrains:
        """Some of the stimuli."""
        return SpikeTrains(self.spikes[:, part])

    def __eq__(self, other: object) -> bool:
        return same_fields(self, other)

    def __hash__(self) -> int:
        return hash(self.spikes.shape)

    def lasting(self, steps: int) -> Booleans:
        """The same with so many steps, at least their own: ``[time, batch, unit]``."""
        after = np.zeros((steps - len(self.spikes), *self.spikes.shape[1:]), np.bool_)
        return np.concatenate([self.spikes, after])


Stimuli: TypeAlias = Floats | SpikeTrains
"""Values in [0, 1], ``[batch, unit]``, or spike trains."""
