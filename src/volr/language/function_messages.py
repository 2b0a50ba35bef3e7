"""The words for mistakes of functions: calls, arguments, labels and `_`."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from volr.language import foreign
from volr.language.layers import REPEAT, Layer
from volr.language.syntax import Argument, Call, Expression, Integer, Let, Name, Shape
from volr.language.type_messages import bound_here, subject
from volr.language.types import shaped
from volr.source import Diagnostic, Edit, Label, Span, clip

if TYPE_CHECKING:
    from collections.abc import Sequence

    from volr.language import types
    from volr.language.layers import Fault

_MOST_LABELS = 4


def parameter_names(function: Let | Layer | str) -> tuple[str, ...]:
    """The names of the arguments that a function takes by their place."""
    match function:
        case Layer():
            return tuple(each.name for each in function.required)
        case Let():
            return tuple(each.text for each in function.parameters)
        case _:
            return ("count", "network")


def signature(function: Let | Layer | str) -> str:
    """How a function is written, with all its arguments."""
    if isinstance(function, Layer):
        return str(function)
    return " ".join([function_name(function), *parameter_names(function)])


def written(function: Let | Layer | str) -> str:
    """The same as a help."""
    what = "a layer" if isinstance(function, Layer) else f"`{function_name(function)}`"
    return f"{what} is written `{clip(signature(function), 80)}`"


def function_name(function: Let | Layer | str) -> str:
    return function if isinstance(function, str) else function.name


def needs_arguments(node: Name, function: Let | Layer | str, after: bool) -> Diagnostic:
    """A function without arguments, which is no value; ``after`` if something comes before it."""
    message = f"`{clip(node.text)}` is a function, and no value without its arguments"
    if after and isinstance(function, Layer) and len(function.required) == 1:
        help = f"write `{node.text} _`: `_` is the shape of what comes before"
        return Diagnostic(node.span, message, help=help, edits=(Edit(node.span, f"{node.text} _"),))
    return Diagnostic(node.span, message, help=written(function), others=_bound(function))


def too_few(node: Call, function: Let | Layer | str, found: int, wanted: int) -> Diagnostic:
    takes = _takes(function, wanted)
    message = f"{takes}, found {found}"
    return Diagnostic(node.span, message, help=written(function), others=_bound(function))


def input_missing(node: Call, layer: Layer) -> Diagnostic:
    """All arguments of a layer but the shape of its input, which the layer before it gives."""
    wanted = len(layer.required)
    at = node.arguments[0].span.start
    given = " ".join(_shown(each) for each in node.arguments)
    help = f"write `{layer.name} _ {given}`: `_` is the shape of what comes before"
    message = f"{_takes(layer, wanted)}, found {wanted - 1}"
    return Diagnostic(node.span, message, help=help, edits=(Edit(Span(at, at), "_ "),))


def too_many(
    extra: Sequence[Argument], node: Call, function: Let | Layer | str, wanted: int
) -> Diagnostic:
    span = extra[0].span.to(extra[-1].span)
    before = [each.span.end for each in node.arguments if each.span.end <= span.start]
    message = f"unexpected `{_shown(extra[0])}`"
    help = f"{_takes(function, wanted)}: `{clip(signature(function), 80)}`"
    edit = Edit(Span(max(before, default=span.start), span.end), "")
    return Diagnostic(span, message, help=help, others=_bound(function), edits=(edit,))


def operator_missing(node: Argument, sign: str) -> Diagnostic:
    """Two networks one after the other, with nothing between them."""
    place = node.span.start
    head = _head(node.value) if node.value.span.start == place else "("
    message = f"expected an operator before `{head}`"
    help = "write `⦶` for one after the other, `⊖` for side by side"
    edits = (Edit(Span(place, place), f"{sign} "),)
    return Diagnostic(Span(place, place + len(head)), message, help=help, edits=edits)


def stray_number(node: Call) -> Diagnostic:
    """A number or a shape just before a network: ``3 dense 1 1``."""
    start, end = node.span.start, node.arguments[0].span.start
    message = f"unexpected `{_head(node.function)}` before `{_head(node.arguments[0].value)}`"
    edits = (Edit(Span(start, end), ""),)
    return Diagnostic(node.function.span, message, help="leave it out", edits=edits)


def parentheses_missing(node: Expression, end: int, function: Let | Layer | str) -> Diagnostic:
    """A call as an argument: ``repeat 3 dense 2 2``."""
    start = node.span.start
    message = f"the argument that begins with `{_head(node)}` needs parentheses"
    help = f"write `(` and `)` around it: {written(function)}"
    edits = (Edit(Span(start, start), "("), Edit(Span(end, end), ")"))
    return Diagnostic(node.span, message, help=help, edits=edits)


def layer_missing(node: Call) -> Diagnostic:
    """Two numbers, or shapes, in the place of a network."""
    place = Span(node.span.start, node.span.start)
    head = _head(node.function) if node.function.span.start == place.start else "("
    message = f"expected `dense` before `{head}`"
    edits = (Edit(place, "dense "),)
    return Diagnostic(node.function.span, message, help=f"write `dense {head}`", edits=edits)


def no_function(node: Call, what: str, let: Let | None) -> Diagnostic:
    """A value with arguments."""
    message = f"{subject(node.function)} is a {what}, and takes no arguments"
    edit = Edit(Span(node.arguments[0].span.start, node.span.end), "")
    help = "leave the arguments out"
    return Diagnostic(node.function.span, message, what, help, bound_here(let), (edit,))


def unknown_label(argument: Argument, function: Let | Layer | str) -> Diagnostic:
    name = function_name(function)
    message = f"`{clip(name)}` has no label `{clip(argument.label)}`"
    span = Span(argument.span.start, argument.span.start + len(argument.label))
    labels = tuple(function.labelled) if isinstance(function, Layer) else ()
    if not labels:
        return Diagnostic(span, message, help=f"it has none: {written(function)}")
    near = [each for each in labels if each == foreign.parameter_meant(argument.label)]
    near = near or difflib.get_close_matches(argument.label, labels, 1, 0.3)
    if near:
        edits = (Edit(span, near[0]),)
        return Diagnostic(span, message, help=f"write `{near[0]}:`", edits=edits)
    listed = ", ".join(f"`{each}:`" for each in labels)
    return Diagnostic(span, message, help=f"its labels are {listed}")


def label_twice(first: Argument, again: Argument, before: int) -> Diagnostic:
    message = f"the label `{clip(again.label)}` occurs twice"
    edits = (Edit(Span(before, again.span.end), ""),)
    others = (Label(first.span, "here too"),)
    return Diagnostic(again.span, message, help="leave one out", others=others, edits=edits)


def blank_misplaced(node: Expression, place: str) -> Diagnostic:
    message = f"`_` is the shape of what comes before a layer, and {place}"
    return Diagnostic(node.span, message, help="write a number, or a shape such as `[1 28 28]`")


def nothing_before(node: Expression) -> Diagnostic:
    message = "`_` is the shape of what comes before, and nothing comes before this"
    help = "write the shape of the input, such as `784` or `[1 28 28]`"
    return Diagnostic(node.span, message, help=help)


def wants_channels(node: Expression, layer: Layer, shape: types.Shape, known: bool) -> Diagnostic:
    """An input without channels and axes; ``known`` if what comes before has them."""
    message = (
        f"`{layer.name}` needs a shape of channels and one or two axes, and this is {shaped(shape)}"
    )
    if known:
        help, edits = "write `_`, the shape of what comes before", (Edit(node.span, "_"),)
        return Diagnostic(node.span, message, shaped(shape), help, edits=edits)
    help = f"write it as `[channels {'height width' if len(shape) != 2 else 'length'}]`"
    return Diagnostic(node.span, message, shaped(shape), help + ", such as `[1 28 28]`")


def wants_axes(node: Expression, name: str, found: int, axes: int) -> Diagnostic:
    message = f"this {name} has {found} numbers, but its input has {axes} "
    message += "axis after the channels" if axes == 1 else "axes after the channels"
    return Diagnostic(node.span, message, help=f"write {axes} of them, or one number for all")


def fault(node: Call, blamed: Expression | None, found: Fault) -> Diagnostic:
    """What the layer itself says against its arguments."""
    place = blamed or node
    written = isinstance(place, Integer | Shape) and found.instead is not None
    edits = (Edit(place.span, found.instead),) if written and found.instead else ()
    return Diagnostic(place.span, found.message, help=found.help, edits=edits)


def several_before(place: Expression, part: Span, count: int) -> Diagnostic:
    """A part that reads one population only, after several side by side."""
    message = f"this reads one population, and {count:,} stand side by side before it"
    help = "write a `dense` or a `conv` between them, which reads them all"
    return Diagnostic(part, message, help=help, others=(Label(place.span, f"gives {count:,}"),))


def ends_side_by_side(node: Expression, operator: str) -> Diagnostic:
    message = (
        f"a side of `{operator}` ends in one population, and this ends in several side by side"
    )
    help = "write a `dense` after it, or put the `⊖` outside"
    return Diagnostic(node.span, message, help=help)


def torn(call: Call) -> Diagnostic:
    """The name of a layer with a space or a bracket within."""
    other = head_of(call.arguments[0].value)
    span = call.function.span.to(other.span)
    name = f"{_head(call.function)}{_head(other)}"
    message = f"`{_head(call.function)}` and `{_head(other)}` are one word, `{name}`"
    whole = call.arguments[0].span.start == other.span.start
    edits = (Edit(span, name),) if whole else ()
    return Diagnostic(span, message, help=f"write `{name}`", edits=edits)


def head_of(node: Expression) -> Expression:
    """What is called, if this is a call."""
    return node.function if isinstance(node, Call) else node


def calls_itself(uses: Sequence[Name]) -> Diagnostic:
    first = uses[0]
    others = tuple(Label(use.span, "here too") for use in uses[1:_MOST_LABELS])
    message = f"`{clip(first.text)}` cannot call itself: a name is not known in its own value"
    help = "write `repeat n …` for several in a row"
    return Diagnostic(first.span, message, help=help, others=others)


def parameter_twice(name: Name) -> Diagnostic:
    message = f"the parameter `{clip(name.text)}` occurs twice"
    edit = Edit(name.span, f"{name.text}'")
    return Diagnostic(name.span, message, help=f"write `{clip(name.text)}'`", edits=(edit,))


def layer_bound(uses: Sequence[Name]) -> Diagnostic:
    """The name of a layer that is bound anew, with all its uses."""
    name = uses[0].text
    what = f"`{REPEAT}` is part of the language" if name == REPEAT else f"`{name}` is a layer"
    message = f"{what}, and its name cannot be bound anew"
    edits = tuple(Edit(use.span, f"{name}'") for use in uses)
    return Diagnostic(uses[0].span, message, help=f"write `{name}'`", edits=edits)


def _takes(function: Let | Layer | str, wanted: int) -> str:
    noun = "argument" if wanted == 1 else "arguments"
    return f"`{clip(function_name(function))}` takes {wanted} {noun}"


def _bound(function: Let | Layer | str) -> tuple[Label, ...]:
    return bound_here(function) if isinstance(function, Let) else ()


def _shown(argument: Argument) -> str:
    label = f"{clip(argument.label)}:" if argument.label else ""
    return label + _head(argument.value)


def _head(node: Expression) -> str:
    """The first word of an expression, where that is easy to say."""
    while isinstance(node, Call):
        node = node.function
    match node:
        case Integer(digits=text) | Name(text=text):
            return clip(text)
        case Shape():
            return "["
        case _:
            return "("
