"""What the nodes of a model's graph do not say, or say in a way that other programs miss."""

from __future__ import annotations

from typing import TYPE_CHECKING

from volr.backends.populations import kinds_of, neurons_of
from volr.models.model import ArtificialModel, Model, SpikingModel
from volr.models.parameters import unit_biases
from volr.network.connectors import AllToAll, Convolution

if TYPE_CHECKING:
    from volr.network import Network, Population, Projection
    from volr.neurons import NeuronModel

_NO_RELU = (
    "NIR has no ReLU: hidden populations are written as integrate-and-fire neurons whose rate is "
    "that of a ReLU, and other programs will simulate them"
)


def losses(model: Model) -> list[str]:
    """What the nodes of the graph do not say, so that other programs miss it; in words."""
    network = model.network
    if isinstance(model, ArtificialModel):
        hidden = any(p.source not in network.inputs for p in network.projections)
        return [_NO_RELU] if hidden and model.activation.name == "relu" else []
    kinds, found = [kind for _, kind in kinds_of(model)], list[str]()
    if any(each.reset == "subtract" for each in kinds):
        found.append("NIR has no reset by subtraction: other programs will reset to v_reset")
    if any(each.refractory_steps(model.dt) > 0 for each in kinds):
        found.append("NIR has no refractory period: other programs will ignore tau_refrac")
    if model.delays:
        found.append(
            "delays that differ by projection are Delay nodes, which most importers do not read"
        )
    elif model.delay_steps > 1:
        found.append(
            f"NIR's edges have no delay: other programs will ignore the delay {model.delay:g} ms"
        )
    if any(
        model.neuron_of(each.name).has_currents and _has_current(model, each)
        for each in network.layers
    ):
        found.append(
            "NIR leads every current of CubaLIF through the synapse, so biases and i_offset are "
            "written as v_leak, which some importers refuse or ignore"
        )
    elif any(each.i_offset != 0.0 for each in driven(model)):
        found.append("i_offset of the inputs is written as v_leak, which some importers ignore")
    elif some := bare(model):
        listed = ", ".join(each.name for each in some)
        found.append(
            f"biases of {listed}, which get neither a kernel nor a dense layer, are written as "
            "v_leak, which some importers refuse or ignore"
        )
    return found


def biased_of(network: Network, population: Population) -> Projection | None:
    """The projection whose node has the biases: the first dense layer, or else the first kernel."""
    incoming = network.incoming[population.name]
    for kind in (AllToAll, Convolution):
        for each in incoming:
            if isinstance(each.connector.parts[-1], kind):
                return each
    return None


def bare(model: SpikingModel) -> list[Population]:
    """The populations with constant currents that no node with a bias leads to."""
    return [
        each
        for each in model.network.layers
        if biased_of(model.network, each) is None and _has_current(model, each)
    ]


def _has_current(model: SpikingModel, population: Population) -> bool:
    kinds = model.units_of(population.name).kinds
    biased = unit_biases(population, model.parameters).any()
    return bool(biased) or any(each.i_offset != 0.0 for each in kinds)


def driven(model: SpikingModel) -> list[NeuronModel]:
    """The neurons of the inputs. Inputs that are given as spikes have none."""
    names = [name for name in neurons_of(model) if name in model.network.inputs]
    return [kind for name in names for kind in model.units_of(name).kinds]
