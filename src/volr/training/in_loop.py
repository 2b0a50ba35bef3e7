"""Training a spiking network with a simulator in the loop."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from volr.backends import running
from volr.backends.refusals import require
from volr.backends.torch import TORCH
from volr.checks import arguments
from volr.network import Connector
from volr.network.supported import check_connectors
from volr.training.checkpoint import checkpoint_of, described
from volr.training.checks import check_samples, check_start
from volr.training.regularisation import TRANSFER_INSTEAD, check_plain
from volr.training.settings import TrainingSettings, validation_count
from volr.training.spiking import (
    SpikingSettings,
    check_spiking,
    or_start,
    spiking_of,
    with_defaults,
)

if TYPE_CHECKING:
    from pathlib import Path

    from volr.backends import On
    from volr.models.model import SpikingModel
    from volr.models.samples import Samples
    from volr.network import Network
    from volr.training.result import Training, TrainingProgress

EPOCHS, UPDATES = 5, 600
"""By default, training in the loop has at least so many epochs, and at least so many updates."""


def train_in_loop(
    network: Network,
    samples: Samples,
    on: On = "engine",
    settings: TrainingSettings = TrainingSettings(),
    spiking: SpikingSettings | None = None,
    *,
    start: SpikingModel | None = None,
    progress: TrainingProgress | None = None,
    checkpoint: Path | str | None = None,
) -> Training[SpikingModel]:
    """Train ``network`` as a spiking one, with its forward passes in a simulator.

    ``on`` is the name of a back end, a back end, or a started simulator. The spike counts that are
    measured there are the activations. Backpropagation goes through a differentiable model of rates
    (``volr.training.rate_model``), so the surrogate and the window in ``spiking`` are not used. A
    part of ``samples`` is set aside for validation, which runs in the simulator too. ``start`` is a
    model to go on from; ``spiking`` is its own kind by default. ``checkpoint`` is a file that
    training goes on from, as for ``train_ann``. By default there are 5 epochs, or as many as make
    600 updates. The same seed gives the same parameters on the same machine, with
    any number of processes, and with every simulator that gives the same spikes. ``Training.dead``
    and ``rates`` are those of the first 1,024 samples. Raises as ``train_snn`` does, and as the
    simulator does.
    """
    arguments.check_network("train_in_loop", network)
    arguments.check_samples("train_in_loop", samples)
    arguments.check_on("train_in_loop", on)
    arguments.check_record("train_in_loop", settings, TrainingSettings)
    arguments.check_progress("train_in_loop", progress)
    spiking = spiking_of("train_in_loop", spiking, start)
    check_spiking(network, spiking, start)
    check_connectors(network, (Connector,), "training", several=True)
    check_samples(network, samples, settings)
    check_plain(settings, "training a spiking network", TRANSFER_INSTEAD)
    require(TORCH)
    from volr.training.fit import fit
    from volr.training.loop_learner import LoopLearner

    epochs = _epochs(settings, len(samples))
    settings = with_defaults(settings, fine=start is not None, epochs=epochs)
    with running(on) as simulator:
        learner = LoopLearner(network, spiking, simulator, settings.seed, start)
        if start is not None:
            check_start(start, learner.form.least_units)
        kept = checkpoint_of(
            checkpoint,
            lambda: described(
                f"snn in the loop on {simulator.backend.name}",
                network,
                samples,
                settings,
                spiking=spiking,
                start=start,
            ),
        )
        return or_start(fit(learner, samples, settings, progress, kept), start)


def _epochs(settings: TrainingSettings, samples: int) -> int:
    """The default number of epochs: fewer than elsewhere, since simulators are slow."""
    trained = samples - validation_count(samples, settings.validation)
    return max(EPOCHS, math.ceil(UPDATES / math.ceil(trained / settings.batch_size)))
