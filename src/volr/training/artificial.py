"""Training an artificial network."""

from __future__ import annotations

from typing import TYPE_CHECKING

from volr.backends.base import require
from volr.backends.torch import TORCH
from volr.training.checks import check_samples
from volr.training.settings import TrainingSettings

if TYPE_CHECKING:
    from volr.models.model import ArtificialModel
    from volr.models.samples import Samples
    from volr.network import Network
    from volr.training.result import Progress, Training


def train_ann(
    network: Network,
    samples: Samples,
    settings: TrainingSettings = TrainingSettings(),
    *,
    progress: Progress | None = None,
) -> Training[ArtificialModel]:
    """Train ``network`` on ``samples``, a part of which is set aside for validation.

    The same seed gives the same parameters on the same machine, however many threads PyTorch has;
    no random state but its own is touched. ``progress`` is told after every epoch. Raises
    ``TrainingError`` where samples and network do not fit or where training diverges,
    ``MissingError`` where PyTorch is not installed.
    """
    check_samples(network, samples, settings)
    require(TORCH)
    from volr.training.artificial_learner import ArtificialLearner
    from volr.training.backpropagation import fit

    learner = ArtificialLearner(network, settings.activation, settings.batch_size)
    return fit(learner, network, samples, settings, progress)
