"""Checks that an argument of a public function is of the kind that it takes."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from volr.checks.annotations import shown, type_of
from volr.errors import VolrError

if TYPE_CHECKING:
    from collections.abc import Mapping

_NETWORK = "`volr.to_network(…)` makes one"
_PART = "its `model` is one"
# The usual slips: what is wanted, the type of what is given, and the way from the one to the other.
_WAYS: Mapping[tuple[str, str], str] = {
    ("a network", "str"): _NETWORK,
    ("a network", "Call"): _NETWORK,
    ("a network", "Sequence"): _NETWORK,
    ("a network", "Parallel"): _NETWORK,
    ("a network", "ArtificialModel"): "its `network` is one",
    ("a network", "SpikingModel"): "its `network` is one",
    ("a model", "ModelFile"): _PART,
    ("a model", "Training"): _PART,
    ("a model", "Transfer"): _PART,
    ("a model", "str"): "`volr.load_model(…)` reads one from a file",
    ("samples", "Data"): "its `train` and its `test` are samples",
    ("a spiking model", "ArtificialModel"): "`volr.transfer_ann(…)` makes one of it, "
    "and `volr.to_first_spikes(…)` one of whole numbers",
    ("an artificial model", "SpikingModel"): "`volr.train_ann(…)` makes one",
}
_GENERATIONS = {"ArtificialModel": "an artificial model", "SpikingModel": "a spiking model"}


def check_network(function: str, network: object) -> None:
    _check(function, "network", network, "a network", hasattr(network, "populations"))


def check_model(
    function: str, model: object, name: str = "model", *, kind: type[object] | None = None
) -> None:
    """A model, of either generation or of the one ``kind``."""
    is_one = hasattr(model, "network") and hasattr(model, "parameters")
    _check(function, name, model, "a model", is_one)
    if kind is not None:
        _check(function, name, model, _GENERATIONS[kind.__name__], isinstance(model, kind))


def check_samples(function: str, samples: object, name: str = "samples") -> None:
    is_one = hasattr(samples, "inputs") and hasattr(samples, "labels")
    _check(function, name, samples, "samples", is_one)


def check_record(function: str, value: object, kind: type[object], name: str = "settings") -> None:
    """A record of the public class ``kind``."""
    way = f"`volr.{kind.__name__}(…)` makes one"
    _check(function, name, value, f"of the class {kind.__name__}", isinstance(value, kind), way)


def check_progress(function: str, progress: object) -> None:
    way = "`progress` is a function, or None"
    is_one = progress is None or callable(progress)
    _check(function, "progress", progress, "a function", is_one, way)


def check_path(function: str, path: object, name: str = "path") -> None:
    way = f"`{name}` is a text or a pathlib.Path"
    _check(function, name, path, "a path", isinstance(path, (str, os.PathLike)), way)


def check_on(function: str, on: object, name: str = "on") -> None:
    is_one = isinstance(on, str) or hasattr(on, "requires") or hasattr(on, "read_back")
    # A class has the defaults of its fields.
    if not is_one or isinstance(on, type):
        raise VolrError(
            f"{function}: {name} is {shown(on)}, {type_of(on)} and nothing to run on",
            help=f"`{name}` is 'engine' or another name, a back end, or a started simulator",
        )


def _check(
    function: str, name: str, value: object, wanted: str, is_one: bool, way: str | None = None
) -> None:
    """Raise ``VolrError`` where the argument ``name`` is not what is wanted."""
    # A class has the names of its parts, and can be called; it is none of what is asked for.
    if not is_one or isinstance(value, type):
        raise VolrError(
            f"{function}: {name} is {shown(value)}, {type_of(value)} and not {wanted}",
            help=way or _WAYS.get((wanted, type(value).__name__)),
        )
