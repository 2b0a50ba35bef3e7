"""A network together with everything that makes it compute.

Model  ::=  ArtificialModel | SpikingModel
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Any, Literal, TypeAlias, get_args

from volr.checks.annotations import settle
from volr.errors import ModelError
from volr.models.activations import Activation, Identity, ReLU, Staircase
from volr.models.coding import InputCoding, coding_problems, suited_coding
from volr.models.parameters import Parameters, parameters, spiking_parameters
from volr.network import Network, Population
from volr.neurons import NEURON_MODELS, IFCurrExp, NeuronModel

Readout: TypeAlias = Literal["count", "membrane"]
READOUTS: tuple[Readout, ...] = get_args(Readout)

_LEFT_OUT: Any = None  # what stands for it depends on other values of the model
_TOLERANCE = 1e-9
MOST_STEPS = 1_000_000
"""A stimulus, or a delay, of more steps than this is refused."""


@dataclass(frozen=True)
class ArtificialModel:
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
class SpikingModel:
    """Every population has ``neuron``; projections are synapses, a bias is a constant current.

    Weights are in ``neuron.weight_unit`` per spike and biases in nA. Time runs in steps of ``dt``
    ms for ``duration`` ms a stimulus; a spike of step k arrives in step k + ``delay`` / ``dt``.
    ``coding`` drives the inputs. Step k, counted from 0, ends at (k + 1) · dt, and a spike in it
    has that time. By default a delay is one step, and the inputs get constant currents at the rate
    that suits the neuron.

    ``readout`` is how the outputs are read. ``count`` counts their spikes. ``membrane`` takes the
    mean of V − v_rest over all steps, mV; the outputs then never spike. Raises ``ModelError`` with
    everything that does not fit.
    """

    network: Network
    parameters: Parameters
    neuron: NeuronModel = IFCurrExp()
    coding: InputCoding = _LEFT_OUT
    dt: float = 0.5
    duration: float = 50.0
    delay: float = _LEFT_OUT
    readout: Readout = "count"

    def __post_init__(self) -> None:
        known = {"Network": Network, "NeuronModel": NEURON_MODELS, "InputCoding": InputCoding}
        if wrong := settle(self, Readout=str, **known):
            raise ModelError("this is no spiking model: " + "; ".join(wrong))
        if self.delay is _LEFT_OUT:
            object.__setattr__(self, "delay", self.dt)
        if self.coding is _LEFT_OUT:
            object.__setattr__(self, "coding", suited_coding(self.neuron, self.dt))
        object.__setattr__(self, "parameters", spiking_parameters(self.network, self.parameters))
        wrong = readout_problems(self.network, self.readout)
        wrong += timing_problems(self.dt, self.duration, self.delay)
        if not wrong:
            wrong = coding_problems(self.coding, self.dt)
        if wrong:
            raise ModelError("this spiking model cannot run: " + "; ".join(wrong))

    def __reduce__(self) -> tuple[Any, ...]:
        return _made_again, (type(self), _values(self))

    def neuron_of(self, population: str) -> NeuronModel:
        """The neurons of a population. Today all populations have the same."""
        del population
        return self.neuron

    @property
    def steps(self) -> int:
        """Time steps in one stimulus."""
        return round(self.duration / self.dt)

    @property
    def delay_steps(self) -> int:
        return round(self.delay / self.dt)

    def is_spiking(self, population: str) -> bool:
        """Whether neurons of ``population`` can spike; outputs whose membrane is read cannot."""
        return self.readout == "count" or population not in self.network.outputs


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


def timing_problems(dt: float, duration: float, delay: float) -> list[str]:
    """What is wrong with a step, duration and delay (ms), in words.

    A delay that equals a wrong step is not reported again, because it may be its default.
    """
    given = {"dt": dt, "duration": duration, "delay": delay}
    wrong = [
        f"{k} is {v} ms, not above 0"
        for k, v in given.items()
        if not (math.isfinite(v) and v > 0) and (k == "dt" or repr(v) != repr(dt))
    ]
    if not wrong:
        wrong = [
            f"{name} is {given[name]:g} ms, more than {MOST_STEPS:,} steps of {dt:g} ms"
            for name in ("duration", "delay")
            if given[name] / dt > MOST_STEPS
        ]
    if not wrong:
        wrong = [
            f"{name} {given[name]:g} ms is not a whole number of steps of {dt:g} ms"
            for name in ("duration", "delay")
            if not is_multiple(given[name], dt)
        ]
    return wrong


def check_reach(network: Network, duration: float, delay: float) -> None:
    """Raise ``ModelError`` if no output can depend on the input.

    Then a spike of the first step arrives too late even by the path of the fewest projections.
    """
    layers, reached = 0, set(network.inputs)
    while reached and not reached & set(network.outputs):
        layers += 1
        reached = {each.target for each in network.projections if each.source in reached}
    if not reached or layers * delay < duration * (1 - _TOLERANCE):
        return
    ways = "one projection" if layers == 1 else f"{layers} projections of {delay:g} ms each"
    raise ModelError(
        f"no output can depend on the input: the delay is {delay:g} ms, the duration "
        f"{duration:g} ms, and the shortest way to an output is {ways}",
        help=f"choose a delay below {duration / layers:g} ms, or a duration above "
        f"{layers * delay:g} ms",
    )


def is_multiple(value: float, step: float) -> bool:
    """Whether ``value`` is a whole number of steps, at least one, up to rounding."""
    ratio = value / step
    return round(ratio) >= 1 and abs(ratio - round(ratio)) <= _TOLERANCE * ratio
