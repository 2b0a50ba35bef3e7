"""One run: a spec, and the models that it starts from, to a measured model."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from volr.backends import backend, spiking_backend
from volr.backends.base import ArtificialBackend, SpikingBackend, check_supported, require
from volr.errors import BackendError, ModelError
from volr.experiments.datasets.split import generator, stratified
from volr.experiments.measurement import Measurement, measure_artificial, measure_spiking
from volr.experiments.original import (
    INPUTS,
    ORIGINAL,
    original_start,
    recipe_ann,
    recipe_named,
    recipe_transfer,
    train_original,
)
from volr.experiments.progress import (
    Progress,
    of_calibration,
    of_simulation,
    of_training,
    silent,
    under,
)
from volr.experiments.results import Row, Run
from volr.experiments.tasks import check_fits, task
from volr.experiments.versions import versions
from volr.language import to_network
from volr.models.model import ArtificialModel, SpikingModel
from volr.models.parameters import parameter_shapes
from volr.models.samples import Data
from volr.training import train_ann, train_in_loop, train_snn
from volr.training.result import Epoch
from volr.transfer import transfer_ann

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from volr.experiments.conditions import Spec
    from volr.experiments.settings import Settings
    from volr.experiments.simulators import Simulators
    from volr.experiments.tasks import Task
    from volr.models.files import Origin
    from volr.models.model import Model
    from volr.models.samples import Samples
    from volr.network import Network
    from volr.training import Training
    from volr.training.result import Progress as TrainingProgress
    from volr.transfer import TransferReport


@dataclass(frozen=True)
class Outcome:
    """One measured model: what is kept of the run, the model itself, and where it comes from."""

    run: Run
    model: Model
    origin: Origin


@dataclass(frozen=True)
class _Made:
    """A model before it is measured."""

    model: Model
    history: tuple[Epoch, ...] = ()
    transfer: TransferReport | None = None


def perform(
    spec: Spec,
    needed: Sequence[Model],
    simulators: Simulators,
    data_dir: Path | None = None,
    progress: Progress = silent,
) -> Outcome:
    """Make the model of ``spec`` out of those ``needed``, in the order of ``spec.needs``; measure.

    The spec's seed draws the task's data where the task draws any, the initialisation, the order
    of the samples and the calibration. Raises as training, transfer and back ends do.
    """
    progress = under(f"{spec.task} {spec.seed} {spec.condition.label}", progress)
    started = time.perf_counter()
    network = to_network(spec.program)
    progress("loading", 0, None)
    data = data_of(spec, network, data_dir)
    made = _make(spec, network, needed, data, simulators, progress)
    measured = _measure(spec, made.model, data, simulators, progress)
    row = Row(
        task=spec.task,
        condition=spec.condition.called,
        source=spec.on if spec.condition.source == "loop" else spec.condition.source,
        backend=spec.on,
        neuron=spec.settings.neuron if spec.condition.is_spiking else "",
        seed=spec.seed,
        accuracy=measured.accuracy,
        chance=data.chance,
        seconds=time.perf_counter() - started,
        samples=len(data.test),
        ties=measured.ties,
        program=spec.program,
    )
    run = Run(
        row=row,
        history=made.history,
        confusion=measured.confusion,
        over_time=measured.over_time,
        dt=made.model.dt if isinstance(made.model, SpikingModel) else 0.0,
        transfer=made.transfer,
        activity=measured.activity,
        versions=versions(),
    )
    origin = {"task": spec.task, "seed": spec.seed, "condition": spec.condition.called}
    if spec.needs:
        # Beside it, where `volr explain` looks for it.
        origin["ann"] = f"{spec.needs[0].key}.safetensors"
    return Outcome(run, made.model, origin)


def data_of(spec: Spec, network: Network, data_dir: Path | None) -> Data:
    """The task's data for this run, cut to the numbers of samples that its settings allow.

    Where it is measured on validation samples, ``test`` is these, and no test sample is in it.
    """
    chosen = task(spec.task)
    check_fits(chosen, network.input_size, network.output_size)
    data = _load(chosen, spec.seed, network.input_size, data_dir)
    if spec.part == "validation":
        kept, aside = stratified(data.train.labels, generator(spec.seed))
        data = Data(data.train.take(kept), data.train.take(aside), data.classes)
    limits = spec.settings.train_samples, spec.settings.test_samples
    train, test = (
        half if limit is None else half.first(limit)
        for half, limit in zip((data.train, data.test), limits, strict=True)
    )
    return Data(train, test, data.classes)


@lru_cache(maxsize=1)
def _load(task: Task, seed: int, inputs: int, data_dir: Path | None) -> Data:
    """A search makes many runs of the same data, and MNIST takes a second to unpack."""
    return task.load(seed=seed, inputs=inputs, data_dir=data_dir)


def empty_model(spec: Spec) -> SpikingModel:
    """A model of the kind that a spiking run makes, all parameters 0."""
    network = to_network(spec.program)
    zeros = {name: np.zeros(shape) for name, shape in parameter_shapes(network).items()}
    return spec.settings.spiking().model(network, zeros)


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


def _make(
    spec: Spec,
    network: Network,
    needed: Sequence[Model],
    data: Data,
    simulators: Simulators,
    progress: Progress,
) -> _Made:
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
            return _with_surrogates(spec, network, train, simulators, of_training(progress))
        case "snn-transferred":
            [ann] = needed
            done = transfer_ann(
                _artificial(ann),
                train,
                simulators[_calibrated_on(spec)],
                settings.transfer(seed),
                progress=of_calibration(progress),
            )
            return _Made(done.model, transfer=done.report)
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
            return _Made(looped.model, (Epoch(float(np.mean(looped.losses)), None, None),))
        case "ablation":
            [ann] = needed
            return _Made(
                recipe_transfer(
                    _artificial(ann),
                    train,
                    simulators[_calibrated_on(spec)],
                    settings.transfer(seed),
                    recipe_named(spec.condition.step),
                    progress=of_calibration(progress),
                )
            )


def _with_surrogates(
    spec: Spec, network: Network, train: Samples, simulators: Simulators, told: TrainingProgress
) -> _Made:
    """Trained in the engine: through rates first, if that is told, and then through time."""
    settings, seed, spiking = spec.settings, spec.seed, spec.settings.spiking()
    begun = None
    if settings.warms_up:
        warm_up, engine = settings.warm_up(seed), simulators["engine"]
        begun = train_in_loop(network, train, engine, warm_up, spiking, progress=told)
    trained = train_snn(
        network,
        train,
        settings.surrogate(seed),
        spiking,
        start=None if begun is None else begun.model,
        progress=told,
    )
    before = () if begun is None else begun.history
    return _Made(trained.model, (*before, *trained.history))


def _of_loop(train: Samples, settings: Settings) -> Samples:
    """The samples that are shown to a simulator."""
    return train if settings.loop_samples is None else train.first(settings.loop_samples)


def _measure(
    spec: Spec, model: Model, data: Data, simulators: Simulators, progress: Progress
) -> Measurement:
    on = backend(spec.on)
    require(on)
    check_supported(on, model)
    match model, on:
        case ArtificialModel(), ArtificialBackend():
            return measure_artificial(model, data, on)
        case SpikingModel(), SpikingBackend():
            return measure_spiking(
                model,
                data,
                simulators[spec.on],
                seed=spec.seed,
                progress=of_simulation(progress, len(data.test)),
            )
        case _:
            raise BackendError(f"{spec.on} cannot run this model")


def _trained(training: Training[ArtificialModel] | Training[SpikingModel]) -> _Made:
    return _Made(training.model, training.history)


def _artificial(model: Model) -> ArtificialModel:
    if not isinstance(model, ArtificialModel):
        raise ModelError("a transfer starts from an artificial model, and this one is spiking")
    return model


def _spiking(model: Model) -> SpikingModel:
    if not isinstance(model, SpikingModel):
        raise ModelError("fine-tuning starts from a spiking model, and this one is artificial")
    return model
