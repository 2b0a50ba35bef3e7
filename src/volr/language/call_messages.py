"""The words for calls that are spelled as in Python or in another framework."""

from __future__ import annotations

from typing import TYPE_CHECKING

from volr.language import foreign
from volr.language.repair.changes import edits
from volr.language.type_messages import activation, no_layer
from volr.source import Diagnostic, Edit, clip

if TYPE_CHECKING:
    from collections.abc import Iterable

    from volr.language.grammar import Token
    from volr.language.repair.changes import Place, Repair

_LONGEST = 80
COMPUTED = "a computed size stands in parentheses"


def unknown_layer(place: Place, repair: Repair) -> Diagnostic:
    """A layer of another framework, or an activation, with its arguments."""
    removed = place.tokens[repair.first.start : repair.first.end]
    name = [removed[0]]
    for token in removed[1:]:
        if token.text != "." and name[-1].text != ".":
            break
        name.append(token)
    word = "".join(token.text for token in name)
    span = name[0].span.to(name[-1].span)
    if foreign.is_activation(word):
        return activation(word, span)
    if (instead := foreign.instead_of(word)) is not None:
        return no_layer(word, span, instead)
    message = f"unknown layer `{clip(word)}`"
    near = foreign.layer_meant(word)
    if near is None:
        layers = ", ".join(f"`{layer}`" for layer in foreign.LAYERS)
        return Diagnostic(span, message, help=f"the layers are {layers}")
    sizes = [token.text for token in removed if token.kind == "INTEGER"]
    if near != "dense" or len(sizes) != 2:
        return Diagnostic(span, message, help=f"write `{foreign.LAYERS[near]}`")
    layer = f"{near} {' '.join(sizes)}"
    edit = Edit(removed[0].span.to(removed[-1].span), layer)
    return Diagnostic(span, message, help=f"write `{clip(layer)}`", edits=(edit,))


def in_brackets(place: Place, repair: Repair) -> Diagnostic:
    """Arguments between brackets, with commas."""
    tokens = place.tokens
    start, end = repair.first.start - 1, repair.splices[-1].end
    words = _words(_changed(place, repair, start, end))
    span = tokens[repair.first.start].span.to(tokens[end - 1].span)
    message = f"the arguments of `{clip(tokens[start].text)}` stand without brackets and commas"
    help = f"write `{clip(words, _LONGEST)}`"
    return Diagnostic(span, message, help=help, edits=edits(place, repair))


def comma(place: Place, repair: Repair) -> Diagnostic:
    following = place.tokens[repair.first.start :]
    found = next(token for token in following if token.text == ",")
    waiting = place.before(repair.first.start).tokens()
    in_shape = any(token.kind == "OPEN_SHAPE" for token in waiting)
    help = f"sizes are separated by a space: `{'[1 28 28]' if in_shape else 'dense 2 4'}`"
    return Diagnostic(found.span, "unexpected `,`", help=help, edits=edits(place, repair))


def computed(place: Place, repair: Repair) -> Diagnostic:
    """A size that is computed within a shape, without parentheses."""
    start, end = (each.start for each in repair.splices[:2])
    words = _words(place.tokens[start:end])
    span = place.tokens[start].span.to(place.tokens[end - 1].span)
    help = f"write `({clip(words)})`"
    return Diagnostic(span, COMPUTED, help=help, edits=edits(place, repair))


def _changed(place: Place, repair: Repair, start: int, end: int) -> list[Token]:
    """The tokens from ``start`` to ``end``, with the repair."""
    found: list[Token] = []
    for splice in repair.splices:
        found += [*place.tokens[start : splice.start], *splice.tokens]
        start = splice.end
    return found + place.tokens[start:end]


def _words(tokens: Iterable[Token]) -> str:
    """Tokens as text. Those that touch in the program do so here too."""
    text, end = "", None
    for token in tokens:
        opens = token.kind in ("OPEN", "OPEN_SHAPE") and _ends_word(text)
        apart = (token.start != end and text[-1:] not in ("(", "[", ":", "")) or opens
        text += " " * (apart and token.text not in (")", "]", ":")) + token.text
        end = token.end
    return text


def _ends_word(text: str) -> bool:
    return text[-1:].isalnum() or text[-1:] in ("_", "'", ")", "]")
