"""The words for mistakes of names, types and sizes, and the edits that fix them."""

from __future__ import annotations

import difflib
import math
from typing import TYPE_CHECKING

from volr.language import foreign, lookalikes
from volr.language.syntax import Expression, Integer, Let, Name
from volr.language.terms import BYTES_PER_WEIGHT, MANY, Term
from volr.language.types import Shape, shaped
from volr.source import Diagnostic, Edit, Label, clip

if TYPE_CHECKING:
    from collections.abc import Sequence

    from volr.language.values import NetValue
    from volr.source import Span

_UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB")
_MOST_SUGGESTIONS = 50
_MOST_CANDIDATES = 500
_LONGEST_NAME = 60
_MOST_LABELS = 4
LAYER = "a layer is written `dense inputs outputs`"


class Suggestions:
    """Finds names that may be meant.

    The search is slow if many names are known, so it stops after ``_MOST_SUGGESTIONS`` unknown
    names.
    """

    def __init__(self) -> None:
        self._left = _MOST_SUGGESTIONS

    def unknown_name(
        self, uses: Sequence[Name], known: Sequence[str], *, called: bool = False
    ) -> Diagnostic:
        """An unknown name, at its first use; ``known`` are the names in scope there.

        One that is ``called`` has arguments.
        """
        first, text = uses[0], uses[0].text
        message = f"unknown name `{clip(text)}`"
        others = tuple(Label(use.span, "here too") for use in uses[1:_MOST_LABELS])
        if foreign.is_activation(text):
            return activation(text, first.span, others)
        if (instead := foreign.instead_of(text)) is not None:
            return no_layer(text, first.span, instead, others)
        near = self._nearest(text, known)
        if near is None and called:
            layers = ", ".join(f"`{layer}`" for layer in foreign.LAYERS)
            help = f"the layers are {layers}; other names are bound by `let {clip(text)} = … in …`"
            return Diagnostic(first.span, message, help=help, others=others)
        if near is None:
            help = f"bind it: `let {clip(text)} = … in …`"
            return Diagnostic(first.span, message, help=help, others=others)
        if called and near in foreign.LAYERS:
            message = f"unknown layer `{clip(text)}`"
        elif " " in near:
            message = f"expected `{near}`, found `{clip(text)}`"
        help = f"write `{near}`" + lookalikes.explained(text, near)
        edits = tuple(Edit(use.span, near) for use in uses)
        return Diagnostic(first.span, message, help=help, others=others, edits=edits)

    def _nearest(self, text: str, known: Sequence[str]) -> str | None:
        if self._left <= 0 or len(text) > _LONGEST_NAME:
            return None
        self._left -= 1
        plain = lookalikes.plain(text)
        word = plain.rstrip("0123456789")
        if word in foreign.LAYERS and word != plain:
            return f"{word} {plain[len(word) :]}"
        for name in (*foreign.LAYERS, *known):
            if lookalikes.plain(name).casefold() == plain.casefold():
                return name
        alike = [name for name in known if abs(len(name) - len(text)) <= 3][-_MOST_CANDIDATES:]
        # A two-letter name with one wrong letter is half alike. So are many words and `dense`.
        # One letter is like nothing.
        layers = foreign.LAYERS if len(text) > 1 else ()
        near = difflib.get_close_matches(text, [*layers, *alike], 1, 0.65)
        near = near or difflib.get_close_matches(text, alike, 1, 0.5)
        return near[0] if near else foreign.layer_called(text)


def no_layer(word: str, span: Span, help: str, others: tuple[Label, ...] = ()) -> Diagnostic:
    """A part of another framework that is no layer."""
    return Diagnostic(span, f"`{clip(word)}` is no layer", help=help, others=others)


def activation(word: str, span: Span, others: tuple[Label, ...] = ()) -> Diagnostic:
    """An activation in the place of a layer."""
    message = f"`{clip(word)}` is an activation, and activations are no part of a program"
    help = (
        "leave it out; the layers are trained with an activation that is an option: "
        "`volr train --activation NAME`, or `activation=` in Python"
    )
    return Diagnostic(span, message, help=help, others=others)


def no_network(node: Expression, what: str, operator: str, let: Let | None) -> Diagnostic:
    """A number or a shape, which is ``what``, in the place of a network."""
    kind = "int" if what == "number" else what
    message = f"{subject(node)} is a {what}, but `{operator}` joins networks"
    return Diagnostic(node.span, message, kind, LAYER, bound_here(let))


def number_and_network(node: Expression, operator: str, let: Let | None) -> Diagnostic:
    message = f"{subject(node)} is a number, but the other side of `{operator}` is a network"
    return Diagnostic(node.span, message, "int", LAYER, bound_here(let))


def no_size(node: Expression, value: NetValue, let: Let | None) -> Diagnostic:
    message = f"{subject(node)} is a network, but a size is a number"
    label, help = "a network", "write the number of neurons"
    if value.inputs is not None and value.outputs is not None:
        inputs, outputs = shaped(value.inputs.shape), shaped(value.outputs.shape)
        label = f"net {inputs} {outputs}"
        help += f", such as its inputs, `{inputs}`, or its outputs, `{outputs}`"
    return Diagnostic(node.span, message, label, help, bound_here(let))


