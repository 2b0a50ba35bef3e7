"""What must fit before a gap can be explained."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from volr.errors import DataError, ModelError, UnsupportedError
from volr.models.activations import ReLU
from volr.models.coding import check_stimuli
from volr.models.first_spike import FirstSpike
from volr.models.samples import check_labels
from volr.network import Connector
from volr.network.supported import check_connectors

if TYPE_CHECKING:
    from volr.models.model import ArtificialModel, SpikingModel
    from volr.models.samples import Samples

# Squares of larger numbers, added up and multiplied, are beyond double precision.
_LARGEST = 1e100


def check(ann: ArtificialModel, snn: SpikingModel, samples: Samples) -> None:
    """Raise as ``volr.explain`` says."""
    if isinstance(snn.coding, FirstSpike):
        raise ModelError(
            "a model with first spikes has no spike counts to explain, and it loses nothing",
            help="`explain_exact` shows its proof, and what quantisation cost",
        )
    for name in snn.neurons:
        raise ModelError(
            f"all populations of a model that is explained have the same neurons, and {name} has "
            "its own"
        )
    check_connectors(snn.network, (Connector,), "explain", several=True)
    if ann.network != snn.network:
        raise ModelError(
            "the two models are not of the same network", help="give the ANN that the SNN came from"
        )
    if not isinstance(ann.activation, ReLU):
        raise UnsupportedError(
            f"a spike rate cannot stand for the activation {ann.activation.name!r}, so there is "
            "nothing to compare spike counts with",
            help="train the network again with relu, which makes another model",
        )
    for kind, model in (("ANN", ann), ("SNN", snn)):
        for name, values in model.parameters.items():
            largest = float(np.abs(values).max(initial=0.0))
            if largest > _LARGEST:
                raise ModelError(
                    f"the {kind}'s {name} has a value of size {largest:.3g}, and weights are "
                    f"compared by their squares: none may be larger than {_LARGEST:g}",
                    help="a training has come to no good; train it again with a smaller "
                    "--learning-rate",
                )
    sources = {projection.source for projection in ann.network.projections}
    if leading := [name for name in ann.network.outputs if name in sources]:
        raise UnsupportedError(
            f"the output {leading[0]} has projections of its own, and its counts would stand for "
            "a logit and for an activation"
        )
    if not len(samples):
        raise DataError("there are no samples to explain the model on")
    check_stimuli(samples.inputs, ann.network.input_size)
    check_labels(samples, ann.network.output_size)
