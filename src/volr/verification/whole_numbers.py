"""Does a spiking network tell the whole numbers of an artificial one, stimulus by stimulus?

The proof (``volr.exact.proof``) says that it does, for all stimuli. This holds what a back end
really does against it: the value of every neuron, decoded from the time of its one spike, and the
outputs' membranes, for as many stimuli as are asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from volr.backends import backend_of, running
from volr.backends.base import Record
from volr.backends.engine import ENGINE
from volr.backends.reference import activations
from volr.backends.refusals import check_supported, install_hint, is_ready, require
from volr.checks import arguments
from volr.display.displayed import Displayed
from volr.errors import DataError, ModelError
from volr.exact.decoding import telling, told
from volr.exact.first_spikes import first_difference, to_first_spikes
from volr.exact.sums import staircase_of
from volr.models.coding import stimuli_of
from volr.models.first_spike import FirstSpike
from volr.models.model import ArtificialModel, SpikingModel
from volr.network.subgraph import without_clock

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import ArrayLike

    from volr.backends import On
    from volr.backends.base import Progress
    from volr.checks.arrays import Floats, Integers
    from volr.display.parts import Part

# The most neurons times steps that are recorded at once, a byte each.
_CHUNK = 100_000_000
# Stimuli on which a mistake must give the same whole numbers.
_DECIDING = 20


@dataclass(frozen=True)
class WholeNumbers:
    """Of a population, ``compared`` whole numbers, of which some are ``different``."""

    population: str
    compared: int
    different: int


@dataclass(frozen=True)
class FirstWrong:
    """The first whole number that differs: of the first stimulus, in its first population.

    ``found`` is None for a neuron that did not spike once, or not within its window. ``cause`` is
    the mistake that gives the same whole numbers, in words.
    """

    stimulus: int
    population: str
    neuron: int
    expected: int
    found: int | None
    cause: str


@dataclass(frozen=True)
class Agreement(Displayed):
    """The whole numbers of a spiking network on ``backend`` against those of an artificial one.

    ``error`` is the largest distance of an output's membrane from its logit, in steps of the grid.
    ``labels`` ``[batch]`` are those of the spiking network.
    """

    backend: str
    populations: tuple[WholeNumbers, ...]
    error: float
    labels: tuple[int, ...]
    first: FirstWrong | None

    @property
    def compared(self) -> int:
        return sum(each.compared for each in self.populations)

    @property
    def different(self) -> int:
        return sum(each.different for each in self.populations)

    @property
    def equal(self) -> bool:
        """Whether no whole number differs."""
        return self.first is None

    def _display(self) -> Iterable[Part]:
        from volr.verification.display import agreement_parts

        return agreement_parts([self])


def verify_against(
    model: SpikingModel,
    ann: ArtificialModel,
    on: On,
    stimuli: ArrayLike,
    *,
    progress: Progress | None = None,
) -> Agreement:
    """Compare the whole numbers of every neuron and stimulus with those of a staircase network.

    ``stimuli`` are ``[batch, unit]``. Raises ``ModelError`` if one of the models does not compute
    whole numbers or if their networks differ, ``UnsupportedError`` if the back end cannot run the
    model, ``MissingError`` if it is not installed, and ``DataError`` for stimuli that do not fit.
    """
    arguments.check_model("verify_against", model, kind=SpikingModel)
    arguments.check_model("verify_against", ann, "ann", kind=ArtificialModel)
    arguments.check_on("verify_against", on)
    arguments.check_progress("verify_against", progress)
    check_comparable(model, ann)
    backend = backend_of(on)
    require(backend)
    check_supported(backend, model)
    given = stimuli_of(stimuli, model.network.input_size)
    if not len(given):
        raise DataError("there are no stimuli to compare whole numbers on")
    names = tuple(each.name for each in ann.network.populations)
    neurons = sum(each.size for each in model.network.populations)
    size = max(1, _CHUNK // (model.steps * neurons))
    record = Record(counts=(), spikes=telling(model))
    different = dict.fromkeys(names, 0)
    labels: list[int] = []
    error, first = 0.0, None
    with running(on) as simulator:
        for start in range(0, len(given), size):
            part = given[start : start + size]
            wanted = activations(ann, part)
            recordings = simulator.run(model, part, record=record)
            found, off = told(model, recordings.spikes, recordings.finals)
            for name in names:
                different[name] += int((found[name] != wanted[name]).sum())
            error = max(error, off)
            logits = np.concatenate([found[name] for name in ann.network.outputs], axis=1)
            labels += logits.argmax(axis=1).tolist()
            if first is None:
                first = _first_wrong(model, ann, part, wanted, found, start)
            if progress is not None:
                progress(len(part))
    return Agreement(
        backend.name,
        tuple(
            WholeNumbers(name, len(given) * ann.network[name].size, different[name])
            for name in names
        ),
        error,
        tuple(labels),
        first,
    )


def check_comparable(model: SpikingModel, ann: ArtificialModel) -> None:
    """Raise ``ModelError`` if a model cannot be compared with ``ann``."""
    coding = model.coding
    if not isinstance(coding, FirstSpike):
        raise ModelError(
            f"the spiking model has the coding {coding.name}, which tells no whole numbers",
            help="make it with `volr transfer --coding first-spike`",
        )
    stairs = staircase_of(ann)
    if without_clock(model.network) != ann.network:
        raise ModelError(
            "the two models are not of the same network", help="give the ANN that the SNN came from"
        )
    if (stairs.levels, stairs.step) != (coding.levels, coding.step):
        raise ModelError(
            f"the spiking model has {coding.levels} levels of {coding.step:,} steps, and the "
            f"artificial one {stairs.levels} of {stairs.step:,}",
            help="give the ANN that the SNN came from",
        )


def same_numbers(model: SpikingModel, ann: ArtificialModel) -> str | None:
    """None if the spiking model is the one that the transfer makes of ``ann``, one and all.

    Otherwise the first number that differs, in words. With the proof, None means that both compute
    the same whole numbers for every stimulus.
    """
    check_comparable(model, ann)
    return first_difference(to_first_spikes(ann, dt=model.dt, delay=model.delay), model)


def _first_wrong(
    model: SpikingModel,
    ann: ArtificialModel,
    stimuli: Floats,
    wanted: Mapping[str, Floats],
    found: Mapping[str, Integers],
    start: int,
) -> FirstWrong | None:
    off = {name: (found[name] != wanted[name]).any(axis=1) for name in wanted}
    wrong = np.any(list(off.values()), axis=0)
    if not wrong.any():
        return None
    stimulus = int(wrong.argmax())
    name = next(each.name for each in ann.network.populations if off[each.name][stimulus])
    neuron = int((found[name][stimulus] != wanted[name][stimulus]).argmax())
    last = stimulus + _DECIDING
    value = int(found[name][stimulus, neuron])
    is_value = name in ann.network.outputs or 0 <= value <= staircase_of(ann).levels
    return FirstWrong(
        start + stimulus,
        name,
        neuron,
        int(wanted[name][stimulus, neuron]),
        value if is_value else None,
        _cause(
            model,
            ann,
            name,
            stimuli[stimulus:last],
            {each: values[stimulus:last] for each, values in found.items()},
        ),
    )


def _cause(
    model: SpikingModel,
    ann: ArtificialModel,
    population: str,
    stimuli: Floats,
    found: Mapping[str, Integers],
) -> str:
    """What ``cause_of`` finds, which runs its suspects on the engine."""
    if not is_ready(ENGINE):
        return f"unknown, since mistakes are tried on the engine: {install_hint(ENGINE)}"
    from volr.verification.first_spike_suspects import cause_of

    return cause_of(model, ann, population, stimuli, found)
