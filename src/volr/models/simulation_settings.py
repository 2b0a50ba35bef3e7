"""How a spiking network is simulated: its neurons, its input coding and its time."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, ClassVar

from volr.checks.annotations import Classes, settle
from volr.errors import ModelError, VolrError
from volr.models.coding import InputCoding, coding_problems, suited_coding
from volr.models.model import SpikingModel, timing_problems
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

    ``dt``, ``duration`` and ``delay`` are in ms; a delay of None is one step, and a coding of None
    is a constant current at the rate that suits the neuron. The defaults are those of
    ``SpikingModel``. Raises ``ModelError`` with everything that is wrong.
    """

    _error: ClassVar[type[VolrError]] = ModelError
    _refusal: ClassVar[str] = "spiking networks cannot run like this"
    _classes: ClassVar[Mapping[str, Classes]] = {
        "NeuronModel": NEURON_MODELS,
        "InputCoding": InputCoding,
    }

    neuron: NeuronModel = SpikingModel.neuron
    coding: InputCoding | None = None
    dt: float = SpikingModel.dt
    duration: float = SpikingModel.duration
    delay: float | None = None

    def __post_init__(self) -> None:
        if wrong := settle(self, **self._classes) or self._problems():
            raise self._error(f"{self._refusal}: " + "; ".join(wrong))

    @classmethod
    def of(cls, model: SpikingModel | SimulationSettings, **others: Any) -> Self:
        """The settings that give a model of the same neuron, coding and timing.

        ``others`` are fields of this class; they win over those of ``model``.
        """
        shared = {each.name: getattr(model, each.name) for each in fields(SimulationSettings)}
        return cls(**(shared | others))

    @property
    def input_coding(self) -> InputCoding:
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
        return timing or self._rate_problems()

    def _rate_problems(self) -> list[str]:
        return coding_problems(self.input_coding, self.dt)
