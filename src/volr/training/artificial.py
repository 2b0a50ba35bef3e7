"""Training an artificial network."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

from volr.backends.base import ArtificialBackend, SpikingBackend
from volr.backends.futhark import FUTHARK
from volr.backends.refusals import check_network, require
from volr.backends.torch import TORCH
from volr.checks import arguments
from volr.checks.names import named
from volr.errors import BackendError
from volr.models.model import ArtificialModel
from volr.quantisation.quantise import check_suited
from volr.training.checkpoint import checkpoint_of, described
from volr.training.checks import check_initial, check_samples, check_slope
from volr.training.regularisation import Regularisation, check_images, check_plain
from volr.training.settings import TrainingSettings

if TYPE_CHECKING:
    from pathlib import Path

    from volr.backends import Backend
    from volr.models.samples import Samples
    from volr.network import Network
    from volr.training.result import Training, TrainingProgress

TrainingBackend: TypeAlias = Literal["torch", "futhark"]
TRAINING_BACKENDS: tuple[TrainingBackend, ...] = get_args(TrainingBackend)


def train_ann(
    network: Network,
    samples: Samples,
    settings: TrainingSettings = TrainingSettings(),
    *,
    on: TrainingBackend | Backend = "torch",
    initial: ArtificialModel | None = None,
    progress: TrainingProgress | None = None,
    checkpoint: Path | str | None = None,
    backend: TrainingBackend | None = None,
) -> Training[ArtificialModel]:
    """Train ``network`` on ``samples``, a part of which is set aside for validation.

    ``on`` is the back end that computes the steps, or its name, ``torch`` or ``futhark``;
    ``backend`` is the former name of ``on``. On either, training begins with the same parameters
    and sees the same minibatches. The same seed gives the same parameters on the same machine, with
    any number of threads; global random states stay as they are. ``initial`` has the parameters to
    begin with; by default, candidates are drawn. ``progress`` is called after every epoch.
    ``checkpoint`` is a file for the state of training after an epoch, at most every ten seconds.
    Where it is there, training goes on from it, to the same result as if it had never stopped.

    Raises ``TrainingError`` if samples, network and ``initial`` do not fit, if training diverges,
    or if the checkpoint is damaged or that of another training, ``BackendError`` for a back end
    that does not train, and ``MissingError`` if PyTorch, or what Futhark needs, is not installed.
    """
    arguments.check_network("train_ann", network)
    arguments.check_samples("train_ann", samples)
    arguments.check_record("train_ann", settings, TrainingSettings)
    arguments.check_progress("train_ann", progress)
    if initial is not None:
        arguments.check_model("train_ann", initial, "initial", kind=ArtificialModel)
    trainer = _trainer(on, backend)
    check_network(TORCH if trainer == "torch" else FUTHARK, network, "torch", "training on ")
    check_slope(settings.activation)
    check_samples(network, samples, settings)
    check_images(network, settings.shift)
    if settings.levels is not None:
        check_suited(network)
    if initial is not None:
        check_initial(network, initial, settings)
        settings = replace(settings, candidates=1)
    kept = checkpoint_of(
        checkpoint,
        lambda: described(f"ann on {trainer}", network, samples, settings, initial=initial),
    )
    match trainer:
        case "torch":
            require(TORCH)
            from volr.training.artificial_learner import ArtificialLearner
            from volr.training.fit import fit

            learner = ArtificialLearner(
                network,
                settings.activation,
                settings.batch_size,
                initial,
                Regularisation.of(settings),
                settings.levels,
            )
            return fit(learner, samples, settings, progress, kept)
        case "futhark":
            check_plain(settings, "training on futhark", "train on torch, which has it")
            from volr.training import futhark

            return futhark.train(network, samples, settings, progress, initial, kept)


def _trainer(on: TrainingBackend | Backend, former: TrainingBackend | None) -> TrainingBackend:
    """The back end that ``train_ann`` is asked for by ``on``, or by the former name of ``on``."""
    # That ``on`` was given as its default cannot be seen.
    if former is not None and on not in ("torch", former):
        raise BackendError(
            "train_ann: on and backend are both given, and backend is the former name of on",
            help="leave out `backend`",
        )
    if former is not None:
        # Shown at the line that calls `train_ann`.
        told = "train_ann: backend is the former name of on, and will go in Volr 0.4"
        warnings.warn(told, DeprecationWarning, stacklevel=3)
    asked = on if former is None else former
    name = asked.name if isinstance(asked, (ArtificialBackend, SpikingBackend)) else asked
    known: dict[str, TrainingBackend] = {each: each for each in TRAINING_BACKENDS}
    return named("training back end", name, known, BackendError)
