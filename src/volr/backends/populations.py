"""What the populations of a spiking model are: which neurons they have, and which never spike."""

from __future__ import annotations

from typing import TYPE_CHECKING

from volr.models.coding import ConstantCurrent

if TYPE_CHECKING:
    from volr.models.model import SpikingModel
    from volr.neurons import NeuronModel


def neurons_of(model: SpikingModel) -> dict[str, NeuronModel]:
    """The neurons of each population; of one whose neurons differ by unit, the first. Those that
    are given as spikes have none: inputs, unless they are driven by currents, and a clock.
    """
    network = model.network
    given = () if isinstance(model.coding, ConstantCurrent) else network.starts
    return {p.name: model.neuron_of(p.name) for p in network.populations if p.name not in given}


def one_neuron(model: SpikingModel) -> NeuronModel | None:
    """The neurons that all populations share; None where they differ."""
    kinds = [neuron for _, neuron in kinds_of(model)] or [model.neuron_of(model.network.inputs[0])]
    return kinds[0] if len(kinds) == 1 else None


def kinds_of(model: SpikingModel) -> list[tuple[str, NeuronModel]]:
    """Each different neuron model of a network, after the beginning of a message about it.

    The beginning is ``population NAME: `` with the first population that has it, or empty where all
    populations have the same.
    """
    first: dict[NeuronModel, str] = {}
    for name in neurons_of(model):
        for neuron in model.units_of(name).kinds:
            first.setdefault(neuron, name)
    alone = len(first) == 1
    return [("" if alone else f"population {name}: ", neuron) for neuron, name in first.items()]


def nonspiking(model: SpikingModel) -> tuple[str, ...]:
    """The populations that never spike, whose membranes are read."""
    return tuple(p.name for p in model.network.populations if not model.is_spiking(p.name))
