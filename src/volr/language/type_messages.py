"""The words for mistakes of names, types and sizes, and the edits that fix them."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from volr.language import foreign, lookalikes
from volr.language.syntax import Dense, Expression, Integer, Let, Name, Parallel
from volr.language.terms import BYTES_PER_WEIGHT, MANY, Term
from volr.source import Diagnostic, Edit, Label, clip

if TYPE_CHECKING:
    from collections.abc import Sequence

    from volr.language.blame import Mismatch
    from volr.language.values import NetValue, Width
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

    def unknown_name(self, uses: Sequence[Name], known: Sequence[str]) -> Diagnostic:
        """An unknown name, at its first use; ``known`` are the names in scope there."""
        first, text = uses[0], uses[0].text
        message = f"unknown name `{clip(text)}`"
        others = tuple(Label(use.span, "here too") for use in uses[1:_MOST_LABELS])
        if foreign.is_activation(text):
            return activation(text, first.span, others)
        near = self._nearest(text, known)
        if near is None:
            help = f"bind it: `let {clip(text)} = … in …`"
            return Diagnostic(first.span, message, help=help, others=others)
        help = f"write `{near}`" + lookalikes.explained(text, near)
        edits = tuple(Edit(use.span, near) for use in uses)
        return Diagnostic(first.span, message, help=help, others=others, edits=edits)

    def _nearest(self, text: str, known: Sequence[str]) -> str | None:
        if self._left <= 0 or len(text) > _LONGEST_NAME:
            return None
        self._left -= 1
        plain = lookalikes.plain(text)
        for name in (*foreign.LAYERS, *known):
            if lookalikes.plain(name).casefold() == plain.casefold():
                return name
        alike = [name for name in known if abs(len(name) - len(text)) <= 3][-_MOST_CANDIDATES:]
        # A two-letter name with one wrong letter is half alike. So are many words and `dense`.
        near = difflib.get_close_matches(text, [*foreign.LAYERS, *alike], 1, 0.65)
        near = near or difflib.get_close_matches(text, alike, 1, 0.5)
        return near[0] if near else foreign.layer_called(text)


def activation(word: str, span: Span, others: tuple[Label, ...] = ()) -> Diagnostic:
    """An activation in the place of a layer."""
    message = f"`{clip(word)}` is an activation, and activations are no part of a program"
    help = (
        "leave it out; the layers are trained with an activation that is an option: "
        "`volr train --activation NAME`, or `activation=` in Python"
    )
    return Diagnostic(span, message, help=help, others=others)


def sizes_differ(found: Mismatch, *, blame_left: bool) -> Diagnostic:
    """``left ⦶ right`` with other outputs than inputs."""
    gives, takes = found.given.size, found.taken.size
    message = f"this network takes {_count(takes, 'input')}, but what comes before it gives {gives}"
    others = (Label(found.left.last.span, f"gives {gives}"),)
    last = found.left.last
    if blame_left and isinstance(last, Dense):
        help = f"write `dense {_written(last.inputs)} {takes}` before it"
        edits = (Edit(last.outputs.span, str(takes)),)
    else:
        help, edits = _with_inputs(found.right, gives)
    return Diagnostic(found.node.right.span, message, f"takes {takes}", help, others, edits)


def sides_differ(found: Mismatch, *, blame_left: bool) -> Diagnostic:
    """``left ⊖ right`` with two different inputs."""
    first, this = found.given.size, found.taken.size
    message = (
        f"the sides of `⊖` get the same input, but this one takes {this} "
        f"and the first takes {first}"
    )
    others = (Label(found.left.side.span, f"takes {first}"),)
    layer = found.left.layer
    if blame_left and layer is not None:
        help = f"write `dense {this} {_written(layer.outputs)}` for the first"
        edits = (Edit(layer.inputs.span, str(this)),)
    else:
        help, edits = _with_inputs(found.right, first)
    return Diagnostic(found.node.right.span, message, f"takes {this}", help, others, edits)


def wrong_number(width: Width, wanted: int, found: Sequence[Mismatch]) -> Diagnostic:
    """A number that causes several mismatches: another one would fix them all."""
    places = tuple(_opposite(each, width) for each in found[:_MOST_LABELS])
    origin = width.origin
    if isinstance(origin, Integer):
        message = f"this `{clip(origin.digits)}` does not fit: {len(found)} places want {wanted}"
        edits = (Edit(origin.span, str(wanted)),)
        return Diagnostic(origin.span, message, "", f"write `{wanted}`", places, edits)
    message = (
        f"the sides of this `⊖` give {width.size} together, but {len(found)} places want {wanted}"
    )
    return Diagnostic(origin.span, message, f"gives {width.size}", None, places)


def _opposite(found: Mismatch, width: Width) -> Label:
    """The words for the other side of a comparison."""
    if found.given.origin is width.origin:
        return Label(found.node.right.span, f"takes {found.taken.size}")
    if isinstance(found.node, Parallel):
        return Label(found.left.side.span, f"takes {found.given.size}")
    return Label(found.left.last.span, f"gives {found.given.size}")


def number_as_network(node: Expression, operator: str, let: Let | None) -> Diagnostic:
    message = f"{_subject(node)} is a number, but `{operator}` joins networks"
    return Diagnostic(node.span, message, "int", LAYER, _bound_here(let))


def network_as_size(node: Expression, value: NetValue, let: Let | None) -> Diagnostic:
    message = f"{_subject(node)} is a network, but a size is a number"
    label, help = "a network", "write the number of neurons"
    if value.inputs is not None and value.outputs is not None:
        inputs, outputs = value.inputs.size, value.outputs.size
        label = f"net {inputs} {outputs}"
        help += f", such as its inputs, `{inputs}`, or its outputs, `{outputs}`"
    return Diagnostic(node.span, message, label, help, _bound_here(let))


def number_as_program(node: Expression) -> Diagnostic:
    message = "this program is a number (type int), but a program must be a network"
    return Diagnostic(node.span, message, "int", LAYER)


def zero(node: Integer) -> Diagnostic:
    return Diagnostic(node.span, "a size must be at least 1, found `0`", help="write `1` or more")


def large_layer(node: Dense, inputs: int, outputs: int) -> Diagnostic:
    wanted = in_bytes(inputs * outputs * BYTES_PER_WEIGHT)
    message = f"this layer is too large to build: its weights would take {wanted}"
    return Diagnostic(node.span, message, f"{inputs:,} × {outputs:,} weights", _SMALLER)


def huge_layer(node: Dense, digits: int) -> Diagnostic:
    """A layer whose sizes are too long to print: 8 n m bytes, with at least so many digits."""
    message = (
        "this layer is too large to build: "
        f"its weights would take more than 10^{digits - 1:,} bytes"
    )
    return Diagnostic(node.span, message, help=_SMALLER)


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
    if unit < 1:
        return f"{count:,} bytes"
    return f"{count:,} bytes ({count / 1024**unit:,.4g} {_UNITS[unit]})"


def _many(count: int) -> str:
    return f"{count:,}" if count < MANY else "more than 10^60"


def _count(count: int | None, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _subject(node: Expression) -> str:
    return f"`{clip(node.text)}`" if isinstance(node, Name) else "this"


def _bound_here(let: Let | None) -> tuple[Label, ...]:
    return () if let is None else (Label(let.name_span, "bound here"),)


def _with_inputs(value: NetValue, inputs: int) -> tuple[str, tuple[Edit, ...]]:
    """The edit that gives a network so many inputs, in words and as an edit."""
    layer = value.layer
    if layer is None:
        return f"make it take {_count(inputs, 'input')}", ()
    edits = (Edit(layer.inputs.span, str(inputs)),)
    outputs = _written(layer.outputs)
    if outputs == "…" and layer is value.last and value.outputs is not None:
        outputs = str(value.outputs.size)
    words = f"`dense {inputs} {outputs}`"
    if value.name is None:
        return f"write {words}", edits
    return f"bind `{clip(value.name.text)}` to {words}", edits


def _written(size: Expression) -> str:
    """A size as it is written, if that is short."""
    match size:
        case Integer(digits=text) | Name(text=text):
            return clip(text)
        case _:
            return "…"
