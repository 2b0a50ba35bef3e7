"""NIR files as models with a program."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

from volr.backends.nir.read import Reading, read_nir
from volr.checks import arguments
from volr.checks.names import named
from volr.errors import ModelFileError
from volr.importing.imported import ImportedModel, in_program, lowered

if TYPE_CHECKING:
    from pathlib import Path

    from volr.models.model import Model


def import_nir(file: str | Path | bytes, **settings: Any) -> ImportedModel[Model]:
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
        network = lowered(imported.program, "<nir>")
        if network == model.network:
            return ImportedModel(replace(model, network=network), imported.notes)
    return in_program(model, imported.notes, "<nir>")
