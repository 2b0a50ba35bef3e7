"""A model of another program as one whose network is a program's."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from volr.errors import ProgramError
from volr.language import to_network
from volr.language.decompile import decompile
from volr.models.parameters import bias_name, weight_name
from volr.source import Source

if TYPE_CHECKING:
    from collections.abc import Mapping

    from volr.checks.arrays import Floats
    from volr.models.model import Model
    from volr.models.parameters import Parameters
    from volr.network import Network


@dataclass(frozen=True)
class ImportedModel:
    """A model whose network is that of a program, and ``notes`` on what was taken for granted."""

    model: Model
    notes: tuple[str, ...]


def in_program(model: Model, notes: tuple[str, ...], name: str) -> ImportedModel:
    """The model as that of a program, which diagnostics call by this ``name``.

    Populations get the names that the program gives them; a note tells where theirs were others.
    Raises ``NetworkError`` where no program says the network.
    """
    found = decompile(model.network)
    network = to_network(Source(found.text, name))
    values = renamed_parameters(network, found.names, model.network, model.parameters)
    renamed = [f"{ours} is {theirs}" for ours, theirs in found.names.items() if ours != theirs]
    if renamed:
        notes = (*notes, f"populations are called as the program calls them: {', '.join(renamed)}")
    return ImportedModel(replace(model, network=network, parameters=values), notes)


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

    The network of the names is ``theirs``. Several projections between two populations may have
    another order there.
    """
    named: dict[object, list[str]] = {}
    for p in theirs.projections:
        named.setdefault((p.source, p.target, p.connector), []).append(weight_name(p))
    found: dict[str, Floats] = {}
    for p in network.projections:
        rest = named[names[p.source], names[p.target], p.connector]
        found[weight_name(p)] = values[rest.pop(0)]
    for each in network.layers:
        bias = bias_name(replace(each, name=names[each.name]))
        if bias in values:
            found[bias_name(each)] = values[bias]
    return found
