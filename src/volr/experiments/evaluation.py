"""The accuracy of a model on samples."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from volr.backends import backend_of, default_backend, running
from volr.backends.base import ArtificialBackend, Backend, SpikingBackend
from volr.backends.refusals import check_supported, require
from volr.checks import arguments
from volr.display.displayed import Displayed
from volr.display.parts import Table
from volr.errors import DataError, UnsupportedError
from volr.experiments.datasets.labels import names_in
from volr.experiments.datasets.scale import scale_in
from volr.experiments.tasks import is_path
from volr.models.coding import check_stimuli, decode_counts
from volr.models.model import ArtificialModel, Model, SpikingModel
from volr.models.samples import check_labels

if TYPE_CHECKING:
    from collections.abc import Iterable

    from volr.backends import On
    from volr.backends.base import Progress
    from volr.display.parts import Part
    from volr.experiments.tasks import Task
    from volr.model_files.model_file import Origin
    from volr.models.samples import Samples


@dataclass(frozen=True)
class Evaluation(Displayed):
    """``correct`` of ``samples`` stimuli were labelled correctly.

    ``ties`` counts the stimuli for which several outputs had the highest spike count, so that the
    lowest index decided; artificial models have none. ``seconds`` is wall-clock time, including the
    start of the simulator if it was not running.
    """

    backend: str
    samples: int
    correct: int
    ties: int
    seconds: float

    @property
    def accuracy(self) -> float:
        return self.correct / self.samples

    def _display(self) -> Iterable[Part]:
        return (evaluation_table(self),)


def evaluation_table(found: Evaluation, **known: str) -> Table:
    """One row; ``known`` has the ``task``, the ``seed`` and ``chance``, as far as they are."""
    row = {
        "task": known.get("task"),
        "backend": found.backend,
        "seed": known.get("seed"),
        "accuracy": f"{found.accuracy:.4f}",
        "samples": f"{found.samples}",
        "ties": f"{found.ties}",
        "chance": known.get("chance"),
        "seconds": f"{found.seconds:.1f}",
    }
    shown = {name: value for name, value in row.items() if value is not None}
    return Table([*shown], [[*shown.values()]], left=2 if "task" in shown else 1)


def evaluate(
    model: Model,
    samples: Samples,
    on: On | None = None,
    *,
    seed: int = 0,
    progress: Progress | None = None,
) -> Evaluation:
    """Run ``model`` over ``samples`` and count the right answers.

    ``on`` is the name of a back end, a back end, or a started simulator. By default it is PyTorch,
    or the engine for a spiking model. ``seed`` is for random codings only. Raises
    ``UnsupportedError`` if the back end cannot run the model, ``MissingError`` if its packages are
    not installed, and ``DataError`` if the samples do not fit or there are none.
    """
    on = default_backend(model) if on is None else on
    backend = backend_for("evaluate", model, samples, on, progress)
    started = time.perf_counter()
    match backend, model:
        case ArtificialBackend(), ArtificialModel():
            labels = backend.build(model)(samples.inputs).argmax(axis=1)
            ties = 0
        case SpikingBackend(), SpikingModel():
            with running(on) as simulator:
                recordings = simulator.run(model, samples.inputs, seed=seed, progress=progress)
            labels, sharing = decode_counts(recordings.output_values(model))
            ties = int((sharing > 1).sum())
        case _:
            raise UnsupportedError(f"{backend.name} cannot run this model")
    return Evaluation(
        backend=backend.name,
        samples=len(samples),
        correct=int(np.sum(labels == samples.labels)),
        ties=ties,
        seconds=time.perf_counter() - started,
    )


def backend_for(
    function: str, model: Model, samples: Samples, on: On, progress: Progress | None
) -> Backend:
    """The back end that ``on`` stands for, if it can run the model over the samples.

    ``function`` is the public one that got the arguments. Raises as ``evaluate`` does.
    """
    arguments.check_model(function, model)
    arguments.check_samples(function, samples)
    arguments.check_on(function, on)
    arguments.check_progress(function, progress)
    backend = backend_of(on)
    require(backend)
    check_supported(backend, model)
    if not len(samples):
        raise DataError("there are no samples to evaluate the model on")
    check_stimuli(samples.inputs, model.network.input_size)
    check_labels(samples, model.network.output_size)
    return backend


def data_seed(origin: Origin, task: str, otherwise: int | None) -> int:
    """The seed for the data of ``task``, for a model of this ``origin``.

    It is the seed that the model was trained with, so that the test samples are new to it, even
    where a file of somebody's own has got another path. For a model without training on the task it
    is ``otherwise``, or 0.
    """
    trained = origin.get("seed") if trained_on(origin, task) else None
    return trained if isinstance(trained, int) and trained >= 0 else otherwise or 0


def trained_on(origin: Origin, task: str) -> bool:
    """Whether a model of this origin was trained on a task, or may have been, by another path."""
    return origin.get("task") == task or (_SCALE in origin and is_path(task))


def as_trained(task: Task, origin: Origin, outputs: int) -> Task:
    """The task for a model of this ``origin`` with so many outputs.

    Data of somebody's own get the scale and the labels of those that the model was trained on.
    Raises ``DataError`` where these are none, or do not fit.
    """
    kept = origin.get(_SCALE)
    if task.own is None or not isinstance(kept, str):
        return task
    own = task.own.as_trained(scale_in(kept), names_in(origin.get(_LABELS)), outputs)
    return replace(task, own=own, classes=own.classes)


def data_entries(task: Task, seed: int) -> dict[str, str]:
    """What an origin keeps of a task's data, for ``as_trained``."""
    if task.own is None:
        return {}
    labels = {_LABELS: json.dumps(task.own.names)} if task.own.names else {}
    return {_SCALE: task.own.scale(seed).text, **labels}


_SCALE, _LABELS = "data_scale", "data_labels"
"""The scale and the labels of the data that a model was trained on."""
