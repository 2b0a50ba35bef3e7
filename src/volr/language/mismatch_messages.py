"""The words for shapes that should be equal and differ, and the edits that fix them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from volr.language.layers import LAYERS, Fault
from volr.language.syntax import Argument, Call, Expression, Integer, Name, Parallel, Shape
from volr.language.types import shaped
from volr.source import Diagnostic, Edit, Label, clip

if TYPE_CHECKING:
    from collections.abc import Sequence

    from volr.language import types
    from volr.language.blame import Mismatch
    from volr.language.values import NetValue, Width

_MOST_LABELS = 4
_MOST_DIGITS = 18


def differ(found: Mismatch, *, blame_left: bool) -> Diagnostic:
    """One mismatch."""
    given, taken = shaped(found.given.shape), shaped(found.taken.shape)
    match found.kind:
        case "then":
            takes = _inputs(found.taken.shape)
            message = f"this network takes {takes}, but what comes before it gives {given}"
        case "inputs":
            message = (
                f"the sides of `{found.sign}` get the same input, but this one takes {taken} "
                f"and the first takes {given}"
            )
        case "outputs":
            message = (
                f"the sides of `{found.sign}` are added up, but this one gives {taken} "
                f"and the first gives {given}"
            )
        case "loop takes":
            message = f"this loop takes {taken}, but what it begins at gives {given}"
        case "loop gives":
            message = f"this loop gives {taken}, but what it ends at has {given}"
        case "repeat":
            message = (
                f"`repeat` needs a network that gives what it takes, but this takes {given} "
                f"and gives {taken}"
            )
    help, edits = _mended(found, blame_left=blame_left)
    first = () if found.kind == "repeat" else (_given(found),)
    label = _taken(found)
    return Diagnostic(label.span, message, label.text, help, first, edits)


def wrong_origin(width: Width, wanted: types.Shape, found: Sequence[Mismatch]) -> Diagnostic:
    """A number or a shape that causes several mismatches: another one would fix them all."""
    places = tuple(_opposite(each, width) for each in found[:_MOST_LABELS])
    origin, meant = width.origin, shaped(wanted)
    wants = f"{len(found)} places want {meant}"
    match origin:
        case Integer(digits=text):
            message = f"this `{clip(text)}` does not fit: {wants}"
        case Parallel():
            gives = shaped(width.shape)
            message = f"the sides of this `⊖` give {gives} together, but {wants}"
            return Diagnostic(origin.span, message, f"gives {gives}", None, places)
        case Shape():
            message = f"this shape does not fit: {wants}"
        case _:
            gives = shaped(width.shape)
            message = f"this gives {gives}, but {wants}"
            return Diagnostic(origin.span, message, f"gives {gives}", None, places)
    edits = (Edit(origin.span, meant),)
    return Diagnostic(origin.span, message, "", f"write `{meant}`", places, edits)


def beyond_the_first_axis(
    place: Expression, left: NetValue, one: types.Shape, other: types.Shape
) -> Diagnostic:
    message = (
        "the sides of `⊖` stand side by side along the first axis, so the other axes are the same, "
        f"but this one gives {shaped(other)} and the first {shaped(one)}"
    )
    help = f"make it give [{' '.join(['…', *map(str, one[1:])])}]" if one[1:] else None
    label = (Label(left.last.span, f"gives {shaped(one)}"),)
    return Diagnostic(place.span, message, f"gives {shaped(other)}", help, label)


def _given(found: Mismatch) -> Label:
    if found.kind == "inputs":
        return Label(found.left.side.span, f"takes {shaped(found.given.shape)}")
    if found.kind == "repeat":
        return Label(found.place.span, f"takes {shaped(found.given.shape)}")
    return Label(found.left.last.span, f"gives {shaped(found.given.shape)}")


def _taken(found: Mismatch) -> Label:
    verb = "takes" if found.kind in ("then", "inputs", "loop takes") else "gives"
    return Label(found.place.span, f"{verb} {shaped(found.taken.shape)}")


def _opposite(found: Mismatch, width: Width) -> Label:
    """The words for the other side of a comparison."""
    return _taken(found) if found.given.origin is width.origin else _given(found)


def _mended(found: Mismatch, *, blame_left: bool) -> tuple[str, tuple[Edit, ...]]:
    """The edit that makes the two shapes equal, in words and as an edit."""
    given, taken = found.given.shape, found.taken.shape
    match found.kind:
        case "then":
            last = _dense(found.left.last)
            if last is not None and (blame_left or not _takes(found.right.layer, given)):
                words = f"write `dense {_written(last.arguments[0])} {shaped(taken)}` before it"
                return words, (Edit(last.arguments[1].value.span, shaped(taken)),)
            return _with_inputs(found.right, given)
        case "inputs":
            layer = found.left.layer
            left = _takes(layer, taken) and (blame_left or not _takes(found.right.layer, given))
            if left and layer is not None:
                return f"write {_call(layer, taken)} for the first", _first(layer, taken)
            return _with_inputs(found.right, given)
        case "loop takes":
            return _with_inputs(found.right, given)
        case "outputs" | "loop gives" | "repeat":
            last = _dense(found.right.last)
            if last is None:
                return f"make it give {shaped(given)}", ()
            words = f"write `dense {_written(last.arguments[0])} {shaped(given)}`"
            return words, (Edit(last.arguments[1].value.span, shaped(given)),)


def _with_inputs(value: NetValue, inputs: types.Shape) -> tuple[str, tuple[Edit, ...]]:
    """The edit that gives a network such an input, in words and as an edit."""
    layer = value.layer
    if layer is None or not _takes(layer, inputs):
        return f"make it take {_inputs(inputs)}", ()
    outputs = value.outputs if layer is value.last else None
    words = _call(layer, inputs, outputs)
    if value.name is None:
        return f"write {words}", _first(layer, inputs)
    return f"bind `{clip(value.name.text)}` to {words}", _first(layer, inputs)


def _takes(layer: Call | None, inputs: types.Shape) -> bool:
    """Whether a layer can have such an input, as far as its other arguments are written out."""
    if layer is None:
        return False
    known = LAYERS.get(layer.function.text) if isinstance(layer.function, Name) else None
    if known is None:
        return True
    if known.channels and len(inputs) not in (2, 3):
        return False
    places = iter(known.required[1:])
    given = {known.required[0].name: inputs}
    for each in layer.arguments[1:]:
        parameter = known.labelled.get(each.label) if each.label else next(places, None)
        sizes = _sizes(each.value)
        if parameter is None or sizes is None or min(sizes) < parameter.least:
            return True
        if parameter.kind == "axes":
            axes = len(inputs) - 1
            sizes = sizes * axes if len(sizes) == 1 else sizes
            if len(sizes) != axes:
                return False
        given[parameter.name] = sizes
    complete = all(each.name in given for each in known.required)
    return not (complete and isinstance(known.build(given), Fault))


def _sizes(node: Expression) -> types.Shape | None:
    """A number or a shape as it is written; None if it is computed or has a name."""
    axes = node.axes if isinstance(node, Shape) else (node,)
    written = [each.digits for each in axes if isinstance(each, Integer)]
    if len(written) < len(axes) or any(len(each) > _MOST_DIGITS for each in written):
        return None
    return tuple(map(int, written))


def _call(layer: Call, inputs: types.Shape, outputs: Width | None = None) -> str:
    """A layer with other inputs, as it is written."""
    name = layer.function.text if isinstance(layer.function, Name) else "…"
    rest = [_written(each) for each in layer.arguments[1:]]
    if name == "dense" and rest == ["…"] and outputs is not None:
        rest = [shaped(outputs.shape)]
    return f"`{' '.join([name, shaped(inputs), *rest])}`"


def _first(layer: Call, inputs: types.Shape) -> tuple[Edit, ...]:
    return (Edit(layer.arguments[0].value.span, shaped(inputs)),)


def _dense(node: Expression) -> Call | None:
    """A layer whose outputs are written as its second argument."""
    if not (isinstance(node, Call) and isinstance(node.function, Name)):
        return None
    known = LAYERS.get(node.function.text)
    is_dense = known is not None and [each.name for each in known.required][1:] == ["outputs"]
    return node if is_dense and len(node.arguments) == 2 else None


def _written(argument: Argument) -> str:
    """An argument as it is written, if that is short."""
    label = f"{argument.label}:" if argument.label else ""
    match argument.value:
        case Integer(digits=text) | Name(text=text):
            return label + clip(text)
        case Shape(axes=axes) if all(isinstance(each, Integer) for each in axes):
            words = " ".join(each.digits for each in axes if isinstance(each, Integer))
            return f"{label}[{clip(words)}]"
        case _:
            return f"{label}…"


def _inputs(shape: types.Shape) -> str:
    match shape:
        case (only,):
            return f"{only} input" if only == 1 else f"{only} inputs"
        case _:
            return shaped(shape)
