"""What a transfer may be told."""

from __future__ import annotations

from dataclasses import dataclass

from volr.errors import ModelError
from volr.models.coding import ConstantCurrent, InputCoding, coding_problems
from volr.models.model import timing_problems
from volr.models.neurons import IFCurrDelta, NeuronModel


@dataclass(frozen=True, kw_only=True)
class TransferSettings:
    """The spiking side of a transfer, and how much work its calibration may be.

    ``neuron``, ``coding``, ``dt``, ``duration`` and ``delay`` (ms; None stands for one step) become
    the spiking model's. A population fires at ``coding.rate_max`` where its activation is at the
    ``percentile`` of what it shows on the training stimuli. ``samples`` of these, drawn with
    ``seed``, are simulated in ``rounds`` of three to calibrate a layer; 0 rounds leave the analytic
    mapping as it is. Raises ``ModelError`` with everything that is wrong.
    """

    neuron: NeuronModel = IFCurrDelta()
    coding: InputCoding = ConstantCurrent()
    dt: float = 0.5
    duration: float = 50.0
    delay: float | None = None
    percentile: float = 99.9
    rounds: int = 2
    samples: int = 500
    seed: int = 0

    def __post_init__(self) -> None:
        wrong = timing_problems(self.dt, self.duration, self.delay_ms)
        if not wrong:
            wrong = coding_problems(self.coding, self.dt)
        if not 0 < self.percentile <= 100:
            wrong.append(f"percentile is {self.percentile}, not in (0, 100]")
        if self.rounds < 0:
            wrong.append(f"rounds is {self.rounds}, below 0")
        if self.samples < 1:
            wrong.append(f"samples is {self.samples}, below 1")
        if self.seed < 0:
            wrong.append(f"seed is {self.seed}, below 0")
        if wrong:
            raise ModelError("this transfer cannot be made: " + "; ".join(wrong))

    @property
    def current_of_one_spike(self) -> float:
        """The constant current in nA that brings the charge of one spike over the duration."""
        neuron = self.neuron
        theta = neuron.v_thresh - neuron.v_reset
        return theta / (neuron.rise(self.dt) * self.duration / self.dt)

    @property
    def delay_ms(self) -> float:
        return self.dt if self.delay is None else self.delay
