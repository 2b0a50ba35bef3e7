"""Files of other programs by their kind."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from volr.importing.nir import import_nir
from volr.importing.onnx import import_onnx

if TYPE_CHECKING:
    from volr.importing.imported import ImportedModel
    from volr.models.model import Model

ONNX_SUFFIX = ".onnx"


def is_onnx(path: str | Path) -> bool:
    """Whether a file is one of ONNX, by its name."""
    return Path(path).suffix.lower() == ONNX_SUFFIX


def import_file(path: str | Path) -> ImportedModel[Model]:
    """The model in a NIR or an ONNX file, with the defaults of ``import_nir`` or ``import_onnx``.

    Raises what these raise.
    """
    return import_onnx(path) if is_onnx(path) else import_nir(path)
