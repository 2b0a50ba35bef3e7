"""Models as files: a `.safetensors` file with the parameters, and the rest as metadata.

``container`` has the bytes. ``description`` has the metadata: the program, the kind of model with
its settings, and the origin. Reading parses JSON and copies numbers; it never runs code.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from volr.checks import arguments
from volr.errors import ModelError, ModelFileError, ProgramError
from volr.model_files.container import check_whole, packed, unpack
from volr.model_files.description import Origin, describe, read_description
from volr.model_files.entries import MalformedError
from volr.system.storage import write_whole

if TYPE_CHECKING:
    from volr.models.model import Model

__all__ = [
    "ModelFile",
    "Origin",
    "check_whole",
    "load_model",
    "model_bytes",
    "read_model_file",
    "save_model",
]


@dataclass(frozen=True)
class ModelFile:
    """A model and its origin. ``checked`` is whether a hash proved that the file is unchanged;
    files of Volr 0.1.0 have no hash.
    """

    model: Model
    origin: Origin
    checked: bool = True


def save_model(model: Model, path: str | Path, origin: Origin | None = None) -> None:
    """Write a model. An existing file is replaced as a whole, or not at all.

    Raises ``ModelFileError`` if the file cannot be written. Before that, it raises it for a network
    that is not that of its program, and for an origin that is not texts and finite numbers by name,
    with a seed from 0 up.
    """
    arguments.check_model("save_model", model)
    arguments.check_path("save_model", path)
    path = Path(path)
    body = model_bytes(model, origin)
    try:
        write_whole(path, body)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise ModelFileError(f"cannot write {path}: {reason}") from error


def model_bytes(model: Model, origin: Origin | None = None) -> bytes:
    """The bytes that ``save_model`` writes; equal models and origins give equal bytes."""
    text = describe(model, {} if origin is None else origin)
    arrays = {name: np.ascontiguousarray(each) for name, each in model.parameters.items()}
    return packed(arrays, text)


def load_model(path: str | Path) -> Model:
    """The model that ``save_model`` wrote. Raises as ``read_model_file`` does."""
    arguments.check_path("load_model", path)
    return read_model_file(path).model


def read_model_file(path: str | Path) -> ModelFile:
    """A model and its origin.

    A file of Volr 0.1.0 has no hash, and a warning is logged.

    Raises ``ModelFileError`` if the file cannot be read, is cut short, damaged or of another
    format, or if its shapes do not fit its program; and ``ModelError`` if the memory does not
    suffice.
    """
    path = Path(path)
    found = unpack(path)
    try:
        described = read_description(found.description, str(path))
        model = described.model(found.arrays)
    except (ModelError, ProgramError) as error:
        raise ModelFileError(f"{path}: {error.message}", help=error.help) from error
    except MalformedError as error:
        raise ModelFileError(f"{path}: the description of the model {error}") from error
    if not found.checked:
        logging.getLogger("volr").warning(
            "%s is of Volr 0.1.0, without a hash: whether it was damaged cannot be seen", path
        )
    return ModelFile(model, described.origin, found.checked)
