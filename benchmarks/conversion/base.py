"""What a converter is to the benchmark, and what one run of it tells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from volr.models.parameters import weight_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from volr.checks.arrays import Floats, Integers
    from volr.models.model import ArtificialModel

STEPS = (8, 16, 32, 64, 128)
"""After how many time steps the networks of the peers are read."""


@dataclass(frozen=True)
class Reading:
    """What a network answers after ``steps``: the ``labels`` ``[batch]`` of some images.

    ``seconds`` is what that took. Spikes and operations are sums over these images: ``acs`` are
    spikes times synapses, ``macs`` values other than 0 and 1 times synapses.
    """

    steps: int
    labels: NDArray[np.int64]
    seconds: float
    spikes: float
    acs: float
    macs: float


class Converted(Protocol):
    """A network that a converter made. ``family`` names the converter, ``name`` its options."""

    family: str
    name: str

    def run(self, images: Floats, number: int) -> Sequence[Reading]:
        """Answers for a batch of images ``[batch, pixel]``, one reading for each number of steps.

        Counting is not in the time. Random spikes are drawn by the ``number`` of the batch.
        """
        ...


class FanOut:
    """How many synapses of another weight than 0 leave each neuron of an artificial network.

    A spike goes through each of them. So through an average pool, it goes to all neurons that read
    the mean; Volr's spiking networks have these synapses, and the counter of sinabs counts so, too.
    """

    def __init__(self, model: ArtificialModel) -> None:
        network = model.network
        self.of: dict[str, Integers] = {
            each.name: np.zeros(each.size, np.int64) for each in network.populations
        }
        for each in network.projections:
            weights = model.parameters[weight_name(each)]
            self.of[each.source] += each.connector.fan_out(weights, *network.ends(each))

    def operations(self, sent: Mapping[str, Floats]) -> float:
        """The operations that so many spikes, or values, of each neuron ``[unit]`` set off."""
        return float(sum(values @ self.of[name] for name, values in sent.items()))


def right(labels: NDArray[np.int64], wanted: NDArray[np.int64]) -> int:
    """How many labels are as wanted."""
    return int((labels == wanted).sum())
