"""What the engines are given: networks, weights and spikes, all from one seed."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from peers.windowed import Synapses, Windowed

if TYPE_CHECKING:
    from numpy.typing import NDArray

DECAY = math.exp(-1.0 / 20.0)
"""Steps of 1 ms, a membrane of 20 ms."""
HIDDEN_DENSITY = 0.1
GAIN = 0.8
"""The deviation of what arrives in a step, in thresholds: hidden layers then spike in about a tenth
of all steps, whatever the density of the input."""


@dataclass(frozen=True)
class Workload:
    """A network of ``sizes``, input first; ``density`` is the probability of an input spike."""

    sizes: tuple[int, ...]
    batch: int
    steps: int
    density: float

    def __str__(self) -> str:
        sizes = "-".join(map(str, self.sizes))
        return f"{sizes}, batch {self.batch}, {self.steps} steps"

    @property
    def synapses(self) -> int:
        return sum(pre * post for pre, post in itertools.pairwise(self.sizes))

    def weights(self) -> list[Synapses]:
        """Signed, mean 0, one matrix ``[post, pre]`` a layer."""
        rng = np.random.default_rng(len(self.sizes))
        matrices: list[Synapses] = []
        density = self.density
        for pre, post in itertools.pairwise(self.sizes):
            deviation = GAIN / math.sqrt(pre * density)
            matrices.append((deviation * rng.standard_normal((post, pre))).astype(np.float32))
            density = HIDDEN_DENSITY
        return matrices

    def spikes(self) -> NDArray[np.bool_]:
        """Bernoulli input, ``[time, batch, unit]``."""
        rng = np.random.default_rng([self.batch, self.steps])
        shape = (self.steps, self.batch, self.sizes[0])
        return rng.random(shape, dtype=np.float32) < self.density


@dataclass(frozen=True)
class LeNet(Workload):
    """``conv [1 28 28] 6 5 ⦶ avgpool _ 2 ⦶ conv _ 16 5 ⦶ avgpool _ 2 ⦶ dense _ 120 ⦶ dense _ 84 ⦶
    dense _ 10``.
    """

    sizes: tuple[int, ...] = (784, 3456, 1024, 120, 84, 10)
    batch: int = 64
    steps: int = 50
    density: float = 0.1

    def __str__(self) -> str:
        return f"LeNet, batch {self.batch}, {self.steps} steps"

    @property
    def synapses(self) -> int:
        each = (x.synapses if isinstance(x, Windowed) else x.size for x in self.weights())
        return sum(each)

    def weights(self) -> list[Synapses]:
        """Signed, mean 0, as strong for each neuron as in a dense network."""
        rng = np.random.default_rng(len(self.sizes))

        def drawn(*shape: int, density: float = HIDDEN_DENSITY) -> NDArray[np.float32]:
            deviation = GAIN / math.sqrt(math.prod(shape[1:]) * density)
            return (deviation * rng.standard_normal(shape)).astype(np.float32)

        return [
            Windowed(drawn(6, 1, 5, 5, density=self.density), (1, 28, 28)),
            Windowed(drawn(16, 6, 5, 5), (6, 24, 24), pool=2),
            Windowed(drawn(120, 256), (16, 8, 8), pool=2),
            drawn(84, 120),
            drawn(10, 84),
        ]


KINDS: dict[str, type[Workload]] = {each.__name__: each for each in (Workload, LeNet)}
"""The classes of workloads by name."""

DENSITIES = (0.02, 0.05, 0.1, 0.2)


def standard(density: float) -> tuple[Workload, ...]:
    """The two networks for images."""
    return (
        Workload((784, 512, 10), 128, 25, density),
        Workload((784, 512, 512, 10), 64, 100, density),
    )


def open_neuromorphic(size: int) -> Workload:
    """One linear layer and its neurons (open-neuromorphic.org), on spikes instead of noise."""
    return Workload((size, size), 16, 500, 0.1)


BASE = Workload((1000, 1000), 64, 50, 0.05)
SPARSEST = 0.02


def growing(factors: tuple[int, ...]) -> list[tuple[str, float, Workload]]:
    """The base with one thing multiplied: name and number of what grows, and the workload.

    Ten times as many inputs, or neurons, have ten million synapses.
    """
    pre, post = BASE.sizes
    found: list[tuple[str, float, Workload]] = []
    found += [("steps", BASE.steps * n, replace(BASE, steps=BASE.steps * n)) for n in factors]
    found += [("stimuli", BASE.batch * n, replace(BASE, batch=BASE.batch * n)) for n in factors]
    found += [("inputs", pre * n, replace(BASE, sizes=(pre * n, post))) for n in factors]
    found += [("neurons", post * n, replace(BASE, sizes=(pre, post * n))) for n in factors]
    denser = [replace(BASE, density=SPARSEST * n) for n in factors]
    found += [("input spikes", float(each.spikes().sum()), each) for each in denser]
    return found
