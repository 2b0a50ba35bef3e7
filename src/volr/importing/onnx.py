"""ONNX files as models with a program."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from volr.backends.foreign_files import SettingInFileError
from volr.backends.onnx import ONNX, ONNX_FILE
from volr.backends.reference import forward
from volr.backends.refusals import require
from volr.checks import arguments
from volr.importing.imported import ImportedModel, in_program, lowered
from volr.importing.stimuli import input_mapping, stimulus_shape

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

    from volr.checks.arrays import Floats
    from volr.models.model import ArtificialModel
    from volr.network.connectors import Shape


def import_onnx(
    file: str | Path | bytes,
    *,
    shape: Sequence[int] | None = None,
    inputs: tuple[float, float] = (0.0, 1.0),
    mean: ArrayLike = 0.0,
    deviation: ArrayLike = 1.0,
) -> ImportedModel[ArtificialModel]:
    """The artificial model in an ONNX file, and its program.

    ``shape`` is that of one stimulus, without the batch; it is needed only where the file leaves it
    open. The other settings are those of ``import_torch``. A file whose images have channels last,
    as Keras writes them, becomes a network of stimuli with channels first; a note says so. A file
    that Volr wrote comes back as it was.

    Raises ``ModelFileError`` for a file that cannot be read or is damaged, ``UnsupportedError``
    with every node that no network of Volr's has, ``NetworkError`` where no program says the
    network, and ``MissingError`` without the packages onnx and onnxruntime.
    """
    require(ONNX_FILE)
    require(ONNX)
    from volr.backends.onnx.import_file import read_file
    from volr.backends.onnx.import_model import read_model
    from volr.backends.onnx.own_file import own_model, program_in

    if not isinstance(file, bytes):
        arguments.check_path("import_onnx", file, "file")
    sizes = None if shape is None else stimulus_shape(shape)
    name = "this file" if isinstance(file, bytes) else str(Path(file))

    def mapping(sizes: Shape) -> tuple[Floats, Floats]:
        return input_mapping(sizes, inputs, mean, deviation)

    contents = read_file(file)
    notes: tuple[str, ...] = ()
    if program := program_in(contents):
        network = lowered(program, "<onnx>")
        own = None if network is None else own_model(contents, network)
        if own is not None:
            given = {
                "shape": shape is not None,
                "inputs": tuple(inputs) != (0.0, 1.0),
                "mean": np.any(mean),
                "deviation": np.any(np.asarray(deviation) != 1.0),
            }
            if named := [each for each, is_given in given.items() if is_given]:
                raise SettingInFileError(name, named)
            return ImportedModel(own, notes)
        notes = ("it says a program of Volr's, which its graph is not: it was changed",)
    found = read_model(contents, name, sizes, mapping, forward)
    return in_program(found.model, (*notes, *found.notes), "<onnx>")
