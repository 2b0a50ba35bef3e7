"""Options of spiking networks, and the settings that they make."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeVar

from volr.cli import completion
from volr.cli.options import (
    CALIBRATION,
    SPIKING,
    THROUGH_SPIKES,
    Device,
    count,
    given_values,
    option,
)
from volr.errors import ModelError

if TYPE_CHECKING:
    from volr.models.simulation_settings import SimulationSettings

_MODEL = "volr.models.model:SpikingModel"
_TRAINING = "volr.training:SpikingSettings"
_S = TypeVar("_S", bound="SimulationSettings")


def _rates() -> str:
    """The rates that suit the neuron models, the most frequent one first."""
    from volr.neurons import NEURON_MODELS, NeuronModel

    usual = NeuronModel.input_rate
    others = [each for each in NEURON_MODELS if each.input_rate != usual]
    slow = "".join(f"; {each.name}: {each.input_rate:g}" for each in others)
    return f"{usual:g}{slow}; at most a spike a step"


NEURON = "Neuron model: if_curr_exp, if_curr_delta or if_cond_exp."
RESET = "After a spike, put the membrane to v_reset or take v_thresh − v_reset off it."
TIME = "Simulated time of one stimulus."
STEP = "Time step of the simulation."
DURATION: Any = option(None, TIME, "MS")
DT: Any = option(None, STEP, "MS")


@dataclass(frozen=True, kw_only=True)
class Times:
    """The times of a simulation, ms."""

    panel: ClassVar = SPIKING
    source: ClassVar = _MODEL
    duration: float | None = DURATION
    dt: float | None = DT


@dataclass(frozen=True, kw_only=True)
class Spiking:
    """What a spiking network is made of, and its times in ms."""

    panel: ClassVar = SPIKING
    source: ClassVar = _MODEL
    neuron: str | None = option(
        None, NEURON, "NAME", of=f"{_MODEL}.neuron.name", names=completion.NEURONS
    )
    neuron_parameters: list[str] | None = option(
        None,
        "Parameter of the neuron, in PyNN's names and units: tau_m=10. May be repeated.",
        "NAME=X",
        flags="--neuron-parameter -p",
        unless="PyNN's",
    )
    reset: Literal["hard", "subtract"] | None = option(None, RESET, of=f"{_MODEL}.neuron.reset")
    coding: str | None = option(
        None,
        "Input coding: current or poisson.",
        "NAME",
        of="volr.models.coding:ConstantCurrent.name",
        names=completion.RATE_CODINGS,
    )
    rate_max: float | None = option(None, "Spike rate of an input of 1.", "HZ", unless=_rates)
    duration: float | None = DURATION
    dt: float | None = DT
    delay: float | None = option(None, "Delay of every synapse.", "MS", unless="one step")

    def settings(self, kind: type[_S], **others: Any) -> _S:
        """Settings of this kind with these options and ``others``.

        Raises ``ModelError`` for an unknown neuron or coding.
        """
        from volr.models.coding import ConstantCurrent, coding_by_name
        from volr.models.model import SpikingModel
        from volr.neurons import neuron_model

        usual = SpikingModel.neuron
        neuron = neuron_model(
            self.neuron or usual.name,
            parameters(self.neuron_parameters or ()),
            self.reset or usual.reset,
        )
        times = {"duration": self.duration, "dt": self.dt, "delay": self.delay}
        given = {name: value for name, value in times.items() if value is not None}
        coding = coding_by_name(
            self.coding or ConstantCurrent.name,
            self.rate_max,
            neuron,
            given.get("dt", SpikingModel.dt),
        )
        return kind(neuron=neuron, coding=coding, **given, **others)


@dataclass(frozen=True, kw_only=True)
class Percentile:
    """What a transfer takes for a full activation."""

    panel: ClassVar = CALIBRATION
    source: ClassVar = "volr.transfer:TransferSettings"
    percentile: float | None = option(
        None, "Percentile of a population's activations that counts as full.", "X"
    )


@dataclass(frozen=True, kw_only=True)
class ThroughSpikes:
    """The start of a spiking network's training, and how errors go back through spikes."""

    panel: ClassVar = THROUGH_SPIKES
    source: ClassVar = _TRAINING
    start: Path | None = option(
        None,
        "Continue from this spiking model, with its neurons, coding, timing and readout; or from "
        "this artificial one, with --levels.",
        "MODEL",
        unless="random weights",
    )
    teacher: Path | None = option(
        None,
        "Learn the answers of this artificial model instead of the labels.",
        "MODEL",
        unless="the labels",
    )
    in_loop: str | None = option(
        None,
        "Run the forward passes on this spiking back end, such as nest, and differentiate through "
        "its measured rates.",
        "BACKEND",
        names=completion.SPIKING,
        unless="backpropagation through the engine's spikes",
    )
    device: Device = "cpu"
    readout: Literal["count", "membrane"] | None = option(
        None, "Read the outputs' spikes, or their mean membranes.", panel=SPIKING
    )
    surrogate: Literal["triangle", "rectangle", "fast_sigmoid", "atan"] | None = option(
        None, "Surrogate for the derivative of a spike.", of=f"{_TRAINING}.surrogate.shape"
    )
    surrogate_width: float | None = option(
        None,
        "Width of the surrogate, in units of v_thresh − v_reset.",
        "X",
        of=f"{_TRAINING}.surrogate.width",
    )
    window: int | None = count(None, "Steps that errors flow back through.", unless="all")
    rate_floor: float | None = option(
        None, "Mean rate below which a hidden neuron is penalised.", "HZ"
    )
    rate_penalty: float | None = option(None, "Strength of this penalty.", "X")

    @property
    def changes(self) -> dict[str, Any]:
        """The fields of ``SpikingSettings`` that these options change."""
        from volr.engine.surrogates import Surrogate
        from volr.training import SpikingSettings

        names = ("readout", "window", "rate_floor", "rate_penalty")
        given = {name: value for name, value in given_values(self).items() if name in names}
        usual = SpikingSettings.surrogate
        shape, width = self.surrogate or usual.shape, self.surrogate_width
        return {**given, "surrogate": Surrogate(shape, usual.width if width is None else width)}


def parameters(assignments: Iterable[str]) -> dict[str, float]:
    """Assignments such as ``tau_m=10`` as a mapping; ``ModelError`` for wrong or double ones."""
    found: dict[str, float] = {}
    for text in assignments:
        name, equals, value = (part.strip() for part in text.partition("="))
        try:
            number = float(value)
        except ValueError:
            what = f"{value!r} is not a number" if equals else "there is no = in it"
            raise ModelError(
                f"the neuron parameter {text!r} cannot be read: {what}", help="write it as tau_m=10"
            ) from None
        if name in found:
            raise ModelError(f"the neuron parameter {name!r} is given twice")
        found[name] = number
    return found
