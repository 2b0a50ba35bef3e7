"""The layers of the count model before they are fitted: what follows from the weights alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from volr.explanation.counts import Layer, Term
from volr.explanation.wiring import is_calibrated

if TYPE_CHECKING:
    from collections.abc import Mapping

    from volr.checks.arrays import Floats
    from volr.explanation.wiring import Wiring
    from volr.models.model import SpikingModel

# The percentile that is a full activation if nothing else shows the scale of a silent population.
_FULL_PERCENTILE = 99.9


def asked_slopes(wired: Mapping[str, Wiring]) -> dict[str, float]:
    """The spikes that count as an activation of 1 for a population's targets, by population.

    They follow from the target's weight for a spike and the scale of its own biases. Populations
    for which no target shows both are left out.
    """
    return {
        block.projection.source: wiring.slope / block.charge
        for wiring in reversed(list(wired.values()))
        for block in wiring.blocks
        if wiring.slope is not None and block.charge
    }


def bare_layer(
    snn: SpikingModel, name: str, wiring: Wiring, shown: Floats, slopes: Mapping[str, float]
) -> Layer:
    """A layer before a line is fitted to its counts.

    ``shown`` ``[batch, unit]`` are the ANN's activations there. ``slopes`` are the spikes that are
    an activation of 1, for the populations before it.
    """
    unit = _unit(wiring, slopes, shown, slopes[snn.network.inputs[0]])
    terms: list[Term] = []
    for block in wiring.blocks:
        # If all weights are 0 there is nothing to scale.
        factor = block.charge * slopes[block.projection.source] / unit if block.charge else 1.0
        terms.append(
            Term(
                block.projection.source,
                block.wanted,
                block.signed,
                block.found,
                1.0 if is_calibrated(factor) else factor,
                block.taken,
            )
        )
    if wiring.slope is not None:
        found = (wiring.charge - wiring.intercept) / wiring.slope
    else:
        found = wiring.charge / unit if wiring.biases_changed else wiring.wanted
    return Layer(
        name=name,
        terms=tuple(terms),
        bias=wiring.wanted,
        found_bias=found,
        badly_scaled=wiring.badly_scaled,
        evened=np.ones_like(found),
        calmed=np.ones_like(found),
        slope=unit,
        gain=unit,
        offset=wiring.intercept,
        most=np.inf,
        beyond=0.0,
        taken=1.0,
        dead=np.zeros(len(wiring.wanted), dtype=np.bool_),
        output=name in snn.network.outputs,
        counted=snn.is_spiking(name),
        deviations={},
    )


def _unit(wiring: Wiring, slopes: Mapping[str, float], shown: Floats, full: float) -> float:
    """The charge, in spikes, that is a weighted sum of 1 in the ANN.

    The biases show it. If they do not, the weights do, together with the scale of the sources'
    spikes. Without weights it is what a transfer would make it.
    """
    if wiring.slope is not None:
        return wiring.slope
    for block in wiring.blocks:
        if block.charge:
            return block.charge * slopes[block.projection.source]
    level = float(np.percentile(shown, _FULL_PERCENTILE))
    return full / level if level > 0 else full
