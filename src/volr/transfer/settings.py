"""The settings of a transfer."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from volr.models.simulation_settings import SimulationSettings
from volr.neurons import SMALLEST


@dataclass(frozen=True, kw_only=True)
class TransferSettings(SimulationSettings):
    """The spiking side of a transfer, and how much work its calibration is.

    ``neuron``, ``coding``, ``dt``, ``duration`` and ``delay`` (ms) become the spiking model's; a
    delay of None is one step, and a coding of None is a constant current at the rate that suits the
    neuron. A population fires at ``population_rate`` (Hz; None stands for
    what suits the neuron) where its activation is at the ``percentile`` of what it shows on the
    training stimuli. ``samples`` of these, drawn with ``seed``, are simulated in ``rounds`` of
    three, or of four with conductances, to calibrate a layer; 0 rounds leave the analytic mapping
    as it is. Raises ``ModelError`` with everything that is wrong.
    """

    _refusal: ClassVar[str] = "this transfer cannot be made"

    population_rate: float | None = None
    percentile: float = 99.9
    rounds: int = 3
    samples: int = 500
    seed: int = 0

    @property
    def full_rate(self) -> float:
        """The rate, Hz, of a population at its full activation: what suits the neuron."""
        if self.population_rate is not None:
            return self.population_rate
        return self.neuron.population_rate(self.input_coding.rate_max, self._most)

    @property
    def current_of_one_spike(self) -> float:
        """The constant current in nA that brings the charge of one spike over the duration."""
        rise = self.neuron.rise(self.dt) * self.duration / self.dt
        return self.neuron.theta / rise

    @property
    def _most(self) -> float:
        """A spike in every step, Hz."""
        return 1000.0 / self.dt

    def _problems(self) -> list[str]:
        wrong = super()._problems()
        if not 0 < self.percentile <= 100:
            wrong.append(f"percentile is {self.percentile}, not in (0, 100]")
        if self.rounds < 0:
            wrong.append(f"rounds is {self.rounds}, below 0")
        if self.samples < 1:
            wrong.append(f"samples is {self.samples}, below 1")
        if self.seed < 0:
            wrong.append(f"seed is {self.seed}, below 0")
        return wrong

    def _rate_problems(self) -> list[str]:
        wrong = super()._rate_problems()
        rate = self.population_rate
        if rate is None:
            return wrong
        if not (math.isfinite(rate) and rate > 0):
            wrong.append(f"population_rate is {rate} Hz, not above 0")
        elif rate < SMALLEST:
            wrong.append(f"population_rate is {rate} Hz, below {SMALLEST:g} Hz")
        elif rate > self._most * (1 + 1e-9):
            allowed = f"a step of {self.dt:g} ms allows {self._most:g} Hz"
            wrong.append(f"population_rate is {rate:g} Hz, but {allowed}")
        return wrong
