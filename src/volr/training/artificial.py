"""Training an artificial network: what must fit before the first update."""

from __future__ import annotations

from typing import TYPE_CHECKING

from volr.backends.base import require
from volr.backends.torch import TORCH
from volr.errors import TrainingError
from volr.training.settings import TrainingSettings, validation_count

if TYPE_CHECKING:
    from volr.models.samples import Samples
    from volr.network import Network
    from volr.training.result import Progress, Training


def train_ann(
    network: Network,
    samples: Samples,
    settings: TrainingSettings = TrainingSettings(),
    *,
    progress: Progress | None = None,
) -> Training:
    """Train ``network`` on ``samples``, a part of which is set aside for validation.

    The same seed gives the same parameters on the same machine, however many threads PyTorch has;
    no random state but its own is touched. ``progress`` is told after every epoch. Raises
    ``TrainingError`` where samples and network do not fit or where training diverges,
    ``MissingError`` where PyTorch is not installed.
    """
    wrong = _problems(network, samples, settings)
    if wrong:
        raise TrainingError("training cannot start: " + "; ".join(wrong))
    require(TORCH)
    from volr.training.backpropagation import fit

    return fit(network, samples, settings, progress)


def _problems(network: Network, samples: Samples, settings: TrainingSettings) -> list[str]:
    wrong: list[str] = []
    if samples.units != network.input_size:
        wrong.append(
            f"a stimulus has {samples.units} values, and the network takes {network.input_size}"
        )
    if len(samples) and samples.labels.max() >= network.output_size:
        wrong.append(
            f"there is a label {samples.labels.max()}, and the network has "
            f"{network.output_size} outputs, for the labels 0 to {network.output_size - 1}"
        )
    aside = validation_count(len(samples), settings.validation)
    if len(samples) <= aside:
        wrong.append(
            f"{len(samples)} samples leave none to train on, {aside} being set aside for validation"
        )
    return wrong
