"""Models as files: one `.safetensors` file with the parameters and, as metadata, all the rest.

The metadata has two entries of ours. ``volr.version`` is the version of this layout; ``volr.model``
is JSON: the program, the kind of model with its settings, and the origin. Reading parses JSON and
copies numbers; nothing in a file is ever run.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar, cast

import numpy as np
import safetensors
import safetensors.numpy

from volr.errors import ModelError, ModelFileError, ProgramError
from volr.language import to_network
from volr.memory import check_room
from volr.models.activations import activation
from volr.models.coding import input_coding
from volr.models.model import READOUTS, ArtificialModel, Model, SpikingModel
from volr.models.neurons import RESETS, neuron_model
from volr.source import Source
from volr.storage import write_whole

if TYPE_CHECKING:
    from volr.models.arrays import Floats
    from volr.network import Network

Origin: TypeAlias = Mapping[str, str | int | float]
"""Where a model comes from: the task and seed it was trained with, and whatever else helps."""

VERSION = "1"
_VERSION_KEY, _MODEL_KEY = "volr.version", "volr.model"
# safetensors itself refuses longer headers.
_LONGEST_HEADER = 100_000_000
_T = TypeVar("_T")


@dataclass(frozen=True)
class ModelFile:
    """What a file holds."""

    model: Model
    origin: Origin


def save_model(model: Model, path: str | Path, origin: Origin | None = None) -> None:
    """Write a model. An existing file is replaced at the end, whole, or not at all.

    Raises ``ModelFileError`` where the file cannot be written, or where the network was not made
    from a program.
    """
    path = Path(path)
    if model.network.source is None:
        raise ModelFileError(
            "this network was not made from a program, and a model file keeps the program",
            help="make the network with volr.to_network('dense …')",
        )
    described = {
        "program": model.network.source.text,
        **_describe(model),
        "origin": dict(origin or {}),
    }
    text = json.dumps(described, ensure_ascii=False)
    # Of a path whose bytes are no text, JSON's own escapes are kept.
    text = text.encode(errors="backslashreplace").decode()
    metadata = {_VERSION_KEY: VERSION, _MODEL_KEY: text}
    arrays = {name: np.ascontiguousarray(each) for name, each in model.parameters.items()}
    body = _in_order(safetensors.numpy.save(arrays, metadata))
    try:
        write_whole(path, body)
    except OSError as error:
        raise ModelFileError(f"cannot write {path}: {error.strerror or error}") from error


def _in_order(body: bytes) -> bytes:
    """The same file with its header sorted.

    safetensors writes metadata in the order of a hash table, another one each time; so equal models
    are equal files.
    """
    (length,) = struct.unpack("<Q", body[:8])
    header = json.loads(body[8 : 8 + length])
    text = json.dumps(header, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()
    # The arrays begin at a multiple of eight bytes.
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + body[8 + length :]


def load_model(path: str | Path) -> ModelFile:
    """Read a model.

    Raises ``ModelFileError`` where the file cannot be read, is cut short, is of another format, or
    has shapes that disagree with its program: the message says which; and ``ModelError`` where
    there is not the memory for it.
    """
    path = Path(path)
    sizes = check_whole(path)
    try:
        with safetensors.safe_open(path, framework="numpy") as file:
            metadata: dict[str, str] = file.metadata() or {}
            if _VERSION_KEY not in metadata or _MODEL_KEY not in metadata:
                raise ModelFileError(f"{path} is a safetensors file, but not a model of Volr's")
            if metadata[_VERSION_KEY] != VERSION:
                raise ModelFileError(
                    f"{path} has the layout {metadata[_VERSION_KEY]!r}, expected {VERSION!r}",
                    help="update Volr: pip install --upgrade volr",
                )
            check_room(sizes, f"to read {path}")
            names = file.keys()
            arrays: dict[str, Floats] = {name: file.get_tensor(name) for name in names}
    except safetensors.SafetensorError as error:
        raise ModelFileError(f"{path} is damaged: {error}") from error
    except (TypeError, AttributeError) as error:
        # A data type that NumPy has no name for.
        raise ModelFileError(f"{path} has numbers of a type that Volr does not write") from error
    try:
        return _assemble(_parse(metadata[_MODEL_KEY]), arrays, str(path))
    except (ModelError, ProgramError) as error:
        raise ModelFileError(f"{path}: {error.message}", help=error.help) from error
    except _MalformedError as error:
        raise ModelFileError(f"{path}: the description of the model {error}") from error


class _MalformedError(Exception):
    """The JSON of a file is not what was written there; the text continues 'the description …'."""


def check_whole(path: Path) -> dict[str, int]:
    """Tell apart, before safetensors does so in one word, what a file may be instead of a model.

    Returns the bytes of each parameter; none where the file is not one of ours. Raises
    ``ModelFileError`` where it cannot be read, is cut short or is of another format. No parameter
    is read for it.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(9)
    except OSError as error:
        raise ModelFileError(f"cannot read {path}: {error.strerror or error}") from error
    # A safetensors file begins with the length of its header, which may have any first byte.
    if head[8:] != b"{" and (head[:4] == b"PK\x03\x04" or head[:1] == b"\x80"):
        raise ModelFileError(
            f"{path} looks like a pickle or a PyTorch checkpoint, which Volr does not open",
            help="models of Volr's are written by `volr train` and `volr transfer`",
        )
    if len(head) < 9:
        raise ModelFileError(f"{path} is cut short: it has {size} bytes")
    (length,) = struct.unpack("<Q", head[:8])
    if length > _LONGEST_HEADER or head[8:] != b"{":
        raise ModelFileError(f"{path} is not a model of Volr's: it is no safetensors file")
    if 8 + length > size:
        raise ModelFileError(f"{path} is cut short: its header alone has {length} bytes")
    with path.open("rb") as file:
        header = file.read(8 + length)[8:]
    try:
        entries: dict[str, Any] = json.loads(header)
        offsets = {k: each["data_offsets"] for k, each in entries.items() if k != "__metadata__"}
        sizes = {name: int(last) - int(first) for name, (first, last) in offsets.items()}
        end = max((int(last) for _, last in offsets.values()), default=0)
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError):
        return {}
    if 8 + length + end > size:
        raise ModelFileError(f"{path} is cut short: it has {size} of its {8 + length + end} bytes")
    return sizes


