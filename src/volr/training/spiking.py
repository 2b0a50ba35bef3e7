"""Training a spiking network in the engine, from random weights or from a model."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

from volr.backends.engine import ENGINE
from volr.backends.refusals import require
from volr.backends.torch import TORCH
from volr.checks import arguments
from volr.engine.surrogates import Surrogate
from volr.errors import TrainingError, VolrError
from volr.models.model import ArtificialModel, Readout, SpikingModel, check_reach, readout_problems
from volr.models.simulation_settings import SimulationSettings
from volr.network import Connector
from volr.network.supported import check_connectors
from volr.system.memory import check_room
from volr.training.checkpoint import checkpoint_of, described
from volr.training.checks import check_samples, check_start
from volr.training.regularisation import TRANSFER_INSTEAD, check_plain
from volr.training.settings import TrainingSettings

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from volr.checks.annotations import Classes
    from volr.engine.devices import Device
    from volr.models.samples import Samples
    from volr.network import Network
    from volr.training.result import Training, TrainingProgress


RATE, DECAY = 0.004, 0.1
"""The default learning rate and weight decay; docs/results.md has the measurements."""
FINE_RATE, FINE_DECAY, FINE_EPOCHS = 2e-4, 0.0, 2
"""The default learning rate, weight decay and epochs for training that starts from a model."""


TRAINED_READOUTS: tuple[Readout, ...] = ("count", "membrane")
"""The readouts that a network can be trained with."""


@dataclass(frozen=True, kw_only=True)
class SpikingSettings(SimulationSettings):
    """What kind of spiking network is trained, and how errors go back through its spikes.

    ``neuron``, ``coding``, ``dt``, ``duration``, ``delay`` (ms) and ``readout`` become the model's;
    a delay of None is one step, and a coding of None is a constant current at the rate that suits
    the neuron. ``surrogate`` stands for the derivative of a spike.
    ``window`` is the number of steps that errors flow back through; None: all. A hidden neuron
    whose mean rate over a minibatch is below ``rate_floor`` (Hz) is pulled up, with the strength
    ``rate_penalty``, so that none dies. Raises ``TrainingError`` with everything that is wrong.
    """

    _error: ClassVar[type[VolrError]] = TrainingError
    _refusal: ClassVar[str] = "training cannot start"
    _classes: ClassVar[Mapping[str, Classes]] = {
        **SimulationSettings._classes,
        "Readout": str,
        "Surrogate": Surrogate,
    }

    readout: Readout = SpikingModel.readout
    surrogate: Surrogate = Surrogate()
    window: int | None = None
    rate_floor: float = 5.0
    rate_penalty: float = 1.0

    def _problems(self) -> list[str]:
        wrong = super()._problems()
        if self.window is not None and self.window < 1:
            wrong.append(f"window is {self.window}, below 1")
        for name, value in (("rate_floor", self.rate_floor), ("rate_penalty", self.rate_penalty)):
            if not (math.isfinite(value) and value >= 0):
                wrong.append(f"{name} is {value}, not 0 or more")
        return wrong


def settings_of(model: SpikingModel, **others: Any) -> SpikingSettings:
    """The settings of a model, for training that starts from it."""
    return SpikingSettings.of(model, readout=model.readout, **others)


def spiking_of(
    function: str, spiking: SpikingSettings | None, start: SpikingModel | None
) -> SpikingSettings:
    """The settings that the function was given, or else those of the model to start from."""
    if start is not None:
        arguments.check_model(function, start, "start", kind=SpikingModel)
    if spiking is not None:
        arguments.check_record(function, spiking, SpikingSettings, "spiking")
        return spiking
    return SpikingSettings() if start is None else settings_of(start)


def train_snn(
    network: Network,
    samples: Samples,
    settings: TrainingSettings = TrainingSettings(),
    spiking: SpikingSettings | None = None,
    *,
    start: SpikingModel | None = None,
    teacher: ArtificialModel | None = None,
    device: Device = "cpu",
    progress: TrainingProgress | None = None,
    checkpoint: Path | str | None = None,
) -> Training[SpikingModel]:
    """Train ``network`` as a spiking one on ``samples``, a part of which is set aside.

    Training is backpropagation through time with a surrogate gradient, in the discretisation of the
    simulators, so the model runs there unchanged. ``start`` is a model to start from (fine-tuning),
    of the same network; ``spiking`` is by default its settings. Without ``start``, weights are
    drawn. ``teacher`` is an artificial model whose answers are learned instead of the labels;
    validation still uses the labels. ``device`` is where the network runs: ``cpu``, ``cuda``, or
    ``auto`` for a GPU if there is one. ``checkpoint`` is a file that training goes on from, as for
    ``train_ann``. The same seed gives the same parameters on the same machine and device.

    Raises as ``train_ann`` does, ``ModelError`` if the memory does not suffice for a batch, and
    ``MissingError`` for ``cuda`` without a GPU.
    """
    arguments.check_network("train_snn", network)
    arguments.check_samples("train_snn", samples)
    arguments.check_record("train_snn", settings, TrainingSettings)
    arguments.check_progress("train_snn", progress)
    if teacher is not None:
        arguments.check_model("train_snn", teacher, "teacher", kind=ArtificialModel)
    spiking = spiking_of("train_snn", spiking, start)
    check_spiking(network, spiking, start)
    check_connectors(network, (Connector,), "training", several=True)
    check_samples(network, samples, settings)
    check_plain(settings, "training a spiking network", TRANSFER_INSTEAD)
    _check_outputs(network)
    if teacher is not None:
        _check_teacher(teacher, network, settings)
    require(TORCH)
    require(ENGINE)
    from volr.engine.devices import device_of
    from volr.training.fit import fit
    from volr.training.spiking_learner import SpikingLearner

    fine = start is not None
    settings = with_defaults(settings, fine=fine, epochs=FINE_EPOCHS if fine else None)
    learner = SpikingLearner(network, spiking, settings.seed, start, teacher, device_of(device))
    if start is not None:
        check_start(start, learner.form.least_units)
    batch = min(settings.batch_size, len(samples))
    together = settings.candidates * batch
    check_room(
        {name: together * each for name, each in learner.bytes_each.items()},
        f"to train {settings.candidates} candidates on {batch} stimuli of "
        f"{learner.schedule.steps:,} steps at once",
        help="lower the batch size or the number of candidates; a shorter duration or a larger dt "
        "makes another network",
    )
    kept = checkpoint_of(
        checkpoint,
        lambda: described(
            f"snn in the engine on {learner.device}",
            network,
            samples,
            settings,
            spiking=spiking,
            start=start,
            teacher=teacher,
        ),
    )
    return or_start(fit(learner, samples, settings, progress, kept), start)


def check_spiking(network: Network, spiking: SpikingSettings, start: SpikingModel | None) -> None:
    """Raise ``TrainingError`` if the network, its settings and the model to start from differ.

    Raises ``ModelError`` if the delay is so long that no output can depend on the input.
    """
    wrong = readout_problems(network, spiking.readout)
    if spiking.readout not in TRAINED_READOUTS:
        wrong.append(f"a readout of {spiking.readout} cannot be trained, only count or membrane")
    if start is not None and start.network != network:
        wrong.append("the model to start from is of another network")
    given = SpikingSettings.of(
        spiking, coding=spiking.input_coding, delay=spiking.delay_ms, readout=spiking.readout
    )
    if start is not None and settings_of(start) != given:
        wrong.append("the model to start from has another neuron, coding, readout or timing")
    if wrong:
        raise TrainingError("training cannot start: " + "; ".join(wrong))
    check_reach(network, spiking.duration, spiking.delay_ms)


def _check_outputs(network: Network) -> None:
    """Refuse an output that is also an input: only stimuli decide its spikes, so they have no
    gradient.
    """
    if both := [name for name in network.outputs if name in network.inputs]:
        raise TrainingError(
            f"training cannot start: the output {both[0]!r} is an input as well, and the engine's "
            "gradients are of neurons that compute",
            help="train it with a simulator in the loop (volr.train_in_loop), or put a layer "
            "behind that input",
        )


def _check_teacher(teacher: ArtificialModel, network: Network, settings: TrainingSettings) -> None:
    taught = teacher.network
    wrong: list[str] = []
    if (taught.input_size, taught.output_size) != (network.input_size, network.output_size):
        wrong.append(
            f"the teacher has {taught.input_size} inputs and {taught.output_size} outputs, the "
            f"network {network.input_size} and {network.output_size}"
        )
    if settings.loss != "cross_entropy":
        wrong.append(f"a teacher's answers are probabilities, and the loss is {settings.loss}")
    if wrong:
        raise TrainingError("training cannot start: " + "; ".join(wrong))


def with_defaults(
    settings: TrainingSettings, *, fine: bool, epochs: int | None
) -> TrainingSettings:
    """The settings with the defaults of spiking networks instead of artificial ones.

    ``epochs`` is the default number; ``fine`` is whether training starts from a model.
    """
    rate, decay = settings.learning_rate, settings.weight_decay
    return replace(
        settings,
        epochs=epochs if settings.epochs is None else settings.epochs,
        learning_rate=(FINE_RATE if fine else RATE) if rate is None else rate,
        weight_decay=(FINE_DECAY if fine else DECAY) if decay is None else decay,
        candidates=1 if fine else settings.candidates,
    )


def or_start(trained: Training[SpikingModel], start: SpikingModel | None) -> Training[SpikingModel]:
    """The trained model, or ``start`` itself if that was best: training rounds it to float32."""
    if start is None or trained.kept_epoch > 0:
        return trained
    return replace(trained, model=start)
