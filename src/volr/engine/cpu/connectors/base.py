"""What the engine can do with the synapses of one projection, whatever connector it has.

``tiles`` are its weights as its kernels take them, one array for each channel of the neurons that
it leads to. Those for the way back are others.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from volr.engine.cpu.events import ByNeuron, Events

Work = Callable[[], object]


class Span(NamedTuple):
    """Some stimuli of a batch, each of ``steps``; a spike arrives ``delay`` steps later."""

    first: int
    last: int
    steps: int
    delay: int


@dataclass(frozen=True, eq=False)
class Packed:
    """``tiles``, once all ``work`` on them is done, in any order."""

    tiles: NDArray[Any]
    work: list[Work]


@dataclass(frozen=True, eq=False)
class Owed:
    """What is owed to one channel: ``total``, after all ``work``, in any order."""

    work: list[Work]
    total: Callable[[], NDArray[Any]]


@dataclass(frozen=True, eq=False)
class Sent:
    """The spikes of a source in a whole batch, step by step and neuron by neuron.

    The latter are there only where ``Synapses.turned`` says that they are wanted.
    """

    events: Events
    by_neuron: ByNeuron


class Synapses(ABC):
    """The synapses of one projection, from a population of ``pre`` neurons to one of ``post``."""

    turned: bool = False
    """Whether gradients are taken from lists of spikes by neuron."""

    @property
    def senders(self) -> int:
        """What is listed on the way, for each step: 0 of what takes the events as they are."""
        return 0

    @abstractmethod
    def pack(self, weights: NDArray[Any], sign: int, *, back: bool) -> Packed:
        """The weights in the connector's shape as tiles.

        Of ``sign`` 1 or −1 only what is positive or negative, of 0 all.
        """

    @abstractmethod
    def matrix(self, tiles: NDArray[Any]) -> NDArray[Any]:
        """The synapses that forward tiles stand for, ``[post, pre]``; 0 where there is none."""

    @abstractmethod
    def deliver(
        self, events: Events, tiles: NDArray[Any], drive: NDArray[Any], span: Span, *, add: bool
    ) -> None:
        """Write, or ``add``, what spikes bring to ``drive``, a flat ``[stimulus, step, unit]``."""

    @abstractmethod
    def send_back(
        self,
        errors: NDArray[Any],
        tiles: NDArray[Any],
        returned: NDArray[Any],
        span: Span,
        window: int,
        *,
        add: bool,
    ) -> None:
        """Write, or ``add``, to ``returned`` what ``errors``, derivatives by the drive, send back.

        Both are flat ``[stimulus, step, unit]``; ``returned`` begins with the first stimulus of the
        span. Nothing goes from one ``window`` of steps to an earlier one.
        """

    @abstractmethod
    def owed(self, sent: Sent, errors: NDArray[Any], span: Span) -> Owed:
        """What a whole batch owes, from the errors of one channel: in the shape of the weights."""

    def gradient(self, owed: list[NDArray[Any]], weights: NDArray[Any]) -> NDArray[Any]:
        """The gradient of the weights, from what is owed to each channel."""
        # A weight of 0 is about to be excitatory.
        return owed[0] if len(owed) == 1 else np.where(weights < 0, owed[1], owed[0])


def of_sign(values: NDArray[Any], sign: int) -> NDArray[Any]:
    """Only what is positive of ``sign`` 1, or negative of −1; of 0 all."""
    if sign == 0:
        return values
    return np.maximum(values, 0) if sign > 0 else np.minimum(values, 0)
