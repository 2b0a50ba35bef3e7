"""The words for what the checker finds: found, expected, and the edit that mends it."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from volr.language.syntax import Dense, Expression, Integer, Let, Name
from volr.language.terms import BYTES_PER_WEIGHT, MANY, Term
from volr.source import Diagnostic, Label, clip

if TYPE_CHECKING:
    from collections.abc import Sequence

    from volr.language.values import Layers

_UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB")
_MOST_SUGGESTIONS = 50
_MOST_CANDIDATES = 500
_LONGEST_NAME = 60


class Suggestions:
    """Names that may have been meant, for as many unknown ones as anybody reads about."""

    def __init__(self) -> None:
        self._left = _MOST_SUGGESTIONS

    def unknown_name(self, node: Name, known: Sequence[str]) -> Diagnostic:
        near: list[str] = []
        if self._left > 0 and len(node.text) <= _LONGEST_NAME:
            self._left -= 1
            alike = [name for name in ("dense", *known) if abs(len(name) - len(node.text)) <= 3]
            alike = alike[-_MOST_CANDIDATES:]
            # A name of two letters with one wrong is half alike; so is many a word to `dense`.
            near = difflib.get_close_matches(node.text, alike, 1, 0.65)
            near = near or difflib.get_close_matches(
                node.text, [n for n in alike if n != "dense"], 1, 0.5
            )
        help = f"write `{near[0]}`" if near else f"bind it: `let {clip(node.text)} = … in …`"
        return Diagnostic(node.span, f"unknown name `{clip(node.text)}`", help=help)


def sizes_differ(left: Layers, right: Layers, node: Expression) -> Diagnostic:
    """``left ⦶ right`` where the outputs are not the inputs."""
    message = (
        f"this network takes {_count(right.inputs, 'input')}, "
        f"but what comes before it gives {left.outputs}"
    )
    gives = Label(left.last.span, f"gives {left.outputs}")
    return Diagnostic(
        node.span, message, f"takes {right.inputs}", _with_inputs(right, left.outputs), (gives,)
    )


def sides_differ(left: Layers, right: Layers, node: Expression) -> Diagnostic:
    """``left ⊖ right`` where the two do not take the same input."""
    message = (
        f"the sides of `⊖` get the same input, but this one takes {right.inputs} "
        f"and the first takes {left.inputs}"
    )
    takes = Label(left.side.span, f"takes {left.inputs}")
    return Diagnostic(
        node.span, message, f"takes {right.inputs}", _with_inputs(right, left.inputs), (takes,)
    )


def number_as_network(node: Expression, operator: str, let: Let | None) -> Diagnostic:
    message = f"{_subject(node)} is a number, but `{operator}` joins networks"
    help = "a layer is written `dense inputs outputs`"
    return Diagnostic(node.span, message, "int", help, _bound_here(let))


def network_as_size(node: Expression, value: Layers, let: Let | None) -> Diagnostic:
    message = f"{_subject(node)} is a network, but a size is a number"
    known = value.inputs is not None and value.outputs is not None
    label = f"net {value.inputs} {value.outputs}" if known else "a network"
    help = "write the number of neurons"
    if known:
        help += f", such as its inputs, `{value.inputs}`, or its outputs, `{value.outputs}`"
    return Diagnostic(node.span, message, label, help, _bound_here(let))


def number_as_program(node: Expression) -> Diagnostic:
    message = "this program is a number (type int), but a program must be a network"
    return Diagnostic(node.span, message, "int", "a layer is written `dense inputs outputs`")


def zero(node: Integer) -> Diagnostic:
    return Diagnostic(node.span, "a size must be at least 1, found `0`", help="write `1` or more")


def large_layer(node: Dense, inputs: int, outputs: int) -> Diagnostic:
    wanted = in_bytes(inputs * outputs * BYTES_PER_WEIGHT)
    message = f"this layer is too large to build: its weights would take {wanted}"
    return Diagnostic(node.span, message, f"{inputs:,} × {outputs:,} weights", _SMALLER)


def huge_layer(node: Dense, digits: int) -> Diagnostic:
    """A layer of sizes too long to be written out: 8 n m bytes, of at least so many digits."""
    message = (
        "this layer is too large to build: "
        f"its weights would take more than 10^{digits - 1:,} bytes"
    )
    return Diagnostic(node.span, message, help=_SMALLER)


def too_large(term: Term, most_parts: int, most_bytes: int) -> Diagnostic:
    """A program whose layers are small enough each, and too many."""
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


def _with_inputs(value: Layers, inputs: int | None) -> str:
    """The edit that lets a network take so many inputs."""
    if value.layer is None:
        return f"make it take {_count(inputs, 'input')}"
    match value.layer.outputs:
        case Integer(digits=text) | Name(text=text):
            outputs = clip(text)
        case _:
            known = value.layer is value.last and value.outputs is not None
            outputs = str(value.outputs) if known else "…"
    layer = f"`dense {inputs} {outputs}`"
    return f"write {layer}" if value.name is None else f"bind `{clip(value.name.text)}` to {layer}"
