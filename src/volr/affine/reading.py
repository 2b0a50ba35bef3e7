"""A model that was read from another program, and how close it is to what that one computes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from volr.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Callable

    from volr.checks.arrays import Floats
    from volr.models.model import ArtificialModel

    # The logits of a model for stimuli ``[batch, unit]``.
    Forward: TypeAlias = Callable[[ArtificialModel, Floats], Floats]

COMPARED = 16
"""Random stimuli on which a model is compared, at least."""
_CLOSE = 1e-4


@dataclass(frozen=True)
class Read:
    """A model, and ``notes`` on what was taken for granted, in sentences."""

    model: ArtificialModel
    notes: tuple[str, ...]


def check_close(found: Floats, wanted: Floats, of: str) -> str:
    """Say how close the model's logits are to those ``of`` something, both ``[batch, unit]``.

    Raises ``ModelError`` where they are not.
    """
    size = max(float(np.abs(wanted).max()), 1.0)
    error = float(np.abs(found - wanted).max())
    if not error <= _CLOSE * size:
        raise ModelError(
            f"the model's logits differ from {of} by {error:.3g} on random stimuli",
            help="please report this, with what was read: it is a mistake of Volr's",
        )
    return f"on {len(found)} random stimuli, logits differ from {of} by {error:.2g} at most"
