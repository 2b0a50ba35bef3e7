"""Is it the same network? What a back end holds, and what it does, against the model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from volr.backends.base import (
    ArtificialBackend,
    Document,
    SpikingBackend,
    check_supported,
    require,
)
from volr.backends.readback import expected
from volr.errors import UnsupportedError
from volr.models.coding import check_stimuli
from volr.models.model import ArtificialModel, SpikingModel
from volr.verify.behaviour import Behaviour, spiking_behaviour
from volr.verify.comparison import Difference, compare
from volr.verify.outputs import artificial_behaviour

if TYPE_CHECKING:
    from volr.backends.base import Backend, Progress
    from volr.backends.readback import Readback
    from volr.models.arrays import Floats
    from volr.models.model import Model

Target: TypeAlias = "Backend | Document"


@dataclass(frozen=True)
class Verification:
    """What was found: ``differences`` in what the back end holds, and its ``behaviour``.

    ``generation`` is that of the model, ANN or SNN.
    Documents do nothing, and have no behaviour.
    """

    name: str
    generation: str
    differences: tuple[Difference, ...]
    behaviour: Behaviour | None

    @property
    def topology(self) -> bool:
        """Whether populations and projections are the model's."""
        return all(each.kind != "topology" for each in self.differences)

    @property
    def parameters(self) -> bool:
        """Whether all numbers, those of the neurons too, are the model's."""
        return all(each.kind != "parameters" for each in self.differences)

    @property
    def equal(self) -> bool:
        """Whether no difference was found."""
        behaviour = self.behaviour
        return not self.differences and (behaviour is None or behaviour.first_difference is None)


def verify(
    model: Model,
    target: Target,
    stimuli: Floats,
    *,
    seed: int = 0,
    progress: Progress | None = None,
) -> Verification:
    """Compare ``target`` with ``model``, and their behaviour on ``stimuli`` ``[batch, unit]``.

    ``seed`` matters to random codings only. Raises ``UnsupportedError`` where the target lacks
    something of the model, ``MissingError`` where it is not installed, ``SimulatorError`` where it
    fails, ``DataError`` for stimuli that do not fit.
    """
    require(target)
    check_supported(target, model)
    check_stimuli(stimuli, model.network.input_size)
    behaviour: Behaviour | None
    match target, model:
        case Document(), _:
            found, behaviour = target.read_back(target.write(model)), None
        case ArtificialBackend(), ArtificialModel():
            found = target.read_back(model)
            behaviour = artificial_behaviour(model, target, stimuli)
        case SpikingBackend(), SpikingModel():
            with target.start() as simulator:
                found = simulator.read_back(model)
                behaviour = spiking_behaviour(
                    model, target, simulator, stimuli, seed=seed, progress=progress
                )
        case _:
            raise UnsupportedError(f"{target.name} cannot run this model")
    generation = "ANN" if isinstance(model, ArtificialModel) else "SNN"
    return Verification(target.name, generation, differences(model, found), behaviour)


def differences(model: Model, found: Readback) -> tuple[Difference, ...]:
    """Everything in what a back end holds that is not as the model says."""
    return compare(expected(model), found)
