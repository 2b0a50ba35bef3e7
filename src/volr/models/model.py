"""A network together with everything that makes it compute.

Model  ::=  ArtificialModel | SpikingModel
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, cast, get_args

from volr.checks.annotations import settle, shown
from volr.display.displayed import Displayed
from volr.errors import ModelError
from volr.models.activations import Activation, Identity, ReLU, Staircase
from volr.models.by_name import ByName
from volr.models.coding import ConstantCurrent, InputCoding, coding_problems, suited_coding
from volr.models.first_spike import FirstSpike, first_spike_problems
from volr.models.parameters import Parameters, parameters, spiking_parameters
from volr.models.timing import (
    TOLERANCE,
    delay_problems,
    steps_of_delay,
    timing_problems,
)
from volr.network import Network, Population, Projection
from volr.neurons import NEURON_MODELS, IFCurrExp, NeuronModel, Neurons, NeuronsByUnit
from volr.neurons.by_unit import neurons_problem, settled, units_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from volr.display.parts import Part

Readout: TypeAlias = Literal["count", "membrane", "final"]
READOUTS: tuple[Readout, ...] = get_args(Readout)

_LEFT_OUT: Any = None  # what stands for it depends on other values of the model


@dataclass(frozen=True)
class ArtificialModel(Displayed):
    """Every population applies ``activation`` to Σ W x + b, except the outputs.

    One that merges by "max" passes the largest of W x on, without an activation. The weighted sums
    of the outputs are the logits. ``volr.models.parameters`` has the names and shapes of
    ``parameters``, which are copied. Models compare by value, and can be copied and pickled. Raises
    ``ModelError`` for values of another type, and for parameters that do not fit the network.
    """

    network: Network
    parameters: Parameters
    activation: Activation = ReLU()

    def __post_init__(self) -> None:
        if wrong := settle(self, Network=Network, Activation=Activation):
            raise ModelError("this is no artificial model: " + "; ".join(wrong))
        object.__setattr__(self, "parameters", parameters(self.network, self.parameters))

    def __reduce__(self) -> tuple[Any, ...]:
        return _made_again, (type(self), _values(self))

    def activation_of(self, population: str) -> Activation:
        """The activation of a population: see ``activation_of``."""
        return activation_of(self.network, self.network[population], self.activation)

    def _display(self) -> Iterable[Part]:
        from volr.models.display import artificial_parts

        return artificial_parts(self)


def activation_of(network: Network, population: Population, activation: Activation) -> Activation:
    """The activation of a population in a network with this ``activation``.

    A population that takes the largest of what arrives passes it on as it is, and so does one that
    only takes means, or what another population has. A mean of whole numbers need not be one, so a
    staircase rounds it.
    """
    if population.merge == "max":
        return Identity()
    incoming = network.incoming[population.name]
    passes_on = len(incoming) == 1 and not incoming[0].connector.trained
    return Identity() if passes_on and not isinstance(activation, Staircase) else activation


@dataclass(frozen=True, kw_only=True)
class SpikingModel(Displayed):
    """Every population has ``neuron``; projections are synapses, a bias is a constant current.

    Populations can have ``neurons`` of their own, by name, also with parameters that differ by unit
    (``by_unit``). Weights are in the ``weight_unit`` of
    the target's neurons per spike, and biases in nA. Time runs in steps of ``dt``
    ms for ``duration`` ms a stimulus; a spike of step k arrives in step k + ``delay`` / ``dt``.
    Projections can have ``delays`` of their own, ms by name. ``coding`` drives the inputs. Step k,
    counted from 0, ends at (k + 1) · dt, and a spike in it has that time. By default a delay is one
    step, and the inputs get constant currents at the rate that suits the neuron.

    ``readout`` is how the outputs are read. ``count`` counts their spikes. ``membrane`` takes the
    mean of V − v_rest over all steps, mV, and ``final`` takes V − v_rest after the last step; with
    both, the outputs never spike. The coding ``FirstSpike`` goes with ``final``. Raises
    ``ModelError`` with everything that does not fit.
    """

    network: Network
    parameters: Parameters
    neuron: NeuronModel = IFCurrExp()
    neurons: Mapping[str, Neurons] = field(default_factory=dict[str, Neurons])
    coding: InputCoding = _LEFT_OUT
    dt: float = 0.5
    duration: float = 50.0
    delay: float = _LEFT_OUT
    delays: Mapping[str, float] = field(default_factory=dict[str, float])
    readout: Readout = "count"

    def __post_init__(self) -> None:
        known = {"Network": Network, "NeuronModel": NEURON_MODELS, "InputCoding": InputCoding}
        if wrong := settle(self, Readout=str, **known):
            raise ModelError("this is no spiking model: " + "; ".join(wrong))
        if self.delay is _LEFT_OUT:
            object.__setattr__(self, "delay", self.dt)
        if wrong := _neuron_problems(self.neurons, self.network):
            raise ModelError("this is no spiking model: " + "; ".join(wrong))
        own = {name: settled(each) for name, each in self.neurons.items()}
        object.__setattr__(self, "neurons", ByName[Neurons](own, self.neuron))
        if self.coding is _LEFT_OUT:
            driven = self.neuron_of(self.network.inputs[0])
            object.__setattr__(self, "coding", suited_coding(driven, self.dt))
        object.__setattr__(self, "parameters", spiking_parameters(self.network, self.parameters))
        wrong = readout_problems(self.network, self.readout)
        wrong += timing_problems(self.dt, self.duration, self.delay)
        names = {each.name for each in self.network.projections}
        wrong = wrong or delay_problems(self.delays, names, self.dt)
        if not wrong:
            object.__setattr__(self, "delays", _delays(self.delays, self.delay))
            wrong = coding_problems(self.coding, self.dt) + self._coding_misfits()
        if wrong:
            raise ModelError("this spiking model cannot run: " + "; ".join(wrong))

    def __reduce__(self) -> tuple[Any, ...]:
        return _made_again, (type(self), _values(self))

    def neuron_of(self, population: str) -> NeuronModel:
        """The neurons of a population; where they differ by unit, the first (``units_of``).

        All have its neuron model and its reset.
        """
        return self.units_of(population).first

    def units_of(self, population: str) -> NeuronsByUnit:
        """The neurons of a population, unit by unit."""
        return units_in(self.neurons.get(population, self.neuron))

    def with_neurons(self, change: Callable[[NeuronModel], NeuronModel]) -> SpikingModel:
        """The model with all neurons changed alike."""
        own: dict[str, Neurons] = {
            name: each.changed(change) if isinstance(each, NeuronsByUnit) else change(each)
            for name, each in self.neurons.items()
        }
        return replace(self, neuron=change(self.neuron), neurons=own)

    @property
    def steps(self) -> int:
        """Time steps in one stimulus."""
        return round(self.duration / self.dt)

    @property
    def delay_steps(self) -> int:
        """The delay of projections that have none of their own."""
        return round(self.delay / self.dt)

    def delay_steps_of(self, projection: Projection) -> int:
        """The steps from a spike of the projection's source to its arrival."""
        return steps_of_delay(projection.name, self.delays, self.delay, self.dt)

    def is_spiking(self, population: str) -> bool:
        """Whether neurons of ``population`` can spike; outputs whose membrane is read cannot."""
        return self.readout == "count" or population not in self.network.outputs

    def _coding_misfits(self) -> list[str]:
        """What does not fit the coding: the network, the clock, the time or the readout."""
        if isinstance(self.coding, ConstantCurrent):
            driven = {self.units_of(each) for each in self.network.inputs}
            if len(driven) > 1 or len(driven.pop().kinds) > 1:
                return ["inputs that currents drive have neurons that are all alike"]
        if not isinstance(self.coding, FirstSpike):
            has = self.network.clock is not None
            return [f"it has a clock, and the coding is {self.coding.name}"] if has else []
        if self.readout != "final":
            return [f"the readout is {self.readout}, and with {self.coding.name} it is final"]
        delay = self.delay_steps_of
        return first_spike_problems(self.network, self.coding.levels, delay, self.steps)

    def _display(self) -> Iterable[Part]:
        from volr.models.display import spiking_parts

        return spiking_parts(self)