def _describe(model: Model) -> dict[str, Any]:
    match model:
        case ArtificialModel():
            return {"kind": "artificial", "activation": model.activation.name}
        case SpikingModel():
            return {
                "kind": "spiking",
                "neuron": {
                    "name": model.neuron.name,
                    "parameters": model.neuron.numbers,
                    "reset": model.neuron.reset,
                },
                "coding": {"name": model.coding.name, "rate_max": model.coding.rate_max},
                "dt": model.dt,
                "duration": model.duration,
                "delay": model.delay,
                "readout": model.readout,
            }


def _assemble(described: dict[str, Any], arrays: Mapping[str, Floats], name: str) -> ModelFile:
    program = _get(described, "program", str)
    network: Network = to_network(Source(program, name))
    kind = _get(described, "kind", str)
    model: Model
    if kind == "artificial":
        model = ArtificialModel(network, arrays, activation(_get(described, "activation", str)))
    elif kind == "spiking":
        neuron, coding = _object(described, "neuron"), _object(described, "coding")
        numbers = {key: _number(value, key) for key, value in _object(neuron, "parameters").items()}
        # Files of before there were several resets and readouts have the first of each.
        reset, readout = neuron.get("reset", RESETS[0]), described.get("readout", READOUTS[0])
        membrane = neuron_model(_get(neuron, "name", str), numbers, reset)
        # A default that a later Volr changes must not change the model.
        if missing := [each for each in membrane.numbers if each not in numbers]:
            raise _MalformedError(f"lacks the neuron parameters {', '.join(missing)}")
        model = SpikingModel(
            network=network,
            parameters=arrays,
            neuron=membrane,
            coding=input_coding(
                _get(coding, "name", str), _number(coding.get("rate_max"), "rate_max")
            ),
            dt=_number(described.get("dt"), "dt"),
            duration=_number(described.get("duration"), "duration"),
            delay=_number(described.get("delay"), "delay"),
            readout=readout,
        )
    else:
        raise _MalformedError(f"has the kind {kind!r}, which is neither artificial nor spiking")
    return ModelFile(model, _origin(described))


def _parse(text: str) -> dict[str, Any]:
    try:
        value: Any = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _MalformedError("is not JSON") from error
    if not isinstance(value, dict):
        raise _MalformedError("is not a JSON object")
    return cast("dict[str, Any]", value)


def _object(described: dict[str, Any], key: str) -> dict[str, Any]:
    return cast("dict[str, Any]", _get(described, key, dict))


def _get(described: dict[str, Any], key: str, kind: type[_T]) -> _T:
    value = described.get(key)
    if not isinstance(value, kind):
        raise _MalformedError(f"has no {key!r}, or not one of the right type")
    return value


def _number(value: Any, key: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _MalformedError(f"has no {key!r}, or one that is not a number")
    try:
        return float(value)
    except OverflowError as error:
        raise _MalformedError(f"has a {key!r} beyond all numbers") from error


def _origin(described: dict[str, Any]) -> Origin:
    """Where the model comes from; a wrong seed would split the data another way, silently."""
    origin = _object(described, "origin")
    for key, value in origin.items():
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise _MalformedError(f"has an origin whose {key!r} is neither text nor a number")
    seed, task = origin.get("seed", 0), origin.get("task", "")
    if not isinstance(seed, int) or seed < 0:
        raise _MalformedError(f"has an origin with the seed {seed!r}, not a whole number from 0 up")
    if not isinstance(task, str):
        raise _MalformedError(f"has an origin with the task {task!r}, not a name")
    return origin
