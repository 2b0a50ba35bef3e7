"""Is it the same network? What a back end holds, and what it does, against the model."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from volr.backends import backend_of, running, title
from volr.backends import target as find_target
from volr.backends.base import (
    ArtificialBackend,
    Document,
    SpikingBackend,
    check_supported,
    require,
)
from volr.backends.readback import expected
from volr.backends.reference import REFERENCE
from volr.checks import arguments
from volr.errors import MissingError, UnsupportedError, VolrError
from volr.models.coding import check_stimuli
from volr.models.model import ArtificialModel, SpikingModel
from volr.verification.behaviour import Behaviour, spiking_behaviour
from volr.verification.comparison import Comparison, Difference, compare
from volr.verification.examples import random_stimuli
from volr.verification.outputs import artificial_behaviour

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from volr.backends import On
    from volr.backends.base import Backend, Progress
    from volr.checks.arrays import Floats
    from volr.models.model import Model

Target: TypeAlias = "Backend | Document"

SAMPLES = 20
"""Stimuli that behaviour is compared on, unless told."""

logger = logging.getLogger("volr")


@dataclass(frozen=True)
class Verification:
    """What was found: the ``comparison`` of what the back end holds, and its ``behaviour``.

    ``name`` is the ``title`` of the back end or document, as ``volr.backends.target`` takes it.
    ``generation`` is that of the model, ANN or SNN.
    Documents do nothing, and have no behaviour; neither has the reference, with which the outputs
    of the others are compared.
    """

    name: str
    generation: str
    comparison: Comparison
    behaviour: Behaviour | None

    @property
    def differences(self) -> tuple[Difference, ...]:
        """Everything in what the back end holds that is not as the model says."""
        return self.comparison.differences

    @property
    def topology(self) -> bool:
        """Whether populations and projections are the model's."""
        return all(each.kind != "topology" for each in self.differences)

    @property
    def parameters(self) -> bool:
        """Whether all numbers that were asked, those of the neurons too, are the model's."""
        return all(each.kind != "parameters" for each in self.differences)

    @property
    def equal(self) -> bool:
        """Whether no difference was found."""
        behaviour = self.behaviour
        return not self.differences and (behaviour is None or behaviour.first_difference is None)


@dataclass(frozen=True)
class Unverified:
    """A back end that could not be compared, and the ``error`` that says why.

    It ``refused`` where it lacks something of the model, or is not installed; it ``failed`` where
    it was started and something went wrong.
    """

    name: str
    generation: str
    status: Literal["refused", "failed"]
    error: Exception

    @property
    def reason(self) -> str:
        """What went wrong, in words."""
        if isinstance(self.error, VolrError):
            return self.error.message
        return f"{type(self.error).__name__}: {self.error}"

    @property
    def help(self) -> str | None:
        """What to do about it, where that is known."""
        return self.error.help if isinstance(self.error, VolrError) else None


Outcome: TypeAlias = Verification | Unverified


def verify(
    model: Model,
    on: On | Document,
    stimuli: Floats | None = None,
    *,
    seed: int = 0,
    progress: Progress | None = None,
) -> Verification:
    """Is it the same network? Compares what ``on`` holds and does with ``model``.

    ``on`` is the name of a back end or of a document, as ``volr verify --on`` takes it, either of
    them itself, or a started simulator. The behaviour is compared on ``stimuli``
    ``[batch, unit]``, 20 random ones unless told. ``seed`` matters to random codings only. Raises
    ``UnsupportedError`` where something of the model is lacking, ``MissingError`` for what is not
    installed, ``SimulatorError`` where a simulator fails, ``DataError`` for stimuli that do not
    fit.
    """
    arguments.check_model("verify", model)
    arguments.check_on("verify", on)
    if isinstance(on, str):
        on = find_target(on)
    target = on if isinstance(on, Document) else backend_of(on)
    if stimuli is None:
        stimuli = random_stimuli(model.network, SAMPLES)
    require(target)
    check_supported(target, model)
    check_stimuli(stimuli, model.network.input_size)
    behaviour: Behaviour | None
    match target, model:
        case Document(), _:
            found, behaviour = target.read_back(target.write(model)), None
        case ArtificialBackend(), ArtificialModel():
            found = target.read_back(model)
            is_measure = target.name == REFERENCE.name
            behaviour = None if is_measure else artificial_behaviour(model, target, stimuli)
        case SpikingBackend(), SpikingModel():
            with running(target if isinstance(on, Document) else on) as simulator:
                found = simulator.read_back(model)
                behaviour = spiking_behaviour(
                    model, target, simulator, stimuli, seed=seed, progress=progress
                )
        case _:
            raise UnsupportedError(f"{target.name} cannot run this model")
    comparison = compare(expected(model, target.precision), found)
    return Verification(title(target), generation_of(model), comparison, behaviour)


def attempt(
    model: Model,
    target: Target,
    stimuli: Floats,
    *,
    seed: int = 0,
    progress: Progress | None = None,
) -> Outcome:
    """``verify``, but an error is returned, so that other targets can still be compared.

    Raises ``DataError`` alone, for stimuli that do not fit the model.
    """
    check_stimuli(stimuli, model.network.input_size)
    generation = generation_of(model)
    try:
        return verify(model, target, stimuli, seed=seed, progress=progress)
    except (UnsupportedError, MissingError) as error:
        return Unverified(title(target), generation, "refused", error)
    except Exception as error:
        # Whatever a simulator's library raises.
        logger.debug("%s failed", target.name, exc_info=True)
        if isinstance(error, VolrError) and target.name not in error.message:
            error.message = f"{target.name}: {error.message}"
        return Unverified(title(target), generation, "failed", error)


def verify_all(
    model: Model,
    targets: Iterable[Target],
    stimuli: Floats,
    *,
    seed: int = 0,
    progress: Callable[[Target], Progress] | None = None,
) -> tuple[Outcome, ...]:
    """``verify`` on each of the targets; one that refuses or fails does not hide the others.

    ``progress`` gives, for each target, who is told of its stimuli. Raises ``DataError`` for
    stimuli that do not fit the model.
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
