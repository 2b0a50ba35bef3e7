"""What a simulator can be asked to record, and what it hands back."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from volr.checks.annotations import shown
from volr.checks.arrays import Booleans, Floats, Integers, same_fields
from volr.display.displayed import Displayed
from volr.errors import ModelError

if TYPE_CHECKING:
    import neo
    import pandas as pd

    from volr.display.parts import Part
    from volr.models.model import SpikingModel
    from volr.network import Network


@dataclass(frozen=True)
class Record:
    """What to keep of a simulation, by population; ``counts=None`` stands for the outputs.

    ``counts`` keeps the number of spikes, which is cheap; ``spikes`` whole spike trains;
    ``membranes`` the potential at the end of every step.
    """

    counts: tuple[str, ...] | None = None
    spikes: tuple[str, ...] = ()
    membranes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not (value is None and name == "counts"):
                object.__setattr__(self, name, _names(name, value))

    def counted(self, network: Network) -> tuple[str, ...]:
        return network.outputs if self.counts is None else self.counts

    def check(self, network: Network) -> None:
        """Raise ``ModelError`` when a population is asked for that the network does not have."""
        asked = (*self.counted(network), *self.spikes, *self.membranes)
        unknown = [name for name in asked if name not in network.by_name]
        if unknown:
            known = ", ".join(network.by_name)
            raise ModelError(
                f"cannot record {', '.join(map(repr, unknown))}: no such population",
                help=f"the populations are {known}",
            )


def _names(what: str, given: Any) -> tuple[str, ...]:
    """The names of populations in what was given; ``ModelError`` where it is something else."""
    is_some = isinstance(given, Iterable) and not isinstance(given, (str, bytes))
    names = tuple(cast("Iterable[Any]", given)) if is_some else ()
    if not is_some or not all(isinstance(name, str) for name in names):
        raise ModelError(
            f"cannot record: {what} is {shown(cast('Any', given))}, not the names of populations",
            help=f"give a tuple of them, such as {what}=('dense_1',)",
        )
    return names


@dataclass(frozen=True, eq=False)  # with an == of its own
class Recordings(Displayed):
    """What was kept of a simulation, by population.

    ``counts`` ``[batch, unit]``, ``spikes`` ``[time, batch, unit]``, ``membranes``
    ``[time, batch, unit]`` in mV, after the step and its reset. ``means`` ``[batch, unit]`` is the
    mean of V − v_rest over all steps, mV, of the outputs whose membrane is read, and ``finals``
    that after the last step, of the outputs whose final membrane is. ``shaped`` has the axes of
    maps in place of ``unit``. ``dt`` is the time step, ms; a spike of step k, counted from 0, has
    the time (k + 1) · dt. It does not count in a comparison.
    """

    counts: Mapping[str, Integers]
    spikes: Mapping[str, Booleans] = field(default_factory=dict[str, Booleans])
    membranes: Mapping[str, Floats] = field(default_factory=dict[str, Floats])
    means: Mapping[str, Floats] = field(default_factory=dict[str, Floats])
    finals: Mapping[str, Floats] = field(default_factory=dict[str, Floats])
    dt: float | None = field(default=None, compare=False)

    def __eq__(self, other: object) -> bool:
        return same_fields(self, other)

    def __hash__(self) -> int:
        return hash((*self.counts, *self.spikes, *self.membranes, *self.means, *self.finals))

    def output_values(self, model: SpikingModel) -> Floats:
        """The values of all outputs side by side, ``[batch, unit]``: counts, or membranes, mV."""
        values = {"count": self.counts, "membrane": self.means, "final": self.finals}[model.readout]
        # Those of maps may be shaped.
        parts = [
            each.reshape(len(each), math.prod(each.shape[1:]))
            for each in (values[name] for name in model.network.outputs)
        ]
        return np.concatenate(parts, axis=1).astype(np.float64)

    def shaped(self, network: Network) -> Recordings:
        """The same recordings with the axes of each population's shape in place of ``unit``.

        Spikes of a map of the shape ``(c, h, w)`` are ``[time, batch, c, h, w]``, and its counts
        ``[batch, c, h, w]``. The arrays are views. Raises ``ModelError`` for a network of which
        these are no recordings.
        """
        kinds = {each.name: getattr(self, each.name) for each in fields(self) if each.compare}
        for each in kinds.values():
            for name, values in each.items():
                known = network.by_name.get(name)
                if known is None or values.shape[-1] != known.size:
                    raise ModelError(
                        f"these are no recordings of this network: it has no population {name!r} "
                        f"of {values.shape[-1]} neurons",
                        help="give the network of the model that was simulated",
                    )
        return Recordings(
            dt=self.dt,
            **{
                kind: {
                    name: values.reshape(*values.shape[:-1], *network[name].shape)
                    for name, values in each.items()
                }
                for kind, each in kinds.items()
            },
        )

    def to_neo(self, dt: float | None = None) -> neo.Block:
        """The recordings as a ``neo.Block`` with one segment for each stimulus.

        A segment has a ``SpikeTrain`` for each neuron of which spikes were recorded, in ms, and an
        ``AnalogSignal`` for each population of which membranes were, in mV. Annotations say the
        ``population``, the ``neuron`` (from 0) and the ``stimulus``. ``dt``, ms, is needed only for
        recordings that do not have it. Raises ``MissingError`` without the package neo, and
        ``DataError`` where neither spikes nor membranes were recorded.
        """
        from volr.backends.recordings.analysis import to_neo

        return to_neo(self, dt)

    def to_pandas(self, dt: float | None = None) -> pd.DataFrame:
        """The spikes as a ``pandas.DataFrame`` with a row for each of them.

        Its columns are ``stimulus`` and ``neuron`` (from 0), ``population`` (a category), and
        ``time_ms``. Rows are ordered by stimulus, population, neuron and time. ``dt`` as in
        ``to_neo``. Raises ``MissingError`` without pandas, and ``DataError`` where no spikes were
        recorded.
        """
        from volr.backends.recordings.analysis import to_pandas

        return to_pandas(self, dt)

    def _display(self) -> Iterable[Part]:
        from volr.backends.recordings.display import recordings_parts

        return recordings_parts(self)
