"""How a spiking network is simulated: its neurons, its input coding and its time."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, ClassVar

from volr.checks.annotations import Classes, settle
from volr.errors import ModelError, VolrError
from volr.models.coding import RateCoding, coding_problems, suited_coding
from volr.models.model import SpikingModel
from volr.models.timing import timing_problems
from volr.neurons import NEURON_MODELS, NeuronModel

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Self

    from volr.models.model import Readout
    from volr.models.parameters import Parameters
    from volr.network import Network


@dataclass(frozen=True, kw_only=True)
class SimulationSettings:
    """What transfer and training have in common: both make a model of these.

    Inputs are coded as rates. ``dt``, ``duration`` and ``delay`` are in ms; a delay of None is one
    step, and a coding of None is a constant current at the rate that suits the neuron. The defaults
    are those of ``SpikingModel``. Raises ``ModelError`` with everything that is wrong.
    """

    _error: ClassVar[type[VolrError]] = ModelError
    _refusal: ClassVar[str] = "spiking networks cannot run like this"
    _classes: ClassVar[Mapping[str, Classes]] = {
        "NeuronModel": NEURON_MODELS,
        "RateCoding": RateCoding,
    }

    neuron: NeuronModel = SpikingModel.neuron
    coding: RateCoding | None = None
    dt: float = SpikingModel.dt
    duration: float = SpikingModel.duration
    delay: float | None = None

    def __post_init__(self) -> None:
        if wrong := settle(self, **self._classes) or self._problems():
            raise self._error(f"{self._refusal}: " + "; ".join(wrong))

    @classmethod
    def of(cls, model: SpikingModel | SimulationSettings, **others: Any) -> Self:
        """The settings that give a model of the same neuron, coding and timing.

        ``others`` are fields of this class; they win over those of ``model``. Raises for a model
        whose projections have delays of their own, or whose populations have neurons of their own.
        """
        if isinstance(model, SpikingModel) and (one := _one_of_its_own(model)):
            raise cls._error(f"{cls._refusal}: {one}")
        shared = {each.name: getattr(model, each.name) for each in fields(SimulationSettings)}
        return cls(**(shared | others))

    @property
    def input_coding(self) -> RateCoding:
        """``coding``, or what stands for it."""
        return suited_coding(self.neuron, self.dt) if self.coding is None else self.coding

    @property
    def delay_ms(self) -> float:
        """``delay``, or what stands for it."""
        return self.dt if self.delay is None else self.delay

    def model(
        self, network: Network, parameters: Parameters, readout: Readout = "count"
    ) -> SpikingModel:
        """The spiking model with these settings; ``parameters`` are in its own units."""
        return SpikingModel(
            network=network,
            parameters=parameters,
            neuron=self.neuron,
            coding=self.input_coding,
            dt=self.dt,
            duration=self.duration,
            delay=self.delay_ms,
            readout=readout,
        )

    def _problems(self) -> list[str]:
        timing = timing_problems(self.dt, self.duration, self.delay_ms)
        return timing or self._rate_problems() or self._charge_problems()

    def _charge_problems(self) -> list[str]:
        """A spike whose current never decays brings more charge the earlier it comes."""
        endless = [k for k in ("tau_syn_E", "tau_syn_I") if self.neuron.numbers.get(k) == math.inf]
        return [f"{name} is inf, and then a spike has no charge of its own" for name in endless]

    def _rate_problems(self) -> list[str]:
        return coding_problems(self.input_coding, self.dt)


def _one_of_its_own(model: SpikingModel) -> str:
    """A delay or neurons that the others do not have, in words; empty where all are alike."""
    for name, delay in model.delays.items():
        return f"all projections have one delay, and in this model {name} has one of {delay:g} ms"
    for name in model.neurons:
        return f"all populations have the same neurons, and in this model {name} has its own"
    return ""
