"""What may help against a cause, as options of ``volr transfer``."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from volr.errors import VolrError
from volr.models.coding import ConstantCurrent, Poisson
from volr.transfer import TransferSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from volr.backends.base import SpikingBackend
    from volr.explanation.causes import Cause
    from volr.models.model import SpikingModel

AGAIN = "volr transfer again"
"""The option of a transfer with the model's own neuron, coding and timing."""

_USUAL_PERCENTILE = 99.9


@dataclass(frozen=True)
class Remedy:
    """A transfer with other ``settings``; ``option`` is the option that makes them so."""

    cause: Cause
    option: str
    settings: TransferSettings


def settings_of(model: SpikingModel, seed: int) -> TransferSettings:
    """The settings of a transfer to this neuron, coding and timing, and defaults for the rest."""
    delay = None if model.delay_steps == 1 else model.delay
    return TransferSettings.of(model, delay=delay, seed=seed)


def remedies(
    causes: Iterable[Cause],
    settings: TransferSettings,
    backend: SpikingBackend,
    *,
    again: bool,
) -> tuple[Remedy, ...]:
    """What may help against these causes, the likeliest first, each once.

    ``again`` is whether a new transfer with these settings may give another model.
    """
    found: dict[str, Remedy] = {}
    for cause in causes:
        for option, make in _changes(cause, settings):
            if option == AGAIN and not again:
                continue
            try:
                changed = make()
            except VolrError:
                # The delay is no multiple of the step, or a rate is too high for the step.
                continue
            if changed.neuron.reset in backend.resets and changed.neuron.name in backend.neurons:
                found.setdefault(option, Remedy(cause, option, changed))
    return tuple(found.values())


def _changes(
    cause: Cause, now: TransferSettings
) -> Iterator[tuple[str, Callable[[], TransferSettings]]]:
    """Options, each with the settings that it makes."""

    def with_(option: str, **changes: Any) -> tuple[str, Callable[[], TransferSettings]]:
        return option, lambda: replace(now, **changes)

    coding = now.input_coding
    again = with_(AGAIN)
    longer = with_(f"--duration {2 * now.duration:g}", duration=2 * now.duration)
    finer = with_(f"--dt {now.dt / 2:g}", dt=now.dt / 2)
    faster, slower = (
        with_(
            f"--rate-max {factor * coding.rate_max:g}",
            coding=replace(coding, rate_max=factor * coding.rate_max),
        )
        if now.full_rate == coding.rate_max
        else with_(
            f"--population-rate {factor * now.full_rate:g}",
            population_rate=factor * now.full_rate,
        )
        for factor in (2.0, 0.5)
    )
    match cause:
        case "sign" | "weights" | "bias" | "units" | "dead":
            yield again
        case "coding":
            if isinstance(coding, Poisson):
                yield with_("--coding current", coding=ConstantCurrent(coding.rate_max))
            yield from (longer, finer)
        case "scale":
            yield again
            yield with_(
                f"--rounds {now.rounds + 2} --calibration-samples {4 * now.samples}",
                rounds=now.rounds + 2,
                samples=4 * now.samples,
            )
        case "saturation":
            if now.percentile < _USUAL_PERCENTILE:
                option = f"--percentile {_USUAL_PERCENTILE:g}"
                yield with_(option, percentile=_USUAL_PERCENTILE)
            else:
                yield again
            yield slower
        case "refractory":
            # Half a step or less is rounded to 0.
            yield with_("-p tau_refrac=0", neuron=replace(now.neuron, tau_refrac=0.0))
            yield slower
        case "quantisation" | "ties":
            yield from (longer, faster)
        case "integration":
            yield from (longer, finer, faster)
        case "reset":
            yield with_("--reset subtract", neuron=replace(now.neuron, reset="subtract"))
            yield finer
        case "transient":
            if now.delay is not None and now.delay > now.dt:
                yield with_(f"--delay {now.dt:g}", delay=now.dt)
            yield longer
        case "driving":
            yield again
            if now.neuron.has_conductances:
                yield with_("--neuron if_curr_exp", neuron=now.neuron.with_currents())
