"""A network with first spikes explained: nothing is lost, and what quantisation cost before it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from volr.backends import running, spiking_backend
from volr.backends.reference import forward
from volr.backends.refusals import check_supported, require
from volr.checks import arguments
from volr.display.displayed import Displayed
from volr.errors import DataError
from volr.exact.first_spikes import from_first_spikes
from volr.exact.proof import prove
from volr.explanation.quantisation import explain_quantisation
from volr.models.coding import check_stimuli, decode_counts
from volr.models.model import ArtificialModel, SpikingModel
from volr.models.samples import check_labels

if TYPE_CHECKING:
    from collections.abc import Iterable

    from volr.backends import On
    from volr.display.parts import Part
    from volr.exact.proof import Proof
    from volr.explanation.quantisation import QuantisationLoss
    from volr.explanation.result import ExplanationProgress
    from volr.models.samples import Samples

# Stimuli that go through the network of whole numbers at once.
_TOGETHER = 500


@dataclass(frozen=True)
class ExactExplanation(Displayed):
    """What a network with first spikes loses: nothing, by its ``proof``.

    ``accuracy`` is that on ``backend``, where ``differing`` of ``samples`` stimuli got another
    label than from the network of whole numbers. ``quantisation`` is what made it one, if the ANN
    before it is known.
    """

    backend: str
    samples: int
    accuracy: float
    differing: int
    proof: Proof
    quantisation: QuantisationLoss | None

    @property
    def summary(self) -> str:
        """What is lost where, in a few sentences."""
        if self.differing:
            first = (
                f"{self.differing:,} of {self.samples:,} labels on {self.backend} are not those of "
                "the quantised network, although its proof holds: `volr verify --against` finds "
                "where it differs."
            )
        else:
            first = (
                "Nothing was lost: for every stimulus, the spiking network computes the whole "
                f"numbers of the quantised one, and the labels of all {self.samples:,} stimuli on "
                f"{self.backend} are the same."
            )
        return first if self.quantisation is None else f"{first} {self.quantisation.summary}"

    def _display(self) -> Iterable[Part]:
        from volr.explanation.display import exact_parts

        return exact_parts(self)


def explain_exact(
    snn: SpikingModel,
    samples: Samples,
    on: On = "engine",
    *,
    ann: ArtificialModel | None = None,
    progress: ExplanationProgress | None = None,
) -> ExactExplanation:
    """Prove a model with first spikes, run it on ``samples``, and split what quantisation cost.

    ``ann`` is the network with ReLU that was quantised, if it is known. Raises ``ModelError`` for a
    model that has no proof, and as ``explain_quantisation`` and back ends do.
    """
    arguments.check_model("explain_exact", snn, "snn", kind=SpikingModel)
    arguments.check_samples("explain_exact", samples)
    arguments.check_on("explain_exact", on)
    if ann is not None:
        arguments.check_model("explain_exact", ann, "ann", kind=ArtificialModel)
    arguments.check_progress("explain_exact", progress)
    backend = spiking_backend(on)
    require(backend)
    check_supported(backend, snn)
    proof, whole = prove(snn), from_first_spikes(snn)
    if not len(samples):
        raise DataError("there are no samples to explain the model on")
    check_stimuli(samples.inputs, snn.network.input_size)
    check_labels(samples, snn.network.output_size)
    loss = None if ann is None else explain_quantisation(ann, whole, samples, progress=progress)
    done = 0

    def more(count: int) -> None:
        nonlocal done
        done += count
        if progress is not None:
            progress("simulating", done, len(samples))

    with running(on) as simulator:
        recordings = simulator.run(snn, samples.inputs, progress=more)
    labels, _ = decode_counts(recordings.output_values(snn))
    wanted = np.concatenate(
        [forward(whole, part.inputs).argmax(axis=1) for part in samples.parts(_TOGETHER)]
    )
    return ExactExplanation(
        backend=backend.name,
        samples=len(samples),
        accuracy=float((labels == samples.labels).mean()),
        differing=int((labels != wanted).sum()),
        proof=proof,
        quantisation=loss,
    )
