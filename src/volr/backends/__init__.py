"""Where models run: one file per back end, and here the list of them."""

from __future__ import annotations

import difflib

from volr.backends.base import Backend
from volr.backends.nest import NEST
from volr.backends.reference import REFERENCE
from volr.backends.torch import TORCH
from volr.errors import BackendError
from volr.models.model import ArtificialModel, Model, SpikingModel

BACKENDS: tuple[Backend, ...] = (REFERENCE, TORCH, NEST)

__all__ = ["BACKENDS", "NEST", "REFERENCE", "TORCH", "Backend", "backend", "default_backend"]


def backend(name: str) -> Backend:
    """The back end of that name; ``BackendError`` when there is none."""
    known = {each.name: each for each in BACKENDS}
    if name in known:
        return known[name]
    near = difflib.get_close_matches(name, known, n=1)
    guess = f"did you mean {near[0]}? " if near else ""
    raise BackendError(
        f"there is no back end {name!r}", help=f"{guess}there are {', '.join(known)}"
    )


def default_backend(model: Model) -> Backend:
    """Where a model runs unless told otherwise."""
    match model:
        case ArtificialModel():
            return TORCH
        case SpikingModel():
            return NEST
