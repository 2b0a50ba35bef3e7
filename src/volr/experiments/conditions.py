"""The conditions that an experiment compares: how each builds its model, and from what.

    condition         learned where              measured on
    ann               torch or futhark           the same
    snn-random        the loop on a simulator    that simulator
    snn-surrogate     the engine                 a simulator
    snn-transferred   the ANN of torch or of futhark, nothing trained
    snn-finetuned     the transferred one, trained further in the engine

A study has further ones (``volr.experiments.study``).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal, TypeAlias

from volr.backends import spiking_backend
from volr.backends.engine import SMOOTH
from volr.checks.names import named
from volr.errors import DataError, ModelError
from volr.experiments.run_progress import of_calibration, of_training
from volr.experiments.settings import (
    FOR_ARTIFICIAL,
    FOR_FINE,
    FOR_FUTHARK,
    FOR_LOOP,
    FOR_SPIKING,
    FOR_SURROGATE,
    FOR_TRANSFER,
)
from volr.models.model import ArtificialModel, SpikingModel
from volr.training import train_ann, train_in_loop, train_snn
from volr.transfer import transfer_ann

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from volr.backends.base import Simulator
    from volr.experiments.run_progress import RunProgress
    from volr.experiments.settings import Settings
    from volr.experiments.simulators import Simulators
    from volr.models.model import Model
    from volr.models.samples import Samples
    from volr.network import Network
    from volr.training import Training
    from volr.training.artificial import TrainingBackend
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
    """A model before it is measured."""

    model: Model
    history: tuple[Epoch, ...] = ()
    transfer: TransferReport | None = None


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
    file_name: str = ""
    home: str = __name__

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


def _ann(given: Ingredients, backend: TrainingBackend) -> Built:
    return trained(
        train_ann(
            given.network,
            given.train,
            given.settings.training(given.seed),
            on=backend,
            progress=of_training(given.progress),
        )
    )


def _in_loop(given: Ingredients) -> Built:
    return trained(
        train_in_loop(
            given.network,
            given.shown_in_loop,
            given.simulators[given.on],
            given.settings.in_loop(given.seed),
            given.settings.spiking(),
            progress=of_training(given.progress),
        )
    )


def _with_surrogates(given: Ingredients) -> Built:
    """Trained in the engine: first through rates, if the settings say so, then through time."""
    settings, seed, progress = given.settings, given.seed, of_training(given.progress)
    network, train, spiking = given.network, given.train, settings.spiking()
    begun = None
    if settings.warms_up:
        begun = train_in_loop(
            network, train, SMOOTH, settings.warm_up(seed), spiking, progress=progress
        )
    found = train_snn(
        network,
        train,
        settings.surrogate(seed),
        spiking,
        start=None if begun is None else begun.model,
        progress=progress,
    )
    before = () if begun is None else begun.history
    return Built(found.model, (*before, *found.history))


def _transferred(given: Ingredients) -> Built:
    [ann] = given.needed
    done = transfer_ann(
        artificial(ann),
        given.train,
        given.calibrator,
        given.settings.transfer(given.seed),
        progress=of_calibration(given.progress),
    )
    return Built(done.model, transfer=done.report)


def _finetuned(given: Ingredients) -> Built:
    ann, start = given.needed
    if not isinstance(start, SpikingModel):
        raise ModelError("fine-tuning starts from a spiking model, and this one is artificial")
    return trained(
        train_snn(
            given.network,
            given.train,
            given.settings.fine(given.seed),
            start=start,
            teacher=artificial(ann),
            progress=of_training(given.progress),
        )
    )


def _calibrating(settings: Settings, on: str) -> tuple[str, ...]:
    return (calibrated_on(settings, on),)


def _transfer_of(ann: Condition) -> Condition:
    return Condition(
        "snn-transferred",
        ann.source,
        _transferred,
        (*FOR_SPIKING, *FOR_TRANSFER, *FOR_ARTIFICIAL),
        needs=(ann,),
        backends=_calibrating,
    )


ANN = Condition("ann", "torch", partial(_ann, backend="torch"), FOR_ARTIFICIAL, is_spiking=False)
ANN_FUTHARK = Condition(
    "ann", "futhark", partial(_ann, backend="futhark"), FOR_FUTHARK, is_spiking=False
)
RANDOM = Condition(
    "snn-random",
    "loop",
    _in_loop,
    (*FOR_SPIKING, *FOR_LOOP),
    backends=lambda _settings, _on: ("torch",),
)
SURROGATE = Condition(
    "snn-surrogate",
    "engine",
    _with_surrogates,
    (*FOR_SPIKING, *FOR_SURROGATE),
    backends=lambda _settings, _on: ("torch", "engine"),
)
TRANSFERRED = _transfer_of(ANN)
FINETUNED = Condition(
    "snn-finetuned",
    "torch",
    _finetuned,
    (*FOR_SPIKING, *FOR_TRANSFER, *FOR_FINE, *FOR_ARTIFICIAL),
    needs=(ANN, TRANSFERRED),
    backends=lambda _settings, _on: ("torch", "engine"),
)

CONDITIONS: tuple[Condition, ...] = (
    *(ANN, ANN_FUTHARK, RANDOM, SURROGATE, TRANSFERRED, _transfer_of(ANN_FUTHARK), FINETUNED),
)


def condition(label: str, among: Iterable[Condition] = CONDITIONS) -> Condition:
    """The condition with this label; ``DataError`` names the nearest one, and all of them.

    A minus may be typed as a hyphen.
    """
    return named(
        "condition", _typed(label), {_typed(each.label): each for each in among}, DataError
    )


def _typed(label: str) -> str:
    return label.replace("−", "-")
