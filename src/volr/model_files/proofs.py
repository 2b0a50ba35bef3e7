"""Whole numbers in a file, and the proof of a model with first spikes: written with the model, and
checked when it is read.

What is written is what the proof found. A reader proves the model again, from its numbers, so a
file cannot promise more than its numbers keep.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, cast

from volr.errors import ModelError, ModelFileError
from volr.exact.proof import prove
from volr.exact.sums import staircase_of
from volr.models.activations import Staircase
from volr.models.first_spike import FirstSpike

if TYPE_CHECKING:
    from volr.exact.proof import Proof
    from volr.models.model import ArtificialModel, SpikingModel

_AGAIN = "make the model again with `volr transfer --coding first-spike`"


def check_whole_numbers(model: ArtificialModel) -> None:
    """Raise ``ModelError`` for a staircase network whose numbers are not whole, or too large."""
    if isinstance(model.activation, Staircase):
        staircase_of(model)


def proof_entries(model: SpikingModel) -> dict[str, Any]:
    """What stands for the proof of a model; nothing for one with another coding.

    Raises ``ModelFileError`` for a model with first spikes that has no proof.
    """
    if not isinstance(model.coding, FirstSpike):
        return {}
    try:
        return {"proof": _entries(prove(model))}
    except ModelError as error:
        raise ModelFileError(
            f"this model cannot be written: it has no proof: {error.message}", help=_AGAIN
        ) from error


def check_proof(model: SpikingModel, written: object) -> None:
    """Raise ``ModelError`` if a model that was read is not the one that was proved."""
    if not isinstance(model.coding, FirstSpike):
        return
    if not isinstance(written, dict):
        raise ModelError("the model has first spikes and no proof", help=_AGAIN)
    try:
        found = _entries(prove(model))
    except ModelError as error:
        raise ModelError(
            f"the model was changed after its proof: {error.message}", help=_AGAIN
        ) from error
    if _of_model(found) != _of_model(cast("dict[str, Any]", written)):
        raise ModelError(
            "the model was changed after its proof, which is of other numbers", help=_AGAIN
        )


def _of_model(entries: dict[str, Any]) -> dict[str, Any]:
    """What a proof says of the model. The errors of simulators are for a reader: a later Volr may
    know them better, and has proved the model again.
    """
    populations = entries.get("populations")
    if not isinstance(populations, dict):
        return entries
    known = cast("dict[str, Any]", populations)
    kept: dict[str, Any] = {
        name: {**each, "error": None} if isinstance(each, dict) else each
        for name, each in known.items()
    }
    return {**entries, "populations": kept}


def _entries(proof: Proof) -> dict[str, Any]:
    populations = {
        each.name: {"largest": each.largest, "error": each.error} for each in proof.populations
    }
    return {**asdict(proof), "populations": populations}
