"""What the engine holds of a model, from the arguments of its kernels and from what they do.

A kernel has decays and rises in one step instead of time constants, membranes above v_rest instead
of v_rest, and a number of steps instead of dt. Where these determine a parameter, it is computed.
``kernel_probing`` measures the others in a simulation. Both count as asked. What the kernels do not
have is told.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from volr.backends.engine.kernel_cells import (
    SOLVED,
    Kind,
    by_units,
    cells_of,
    currents_of,
    joined,
    kernel_of,
)
from volr.backends.engine.kernel_probing import (
    STEPS,
    WITHOUT_CURRENT,
    delay,
    resting,
    resting_inputs,
)
from volr.backends.readback import (
    Answer,
    Asked,
    SpikingReadback,
    Told,
    all_asked,
    all_told,
    distinct,
    precision_of,
)
from volr.engine.encoding import schedule_under
from volr.engine.simulation import Ready, contents
from volr.models.coding import ConstantCurrent

if TYPE_CHECKING:
    from volr.backends.readback import Number
    from volr.checks.arrays import Floats
    from volr.engine.schedule import Term
    from volr.models.model import SpikingModel

_INPUTS = Told("its kernels are not given the names and sizes of the inputs")

GIVEN = "the delay of a projection in the kernel's arrays, times dt"


def read(model: SpikingModel, prepared: Ready) -> SpikingReadback:
    """What a model that is ready holds; ``model`` gives the duration, and the unit of currents."""
    schedule = prepared.schedule
    weights = contents(prepared)
    steps, membranes = resting(prepared)
    dt = model.duration / steps
    # Each kind of neurons of a layer has a turn of its kernel.
    kernels: dict[str, list[Kind]] = {
        layer.name: [
            Kind(part.neuron, units, kernel_of(schedule, part, prepared.lifts[layer.name][units]))
            for part, units in layer.kinds()
        ]
        for layer in schedule.layers
    }
    cells = {
        layer.name: joined(
            [
                cells_of(
                    each.neuron,
                    each.kernel,
                    dt,
                    Asked(float(membranes[layer.name][each.units[0]]), WITHOUT_CURRENT),
                )
                for each in kernels[layer.name]
            ],
            kernels[layer.name],
        )
        for layer in schedule.layers
    }
    if isinstance(prepared.coding, ConstantCurrent):
        given = schedule_under(schedule.input_neuron, schedule.dt, schedule.steps, 1)
        kernel = kernel_of(given, given.layers[0], np.zeros(1))
        inputs = cells_of(schedule.input_neuron, kernel, dt, resting_inputs(schedule))
        cells |= {name: inputs for name, _ in schedule.inputs}
    # Several projections between two populations add up.
    between: dict[tuple[str, str], Floats] = {}
    for layer in schedule.layers:
        for term in layer.terms:
            ends = term.source, layer.name
            before = between.get(ends)
            between[ends] = weights[term.weight] + (0.0 if before is None else before)
    layers = {layer.name: layer for layer in schedule.layers}
    thresholds = {
        name: max(float(each.kernel["threshold"]) for each in some)
        for name, some in kernels.items()
    }
    return SpikingReadback(
        populations={
            **{name: _INPUTS for name, _ in schedule.inputs},
            **{layer.name: Asked(len(prepared.lifts[layer.name])) for layer in schedule.layers},
        },
        inputs=_INPUTS,
        outputs=Told("it counts the spikes of every population, whether they are read or not"),
        weights={ends: Asked(matrix) for ends, matrix in between.items()},
        biases=all_asked(
            {
                layer.name: by_units(
                    kernels[layer.name],
                    [
                        currents_of(each.neuron, each.kernel, dt, each.neuron.cm)
                        for each in kernels[layer.name]
                    ],
                )
                for layer in schedule.layers
            },
            SOLVED,
        ),
        cells=cells,
        delays={
            (source, name): _together(
                [
                    _given_delay(prepared, term, dt)
                    or delay(
                        prepared,
                        thresholds,
                        layers[name],
                        term,
                        weights[term.weight],
                        (dt, membranes[name]),
                    )
                    for term in layers[name].terms
                    if term.source == source
                ]
            )
            for source, name in between
        },
        # The last of the inputs, whose spike trains are made of these steps.
        ticks={schedule.inputs[-1][0]: Asked(np.array(schedule.clock))} if schedule.clock else {},
        dt=Asked(dt, STEPS),
        precision=precision_of(tile.dtype for each in prepared.tiles.values() for tile in each),
    )


def _given_delay(prepared: Ready, term: Term, dt: float) -> Answer[float] | None:
    """The delay that a kernel is given which runs spike by spike; None where it is to be measured.

    What is measured is how the other kernels respond, step by step.
    """
    if not prepared.programs:
        return None
    return Asked(prepared.programs[0].delay(term) * dt, GIVEN)


def _together(delays: list[Answer[float]]) -> Answer[Number]:
    """The delays of all projections between two populations; told where one of them is."""
    asked = [each for each in delays if isinstance(each, Asked)]
    if len(asked) < len(delays):
        return next(each for each in delays if isinstance(each, Told))
    return Asked(distinct([each.value for each in asked]), asked[0].note)


def told(model: SpikingModel, why: str) -> SpikingReadback:
    """A readback of which nothing was asked."""
    network = model.network
    ends = [(each.source, each.target) for each in network.projections]
    return SpikingReadback(
        populations=all_told(network.by_name, why),
        inputs=Told(why),
        outputs=Told(why),
        weights=all_told(ends, why),
        biases=all_told((each.name for each in network.layers), why),
        cells=all_told(network.by_name, why),
        delays=all_told(ends, why),
        ticks=all_told([] if network.clock is None else [network.clock], why),
        dt=Told(why),
        precision=Told(why),
    )
