"""What the original work (Pedersen 2019) shows of its neuron, measured anew on a simulator.

    Theory  ::=  Trace, Response, two Chains

Its neuron is the conductance-based one with PyNN's defaults, which are its table's parameters, and,
in these figures, without refractoriness. It does not say the step: this is PyNN's and NEST's
default, 0.1 ms. The step matters, since a hard reset throws away what is above the threshold: its
regression comes out at 0.1 ms, and at 0.5 or 1 ms it does not. Nor does it say the currents: these
are 0 to 12 nA in steps of 0.1.

Currents go into neurons as biases, so that any simulator gets them exactly.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from volr.backends.base import Record
from volr.language import to_network
from volr.models.coding import ConstantCurrent
from volr.models.model import SpikingModel
from volr.models.parameters import parameter_shapes, weight_name
from volr.neurons import IFCondExp
from volr.transfer import TransferSettings, transfer_ann

if TYPE_CHECKING:
    from volr.backends.base import Recordings, Simulator
    from volr.checks.arrays import Floats
    from volr.models.model import ArtificialModel
    from volr.models.samples import Samples
    from volr.transfer import CalibrationProgress, PopulationReport

NEURON = IFCondExp(tau_refrac=0.0)
DT, DURATION = 0.1, 50.0
"""ms."""
TRACE_CURRENT = 2.0
"""nA, of the membrane that is shown."""
CURRENTS: tuple[float, ...] = tuple(round(0.1 * step, 1) for step in range(121))
"""nA, of the regression."""
MOST_SPIKES = 38
"""What the original's neuron emits under the largest of its currents."""
CHAIN_SIZE = 10
"""Neurons in each population of a chain."""
RATE_SAMPLES = 100
"""Training stimuli that the rates of a network's populations are means of."""
WEIGHT_SCALE = 0.065
"""The original's factor of a weight between populations, which is also divided by n."""


@dataclass(frozen=True)
class Line:
    """y = ``slope`` · x + ``intercept``, and the share of y's variance that it explains."""

    slope: float
    intercept: float
    r_squared: float


@dataclass(frozen=True)
class Trace:
    """A neuron under a constant ``current``, nA: ``membrane``, mV, at each of ``times``, ms,
    and the times of its ``spikes``.
    """

    current: float
    times: tuple[float, ...]
    membrane: tuple[float, ...]
    spikes: tuple[float, ...]


@dataclass(frozen=True)
class Response:
    """Spike ``counts`` within a stimulus under constant ``currents``, nA, and their regression."""

    currents: tuple[float, ...]
    counts: tuple[int, ...]
    line: Line

    @property
    def silent_up_to(self) -> float:
        """The largest current, nA, below that of the first spike; 0 where all give spikes."""
        spiking = (index for index, count in enumerate(self.counts) if count > 0)
        first = next(spiking, len(self.counts))
        return self.currents[max(0, first - 1)]


@dataclass(frozen=True)
class Chain:
    """Populations one behind the other, all synapses of one ``weight``, µS.

    ``counts`` ``[population, stimulus]`` are the mean spike counts of a neuron, the driven
    population's first; ``lines`` the regressions of the others on it.
    """

    weight: float
    counts: tuple[tuple[float, ...], ...]
    lines: tuple[Line, ...]

    @property
    def most(self) -> float:
        """The largest count of the last population."""
        return max(self.counts[-1])


@dataclass(frozen=True)
class Theory:
    """All of it, as the simulator ``on`` has it."""

    on: str
    trace: Trace
    response: Response
    scaled: Chain
    unscaled: Chain


@dataclass(frozen=True)
class Comparison:
    """A number of ours beside the original's; ``said`` is empty where it gives none."""

    quantity: str
    unit: str
    ours: float
    said: str = ""

    @property
    def label(self) -> str:
        """The quantity with its unit, where it has one."""
        return f"{self.quantity}, {self.unit}" if self.unit else self.quantity


def theory(simulator: Simulator, on: str) -> Theory:
    """Measure everything on a started simulator, the one called ``on``."""
    return Theory(
        on=on,
        trace=trace(simulator),
        response=response(simulator),
        scaled=chain(simulator, WEIGHT_SCALE / CHAIN_SIZE),
        unscaled=chain(simulator, 1.0),
    )


def trace(simulator: Simulator, current: float = TRACE_CURRENT) -> Trace:
    """The membrane of a neuron under a constant current, nA, from rest on."""
    recordings = _under_currents(simulator, (current,), everything=True)
    [membrane], [spikes] = recordings.membranes.values(), recordings.spikes.values()
    steps = np.arange(len(spikes))
    ends = (steps + 1) * DT
    return Trace(
        current=current,
        times=(0.0, *(float(each) for each in ends)),
        membrane=(NEURON.v_rest, *(float(each) for each in membrane[:, 0, 0])),
        spikes=tuple(float(each) for each in ends[spikes[:, 0, 0]]),
    )


