"""The layers of the language: one table of their names, arguments, shapes and meanings.

    dense S S'                              every neuron to every neuron
    conv [c n…] k w stride:s pad:p groups:g a kernel that slides over one or two axes
    avgpool [c n…] w stride:s               the mean of each window; no neurons of its own
    maxpool [c n…] w stride:s               the largest of each window
    id S                                    the identity; no neurons of its own

A layer is a name that is bound from the start. A new one is an entry here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal, TypeAlias

from volr.network.connectors import AllToAll, AveragePool, Connector, Convolution, Windows

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from volr.language.types import Shape

Kind: TypeAlias = Literal["input", "shape", "int", "axes"]
"""What an argument is: the shape of the input, a shape, a whole number, or one number by axis."""


_NOUNS = {
    "inputs": "a size",
    "outputs": "a size",
    "shape": "a size",
    "pad": "a padding",
    "channels": "the number of channels",
    "groups": "the number of groups",
}


@dataclass(frozen=True)
class Parameter:
    """An argument of a layer. One with a ``label`` may be left out."""

    name: str
    kind: Kind
    label: bool = False
    least: int = 1

    @property
    def noun(self) -> str:
        """What it is called in messages, with its article."""
        return _NOUNS.get(self.name, f"a {self.name}")


@dataclass(frozen=True)
class Projecting:
    """A population of its own, which a connector leads to from what comes before."""

    connector: Connector
    merge: Literal["sum", "max"] = "sum"


@dataclass(frozen=True)
class Waiting:
    """No population: the next layer reads what comes before through the pool, if there is one."""

    pool: AveragePool | None = None


Meaning: TypeAlias = Projecting | Waiting


@dataclass(frozen=True)
class Built:
    """What a layer is with its arguments: from which shape to which, and what it becomes."""

    source: Shape
    target: Shape
    becomes: Meaning

    @cached_property
    def weights(self) -> int:
        match self.becomes:
            case Projecting(connector):
                return connector.weight_count(self.source, self.target)
            case Waiting():
                return 0


@dataclass(frozen=True)
class Fault:
    """Why arguments do not fit: the name of the one to blame, the reason, and what mends it."""

    parameter: str
    message: str
    help: str
    instead: str | None = None


Arguments: TypeAlias = "Mapping[str, Shape]"
"""Shapes; a whole number is a shape of one axis. Labelled arguments may be missing."""


@dataclass(frozen=True)
class Layer:
    """A layer: its name, its parameters, and the rule from arguments to its meaning.

    A layer with ``channels`` reads a shape of channels and one or two axes.
    """

    name: str
    parameters: tuple[Parameter, ...]
    build: Callable[[Arguments], Built | Fault]
    channels: bool = False

    @cached_property
    def required(self) -> tuple[Parameter, ...]:
        return tuple(each for each in self.parameters if not each.label)

    @cached_property
    def labelled(self) -> Mapping[str, Parameter]:
        return {each.name: each for each in self.parameters if each.label}

    def __str__(self) -> str:
        words = [f"{each.name}:…" if each.label else each.name for each in self.parameters]
        return " ".join([self.name, *words])


_DENSE = Projecting(AllToAll())


def _dense(given: Arguments) -> Built:
    return Built(given["inputs"], given["outputs"], _DENSE)


def _conv(given: Arguments) -> Built | Fault:
    source, channels, groups = given["inputs"], given["channels"][0], given.get("groups", (1,))[0]
    axes = len(source) - 1
    window = given["window"]
    stride, pad = given.get("stride", (1,) * axes), given.get("pad", (0,) * axes)
    for count, what in ((source[0], "its input"), (channels, "its output")):
        if count % groups:
            message = f"{groups} groups do not divide the {count} channels of {what}"
            common = math.gcd(source[0], channels)
            near = max(each for each in range(1, min(groups, common) + 1) if common % each == 0)
            return Fault("groups", message, f"write `groups:{near}`", str(near))
    sizes = _windows(source, window, stride, pad)
    if isinstance(sizes, Fault):
        return sizes
    connector = Convolution(window, stride, pad, groups)
    return Built(source, (channels, *sizes), Projecting(connector))


def _avgpool(given: Arguments) -> Built | Fault:
    pool = AveragePool(given["window"], given.get("stride", ()))
    sizes = _windows(given["inputs"], pool.window, pool.stride)
    if isinstance(sizes, Fault):
        return sizes
    return Built(given["inputs"], (given["inputs"][0], *sizes), Waiting(pool))


def _maxpool(given: Arguments) -> Built | Fault:
    connector = Windows(given["window"], given.get("stride", ()))
    sizes = _windows(given["inputs"], connector.window, connector.stride)
    if isinstance(sizes, Fault):
        return sizes
    target = (given["inputs"][0], *sizes)
    return Built(given["inputs"], target, Projecting(connector, "max"))


def _id(given: Arguments) -> Built:
    return Built(given["shape"], given["shape"], Waiting())


def _windows(
    source: Shape, window: Shape, stride: Shape, pad: Shape | None = None
) -> Shape | Fault:
    """How many windows there are on each axis: at least one."""
    sizes: list[int] = []
    padding = pad or (0,) * len(window)
    for n, w, s, p in zip(source[1:], window, stride, padding, strict=True):
        size = (n + 2 * p - w) // s + 1
        if size < 1:
            padded = f"({n} − {w})" if pad is None else f"({n} + 2·{p} − {w})"
            message = (
                f"the window of {w} is larger than its input of {n + 2 * p}: "
                f"⌊{padded}/{s}⌋ + 1 = {size}"
            )
            axes = zip(source[1:], window, padding, strict=True)
            fitting = [min(w, n + 2 * p) for n, w, p in axes]
            most = str(min(fitting)) if len(set(window)) == 1 else _written(fitting)
            return Fault("window", message, f"write a window of at most `{most}`", most)
        sizes.append(size)
    return tuple(sizes)


def _written(sizes: list[int]) -> str:
    return f"[{' '.join(map(str, sizes))}]"


_INPUTS, _WINDOW = Parameter("inputs", "input"), Parameter("window", "axes")
_STRIDE = Parameter("stride", "axes", label=True)

LAYERS: dict[str, Layer] = {
    each.name: each
    for each in (
        Layer("dense", (_INPUTS, Parameter("outputs", "shape")), _dense),
        Layer(
            "conv",
            (
                _INPUTS,
                Parameter("channels", "int"),
                _WINDOW,
                _STRIDE,
                Parameter("pad", "axes", label=True, least=0),
                Parameter("groups", "int", label=True),
            ),
            _conv,
            channels=True,
        ),
        Layer("avgpool", (_INPUTS, _WINDOW, _STRIDE), _avgpool, channels=True),
        Layer("maxpool", (_INPUTS, _WINDOW, _STRIDE), _maxpool, channels=True),
        Layer("id", (Parameter("shape", "input"),), _id),
    )
}
REPEAT = "repeat"
"""The one function of the language that is no layer: ``repeat n network``."""
RESERVED = frozenset({*LAYERS, REPEAT})
"""The names that are bound from the start."""
