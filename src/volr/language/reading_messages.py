"""The words for calls that were misread, and the edits that write what was meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from volr.language.call_messages import COMPUTED
from volr.language.function_messages import function_name, written
from volr.language.layers import REPEAT
from volr.language.printer import format_expression
from volr.language.syntax import (
    Argument,
    Arithmetic,
    Call,
    Expression,
    Integer,
    Let,
    Name,
    Shape,
    Sum,
)
from volr.source import Diagnostic, Edit, Label, Span, clip

if TYPE_CHECKING:
    from collections.abc import Sequence

    from volr.language.layers import Layer
    from volr.language.values import NetValue

_LONGEST = 80
"""A longer call is not written out."""


def computed_size(sizes: Sequence[Arithmetic | Sum], call: Call) -> Diagnostic:
    """Computed sizes without parentheses, and the call with them."""
    edits = [
        each
        for size in sizes
        for each in (
            Edit(Span(size.span.start, size.span.start), "("),
            Edit(Span(size.span.end, size.span.end), ")"),
        )
    ]
    help = _write(call) or f"write `({clip(format_expression(sizes[0]))})`"
    return Diagnostic(sizes[0].span, COMPUTED, help=help, edits=tuple(edits))


def sizes_in_a_row(argument: Argument) -> Diagnostic:
    """Several sizes in parentheses, where a shape may stand."""
    inner, outer = argument.value.span, argument.span
    short = _short(argument.value)
    help = "write `[` and `]` around them" if short is None else f"write `[{short}]`"
    label = f"{argument.label}:" if argument.label else ""
    edits = (
        Edit(Span(outer.start, inner.start), f"{label}["),
        Edit(Span(inner.end, outer.end), "]"),
    )
    message = "a shape is written in square brackets"
    return Diagnostic(outer, message, help=help, edits=edits)


def in_a_row(node: Expression) -> Diagnostic:
    """Several numbers with nothing between them, where one number stands."""
    message = "these are several numbers with no operator between them, in the place of one"
    return Diagnostic(node.span, message, help="write `+`, `-`, `*` or `/` between them")


def times(node: Expression, network: Expression, value: NetValue, number: Expression) -> Diagnostic:
    """A network times a number, which may be meant as several of it in a row."""
    message = "this is a network, but `*` takes numbers"
    square = value.inputs and value.outputs and value.inputs.shape == value.outputs.shape
    call = Call(Name(REPEAT), (Argument(number), Argument(network)), node.span)
    short = _short(call)
    if not square or short is None:
        return Diagnostic(network.span, message, "network")
    help = f"write `{short}` for several in a row"
    return Diagnostic(network.span, message, "network", help, edits=(Edit(node.span, short),))


def in_brackets(only: Argument, before: int, call: Call) -> Diagnostic:
    """Arguments between brackets, after a name that ends at ``before``."""
    message = f"the arguments of `{_called(call)}` stand without brackets"
    inner = only.value.span
    edits = (
        Edit(Span(only.span.start, inner.start), " " if before == only.span.start else ""),
        Edit(Span(inner.end, only.span.end), ""),
    )
    help = _write(call) or "leave the brackets out"
    return Diagnostic(only.span, message, help=help, edits=edits)


def before_its_layer(node: Call, call: Call) -> Diagnostic:
    """A number or a shape that stands before the layer whose first argument it is."""
    called = node.arguments[0].value.span
    text = _atom(node.function)
    edits = (
        Edit(Span(node.span.start, called.start), ""),
        Edit(Span(called.end, called.end), f" {text}"),
    )
    message = f"`{clip(text)}` stands before `{_called(call)}`, and arguments stand after it"
    help = _write(call) or f"write `{_called(call)} {clip(text)}`"
    return Diagnostic(node.function.span, message, help=help, edits=edits)


def swapped(node: Call, call: Call) -> Diagnostic:
    """A network and a number of times, the wrong way round, and the call the right way round."""
    network, count = node.arguments
    number = _atom(count.value)
    start = network.span.start
    edits = (
        Edit(Span(start, start), f"{number} "),
        Edit(Span(network.span.end, count.span.end), ""),
    )
    message = "the number of times stands before the network"
    help = _write(call) or f"write `{clip(number)}` before it"
    return Diagnostic(network.span, message, help=help, edits=edits)


def no_label(
    labelled: Sequence[Argument], function: Let | Layer | str, call: Call | None
) -> Diagnostic:
    """Labels that name arguments by their place, and the call without them if it is complete."""
    first, *others = (Span(e.span.start, e.span.start + len(e.label)) for e in labelled)
    label = clip(labelled[0].label)
    message = f"`{label}` is no label: `{function_name(function)}` takes it by its place"
    again = tuple(Label(each, "here too") for each in others)
    help, edits = written(function), ()
    if call is not None and (short := _short(call)) is not None:
        help, edits = f"write `{short}`", (Edit(call.span, short),)
    return Diagnostic(first, message, help=help, others=again, edits=edits)


def _called(call: Call) -> str:
    return clip(call.function.text) if isinstance(call.function, Name) else "…"


def _atom(node: Expression) -> str:
    """An expression as an argument is written."""
    text = format_expression(node)
    return text if isinstance(node, Integer | Name | Shape) else f"({text})"


def _write(call: Call) -> str | None:
    short = _short(call)
    return None if short is None else f"write `{short}`"


def _short(node: Expression) -> str | None:
    """An expression as it is written, on one line; None if it is long."""
    if node.span.end - node.span.start > _LONGEST:
        return None
    return " ".join(format_expression(node).split())
