"""Options of spiking networks, and the neuron model and the models that they describe."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal, TypeVar

from volr.cli.options import CALIBRATION, SPIKING, THROUGH_SPIKES, count, option
from volr.errors import ModelError

PERCENTILE: float = option(
    99.9,
    "Percentile of a population's activations that counts as full.",
    "X",
    panel=CALIBRATION,
)

_S = TypeVar("_S")


@dataclass(frozen=True, kw_only=True)
class Spiking:
    """What a spiking network is made of, and its times in ms."""

    panel: ClassVar = SPIKING
    neuron: str = option(
        "if_curr_delta", "Neuron model: if_curr_delta, if_curr_exp or if_cond_exp.", "NAME"
    )
    neuron_parameters: list[str] | None = option(
        None,
        "Parameter of the neuron, in PyNN's names and units: tau_m=10. May be repeated.",
        "NAME=X",
        flags="--neuron-parameter -p",
    )
    reset: Literal["hard", "subtract"] = option(
        "hard", "After a spike, put the membrane to v_reset or take v_thresh − v_reset off it."
    )
    coding: str = option("current", "Input coding: current or poisson.", "NAME")
    rate_max: float | None = option(
        None,
        "Spike rate of an input of 1.",
        "HZ",
        unless="500; if_cond_exp: 200; at most a spike a step",
    )
    duration: float = option(50.0, "Simulated time of one stimulus.", "MS")
    dt: float = option(0.5, "Time step of the simulation.", "MS")
    delay: float | None = option(None, "Delay of every synapse.", "MS", unless="one step")

    def settings(self, kind: Callable[..., _S], **others: Any) -> _S:
        """``TransferSettings`` or ``SpikingSettings`` with these and ``others``; ``ModelError`` for
        a neuron or a coding that there is not.
        """
        from volr.models.coding import coding_by_name
        from volr.neurons import neuron_model

        neuron = neuron_model(self.neuron, parameters(self.neuron_parameters or ()), self.reset)
        return kind(
            neuron=neuron,
            coding=coding_by_name(self.coding, self.rate_max, neuron, self.dt),
            duration=self.duration,
            dt=self.dt,
            delay=self.delay,
            **others,
        )


@dataclass(frozen=True, kw_only=True)
class Times:
    """The times in ms where a settings file may tell them too."""

    panel: ClassVar = SPIKING
    duration: float | None = option(None, "Simulated time of one stimulus.", "MS", unless="50")
    dt: float | None = option(None, "Time step of the simulation.", "MS", unless="0.5")


@dataclass(frozen=True, kw_only=True)
class ThroughSpikes:
    """What a spiking network's training begins with, and how errors go back through spikes."""

    panel: ClassVar = THROUGH_SPIKES
    start: Path | None = option(
        None,
        "Go on from this spiking model; neurons, coding, timing and readout are its own.",
        "MODEL",
        unless="random weights",
    )
    teacher: Path | None = option(
        None,
        "Learn what this artificial model answers instead of the labels.",
        "MODEL",
        unless="the labels",
    )
    in_loop: str | None = option(
        None,
        "Run the forward passes on this spiking back end, such as nest, and go back through its "
        "measured rates.",
        "BACKEND",
        unless="backpropagation through the engine's spikes",
    )
    device: Literal["cpu", "cuda", "auto"] = option(
        "cpu", "Run the network on the processor or on a GPU; auto: a GPU where there is one."
    )
    surrogate: Literal["triangle", "rectangle", "fast_sigmoid", "atan"] = option(
        "atan", "What stands for the derivative of a spike."
    )
    surrogate_width: float = option(0.3, "Its width, in units of v_thresh − v_reset.", "X")
    window: int | None = count(None, "Steps that errors flow back through.", unless="all")
    rate_floor: float = option(5.0, "Mean rate below which a hidden neuron is pulled up.", "HZ")
    rate_penalty: float = option(1.0, "How strongly it is pulled up.", "X")


def parameters(assignments: Iterable[str]) -> dict[str, float]:
    """``tau_m=10`` and the like as a mapping; ``ModelError`` for what is none, or given twice."""
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
