"""From a trained artificial model to a spiking one, with a report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from volr.backends import running
from volr.backends.base import Record
from volr.backends.reference import activations
from volr.checks import arguments
from volr.checks.arrays import same_fields
from volr.display.displayed import Displayed
from volr.errors import DataError, UnsupportedError
from volr.models.activations import ReLU, Staircase
from volr.models.coding import check_stimuli, decode_counts
from volr.models.model import ArtificialModel, check_reach
from volr.models.samples import check_labels
from volr.network import Connector
from volr.network.supported import check_connectors
from volr.transfer.balance import rescaled, unit_scales
from volr.transfer.calibration import calibrate
from volr.transfer.scaling import (
    Correction,
    check_scales,
    full_count,
    scales,
    spiking_model,
    wanted_counts,
)
from volr.transfer.settings import TransferSettings
from volr.transfer.summary import TransferReport, population_report

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from volr.backends import On
    from volr.checks.arrays import Floats
    from volr.display.parts import Part
    from volr.models.model import SpikingModel
    from volr.models.samples import Samples
    from volr.transfer.calibration import CalibrationProgress
    from volr.transfer.scaling import Scale


@dataclass(frozen=True, eq=False)  # with an == of its own
class Transfer(Displayed):
    """The spiking model, and how it was made.

    ``scales`` has for each population, ``[unit]``, the activation of the artificial model at the
    full rate. Each unit of a hidden population has its own scale; the units of others share one.
    """

    model: SpikingModel
    report: TransferReport
    scales: Mapping[str, Floats]

    def __eq__(self, other: object) -> bool:
        return same_fields(self, other)

    def __hash__(self) -> int:
        return hash(self.model)

    def _display(self) -> Iterable[Part]:
        from volr.transfer.display import transfer_parts

        return transfer_parts(self.report, self.scales)


def transfer_ann(
    model: ArtificialModel,
    samples: Samples,
    on: On = "engine",
    settings: TransferSettings = TransferSettings(),
    *,
    scale: Mapping[str, Scale] | None = None,
    progress: CalibrationProgress | None = None,
) -> Transfer:
    """Turn an artificial model into a spiking one, calibrated on ``samples``.

    ``on`` simulates the network for the calibration: the name of a back end, a back end, or a
    started simulator. ``samples`` are training stimuli, of which ``settings.samples`` are drawn;
    only the report uses their labels. No weight is trained: each population gets one scale, one
    gain of its excitation, one of its inhibition, and one offset. Before that, the hidden units are
    balanced (``volr.transfer.balance``), so the result does not depend on their scales. ``scale``
    is the meaning of every population's counts; by default it comes from the percentiles of the
    activations. If it is given, units are not balanced.

    Raises ``UnsupportedError`` for an activation that a rate cannot represent, ``DataError`` for
    samples that do not fit, and ``ModelError`` if the delay is so long that no output can depend on
    the input.
    """
    arguments.check_model("transfer_ann", model, kind=ArtificialModel)
    arguments.check_samples("transfer_ann", samples)
    arguments.check_on("transfer_ann", on)
    arguments.check_record("transfer_ann", settings, TransferSettings)
    arguments.check_progress("transfer_ann", progress)
    if scale is not None:
        check_scales(model.network, scale)
    if isinstance(model.activation, Staircase):
        raise UnsupportedError(
            "this network is one of whole numbers, and rates would only come near them",
            help="transfer it exactly: `volr transfer --coding first-spike`, or "
            "volr.to_first_spikes in Python",
        )
    if not isinstance(model.activation, ReLU):
        raise UnsupportedError(
            f"a spike rate cannot stand for the activation {model.activation.name!r}: "
            "rates are not negative and have no other shape than their own",
            help="train the network again with relu, which makes another model",
        )
    if len(samples) == 0:
        raise DataError("a transfer needs training stimuli to calibrate on, and there are none")
    network = model.network
    check_connectors(network, (Connector,), "the transfer", several=True)
    check_reach(network, settings.duration, settings.delay_ms)
    check_stimuli(samples.inputs, network.input_size)
    check_labels(samples, network.output_size)
    chosen = np.random.default_rng(settings.seed).permutation(len(samples))[: settings.samples]
    drawn = samples.take(chosen)
    # What is given stands for the activations as they are.
    units = unit_scales(model) if scale is None else {}
    model = rescaled(model, {name: 1.0 / each for name, each in units.items()})
    shown = activations(model, drawn.inputs)
    scale = scales(network, shown, settings) if scale is None else scale
    names = tuple(population.name for population in network.populations)
    with running(on) as simulator:
        correction = calibrate(model, drawn.inputs, shown, scale, simulator, settings, progress)
        spiking = spiking_model(model, network, scale, correction, settings)
        recordings = simulator.run(
            spiking, drawn.inputs, record=Record(counts=names), seed=settings.seed
        )
    full = dict.fromkeys(names, settings.full_rate * settings.duration / 1000.0)
    full |= dict.fromkeys(network.inputs, full_count(settings))
    at_full = {
        name: scale[name].activation
        * (full[name] / full_count(settings))
        * units.get(name, np.ones(network[name].size))
        for name in names
    }
    reports = tuple(
        population_report(
            name,
            scale=float(np.exp(np.log(at_full[name]).mean())),
            correction=correction.get(name, Correction()),
            wanted=wanted_counts(shown[name], scale[name], settings),
            counts=recordings.counts[name],
            full=full[name],
            most=settings.neuron.most_spikes(settings.dt, spiking.steps),
            duration=settings.duration,
        )
        for name in names
    )
    logits = np.concatenate([shown[name] for name in network.outputs], axis=1)
    labels, sharing = decode_counts(recordings.output_values(spiking))
    report = TransferReport(
        populations=reports,
        samples=len(drawn),
        accuracy_before=float((logits.argmax(axis=1) == drawn.labels).mean()),
        accuracy_after=float((labels == drawn.labels).mean()),
        ties=float((sharing > 1).mean()),
    )
    return Transfer(spiking, report, at_full)
