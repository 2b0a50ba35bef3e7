"""The network that a back end says it holds, in Volr's names and units.

    Answer[T] ::=  Asked(value, note) | Told(why)
    Readback  ::=  ArtificialReadback | SpikingReadback

``volr verify`` compares a ``Readback`` with what is ``Expected`` of the model. The comparison
proves something only where the running simulator or the written document was *asked*. A field that
cannot be asked for is *told*: its value would come from the model, which would be compared with
itself. So a ``Told`` has no value.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeAlias, TypeVar

import numpy as np

from volr.backends.populations import neurons_of
from volr.backends.terms import Blocks, Ends, Wiring
from volr.models.activations import AS_GIVEN, input_formula, title
from volr.models.coding import ticking
from volr.models.first_spike import FirstSpike
from volr.models.model import ArtificialModel, SpikingModel
from volr.models.parameters import unit_biases, weight_name

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import ArrayLike

    from volr.checks.arrays import Floats, Integers
    from volr.models.model import Model
    from volr.models.parameters import Parameters
    from volr.network import Network
    from volr.neurons import NeuronModel

T = TypeVar("T")
K = TypeVar("K", bound=Hashable)

Names: TypeAlias = tuple[str, ...] | frozenset[str]
"""Populations in their order, or as a set where the back end has no order among them."""

METADATA = "in Volr's own metadata: the format has no field for it"
"""The note on what a document says in metadata that no other program reads."""

NO_RESET = "for neurons that never spike, it holds only what a spike would subtract"
"""Why a simulator with the reset ``subtract`` cannot be asked for ``v_reset``."""

SEVERAL = -2
"""In place of a step, for a neuron of a clock that spikes more than once."""

DOUBLE, SINGLE = 1e-12, 2.0**-23
"""The relative error of numbers in float64 that were converted a few times, and in float32."""


@dataclass(frozen=True)
class Asked(Generic[T]):
    """A value that the running simulator, or the written document, gives itself.

    ``note`` says how it was asked, where that needs a simulation for example, or is ``METADATA``.
    """

    value: T
    note: str = ""


@dataclass(frozen=True)
class Told:
    """A field that the back end cannot be asked for, and ``why`` it cannot."""

    why: str


Answer: TypeAlias = Asked[T] | Told

PROGRAM = {"program": Told("the program that uses the tables is not run when the file is read")}
"""``rest`` of a document whose tables are read, but whose program is not run."""


@dataclass(frozen=True)
class Cells:
    """The neurons of one population: ``kind`` and ``reset`` are Volr's names.

    ``numbers`` are all parameters except ``i_offset``, which is part of the biases. A parameter
    that differs within the population is NaN. ``v_thresh`` is infinite for neurons that never
    spike.
    """

    kind: Answer[str]
    reset: Answer[str]
    numbers: Mapping[str, Answer[float]]


@dataclass(frozen=True, kw_only=True)
class _Holding:
    """The fields that artificial and spiking networks share. Arrays are float64.

    ``populations``  sizes by name, those of the inputs among them
    ``inputs``, ``outputs``  their names, in the order of a stimulus and of the logits
    ``weights``      ``[post, pre]`` of each projection that there is, NaN for a missing synapse
    ``biases``       ``[unit]`` of each population but the inputs; of spiking neurons the whole
                     constant current, nA, i_offset included
    ``precision``    the relative error with which it holds a number: see ``precision_of``
    ``merges``       "max" by population whose largest input counts, or what else it does, in
                     ``terms`` or in ``probing``; all others add up
    ``rest``         the other parts of a document by name: what is wrong with each, in words, or
                     nothing; ``Told`` where reading cannot tell
    """

    populations: Mapping[str, Answer[int]]
    inputs: Answer[Names]
    outputs: Answer[Names]
    weights: Mapping[Ends, Answer[Floats]]
    biases: Mapping[str, Answer[Floats]]
    precision: Answer[float]
    merges: Mapping[str, Answer[str]] = field(default_factory=dict[str, "Answer[str]"])
    rest: Mapping[str, Answer[tuple[str, ...]]] = field(
        default_factory=dict[str, "Answer[tuple[str, ...]]"]
    )


@dataclass(frozen=True, kw_only=True)
class ArtificialReadback(_Holding):
    """An artificial network: ``activations`` are the ``title`` of each population that sends its
    own on, and the ``input_formula`` of inputs that do not send their stimulus as it is.
    """

    activations: Mapping[str, Answer[str]]


@dataclass(frozen=True, kw_only=True)
class SpikingReadback(_Holding):
    """A spiking network.

    ``cells``   by population, without inputs that are given as spikes; ``Told`` for a population
                whose neurons cannot be asked for anything
    ``delays``  ms, of each projection, NaN where its synapses differ
    ``dt``      ms
    ``ticks``   the step in which each neuron of a clock spikes, ``[unit]``, by its name: −1 for one
                that does not spike, ``SEVERAL`` for one that spikes more than once
    """

    cells: Mapping[str, Cells | Told]
    delays: Mapping[Ends, Answer[float]]
    dt: Answer[float]
    ticks: Mapping[str, Answer[Integers]] = field(default_factory=dict[str, "Answer[Integers]"])


Readback: TypeAlias = ArtificialReadback | SpikingReadback


def all_asked(values: Mapping[K, T], note: str = "") -> dict[K, Asked[T]]:
    """Each of the values as asked."""
    return {key: Asked(value, note) for key, value in values.items()}


def all_told(keys: Iterable[K], why: str) -> dict[K, Told]:
    """Each of the keys as told, all for the same reason."""
    return dict.fromkeys(keys, Told(why))


def asked_cells(kind: str, reset: str, numbers: Mapping[str, float]) -> Cells:
    """Neurons that were asked for everything."""
    return Cells(Asked(kind), Asked(reset), all_asked(numbers))


def uniform(values: ArrayLike) -> float:
    """The value that all of them share; NaN where they differ by more than rounding."""
    flat = np.asarray(values, dtype=np.float64).ravel()
    same = flat.size > 0 and np.allclose(flat, flat[0], rtol=1e-12, atol=0.0)
    return float(flat[0]) if same else float("nan")


def precision_of(dtypes: Iterable[np.dtype[Any]]) -> Answer[float]:
    """The relative error of numbers of the coarsest of these types."""
    errors = [float(np.finfo(dtype).eps) for dtype in dtypes]
    return Asked(max(DOUBLE, *errors)) if errors else Told("it holds no numbers")


@dataclass(frozen=True)
class ExpectedCells:
    """The neurons of one population, with the fields of ``Cells``."""

    kind: str
    reset: str
    numbers: Mapping[str, float]


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
    delays: Mapping[Ends, float] = field(default_factory=dict[Ends, float])
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
    match model:
        case ArtificialModel():
            hidden = {p.source for p in network.projections} - set(network.inputs)
            return Expected(
                populations=populations,
                inputs=network.inputs,
                outputs=network.outputs,
                weights=weights,
                wirings=wirings,
                biases=biases,
                activations=_inputs_taken(model)
                | {
                    name: title(model.activation_of(name)) for name in populations if name in hidden
                },
                precision=precision,
                merges=merges,
            )
        case SpikingModel():
            return Expected(
                populations=populations,
                inputs=network.inputs,
                outputs=network.outputs,
                weights=weights,
                wirings=wirings,
                biases={
                    name: model.neuron_of(name).i_offset + bias for name, bias in biases.items()
                },
                cells={
                    name: expected_cells(neuron, model.dt, spiking=model.is_spiking(name))
                    for name, neuron in neurons_of(model).items()
                },
                delays={ends: uniform(each) for ends, each in _delays(model).items()},
                dt=model.dt,
                precision=precision,
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


def expected_cells(neuron: NeuronModel, dt: float, *, spiking: bool = True) -> ExpectedCells:
    """What neurons should be at the step ``dt``, ms; without ``spiking`` they only integrate."""
    numbers = {name: value for name, value in neuron.numbers.items() if name != "i_offset"}
    numbers["tau_refrac"] = neuron.refractory_steps(dt) * dt
    if not spiking:
        numbers["v_thresh"] = float("inf")
    return ExpectedCells(neuron.name, neuron.reset, numbers)
