"""A model of another program as one whose network is a program's."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from volr.display.displayed import Displayed
from volr.display.parts import Markup
from volr.errors import ProgramError
from volr.language import to_network
from volr.language.decompile import decompile
from volr.models.model import SpikingModel
from volr.models.parameters import bias_name, weight_name
from volr.source import Source

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from volr.checks.arrays import Floats
    from volr.display.parts import Part
    from volr.models.model import Model
    from volr.models.parameters import Parameters
    from volr.network import Network, Projection


ModelT_co = TypeVar("ModelT_co", bound="Model", covariant=True)
ModelT = TypeVar("ModelT", bound="Model")


@dataclass(frozen=True)
class ImportedModel(Displayed, Generic[ModelT_co]):
    """A model whose network is that of a program, and ``notes`` on what was taken for granted."""

    model: ModelT_co
    notes: tuple[str, ...]

    def _display(self) -> Iterable[Part]:
        yield Markup(self.model._repr_html_())
        yield from self.notes


def in_program(model: ModelT, notes: tuple[str, ...], name: str) -> ImportedModel[ModelT]:
    """The model as that of a program, which diagnostics call by this ``name``.

    Populations get the names that the program gives them; a note tells where theirs were others.
    Raises ``NetworkError`` where no program says the network.
    """
    found = decompile(model.network)
    network = to_network(Source(found.text, name))
    before = _before(network, found.names, model.network)
    values = renamed_parameters(network, found.names, model.network, model.parameters)
    changes: dict[str, Any] = {"network": network, "parameters": values}
    if isinstance(model, SpikingModel):
        neurons, delays = model.neurons, model.delays
        names = found.names.items()
        changes["neurons"] = {ours: neurons[name] for ours, name in names if name in neurons}
        pairs = before.items()
        changes["delays"] = {ours: delays[p.name] for ours, p in pairs if p.name in delays}
    renamed = [f"{ours} is {theirs}" for ours, theirs in found.names.items() if ours != theirs]
    if renamed:
        notes = (*notes, f"populations are called as the program calls them: {', '.join(renamed)}")
    return ImportedModel(replace(model, **changes), notes)


def lowered(program: str, name: str) -> Network | None:
    """The network of a program that a file says, called ``name``; None for no program."""
    try:
        return to_network(Source(program, name))
    except ProgramError:
        return None


def renamed_parameters(
    network: Network, names: Mapping[str, str], theirs: Network, values: Parameters
) -> Parameters:
    """The parameters for ``network``, each of whose populations has another of its ``names``.

    The network of the names is ``theirs``.
    """
    before = _before(network, names, theirs)
    found: dict[str, Floats] = {
        weight_name(p): values[weight_name(before[p.name])] for p in network.projections
    }
    for each in network.layers:
        bias = bias_name(replace(each, name=names[each.name]))
        if bias in values:
            found[bias_name(each)] = values[bias]
    return found


def _before(network: Network, names: Mapping[str, str], theirs: Network) -> dict[str, Projection]:
    """The projection of ``theirs`` that each of the network's is, by the name it has now.

    Several projections between two populations may have another order there.
    """
    named: dict[object, list[Projection]] = {}
    for p in theirs.projections:
        named.setdefault((p.source, p.target, p.connector), []).append(p)
    return {
        p.name: named[names[p.source], names[p.target], p.connector].pop(0)
        for p in network.projections
    }
