"""Models as files: one `.safetensors` file with the parameters and, as metadata, all the rest.

``container`` is the bytes, ``description`` what they say in words: the program, the kind of model
with its settings, and the origin. Reading parses JSON and copies numbers; nothing in a file is ever
run.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from volr.errors import ModelError, ModelFileError, ProgramError
from volr.model_files.container import check_whole, packed, unpack
from volr.model_files.description import MalformedError, Origin, describe, read_description
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
    """What a file holds. ``checked`` says whether a hash showed that it is as it was written; files
    of Volr 0.1.0 have none.
    """

    model: Model
    origin: Origin
    checked: bool = True


def save_model(model: Model, path: str | Path, origin: Origin | None = None) -> None:
    """Write a model. An existing file is replaced at the end, whole, or not at all.

    Raises ``ModelFileError`` where the file cannot be written, and, before anything is, for what
    ``load_model`` would not read as it is: a network that is not that of its program, or an origin
    that is not texts and finite numbers by name, with a seed from 0 up.
    """
    path = Path(path)
    body = model_bytes(model, origin)
    try:
        write_whole(path, body)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise ModelFileError(f"cannot write {path}: {reason}") from error


def model_bytes(model: Model, origin: Origin | None = None) -> bytes:
    """The file that ``save_model`` writes; equal models of equal origin have equal ones."""
    text = describe(model, {} if origin is None else origin)
    arrays = {name: np.ascontiguousarray(each) for name, each in model.parameters.items()}
    return packed(arrays, text)


def load_model(path: str | Path) -> Model:
    """The model that ``save_model`` wrote. Raises as ``read_model_file`` does."""
    return read_model_file(path).model


def read_model_file(path: str | Path) -> ModelFile:
    """A model, and where it comes from.

    That a file of Volr 0.1.0 has no hash to check it by is logged as a warning.

    Raises ``ModelFileError`` where the file cannot be read, is cut short, damaged, of another
    format, or has shapes that disagree with its program: the message says which; and ``ModelError``
    where there is not the memory for it.
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
