"""The conditions that compute with whole numbers: the artificial network, and the spiking one.

    ann ──quantise──▸ ann-quantised ──first spikes──▸ snn-exact

Both compute the same whole numbers for every stimulus, so both give it the same label. A run of
``snn-exact`` counts the labels that differ.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from volr.exact.first_spikes import to_first_spikes
from volr.exact.proof import prove
from volr.experiments.condition import Built, Condition, artificial
from volr.experiments.run_progress import of_quantisation
from volr.experiments.settings import FOR_QUANTISATION
from volr.models.activations import LEAST_STEP, Staircase
from volr.models.model import ArtificialModel
from volr.models.parameters import parameter_shapes, weight_name
from volr.quantisation import quantise
from volr.quantisation.quantise import check_suited

if TYPE_CHECKING:
    from volr.experiments.condition import Ingredients
    from volr.experiments.settings import Settings
    from volr.models.model import SpikingModel
    from volr.network import Network


def quantised(ann: Condition) -> Condition:
    """The condition whose model is that of ``ann`` in whole numbers; nothing is trained."""
    return Condition(
        "ann-quantised",
        ann.source,
        _quantised,
        (*FOR_QUANTISATION, *ann.depends_on),
        needs=(ann,),
        is_spiking=False,
        example=_stairs,
        optional=True,
    )


def exact(whole: Condition) -> Condition:
    """The condition whose model computes the whole numbers of ``whole``, by first spikes.

    Its neurons and times come from them, so it depends on no setting of spiking networks.
    """
    return Condition(
        "snn-exact",
        whole.source,
        _exact,
        whole.depends_on,
        needs=(whole,),
        example=_first_spikes,
        optional=True,
    )


def _quantised(given: Ingredients) -> Built:
    [ann] = given.needed
    done = quantise(
        artificial(ann),
        given.train,
        given.settings.quantisation(given.seed),
        progress=of_quantisation(given.progress),
    )
    return Built(done.model, quantisation=done.report)


def _exact(given: Ingredients) -> Built:
    [ann] = given.needed
    whole = artificial(ann)
    model = to_first_spikes(whole)
    prove(model)
    return Built(model, computes=whole)


def _stairs(settings: Settings, network: Network) -> ArtificialModel:
    check_suited(network)
    values = {name: np.zeros(shape) for name, shape in parameter_shapes(network).items()}
    for each in network.projections:
        # Where the largest counts, what arrives is passed on as it is.
        if network[each.target].merge == "max":
            values[weight_name(each)] = np.ones_like(values[weight_name(each)])
    # No network is quantised with a smaller step.
    return ArtificialModel(network, values, Staircase(settings.quantisation(0).levels, LEAST_STEP))


def _first_spikes(settings: Settings, network: Network) -> SpikingModel:
    return to_first_spikes(_stairs(settings, network))