def response(simulator: Simulator, currents: tuple[float, ...] = CURRENTS) -> Response:
    """The spike count of a neuron against the constant current, nA, that it gets."""
    [counts] = _under_currents(simulator, currents).counts.values()
    line = regression(np.array(currents), counts[0].astype(np.float64))
    return Response(currents, tuple(int(each) for each in counts[0]), line)


def chain(simulator: Simulator, weight: float) -> Chain:
    """Four populations in a row, the first driven to every count that a constant current gives."""
    size = CHAIN_SIZE
    network = to_network(" ⦶ ".join([f"dense {size} {size}"] * 3))
    weights = {weight_name(projection) for projection in network.projections}
    model = SpikingModel(
        network=network,
        parameters={
            name: np.full(shape, weight if name in weights else 0.0)
            for name, shape in parameter_shapes(network).items()
        },
        neuron=NEURON,
        coding=ConstantCurrent(1000.0 * MOST_SPIKES / DURATION),
        dt=DT,
        duration=DURATION,
        delay=DT,
    )
    asked = np.arange(MOST_SPIKES + 1) / MOST_SPIKES
    names = tuple(population.name for population in network.populations)
    recordings = simulator.run(
        model, np.repeat(asked[:, np.newaxis], size, axis=1), record=Record(counts=names)
    )
    # Not every count is the answer to a constant current: some stimuli are one and the same.
    driven, kept = np.unique(recordings.counts[names[0]].mean(axis=1), return_index=True)
    counts = [recordings.counts[name].mean(axis=1)[kept] for name in names]
    return Chain(
        weight=weight,
        counts=tuple(tuple(float(each) for each in count) for count in counts),
        lines=tuple(regression(driven, count) for count in counts[1:]),
    )


def regression(x: Floats, y: Floats) -> Line:
    """The line of least squares through points, of which there are at least two."""
    dx, dy = x - x.mean(), y - y.mean()
    covariance, spread = float(dx @ dy), float(dx @ dx)
    slope = covariance / spread
    total = float(dy @ dy)
    return Line(
        slope=slope,
        intercept=float(y.mean()) - slope * float(x.mean()),
        r_squared=slope * covariance / total if total > 0 else 1.0,
    )


def population_rates(
    model: ArtificialModel,
    samples: Samples,
    simulator: Simulator,
    *,
    seed: int = 0,
    progress: CalibrationProgress | None = None,
) -> tuple[PopulationReport, ...]:
    """Wanted and measured rates of a trained network's populations, made of the original's neuron.

    It is transferred, calibrated and measured on the simulator with training ``samples``, in the
    transfer's own steps of 0.5 ms: many simulations, of which each would take five times as long in
    steps of 0.1 ms. Raises as ``transfer_ann`` does.
    """
    settings = TransferSettings(neuron=NEURON, duration=DURATION, samples=RATE_SAMPLES, seed=seed)
    return transfer_ann(model, samples, simulator, settings, progress=progress).report.populations


def comparisons(found: Theory) -> tuple[Comparison, ...]:
    """The numbers that the original gives, and ours."""
    line, counts = found.response.line, found.response.counts
    return (
        Comparison("spikes in 50 ms at 2 nA", "", len(found.trace.spikes), "5"),
        Comparison("spike count against current: slope", "/nA", line.slope, "3.225"),
        Comparison("spike count against current: intercept", "", line.intercept, "−1.615"),
        Comparison("spike count against current: r²", "", line.r_squared, "0.9977"),
        Comparison("spikes in 50 ms at 12 nA", "", counts[-1], "38"),
        Comparison("no spike up to", "nA", found.response.silent_up_to, "about 0.8"),
        Comparison(
            "chain, weights × 0.065/n: 4th population, most", "", found.scaled.most, "up to 38"
        ),
        Comparison(
            "chain, weights × 0.065/n: 4th population, r²", "", found.scaled.lines[-1].r_squared
        ),
        Comparison("chain, weights of 1 µS: 4th population, most", "", found.unscaled.most),
        Comparison(
            "chain, weights of 1 µS: 4th population, r²", "", found.unscaled.lines[-1].r_squared
        ),
    )


def _under_currents(
    simulator: Simulator, currents: tuple[float, ...], *, everything: bool = False
) -> Recordings:
    """One neuron for each constant current, nA; ``everything`` is spikes and membranes as well."""
    network = to_network(f"dense 1 {len(currents)}")
    [population] = network.layers
    shapes = parameter_shapes(network)
    model = SpikingModel(
        network=network,
        # The input has no weight: it is there because a network has one.
        parameters={
            name: np.zeros(shape) if len(shape) > 1 else np.array(currents)
            for name, shape in shapes.items()
        },
        neuron=NEURON,
        dt=DT,
        duration=DURATION,
        delay=DT,
    )
    told: tuple[str, ...] = (population.name,) if everything else ()
    return simulator.run(model, np.zeros((1, 1)), record=Record(spikes=told, membranes=told))
