"""Checkpoints: a training that was cut short goes on, and ends as if it had never stopped.

A checkpoint is a safetensors file with the state of all candidates after an epoch. Its metadata
have the rest, and what is trained, so that no other training goes on from it:

    volr.checkpoint   the layout, "1"
    volr.state        JSON: epoch, updates, the records of the candidates, the random numbers
    volr.training     JSON: texts by name, which say what is trained, on what and how
    volr.sha256       the SHA-256 of the arrays and of the two texts
"""

from __future__ import annotations

import hashlib
import json
import math
import time
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import safetensors
import safetensors.numpy

from volr.errors import TrainingError
from volr.system.incoming import check_ordinary
from volr.system.storage import failing_as, write_whole
from volr.training.candidate_record import CandidateRecord
from volr.training.checkpoint_words import WAY, differences
from volr.training.result import Epoch

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from volr.models.model import Model
    from volr.models.samples import Samples
    from volr.network import Network
    from volr.training.settings import TrainingSettings

INTERVAL = 10.0
"""Short epochs write no checkpoint until so many seconds after the last one."""
_LAYOUT, _STATE, _TRAINING, _HASH = "volr.checkpoint", "volr.state", "volr.training", "volr.sha256"


@dataclass(frozen=True)
class Kept:
    """A training after ``epoch`` epochs: what it goes on from."""

    epoch: int
    updates: int
    records: tuple[CandidateRecord, ...]
    random: dict[str, Any]
    arrays: Mapping[str, NDArray[Any]]


class Checkpoint:
    """The checkpoint of one training, in the file ``path``.

    ``training`` says what is trained, by name (``described``).
    """

    def __init__(self, path: Path, training: Mapping[str, str]) -> None:
        self.path, self._training = path, dict(training)
        self._written = -math.inf

    def start(self) -> None:
        """The first epoch begins."""
        self._written = time.monotonic()

    def is_due(self) -> bool:
        """Whether the last one is old enough."""
        return time.monotonic() - self._written >= INTERVAL

    def write(self, kept: Kept) -> None:
        """Replace the file, whole or not at all; ``TrainingError`` if it cannot be written."""
        state = {
            "epoch": kept.epoch,
            "updates": kept.updates,
            "records": [asdict(each) for each in kept.records],
            "random": kept.random,
        }
        texts = {_STATE: json.dumps(state), _TRAINING: json.dumps(self._training)}
        arrays = {name: np.array(each, order="C") for name, each in kept.arrays.items()}
        metadata = {_LAYOUT: "1", _HASH: _hash(arrays, texts), **texts}
        body = safetensors.numpy.save(arrays, metadata)
        with failing_as(TrainingError, f"cannot write the checkpoint {self.path}"):
            write_whole(self.path, body)
        self._written = time.monotonic()

    def read(self) -> Kept | None:
        """The checkpoint in the file; None where there is no such file.

        Raises ``TrainingError`` if it is damaged, no checkpoint, or that of another training.
        """
        if not self.path.exists():
            return None
        metadata, arrays = self._contents()
        texts = {name: metadata.get(name, "") for name in (_STATE, _TRAINING)}
        if metadata.get(_LAYOUT) != "1" or metadata.get(_HASH) != _hash(arrays, texts):
            raise self._refused("is damaged, or no checkpoint of this version of Volr")
        training = cast("dict[str, str]", json.loads(texts[_TRAINING]))
        if other := differences(training, self._training):
            raise self._refused(f"is that of another training: {'; '.join(other)}")
        state = cast("dict[str, Any]", json.loads(texts[_STATE]))
        records = tuple(_record(each) for each in state["records"])
        return Kept(state["epoch"], state["updates"], records, state["random"], arrays)

    def _contents(self) -> tuple[dict[str, str], dict[str, NDArray[Any]]]:
        with failing_as(TrainingError, f"cannot read the checkpoint {self.path}"):
            check_ordinary(self.path)
        try:
            with safetensors.safe_open(self.path, framework="numpy") as file:
                arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no mapping)
                return dict(file.metadata() or {}), arrays
        except (safetensors.SafetensorError, ValueError, TypeError, OSError) as error:
            raise self._refused(f"cannot be read: {error}") from error

    def _refused(self, why: str) -> TrainingError:
        return TrainingError(
            f"the checkpoint {self.path} {why}",
            help="begin anew with `volr train --fresh`, or by removing it, or name another file",
        )


def _record(entries: dict[str, Any]) -> CandidateRecord:
    history = [Epoch(**each) for each in entries.pop("history")]
    return CandidateRecord(**entries, history=history)


def discard(path: Path) -> None:
    """Remove a checkpoint. Raises ``TrainingError`` for a file that is none, and leaves it."""
    if not path.exists():
        return
    with failing_as(TrainingError, f"cannot read {path}"):
        check_ordinary(path)
        try:
            with safetensors.safe_open(path, framework="numpy") as file:
                found = _LAYOUT in (file.metadata() or {})
        except safetensors.SafetensorError:
            found = False
    if not found:
        raise TrainingError(
            f"{path} is no checkpoint, so it stays as it is", help="name another file"
        )
    path.unlink(missing_ok=True)


def checkpoint_of(
    path: Path | str | None, training: Callable[[], Mapping[str, str]]
) -> Checkpoint | None:
    """The checkpoint in a file, if one is named; ``training`` says what is trained."""
    return None if path is None else Checkpoint(Path(path), training())


def described(
    way: str,
    network: Network,
    samples: Samples,
    settings: TrainingSettings,
    **others: object,
) -> dict[str, str]:
    """What a training is, in texts by name. Equal trainings have equal texts.

    ``way`` is what trains which kind of network. A model among ``others`` counts with its
    parameters; anything else with its ``repr``.
    """
    hashed = hashlib.sha256(np.ascontiguousarray(samples.inputs).data)
    hashed.update(np.ascontiguousarray(samples.labels).data)
    found = {WAY: way, "network": str(network), "samples": hashed.hexdigest()}
    found |= {each.name: repr(getattr(settings, each.name)) for each in fields(settings)}
    return found | {name: _text(each) for name, each in others.items() if each is not None}


def _text(value: object) -> str:
    from volr.models.model import ArtificialModel, SpikingModel

    if not isinstance(value, (ArtificialModel, SpikingModel)):
        return repr(value)
    hashed = hashlib.sha256(_without_parameters(value).encode())
    for name, each in value.parameters.items():
        hashed.update(name.encode())
        hashed.update(np.ascontiguousarray(each).data)
    return hashed.hexdigest()


def _without_parameters(model: Model) -> str:
    return repr({k: repr(each) for k, each in vars(model).items() if k != "parameters"})


def _hash(arrays: Mapping[str, NDArray[Any]], texts: Mapping[str, str]) -> str:
    hashed = hashlib.sha256()
    for name in sorted(arrays):
        hashed.update(f"{name} {arrays[name].dtype} {arrays[name].shape};".encode())
        hashed.update(np.ascontiguousarray(arrays[name]).data)
    for name in sorted(texts):
        hashed.update(f"{name} {len(texts[name])};{texts[name]}".encode())
    return hashed.hexdigest()
