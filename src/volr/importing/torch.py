"""Modules of PyTorch as models with a program."""

from __future__ import annotations

from typing import TYPE_CHECKING

from volr.backends.reference import forward
from volr.backends.refusals import require
from volr.backends.torch import TORCH
from volr.importing.imported import ImportedModel, in_program
from volr.importing.stimuli import input_mapping, stimulus_shape

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

    from volr.models.model import ArtificialModel


def import_torch(
    module: object,
    shape: Sequence[int],
    *,
    inputs: tuple[float, float] = (0.0, 1.0),
    mean: ArrayLike = 0.0,
    deviation: ArrayLike = 1.0,
) -> ImportedModel[ArtificialModel]:
    """The model that computes what a ``torch.nn.Module`` does in evaluation, and its program.

    ``shape`` is that of one stimulus, without the batch, as the module takes it. Stimuli of Volr's
    are in [0, 1]; the module gets (low + (high − low) x − ``mean``) / ``deviation``, where
    ``inputs`` are the least and the largest number that it takes before it is normalised. ``mean``
    and ``deviation`` are one number each, or one for each channel. All this becomes part of the
    weights and biases.

    Raises ``UnsupportedError`` with everything that no network of Volr's does, by the paths of the
    module's parts, ``ModelError`` where ``torch.export`` cannot trace it, ``NetworkError`` where no
    program says the network, and ``MissingError`` without PyTorch.
    """
    require(TORCH)
    from volr.backends.torch.import_module import read_module

    sizes = stimulus_shape(shape)
    scale, offset = input_mapping(sizes, inputs, mean, deviation)
    found = read_module(module, sizes, scale, offset, forward)
    return in_program(found.model, found.notes, "<torch>")