def no_number(node: Expression, what: str, operator: str, let: Let | None) -> Diagnostic:
    """A network or a shape, which is ``what``, in the place of a number."""
    message = f"{subject(node)} is a {what}, but `{operator}` takes numbers"
    return Diagnostic(node.span, message, what, None, bound_here(let))


def shape_as_number(node: Expression, shape: Shape | None, name: str) -> Diagnostic:
    message = f"{subject(node)} is a shape, but {name} is one number"
    return Diagnostic(node.span, message, "shape", None if shape is None else "write a number")


def no_network_as_program(node: Expression, what: str) -> Diagnostic:
    message = f"this program is a {what}, but a program must be a network"
    kind = "shape" if what == "shape" else "int"
    return Diagnostic(node.span, message, kind, LAYER)


def too_small(node: Expression, size: int, least: int, name: str) -> Diagnostic:
    """A number that is too small for its place, written or computed."""
    if isinstance(node, Integer) and size < 0:
        return negative(node, name, least)
    message = f"{name} must be at least {least}, found `{size}`"
    if isinstance(node, Integer):
        return Diagnostic(node.span, message, help=f"write `{least}` or more")
    return Diagnostic(node.span, message, f"gives {size}", f"make it {least} or more")


def negative(node: Integer, name: str = "a size", least: int = 1) -> Diagnostic:
    """A number below zero: without its sign, or the ``least`` where that is zero."""
    number = node.digits.removeprefix("-").lstrip("0") if least else str(least)
    message = f"{name} must be at least {least}, found `{clip(node.digits)}`"
    edits = (Edit(node.span, number),)
    help = f"write `{clip(number)}`" + ("" if least else " or more")
    return Diagnostic(node.span, message, help=help, edits=edits)


def large_number(node: Expression) -> Diagnostic:
    message = "this number is too large: it has more than 18 digits"
    return Diagnostic(node.span, message, help="write a smaller one")


def division(node: Expression, left: int, right: int) -> Diagnostic:
    if right == 0:
        return Diagnostic(node.span, f"this divides by zero: {left} / 0")
    message = f"{left} / {right} leaves a remainder of {left % right}"
    near = f"{left - left % right} or {left - left % right + right}"
    return Diagnostic(node.span, message, help=f"divide {near} by {right}")


def large_layer(node: Expression, sizes: Sequence[int], weights: int) -> Diagnostic:
    """A layer of too many weights: ``sizes`` are those whose product they are."""
    message = (
        "this layer is too large to build: its weights would take "
        f"{in_bytes(weights * BYTES_PER_WEIGHT)}"
    )
    label = f"{' × '.join(map(_many, sizes))} weights"
    return Diagnostic(node.span, message, label, _SMALLER)


def many_neurons(node: Expression, shape: Shape, most: int) -> Diagnostic:
    message = (
        f"this is too large to build: {shaped(shape)} is {_many(math.prod(shape))} neurons; "
        f"the most is {most:,}"
    )
    return Diagnostic(node.span, message, help=_SMALLER)


def huge_layer(node: Expression, digits: int) -> Diagnostic:
    """A layer whose sizes are too long to print: 8 n m bytes, with at least so many digits."""
    message = (
        "this layer is too large to build: "
        f"its weights would take more than 10^{digits - 1:,} bytes"
    )
    return Diagnostic(node.span, message, help=_SMALLER)


def too_many_steps(node: Expression, most: int) -> Diagnostic:
    message = (
        f"this is too large to build: its names and functions stand for more than {most:,} parts"
    )
    return Diagnostic(node.span, message, help="use fewer, or smaller ones")


def too_large(term: Term, most_parts: int, most_bytes: int) -> Diagnostic:
    """A program with too many layers, each of which is small enough."""
    bulk = term.bulk
    if bulk.populations > most_parts:
        found, most = f"{_many(bulk.populations)} populations", f"{most_parts:,}"
    elif bulk.projections > most_parts:
        found, most = f"{_many(bulk.projections)} projections", f"{most_parts:,}"
    else:
        found, most = f"weights of {in_bytes(bulk.weight_bytes)}", in_bytes(most_bytes)
    message = f"this is too large to build: it would have {found}; the most is {most}"
    help = "every use of a name makes new populations; use fewer, or smaller ones"
    return Diagnostic(term.span, message, help=help)


_SMALLER = "write smaller sizes"


def in_bytes(count: int) -> str:
    """``1,024 bytes (1 KiB)``, in the largest unit that leaves at least 1."""
    unit = min((count.bit_length() - 1) // 10, len(_UNITS) - 1)
    if unit < 1 or count >= MANY:
        return f"{_many(count)} bytes"
    return f"{count:,} bytes ({count / 1024**unit:,.4g} {_UNITS[unit]})"


def _many(count: int) -> str:
    return f"{count:,}" if count < MANY else "more than 10^60"


def subject(node: Expression) -> str:
    return f"`{clip(node.text)}`" if isinstance(node, Name) else "this"


def bound_here(let: Let | None) -> tuple[Label, ...]:
    return () if let is None else (Label(let.name_span, "bound here"),)
