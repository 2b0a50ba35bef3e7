"""What is said of layers, names and values, in hovers, completions and signatures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from volr.language.layers import LAYERS, REPEAT
from volr.language.syntax import Let, Name
from volr.language.types import Net, shaped
from volr.language.values import NetValue, Number, ShapeValue

if TYPE_CHECKING:
    from collections.abc import Iterable

    from volr.language.analysis import Known
    from volr.language.layers import Layer, Parameter
    from volr.language.types import Shape

_MOST = 3
"""So many types of one part are shown."""

ABOUT = {
    "dense": "Every neuron to every neuron, whatever the axes.",
    "conv": (
        "A kernel slides over one or two axes. It takes `[c n…]` and gives `[k m…]`, with "
        "m = ⌊(n + 2p − w)/s⌋ + 1 on each axis. By default, the stride is 1, the padding 0, and "
        "there is one group."
    ),
    "avgpool": "The mean of each window. It has no neurons. By default, the stride is the window.",
    "maxpool": "The largest of each window. By default, the stride is the window.",
    "id": "The identity. It has no neurons.",
    REPEAT: "A network, so many times in sequence. Each time has weights of its own.",
}
"""What the functions that are bound from the start do."""
KEYWORDS = {
    "let": "`let name = value in body`: a name for a value. With more names, a function: "
    "`let block s n = dense s n ⦶ dense n n in …`.",
    "in": "Ends the value of a `let`. The name is bound in what follows.",
    "_": "The shape of what comes before.",
}
SIGNS = {
    ">>": ("⦶", "one after the other"),
    "|": ("⊖", "side by side: both take the same inputs, and their outputs are joined"),
    "+": ("⊕", "added up: both drive one population"),
    "<<": ("↺", "a loop: what the population gives comes back through the right side"),
}
"""The operators between networks, by their spelling in ASCII."""


@dataclass(frozen=True)
class Signature:
    """A call as it may be written: its name and its parameters, in order."""

    name: str
    parameters: tuple[str, ...]
    labels: tuple[str, ...] = ()
    about: str = ""

    def __str__(self) -> str:
        return " ".join((self.name, *self.parameters, *(f"{each}:…" for each in self.labels)))


def signature(function: Layer | Let | str) -> Signature:
    """How a layer, a function of the program, or ``repeat`` is called."""
    match function:
        case Let():
            return Signature(function.name, tuple(each.text for each in function.parameters))
        case str():
            return Signature(REPEAT, ("count", "network"), about=ABOUT[REPEAT])
        case layer:
            required = tuple(each.name for each in layer.required)
            return Signature(layer.name, required, tuple(layer.labelled), ABOUT[layer.name])


def parameter(of: Parameter) -> str:
    """What an argument of a layer is, in words."""
    match of.kind:
        case "input":
            return "the shape of what it takes, such as `4` or `[1 28 28]`; `_` is that before"
        case "shape":
            return "a size, or a shape such as `[6 24 24]`"
        case "axes":
            return f"{of.noun}: one number, or one for each axis, such as `[3 5]`"
        case "int":
            return f"{of.noun}, a whole number"


def type_of(value: Known) -> str:
    """The type of a value; of a number or a shape, the value as well."""
    match value:
        case NetValue(inputs=inputs, outputs=outputs) if inputs and outputs:
            return str(Net(inputs.shape, outputs.shape))
        case Number(size=size):
            return f"int = {size}"
        case ShapeValue(shape=tuple() as shape):
            return f"shape = {shaped(shape)}"
        case _:
            return "?"


def types_of(values: Iterable[Known]) -> str:
    """The types of a part that has one in each call, or at each use."""
    return _listed([type_of(each) for each in values])


def shapes_of(shapes: Iterable[Shape]) -> str:
    """The shapes that a `_` stands for."""
    return _listed([shaped(each) for each in sorted(shapes, key=lambda s: (len(s), s))])


def _listed(words: list[str]) -> str:
    more = ["…"] if len(words) > _MOST else []
    return " or ".join([*words[:_MOST], *more])


def bound(binder: Let | Name) -> str:
    """How a name is bound, for a line of code."""
    match binder:
        case Let(parameters=()):
            return f"let {binder.name}"
        case Let():
            return f"let {signature(binder)} = …"
        case Name():
            return f"{binder.text}"


LAYER_NAMES = (*LAYERS, REPEAT)
