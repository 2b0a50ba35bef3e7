"""Checks that an argument of a public function is of the kind that it takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from volr.checks.annotations import shown
from volr.errors import VolrError

if TYPE_CHECKING:
    from collections.abc import Mapping

_NETWORK = "`volr.to_network(…)` makes one"
_PART = "its `model` is one"
# The usual slips: what is wanted, the type of what is given, and the way from the one to the other.
_WAYS: Mapping[tuple[str, str], str] = {
    ("a network", "str"): _NETWORK,
    ("a network", "Dense"): _NETWORK,
    ("a network", "Sequence"): _NETWORK,
    ("a network", "Parallel"): _NETWORK,
    ("a network", "ArtificialModel"): "its `network` is one",
    ("a network", "SpikingModel"): "its `network` is one",
    ("a model", "ModelFile"): _PART,
    ("a model", "Training"): _PART,
    ("a model", "Transfer"): _PART,
    ("a model", "str"): "`volr.load_model(…)` reads one from a file",
    ("samples", "Data"): "its `train` and its `test` are samples",
}


def check_network(function: str, network: object) -> None:
    _check(function, "network", network, "a network", hasattr(network, "populations"))


def check_model(function: str, model: object, name: str = "model") -> None:
    is_one = hasattr(model, "network") and hasattr(model, "parameters")
    _check(function, name, model, "a model", is_one)


def check_samples(function: str, samples: object, name: str = "samples") -> None:
    is_one = hasattr(samples, "inputs") and hasattr(samples, "labels")
    _check(function, name, samples, "samples", is_one)


def check_on(function: str, on: object, name: str = "on") -> None:
    is_one = isinstance(on, str) or hasattr(on, "requires") or hasattr(on, "read_back")
    # A class has the defaults of its fields.
    if not is_one or isinstance(on, type):
        raise VolrError(
            f"{function}: {name} is {shown(on)}, a {type(on).__name__} and nothing to run on",
            help=f"`{name}` is 'engine' or another name, a back end, or a started simulator",
        )


def _check(function: str, name: str, value: object, wanted: str, is_one: bool) -> None:
    """Raise ``VolrError`` where the argument ``name`` is not what is wanted."""
    if not is_one or isinstance(value, type):
        kind = type(value).__name__
        raise VolrError(
            f"{function}: {name} is {shown(value)}, a {kind} and not {wanted}",
            help=_WAYS.get((wanted, kind)),
        )
