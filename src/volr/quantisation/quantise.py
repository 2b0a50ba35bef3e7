"""Quantise a trained network, and report what it cost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from volr.backends.reference import activations
from volr.checks import arguments
from volr.checks.annotations import settle
from volr.display.displayed import Displayed
from volr.errors import DataError, ModelError, UnsupportedError
from volr.exact.sums import largest_sums
from volr.models.activations import ReLU, Staircase, levels_problems
from volr.models.coding import check_stimuli
from volr.models.first_spike import unsuited
from volr.models.model import ArtificialModel
from volr.models.samples import check_labels
from volr.network import Connector
from volr.network.supported import check_connectors
from volr.quantisation.heights import heights, largest_sum
from volr.quantisation.whole_numbers import whole_numbers

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from volr.checks.arrays import Floats
    from volr.display.parts import Part
    from volr.models.samples import Samples
    from volr.network import Network

QuantisationProgress: TypeAlias = Callable[[int, int], None]
"""Called with the number of networks that have been measured, and how many there are."""

PERCENTILES = (99.0, 99.9, 99.99, 100.0)
"""Those that are tried unless one is told."""
# Beyond this, and below one by this, sums are those of no trained network, and squares overflow.
_LARGEST = 1e100
# Stimuli that go through the network at once: all activations are in memory.
_TOGETHER = 500


@dataclass(frozen=True, kw_only=True)
class QuantisationSettings:
    """How finely a network is quantised.

    All ``levels`` together reach the ``percentile`` of a unit's activations on training stimuli,
    ``samples`` of which are drawn with ``seed``. Without a percentile, the one is taken with which
    most of these stimuli get the labels that the network gives them. Raises ``ModelError`` with
    everything that is wrong.
    """

    levels: int = 32
    percentile: float | None = None
    samples: int = 2000
    seed: int = 0

    def __post_init__(self) -> None:
        wrong = settle(self)
        if not wrong:
            wrong += levels_problems(self.levels)
            if self.percentile is not None and not 0 < self.percentile <= 100:
                wrong.append(f"percentile is {self.percentile}, not in (0, 100]")
            if self.samples < 1:
                wrong.append(f"samples is {self.samples}, below 1")
            if self.seed < 0:
                wrong.append(f"seed is {self.seed}, below 0")
        if wrong:
            raise ModelError("this network cannot be quantised: " + "; ".join(wrong))


@dataclass(frozen=True)
class PopulationCost:
    """One population.

    ``height`` is what one level is worth, the geometric mean over its units; NaN of an output.
    ``clipped`` is the share of activations above all levels, and ``largest`` the largest weighted
    sum there can be, in steps of the grid. ``error`` is the root of the mean square of what
    quantisation changes in its activations, relative to that of the activations themselves.
    """

    name: str
    size: int
    height: float
    clipped: float
    largest: int
    error: float


@dataclass(frozen=True)
class QuantisationReport(Displayed):
    """What quantisation cost on ``samples`` training stimuli.

    ``agreement`` is the share of them that get the same label before and after.
    """

    populations: tuple[PopulationCost, ...]
    levels: int
    step: int
    percentile: float
    samples: int
    accuracy_before: float
    accuracy_after: float
    agreement: float

    def _display(self) -> Iterable[Part]:
        from volr.quantisation.display import quantisation_parts

        return quantisation_parts(self)


@dataclass(frozen=True)
class Quantisation(Displayed):
    """The staircase network, and what it cost."""

    model: ArtificialModel
    report: QuantisationReport

    def _display(self) -> Iterable[Part]:
        from volr.quantisation.display import quantisation_parts

        return quantisation_parts(self.report)


@dataclass(frozen=True, eq=False)
class _Tried:
    model: ArtificialModel
    heights: Mapping[str, Floats]
    percentile: float
    shown: Mapping[str, Floats]
    agreement: float


def quantise(
    model: ArtificialModel,
    samples: Samples,
    settings: QuantisationSettings = QuantisationSettings(),
    *,
    progress: QuantisationProgress | None = None,
) -> Quantisation:
    """Turn a trained network with ReLU into a staircase network of whole numbers.

    ``samples`` are training stimuli. Nothing is trained, and their labels are for the report only.
    Raises ``UnsupportedError`` for another activation than ReLU and for a network that cannot
    compute with first spikes, ``DataError`` for samples that do not fit, and ``ModelError`` for
    numbers that do not become whole ones.
    """
    arguments.check_model("quantise", model, kind=ArtificialModel)
    arguments.check_samples("quantise", samples)
    arguments.check_record("quantise", settings, QuantisationSettings)
    arguments.check_progress("quantise", progress)
    check_quantisable(model)
    check_sizes(model)
    if len(samples) == 0:
        raise DataError("the heights of stairs need training stimuli, and there are none")
    check_stimuli(samples.inputs, model.network.input_size)
    check_labels(samples, model.network.output_size)
    chosen = np.random.default_rng(settings.seed).permutation(len(samples))[: settings.samples]
    drawn = samples.take(chosen)
    shown = shown_by(model, drawn.inputs)
    before = _labels(model, shown)
    percentiles = PERCENTILES if settings.percentile is None else (settings.percentile,)
    tried: list[_Tried] = []
    for percentile in percentiles:
        found = heights(model, shown, settings.levels, percentile)
        whole = whole_numbers(model, found, settings.levels)
        after = shown_by(whole, drawn.inputs)
        agreement = float((_labels(whole, after) == before).mean())
        tried.append(_Tried(whole, found, percentile, after, agreement))
        if progress is not None:
            progress(len(tried), len(percentiles))
    # The first of the best ones, whose stairs are finer.
    best = max(tried, key=lambda each: each.agreement)
    step = best.model.activation.step if isinstance(best.model.activation, Staircase) else 0
    report = QuantisationReport(
        populations=tuple(_costs(model, shown, best, settings.levels)),
        levels=settings.levels,
        step=step,
        percentile=best.percentile,
        samples=len(drawn),
        accuracy_before=float((before == drawn.labels).mean()),
        accuracy_after=float((_labels(best.model, best.shown) == drawn.labels).mean()),
        agreement=best.agreement,
    )
    return Quantisation(best.model, report)


def check_quantisable(model: ArtificialModel) -> None:
    """Raise ``UnsupportedError`` for a network that has no staircase network."""
    if isinstance(model.activation, Staircase):
        raise UnsupportedError(
            f"this network is quantised already, to {model.activation.levels} levels",
            help="volr.to_first_spikes makes it a spiking model",
        )
    if not isinstance(model.activation, ReLU):
        raise UnsupportedError(
            f"a staircase cannot stand for the activation {model.activation.name!r}: its levels "
            "are those of relu",
            help="train the network again with relu, which makes another model",
        )
    check_suited(model.network)


def check_suited(network: Network) -> None:
    """Raise ``UnsupportedError`` for a network in which a neuron cannot tell its value by one
    spike.
    """
    check_connectors(network, (Connector,), "quantise", several=True, merges=("sum", "max"))
    if wrong := unsuited(network):
        raise UnsupportedError("this network cannot compute with first spikes: " + "; ".join(wrong))


def check_sizes(model: ArtificialModel) -> None:
    """Raise ``ModelError`` for a population whose sums are so large, or so small, that their
    squares or their quotients could be no numbers.
    """
    network = model.network
    most = {name: np.ones(network[name].size) for name in network.inputs}
    for each in network.layers:
        with np.errstate(over="ignore", invalid="ignore"):
            sums = most[each.name] = largest_sum(model, most, each, 1)
        wrong = sums[~((sums <= _LARGEST) & ((sums >= 1.0 / _LARGEST) | (sums == 0.0)))]
        if wrong.size:
            raise ModelError(
                f"the weights and biases of a neuron of {each.name} add up to {wrong[0]:.3g}, and "
                f"sums from {1.0 / _LARGEST:g} to {_LARGEST:g} can be quantised",
                help="look at its parameters; was the training stable?",
            )


def shown_by(model: ArtificialModel, inputs: Floats) -> dict[str, Floats]:
    """``activations``, some stimuli at a time."""
    parts = [
        activations(model, inputs[first : first + _TOGETHER])
        for first in range(0, len(inputs), _TOGETHER)
    ]
    return {name: np.concatenate([each[name] for each in parts]) for name in parts[0]}


def _labels(model: ArtificialModel, shown: Mapping[str, Floats]) -> Floats:
    logits = np.concatenate([shown[name] for name in model.network.outputs], axis=1)
    return logits.argmax(axis=1)


def _costs(
    model: ArtificialModel, shown: Mapping[str, Floats], best: _Tried, levels: int
) -> list[PopulationCost]:
    found: list[PopulationCost] = []
    for each in model.network.layers:
        own = best.heights.get(each.name)
        sums = largest_sums(model.network, best.model.parameters, each, levels)
        before, after = shown[each.name], best.shown[each.name]
        # Outputs are on a grid of their own, which the whole numbers do not tell: it is fitted.
        scale = own if own is not None else _fitted(before, after)
        found.append(
            PopulationCost(
                name=each.name,
                size=each.size,
                height=float("nan") if own is None else float(np.exp(np.log(own).mean())),
                clipped=0.0 if own is None else float((before > (levels + 0.5) * own).mean()),
                largest=int(sums.max()),
                error=_relative(after * scale - before, before),
            )
        )
    return found


def _fitted(wanted: Floats, found: Floats) -> float:
    """The factor with which ``found`` is nearest to ``wanted``."""
    size = float((found * found).sum())
    return float((wanted * found).sum()) / size if size > 0 else 0.0


def _relative(difference: Floats, values: Floats) -> float:
    size = float(np.square(values).mean())
    return float(np.sqrt(np.square(difference).mean() / size)) if size > 0 else 0.0
