"""A model out of a spec and the models that it starts from: one case for each condition."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from volr.backends import spiking_backend
from volr.backends.engine import SMOOTH
from volr.errors import ModelError
from volr.experiments.original import (
    INPUTS,
    ORIGINAL,
    original_start,
    recipe_ann,
    recipe_named,
    recipe_transfer,
    train_original,
)
from volr.experiments.progress import of_calibration, of_training
from volr.models.model import ArtificialModel, SpikingModel
from volr.training import train_ann, train_in_loop, train_snn
from volr.training.result import Epoch
from volr.transfer import transfer_ann

if TYPE_CHECKING:
    from collections.abc import Sequence

    from volr.experiments.conditions import Spec
    from volr.experiments.progress import Progress
    from volr.experiments.settings import Settings
    from volr.experiments.simulators import Simulators
    from volr.models.model import Model
    from volr.models.samples import Data, Samples
    from volr.network import Network
    from volr.training import Training
    from volr.training.result import Progress as TrainingProgress
    from volr.transfer import TransferReport


@dataclass(frozen=True)
class Made:
    """A model before it is measured."""

    model: Model
    history: tuple[Epoch, ...] = ()
    transfer: TransferReport | None = None


def made_with(spec: Spec) -> tuple[str, ...]:
    """The back ends that a spiking run needs beside the simulator that it is measured on."""
    match spec.condition.name:
        case "snn-random":
            return ("torch",)
        case "snn-surrogate" | "snn-finetuned":
            return ("torch", "engine")
        case "snn-transferred" | "ablation":
            return (_calibrated_on(spec),)
        case _:
            return ()


def check_transferable(spec: Spec) -> None:
    """Raise ``ModelError`` where the original's inputs, whose rate is fixed, have no room."""
    if spec.condition.name in {"original-random", "original-transferred", "ablation"}:
        replace(spec.settings.transfer(spec.seed), coding=INPUTS)


def _calibrated_on(spec: Spec) -> str:
    """The engine, as long as its spikes are those of the simulator that is measured on."""
    exact = spec.settings.neuron in spiking_backend(spec.on).exact
    return "engine" if exact else spec.on


def make(
    spec: Spec,
    network: Network,
    needed: Sequence[Model],
    data: Data,
    simulators: Simulators,
    progress: Progress,
) -> Made:
    """The model of ``spec``, out of those ``needed``, in the order of ``spec.needs``."""
    settings, seed, train = spec.settings, spec.seed, data.train
    match spec.condition.name:
        case "ann":
            backend_name = "futhark" if spec.condition.source == "futhark" else "torch"
            training, told = settings.training(seed), of_training(progress)
            return _trained(
                train_ann(network, train, training, backend=backend_name, progress=told)
            )
        case "snn-random":
            return _trained(
                train_in_loop(
                    network,
                    _of_loop(train, settings),
                    simulators[spec.on],
                    settings.in_loop(seed),
                    settings.spiking(),
                    progress=of_training(progress),
                )
            )
        case "snn-surrogate":
            return _with_surrogates(spec, network, train, of_training(progress))
        case "snn-transferred":
            [ann] = needed
            done = transfer_ann(
                _artificial(ann),
                train,
                simulators[_calibrated_on(spec)],
                settings.transfer(seed),
                progress=of_calibration(progress),
            )
            return Made(done.model, transfer=done.report)
        case "snn-finetuned":
            ann, start = needed
            return _trained(
                train_snn(
                    network,
                    train,
                    settings.fine(seed),
                    start=_spiking(start),
                    teacher=_artificial(ann),
                    progress=of_training(progress),
                )
            )
        case "ann-original":
            told = of_training(progress)
            training = settings.training(seed)
            return _trained(recipe_ann(network, train, ORIGINAL, seed, training, progress=told))
        case "original-random" | "original-transferred":
            start = _artificial(needed[0]) if needed else original_start(network, seed)
            looped = train_original(
                start,
                _of_loop(train, settings),
                simulators[spec.on],
                settings.transfer(seed),
                seed,
                progress=of_calibration(progress, "training"),
            )
            return Made(looped.model, (Epoch(float(np.mean(looped.losses)), None, None),))
        case "ablation":
            [ann] = needed
            return Made(
                recipe_transfer(
                    _artificial(ann),
                    train,
                    simulators[_calibrated_on(spec)],
                    settings.transfer(seed),
                    recipe_named(spec.condition.step),
                    progress=of_calibration(progress),
                )
            )


def _with_surrogates(spec: Spec, network: Network, train: Samples, told: TrainingProgress) -> Made:
    """Trained in the engine: through rates first, if that is told, and then through time."""
    settings, seed, spiking = spec.settings, spec.seed, spec.settings.spiking()
    begun = None
    if settings.warms_up:
        begun = train_in_loop(
            network, train, SMOOTH, settings.warm_up(seed), spiking, progress=told
        )
    trained = train_snn(
        network,
        train,
        settings.surrogate(seed),
        spiking,
        start=None if begun is None else begun.model,
        progress=told,
    )
    before = () if begun is None else begun.history
    return Made(trained.model, (*before, *trained.history))


def _of_loop(train: Samples, settings: Settings) -> Samples:
    """The samples that are shown to a simulator."""
    return train.first(settings.in_loop_samples)


def _trained(training: Training[ArtificialModel] | Training[SpikingModel]) -> Made:
    return Made(training.model, training.history)


def _artificial(model: Model) -> ArtificialModel:
    if not isinstance(model, ArtificialModel):
        raise ModelError("a transfer starts from an artificial model, and this one is spiking")
    return model


def _spiking(model: Model) -> SpikingModel:
    if not isinstance(model, SpikingModel):
        raise ModelError("fine-tuning starts from a spiking model, and this one is artificial")
    return model
