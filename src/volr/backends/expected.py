"""What a back end should hold of a model: what is read back is compared with it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from volr.backends.populations import neurons_of
from volr.backends.readback import DOUBLE, Number, distinct
from volr.backends.terms import Blocks, Ends, Wiring
from volr.models.activations import AS_GIVEN, input_formula, title
from volr.models.coding import ticking
from volr.models.first_spike import FirstSpike
from volr.models.model import ArtificialModel, SpikingModel
from volr.models.parameters import unit_biases, weight_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from volr.checks.arrays import Floats, Integers
    from volr.models.model import Model
    from volr.models.parameters import Parameters
    from volr.network import Network
    from volr.neurons import NeuronModel, NeuronsByUnit


@dataclass(frozen=True)
class ExpectedCells:
    """The neurons of one population, with the fields of ``Cells``."""

    kind: str
    reset: str
    numbers: Mapping[str, Number]


@dataclass(frozen=True, kw_only=True)
class Expected:
    """What a back end should hold of a model: the fields of ``Readback``, of both generations.

    Fields that the model's generation lacks are empty, or None. ``wirings`` are the projections by
    their ends, to find what is wrong with one. ``precision`` is the relative error that is allowed.
    """

    populations: Mapping[str, int]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    weights: Mapping[Ends, Floats]
    biases: Mapping[str, Floats]
    wirings: Mapping[Ends, tuple[Wiring, ...]] = field(
        default_factory=dict[Ends, "tuple[Wiring, ...]"]
    )
    activations: Mapping[str, str] = field(default_factory=dict[str, str])
    cells: Mapping[str, ExpectedCells] = field(default_factory=dict[str, ExpectedCells])
    delays: Mapping[Ends, Number] = field(default_factory=dict[Ends, "Number"])
    dt: float | None = None
    precision: float = DOUBLE
    merges: Mapping[str, str] = field(default_factory=dict[str, str])
    ticks: Mapping[str, Integers] = field(default_factory=dict[str, "Integers"])

    def channels(self, population: str) -> int:
        """The first axis of a population that projections lead to; 1 if none is known."""
        into = [each for (_, target), each in self.wirings.items() if target == population]
        return into[0][0].target[0] if into else 1


def expected(model: Model, precision: float = DOUBLE) -> Expected:
    """What a faithful back end of this ``precision`` holds: the model itself."""
    network = model.network
    wirings = _wirings(network, model.parameters)
    weights = Blocks(wirings)
    merges: dict[str, str] = {p.name: p.merge for p in network.layers if p.merge != "sum"}
    biases = {p.name: unit_biases(p, model.parameters) for p in network.layers}
    populations = {p.name: p.size for p in network.populations}
    both = Expected(
        populations=populations,
        inputs=network.inputs,
        outputs=network.outputs,
        weights=weights,
        wirings=wirings,
        biases=biases,
        precision=precision,
        merges=merges,
    )
    match model:
        case ArtificialModel():
            hidden = {p.source for p in network.projections} - set(network.inputs)
            titles = {n: title(model.activation_of(n)) for n in populations if n in hidden}
            return replace(both, activations=_inputs_taken(model) | titles)
        case SpikingModel():
            return replace(
                both,
                biases={
                    name: model.units_of(name).of(lambda each: each.i_offset) + bias
                    for name, bias in biases.items()
                },
                cells={
                    name: expected_cells(
                        model.units_of(name), model.dt, spiking=model.is_spiking(name)
                    )
                    for name in neurons_of(model)
                },
                delays={ends: distinct(each) for ends, each in _delays(model).items()},
                dt=model.dt,
                merges={} if isinstance(model.coding, FirstSpike) else merges,
                ticks={} if network.clock is None else {network.clock: ticking(model)},
            )


def _inputs_taken(model: ArtificialModel) -> dict[str, str]:
    """The formula of each input, unless they send their stimulus as it is."""
    formula = input_formula(model.activation)
    return {} if formula == AS_GIVEN else dict.fromkeys(model.network.inputs, formula)


def _delays(model: SpikingModel) -> dict[Ends, list[float]]:
    """The delays of the projections, ms, by their ends; there may be several with the same ends."""
    found: dict[Ends, list[float]] = {}
    for each in model.network.projections:
        ends = each.source, each.target
        found.setdefault(ends, []).append(model.delay_steps_of(each) * model.dt)
    return found


def _wirings(network: Network, values: Parameters) -> dict[Ends, tuple[Wiring, ...]]:
    """The projections by their ends; there may be several between two populations."""
    found: dict[Ends, tuple[Wiring, ...]] = {}
    for each in network.projections:
        ends = each.source, each.target
        made = Wiring(each.connector, values[weight_name(each)], *network.ends(each))
        found[ends] = (*found.get(ends, ()), made)
    return found


def expected_cells(neurons: NeuronsByUnit, dt: float, *, spiking: bool = True) -> ExpectedCells:
    """What neurons should be at the step ``dt``, ms; without ``spiking`` they only integrate."""

    def numbers(neuron: NeuronModel) -> dict[str, float]:
        found = {**neuron.numbers, "tau_refrac": neuron.refractory_steps(dt) * dt}
        del found["i_offset"]
        return found if spiking else {**found, "v_thresh": float("inf")}

    return ExpectedCells(neurons.name, neurons.first.reset, neurons.stacked(numbers))
