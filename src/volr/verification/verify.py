"""Is it the same network? Compares what a back end holds and what it does with the model."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeAlias

from volr.backends import backend_of, running, title
from volr.backends import target as find_target
from volr.backends.base import ArtificialBackend, Document, SpikingBackend
from volr.backends.expected import expected
from volr.backends.reference import REFERENCE
from volr.backends.refusals import check_supported, require
from volr.checks import arguments
from volr.display.displayed import Displayed
from volr.errors import DataError, MissingError, UnsupportedError, VolrError
from volr.models.coding import stimuli_of
from volr.models.model import ArtificialModel, SpikingModel
from volr.models.stimuli import given_stimuli
from volr.verification.behaviour import Behaviour, spiking_behaviour
from volr.verification.comparison import compare
from volr.verification.examples import random_stimuli
from volr.verification.outputs import artificial_behaviour

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import ArrayLike

    from volr.backends import On
    from volr.backends.base import Backend, Progress, Simulator
    from volr.display.parts import Part
    from volr.models.model import Model
    from volr.models.spike_trains import SpikeTrains, Stimuli
    from volr.verification.differences import Comparison, Difference

Target: TypeAlias = "Backend | Document"

SAMPLES = 20
"""The default number of stimuli that behaviour is compared on."""

logger = logging.getLogger("volr")


@dataclass(frozen=True)
class Verification(Displayed):
    """The ``comparison`` of what the back end holds, and its ``behaviour``.

    ``name`` is the ``title`` of the back end or document, as ``volr.backends.target`` takes it.
    ``generation`` is that of the model, ANN or SNN. ``behaviour`` is None for documents, which run
    nothing, and for the reference, with which the outputs of the others are compared.
    """

    name: str
    generation: str
    comparison: Comparison
    behaviour: Behaviour | None
    status: ClassVar[Literal["verified"]] = "verified"

    @property
    def differences(self) -> tuple[Difference, ...]:
        """Every difference between what the back end holds and the model."""
        return self.comparison.differences

    @property
    def topology(self) -> bool:
        """Whether populations and projections are those of the model."""
        return all(each.kind != "topology" for each in self.differences)

    @property
    def parameters(self) -> bool:
        """Whether all numbers that were asked, including the neurons', are those of the model."""
        return all(each.kind != "parameters" for each in self.differences)

    @property
    def equal(self) -> bool:
        """Whether no difference was found."""
        behaviour = self.behaviour
        return not self.differences and (behaviour is None or behaviour.first_difference is None)

    def _display(self) -> Iterable[Part]:
        from volr.verification.display import outcome_parts, silence_of

        warning = silence_of(self)
        return (*outcome_parts([self]), *([] if warning is None else [warning]))


@dataclass(frozen=True)
class Unverified:
    """A back end that could not be compared, and the ``error`` that says why.

    It ``refused`` if it does not support the model or is not installed. It ``failed`` if something
    went wrong after it was started.
    """

    name: str
    generation: str
    status: Literal["refused", "failed"]
    error: Exception

    @property
    def reason(self) -> str:
        """The message of the error."""
        if isinstance(self.error, VolrError):
            return self.error.message
        return f"{type(self.error).__name__}: {self.error}"

    @property
    def help(self) -> str | None:
        """What the user can do about it, if that is known."""
        return self.error.help if isinstance(self.error, VolrError) else None


Outcome: TypeAlias = Verification | Unverified


def verify(
    model: Model,
    on: On | Document,
    stimuli: ArrayLike | SpikeTrains | None = None,
    *,
    seed: int = 0,
    progress: Progress | None = None,
) -> Verification:
    """Is it the same network? Compares what ``on`` holds and does with ``model``.

    ``on`` is a back end, a document, the name of either as ``volr verify --on`` takes it, or a
    started simulator. The behaviour is compared on ``stimuli`` ``[batch, unit]``, or on spike
    trains ``[time, batch, unit]``, by default on 20 random stimuli. ``seed`` is for random codings
    only. Raises ``UnsupportedError`` if the model is not supported, ``MissingError`` if something
    is not installed, ``SimulatorError`` if a simulator fails, and ``DataError`` for stimuli that do
    not fit, and where there are none.
    """
    arguments.check_model("verify", model)
    arguments.check_on("verify", on)
    arguments.check_progress("verify", progress)
    if isinstance(on, str):
        on = find_target(on)
    target = on if isinstance(on, Document) else backend_of(on)
    if stimuli is None:
        stimuli = random_stimuli(model.network, SAMPLES)
    require(target)
    check_supported(target, model)
    shown = _compared(model, stimuli)
    behaviour: Behaviour | None
    match target, model:
        case Document(), _:
            found, behaviour = target.read_back(target.write(model)), None
        case ArtificialBackend(), ArtificialModel():
            found = target.read_back(model)
            is_measure = target.name == REFERENCE.name
            behaviour = (
                None
                if is_measure
                else artificial_behaviour(
                    model, target, stimuli_of(stimuli, model.network.input_size)
                )
            )
        case SpikingBackend(), SpikingModel():
            with running(target if isinstance(on, Document) else on) as simulator:
                found = simulator.read_back(model)
                behaviour = spiking_behaviour(
                    model, target, simulator, shown, seed=seed, progress=progress
                )
        case _:
            raise UnsupportedError(f"{target.name} cannot run this model")
    comparison = compare(expected(model, target.precision), found)
    return Verification(title(target), generation_of(model), comparison, behaviour)


def _compared(model: Model, stimuli: Any) -> Stimuli:
    """The stimuli to compare the behaviour on: of none, all back ends would be equal."""
    if isinstance(model, SpikingModel):
        found = given_stimuli(model, stimuli)
    else:
        found = stimuli_of(stimuli, model.network.input_size)
    if not len(found):
        raise DataError(
            "there are no stimuli to compare the behaviour on",
            help=f"give at least one; without `stimuli` there are {SAMPLES} random ones",
        )
    return found


def attempt(
    model: Model,
    on: Target | Simulator,
    stimuli: ArrayLike | SpikeTrains,
    *,
    seed: int = 0,
    progress: Progress | None = None,
) -> Outcome:
    """``verify``, but errors are returned, so that other targets can still be compared.

    ``on`` may be a started simulator. It only raises ``DataError``, for stimuli that do not fit the
    model.
    """
    shown = _compared(model, stimuli)
    generation = generation_of(model)
    target = on if isinstance(on, Document) else backend_of(on)
    try:
        return verify(model, on, shown, seed=seed, progress=progress)
    except (UnsupportedError, MissingError) as error:
        return Unverified(title(target), generation, "refused", error)
    except Exception as error:
        # The library of a simulator may raise anything.
        logger.debug("%s failed", target.name, exc_info=True)
        if isinstance(error, VolrError) and target.name not in error.message:
            error.message = f"{target.name}: {error.message}"
        return Unverified(title(target), generation, "failed", error)


def verify_all(
    model: Model,
    targets: Iterable[Target],
    stimuli: Stimuli,
    *,
    seed: int = 0,
    progress: Callable[[Target], Progress] | None = None,
) -> tuple[Outcome, ...]:
    """``verify`` on each target; one that refuses or fails does not stop the others.

    ``progress`` gives the progress function of each target. Raises ``DataError`` for stimuli that
    do not fit the model.
    """
    return tuple(
        attempt(
            model, each, stimuli, seed=seed, progress=None if progress is None else progress(each)
        )
        for each in targets
    )


def generation_of(model: Model) -> str:
    """ANN or SNN."""
    return "ANN" if isinstance(model, ArtificialModel) else "SNN"
