"""Models of other programs' files as models of ours: with a program, which a model file keeps.

Back ends read foreign files and know nothing of the language; the language knows nothing of files.
Here the two meet.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

from volr.backends.nir.read import Reading, read_nir
from volr.checks import arguments
from volr.checks.names import named
from volr.errors import ModelFileError, ProgramError
from volr.language import to_network
from volr.language.decompile import decompile
from volr.models.parameters import bias_name, weight_name
from volr.source import Source

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from volr.checks.arrays import Floats
    from volr.models.model import Model
    from volr.models.parameters import Parameters
    from volr.network import Network


@dataclass(frozen=True)
class ImportedModel:
    """A model whose network is that of a program, and ``notes`` on what was taken for granted."""

    model: Model
    notes: tuple[str, ...]


def import_nir(file: str | Path | bytes, **settings: Any) -> ImportedModel:
    """The model in a NIR file, ready to be saved.

    ``settings`` are those of ``volr.backends.nir.read_nir``. Populations get the names that the
    program gives them; a note tells where theirs were others. Raises ``ModelFileError`` as
    ``read_nir`` does, also for settings that the file leaves no room for, and ``NetworkError``
    where no program of the language says the network.
    """
    if not isinstance(file, bytes):
        arguments.check_path("import_nir", file, "file")
    known = {each.name: each.name for each in fields(Reading)}
    for name in settings:
        named("setting of import_nir", name, known, ModelFileError)
    imported = read_nir(file, **settings)
    model = imported.model
    if imported.program is not None:
        network = _lowered(imported.program)
        if network == model.network:
            return ImportedModel(replace(model, network=network), imported.notes)
    found = decompile(model.network)
    network = to_network(Source(found.text, "<nir>"))
    notes = imported.notes
    renamed = {ours: theirs for ours, theirs in found.names.items() if ours != theirs}
    if renamed:
        renamings = ", ".join(f"{ours} is {theirs}" for ours, theirs in renamed.items())
        notes = (*notes, f"populations are called as the program calls them: {renamings}")
    values = renamed_parameters(network, found.names, model.network, model.parameters)
    return ImportedModel(replace(model, network=network, parameters=values), notes)


def _lowered(program: str) -> Network | None:
    try:
        return to_network(Source(program, "<nir>"))
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
