"""Models of other programs as models of ours: with a program, which a model file keeps.

Back ends read foreign files and modules, and know nothing of the language; the language knows
nothing of files. Here the two meet.
"""

from volr.importing.files import import_file, is_onnx
from volr.importing.imported import ImportedModel, renamed_parameters
from volr.importing.nir import import_nir
from volr.importing.onnx import import_onnx
from volr.importing.state import load_state
from volr.importing.torch import import_torch

__all__ = [
    "ImportedModel",
    "import_file",
    "import_nir",
    "import_onnx",
    "import_torch",
    "is_onnx",
    "load_state",
    "renamed_parameters",
]