def _neuron_problems(neurons: object, network: Network) -> list[str]:
    """What is wrong with neurons by the name of a population, in words."""
    if not isinstance(neurons, Mapping):
        return [f"neurons is {shown(neurons)}, not neuron models by the name of a population"]
    wrong: list[str] = []
    for name, given in cast("Mapping[object, object]", neurons).items():
        if not isinstance(name, str) or name not in network.by_name:
            wrong.append(f"there are neurons of {shown(name)}, which is no population")
        elif why := neurons_problem(given, network[name].size, NEURON_MODELS):
            wrong.append(f"the neurons of {name} are {shown(given)}, {why}")
    return wrong


def _delays(delays: Mapping[str, float], usual: float) -> ByName[float]:
    return ByName({name: float(each) for name, each in delays.items()}, usual)


def readout_problems(network: Network, readout: Readout) -> list[str]:
    """What is wrong with a readout, in words."""
    if readout not in READOUTS:
        return [f"readout is {readout!r}, not one of {', '.join(READOUTS)}"]
    if readout == "count":
        return []
    sources = {projection.source for projection in network.projections}
    return [
        f"the membrane of {name} is to be read, so it never spikes, but it has projections"
        for name in network.outputs
        if name in sources or name in network.inputs
    ]


Model: TypeAlias = ArtificialModel | SpikingModel


def _values(model: Model) -> dict[str, Any]:
    return {each.name: getattr(model, each.name) for each in fields(model)}


# Copies and pickles are made from the values, which are checked again.
def _made_again(kind: type[Model], values: dict[str, Any]) -> Model:
    return kind(**values)


def check_reach(network: Network, duration: float, delay: float) -> None:
    """Raise ``ModelError`` if no output can depend on the input.

    Then a spike of the first step arrives too late even by the path of the fewest projections.
    """
    layers, reached = 0, set(network.inputs)
    while reached and not reached & set(network.outputs):
        layers += 1
        reached = {each.target for each in network.projections if each.source in reached}
    if not reached or layers * delay < duration * (1 - TOLERANCE):
        return
    ways = "one projection" if layers == 1 else f"{layers} projections of {delay:g} ms each"
    raise ModelError(
        f"no output can depend on the input: the delay is {delay:g} ms, the duration "
        f"{duration:g} ms, and the shortest way to an output is {ways}",
        help=f"choose a delay below {duration / layers:g} ms, or a duration above "
        f"{layers * delay:g} ms",
    )
