"""A file that Volr wrote, as the model that it was made of.

It holds the program and the activation beside the graph. Its numbers are taken by the names of
their tensors, and the model is right if the file is written from it again, bit for bit.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from volr.backends.onnx.graph import ACTIVATION, PROGRAM, onnx_model, tensor_names
from volr.backends.onnx.layers import parameter_tensors
from volr.errors import VolrError
from volr.model_files.entries import MalformedError, activation_of
from volr.models.activations import Staircase
from volr.models.model import ArtificialModel
from volr.models.parameters import weight_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from volr.backends.onnx.import_file import Contents
    from volr.checks.arrays import Floats
    from volr.models.activations import Activation
    from volr.network import Network


def program_in(contents: Contents) -> str | None:
    """The program that a file was made of, if it says one."""
    return _properties(contents).get(PROGRAM)


def own_model(contents: Contents, network: Network) -> ArtificialModel | None:
    """The model of the network of the file's program; None where the file says another one."""
    try:
        described = json.loads(_properties(contents).get(ACTIVATION, ""))
        if not isinstance(described, dict):
            return None
        activation = activation_of(cast("dict[str, Any]", described))
        model = ArtificialModel(network, _numbers(contents, network, activation), activation)
        again = onnx_model(model)
    # Whatever is wrong, the file was changed.
    except (KeyError, ValueError, RecursionError, MalformedError, VolrError):
        return None
    return model if again.graph == contents.graph else None


def _properties(contents: Contents) -> Mapping[str, str]:
    return {each.key: each.value for each in contents.model.metadata_props}


def _numbers(contents: Contents, network: Network, activation: Activation) -> dict[str, Floats]:
    found = parameter_tensors(network, tensor_names(network, activation))
    numbers = {name: contents.arrays[tensor].astype(np.float64) for tensor, name in found.items()}
    if isinstance(activation, Staircase):
        # Means are taken as sums.
        for each in network.projections:
            if each.connector.divisor != 1:
                numbers[weight_name(each)] = np.rint(
                    numbers[weight_name(each)] * each.connector.divisor
                )
    return numbers
