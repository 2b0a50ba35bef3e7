"""Run a model and its variants, and make the count model from their counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from volr.backends.reference import activations
from volr.explanation import variants
from volr.explanation.bare_layers import asked_slopes
from volr.explanation.counts import CountModel
from volr.explanation.fitting import Fitting
from volr.explanation.remedies import settings_of
from volr.explanation.synapses import with_each_synapse
from volr.explanation.unit_scales import Units, read_units
from volr.explanation.wiring import wirings
from volr.models.coding import by_input, in_rates
from volr.transfer.balance import balanced

if TYPE_CHECKING:
    from collections.abc import Mapping

    from volr.backends.base import Progress, Simulator
    from volr.checks.arrays import Floats
    from volr.explanation.causes import Dynamic
    from volr.explanation.wiring import Wiring
    from volr.models.model import ArtificialModel, SpikingModel
    from volr.models.samples import Samples


@dataclass(frozen=True, eq=False)
class Measured:
    """The count ``model``, and what it was made from.

    ``units`` are the scales that were read, ``wirings`` are by population. ``recorded`` counts and
    ``wanted`` counts, the ANN's activations in spikes, are ``[batch, unit]`` by population.
    ``full`` is the number of spikes of a full input.
    """

    model: CountModel
    units: Units
    wirings: Mapping[str, Wiring]
    recorded: Mapping[str, Floats]
    wanted: Mapping[str, Floats]
    full: float


def measure(
    ann: ArtificialModel,
    snn: SpikingModel,
    samples: Samples,
    simulator: Simulator,
    engine: Simulator,
    mechanisms: tuple[Dynamic, ...],
    *,
    seed: int,
    progress: Progress | None = None,
) -> Measured:
    """Run the model on ``simulator`` and its variants without ``mechanisms`` on ``engine``, and fit
    the count model.
    """
    # Weights are compared synapse by synapse. Where kernels share them, units have the scales of
    # their channels, so the balance comes first.
    synapses = with_each_synapse(snn)
    units = read_units(with_each_synapse(balanced(ann)), synapses)
    wired = wirings(units, synapses)
    actual = frozenset(mechanisms)
    runs = {
        left_in: variants.run(
            variants.variant(snn, actual - left_in, wired),
            samples.inputs,
            simulator if left_in == actual else engine,
            late="transient" in actual - left_in,
            seed=seed,
            progress=progress,
        )
        for left_in in variants.subsets(mechanisms)
    }
    network, recorded = snn.network, runs[actual]
    full = in_rates(snn.coding).rate_max * snn.duration / 1000.0
    slopes = dict.fromkeys(network.inputs, full)
    fitting = Fitting(
        snn=synapses,
        units=units,
        wired=wired,
        actual=actual,
        runs=runs,
        shown=activations(units.ann, samples.inputs),
        asked=asked_slopes(wired),
        fullest=settings_of(snn, seed).full_rate * snn.duration / 1000.0,
        slopes=slopes,
        of_run={left_in: dict(slopes) for left_in in runs},
    )
    for population in network.layers:
        if population.name not in network.outputs:
            fitting.fit((population.name,))
    # The outputs are compared with each other, so they share one line.
    fitting.fit(network.outputs)
    model = CountModel(
        layers=tuple(fitting.layers[p.name] for p in network.layers),
        outputs=network.outputs,
        values=by_input(network, samples.inputs),
        spikes={name: recorded[name] / full for name in network.inputs},
        unpaused={name: runs[actual - {"refractory"}][name] / full for name in network.inputs},
        labels=samples.labels,
    )
    wanted = {
        layer.name: layer.slope * fitting.shown[layer.name]
        + (layer.offset if layer.output else 0.0)
        for layer in model.layers
    }
    return Measured(model, units, wired, recorded, wanted, full)
