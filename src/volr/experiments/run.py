"""One run: from a spec, and the models that it starts from, to a measured model."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import lru_cache
from operator import ne
from typing import TYPE_CHECKING

from volr.backends import backend
from volr.backends.base import ArtificialBackend, SpikingBackend
from volr.backends.refusals import check_supported, require
from volr.errors import BackendError
from volr.experiments.condition import Ingredients
from volr.experiments.datasets.split import generator, stratified
from volr.experiments.measurement import Measurement, measure_artificial, measure_spiking
from volr.experiments.results import Row, Run
from volr.experiments.run_progress import (
    RunProgress,
    no_progress,
    of_simulation,
    under,
)
from volr.experiments.tasks import check_fits, task
from volr.experiments.versions import versions
from volr.language import to_network
from volr.models.model import ArtificialModel, SpikingModel
from volr.models.samples import Data

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from volr.experiments.condition import Built
    from volr.experiments.plan import Spec
    from volr.experiments.simulators import Simulators
    from volr.experiments.tasks import Task
    from volr.model_files.model_file import Origin
    from volr.models.model import Model
    from volr.network import Network


@dataclass(frozen=True)
class Outcome:
    """The result of a run: what is kept, the model itself, and its origin."""

    run: Run
    model: Model
    origin: Origin


def perform(
    spec: Spec,
    needed: Sequence[Model],
    simulators: Simulators,
    data_dir: Path | None = None,
    progress: RunProgress = no_progress,
) -> Outcome:
    """Make the model of ``spec`` from those ``needed``, in the order of ``spec.needs``; measure it.

    The spec's seed draws the task's data if they are random, the initialisation, the order of the
    samples and the calibration. Raises as training, transfer and back ends do.
    """
    progress = under(f"{spec.task} {spec.seed} {spec.condition.label}", progress)
    started = time.perf_counter()
    network = to_network(spec.program)
    progress("loading", 0, None)
    data = data_of(spec, network, data_dir)
    built = spec.condition.build(
        Ingredients(
            network=network,
            settings=spec.settings,
            seed=spec.seed,
            on=spec.on,
            train=data.train,
            needed=needed,
            simulators=simulators,
            progress=progress,
        )
    )
    measured = _measure(spec, built.model, data, simulators, progress)
    row = Row(
        task=spec.task,
        condition=spec.condition.name,
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
        history=built.history,
        confusion=measured.confusion,
        over_time=measured.over_time,
        dt=built.model.dt if isinstance(built.model, SpikingModel) else 0.0,
        transfer=built.transfer,
        activity=measured.activity,
        versions=versions(),
        quantisation=built.quantisation,
        differing=_differing(spec, built, measured, data, progress),
    )
    origin = {"task": spec.task, "seed": spec.seed, "condition": spec.condition.name}
    if spec.needs:
        # A file in the same folder, where `volr explain` looks for it.
        origin["ann"] = f"{spec.needs[0].key}.safetensors"
    return Outcome(run, built.model, origin)


def data_of(spec: Spec, network: Network, data_dir: Path | None) -> Data:
    """The task's data for this run, with as many samples as its settings allow.

    If it is measured on validation samples, these are ``test``, without any test sample.
    """
    chosen = task(spec.task)
    check_fits(chosen, network.input_size, network.output_size, network)
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
    # A search makes many runs with the same data, and MNIST takes a second to unpack.
    return task.load(seed=seed, inputs=inputs, data_dir=data_dir)


def empty_model(spec: Spec, network: Network | None = None) -> Model:
    """A model of the kind that a run makes, before anything is trained.

    Errors name the program as ``network`` does, which is the network of the spec's program.
    """
    network = to_network(spec.program) if network is None else network
    return spec.condition.empty_model(spec.settings, network)


def _differing(
    spec: Spec, built: Built, measured: Measurement, data: Data, progress: RunProgress
) -> int | None:
    """How many test samples get another label than the network of whole numbers gives them."""
    if built.computes is None:
        return None
    on = backend(spec.needs[0].on)
    if not isinstance(on, ArtificialBackend):
        raise BackendError(f"{on.name} gives no labels of whole numbers")
    progress("comparing labels", 0, None)
    labels = on.build(built.computes)(data.test.inputs).argmax(axis=1)
    return sum(map(ne, measured.answers, labels.tolist()))


def _measure(
    spec: Spec, model: Model, data: Data, simulators: Simulators, progress: RunProgress
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
