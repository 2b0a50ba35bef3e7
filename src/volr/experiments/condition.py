"""What a condition is, and what it builds its model from.

``volr.experiments.conditions`` has those of Volr. A study has further ones
(``volr.experiments.study``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from volr.backends import spiking_backend
from volr.errors import ModelError
from volr.models.model import ArtificialModel
from volr.models.parameters import parameter_shapes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from volr.backends.base import Simulator
    from volr.experiments.run_progress import RunProgress
    from volr.experiments.settings import Settings
    from volr.experiments.simulators import Simulators
    from volr.models.model import Model, SpikingModel
    from volr.models.samples import Samples
    from volr.network import Network
    from volr.quantisation import QuantisationReport
    from volr.training import Training
    from volr.training.result import Epoch
    from volr.transfer import TransferReport

Source: TypeAlias = Literal["torch", "futhark", "loop", "engine"]


@dataclass(frozen=True, kw_only=True)
class Ingredients:
    """What a condition builds its model from.

    ``on`` is the simulator for spiking networks, ``train`` the training samples, and ``needed`` the
    models that the condition starts from, in the order of its ``needs``.
    """

    network: Network
    settings: Settings
    seed: int
    on: str
    train: Samples
    needed: Sequence[Model]
    simulators: Simulators
    progress: RunProgress

    @property
    def shown_in_loop(self) -> Samples:
        """The training samples for training in the loop."""
        return self.train.first(self.settings.in_loop_samples)

    @property
    def calibrator(self) -> Simulator:
        """The simulator for the calibration of transfers."""
        return self.simulators[calibrated_on(self.settings, self.on)]


@dataclass(frozen=True)
class Built:
    """A model before it is measured.

    ``computes`` is the network of whole numbers whose labels a spiking model must have.
    """

    model: Model
    history: tuple[Epoch, ...] = ()
    transfer: TransferReport | None = None
    quantisation: QuantisationReport | None = None
    computes: ArtificialModel | None = None


def _no_other(_settings: Settings, _on: str) -> tuple[str, ...]:
    return ()


@dataclass(frozen=True)
class Condition:
    """``name`` is the name in tables, ``source`` is where parameters are learned.

    ``build``       makes the model
    ``depends_on``  the settings that it and the conditions that it starts from depend on, beside
                    those of the data
    ``needs``       the conditions whose models it starts from
    ``backends``    the names of the back ends that it needs beside the one that it is measured on;
                    raises ``ModelError`` if it cannot be built with the settings
    ``example``     such a model of a network, with no numbers of its own, before anything is
                    trained; raises ``UnsupportedError`` or ``ModelError`` if there is none. By
                    default its parameters are 0
    ``optional``    whether an experiment leaves it out, unless told, where there is no such model
                    or its simulator lacks something of it
    ``file_name``   replaces ``name`` in names of files, if ``name`` does not fit there
    ``home``        the module with a tuple ``CONDITIONS`` that has it, where other processes find
                    it
    """

    name: str
    source: Source
    build: Callable[[Ingredients], Built]
    depends_on: tuple[str, ...]
    needs: tuple[Condition, ...] = ()
    is_spiking: bool = True
    backends: Callable[[Settings, str], tuple[str, ...]] = _no_other
    example: Callable[[Settings, Network], Model] | None = None
    optional: bool = False
    file_name: str = ""
    home: str = "volr.experiments.conditions"

    def empty_model(self, settings: Settings, network: Network) -> Model:
        """A model of the kind that it makes; raises as ``example``."""
        if self.example is not None:
            return self.example(settings, network)
        zeros = {name: np.zeros(shape) for name, shape in parameter_shapes(network).items()}
        if self.is_spiking:
            return settings.spiking().model(network, zeros)
        return ArtificialModel(network, zeros)

    @property
    def label(self) -> str:
        """The name for users, with the source if it is not the usual one."""
        return f"{self.name}:{self.source}" if self.source == "futhark" else self.name


def calibrated_on(settings: Settings, on: str) -> str:
    """The engine if its spikes are those of the simulator ``on``, else that simulator."""
    return "engine" if settings.neuron in spiking_backend(on).exact else on


def artificial(model: Model) -> ArtificialModel:
    """The model, to be transferred; ``ModelError`` if it is spiking."""
    if not isinstance(model, ArtificialModel):
        raise ModelError("a transfer starts from an artificial model, and this one is spiking")
    return model


def trained(training: Training[ArtificialModel] | Training[SpikingModel]) -> Built:
    """The result of a training."""
    return Built(training.model, training.history)
