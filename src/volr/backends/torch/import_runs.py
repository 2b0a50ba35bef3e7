"""A module of somebody else's, run to compare the model that was read of it with it."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.utils import _pytree as tree

from volr.affine.reading import check_close
from volr.errors import ModelError

if TYPE_CHECKING:
    from torch import Tensor

    from volr.checks.arrays import Floats


_LITTLE = 1e-30
"""What shares are compared with at the least, so that their logarithms are finite."""
_SHORT = (torch.float16, torch.bfloat16)


def check_numbers(module: torch.nn.Module) -> None:
    """Raise ``ModelError`` for a module whose numbers are not there."""
    held = (*module.named_parameters(), *module.named_buffers())
    missing = [name for name, each in held if each.is_meta]
    if missing:
        raise ModelError(
            f"{missing[0]} of the module is on the meta device, which has shapes and no numbers",
            help="make the module on the processor, and load its state dict there",
        )


def compare(module: torch.nn.Module, logits: Floats, dropped: list[str], inputs: Floats) -> str:
    """Compare logits with what the module gives for these inputs, and say how close they are.

    ``dropped`` are the operations at its end that are left out. A module of 16-bit numbers is
    compared as one of 32 bits, which has the same numbers and rounds less. Raises ``ModelError``
    where they are not close, where the module draws random numbers, and where it cannot run.
    """
    wanted = _run(module, inputs)
    if not torch.equal(wanted, _run(module, inputs)):
        raise ModelError(
            "the module gives other results when it gets the same stimuli again: it draws random "
            "numbers",
            help="leave them out in evaluation: nn.Dropout does, and functional.dropout with "
            "training=self.training",
        )
    found = torch.as_tensor(logits)
    for kind in reversed(dropped):
        found = torch.sigmoid(found) if kind == "sigmoid" else torch.log_softmax(found, -1)
        found = torch.exp(found) if kind == "softmax" else found
    if dropped[:1] == ["softmax"]:
        # A small share may be as wrong as a large one.
        found, wanted = torch.log(found + _LITTLE), torch.log(wanted + _LITTLE)
    return check_close(found.numpy(), wanted.numpy(), "the module's")


def _run(module: torch.nn.Module, inputs: Floats) -> Tensor:
    """What a module gives, float64 ``[batch, unit]``."""
    parameter = next(module.parameters(), torch.zeros(0))
    try:
        if parameter.dtype in _SHORT:
            module = copy.deepcopy(module).float()
            parameter = parameter.float()
        with torch.no_grad():
            result: Any = module(torch.as_tensor(np.asarray(inputs)).to(parameter))
        (wanted,) = [each for each in tree.tree_leaves(result) if isinstance(each, torch.Tensor)]
        return wanted.to("cpu", torch.float64).reshape(len(inputs), -1)
    except Exception as error:  # a module of somebody else's may raise anything
        first = str(error).strip().splitlines()[:1]
        raise ModelError(
            f"the module cannot take {len(inputs)} stimuli at once: {type(error).__name__}: "
            f"{''.join(first)}",
            help="it has to take one tensor, [batch, …], of one type of numbers, for any batch",
        ) from error
