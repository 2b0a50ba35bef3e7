"""From syntax tree back to text: one line if it fits, otherwise broken at the loosest operators.

    let l1 = dense 2 4 in                    dense 100 20
    let l2 = dense 2 4 in                    ⦶ (dense 20 10 ⊖ dense 20 10)
    (l1 ⊖ l2) ⦶ dense 8 1                    ⦶ dense 20 10

Each comment stays between the same two words, so none is lost and none moves. Parsing a printed
tree gives the tree, and printing that tree gives the text.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from volr.errors import ProgramError
from volr.language.grammar import Token, comments
from volr.language.kinds import sums_of_networks
from volr.language.pretty import Comment, Mark, Piece, Word, lay_out, with_comments
from volr.language.syntax import (
    Argument,
    Arithmetic,
    Blank,
    Call,
    Expression,
    Hole,
    Integer,
    Let,
    Loop,
    Name,
    Parallel,
    Sequence,
    Shape,
    Sum,
    children,
)
from volr.source import Diagnostic, Source, Span

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_NODES = 10_000_000
"""A tree of more nodes, each counted as often as it would be written, is refused."""

_ASCII = {"⊖": "|", "⦶": ">>", "↺": "<<", "⊕": "+"}
_Binary: TypeAlias = Parallel | Sequence | Loop | Sum | Arithmetic
_Row: TypeAlias = "list[Expression | Piece]"


def format_expression(expression: Expression, *, ascii: bool = False) -> str:
    """A tree as text, in Unicode or ASCII operators, without a line break at the end.

    Raises ``ProgramError`` if it is too large to be written: trees built in Python may use one
    object in many places.
    """
    _refuse_large(expression)
    return lay_out(_Printer(ascii, sums_of_networks(expression)).pieces(expression))


def format_text(
    expression: Expression,
    text: str,
    *,
    ascii: bool = False,
    filled: Mapping[int, str] | None = None,
) -> str:
    """The text of a tree in the standard layout, with the comments of its source.

    ``filled`` has what to write for some of its `_`, by their identity.
    """
    printer = _Printer(ascii, sums_of_networks(expression), filled or {})
    found = [_comment(token, text) for token in comments(text)]
    return lay_out(with_comments(printer.pieces(expression), found)) + "\n"


@dataclass(frozen=True)
class _Printer:
    """From trees to pieces. ``sums`` are those that are of networks, by identity."""

    ascii: bool
    sums: set[int]
    filled: Mapping[int, str] = field(default_factory=dict[int, str])

    def pieces(self, root: Expression) -> list[Piece]:
        """The row of pieces of a tree, with a slot before it and one after it."""
        found: list[Piece] = [Mark.SLOT]
        todo: _Row = [Mark.SLOT, root]
        while todo:
            item = todo.pop()
            match item:
                case Mark() | Word() | Comment():
                    found.append(item)
                case Let():
                    todo += reversed(_lets(item))
                case Parallel() | Sequence() | Loop() | Sum() | Arithmetic():
                    todo += reversed(self._chain(item))
                case Call():
                    row = _operand(item.function, _ATOM)
                    for each in item.arguments:
                        row += [Mark.SPACE, each]
                    todo += reversed(row)
                case Argument(value=value, label=label):
                    row = _operand(value, _ATOM)
                    todo += reversed([Word(f"{label}:", item.span.start), *row] if label else row)
                case Shape():
                    row = [Word("[", item.span.start)]
                    for index, each in enumerate(item.axes):
                        row += [Mark.SPACE] if index else []
                        row += _operand(each, _ATOM)
                    todo += reversed([*row, Word("]")])
                case Name() | Integer() | Blank() | Hole():
                    found.append(Word(self._leaf(item), item.span.start))
        return found

    def _leaf(self, node: Name | Integer | Blank | Hole) -> str:
        match node:
            case Name():
                return node.text
            case Integer():
                return node.digits
            case Blank():
                return self.filled.get(id(node), "_")
            case Hole():
                return "…"

    def _sign(self, node: _Binary) -> str:
        match node:
            case Parallel():
                sign = "⊖"
            case Sequence():
                sign = "⦶"
            case Loop():
                sign = "↺"
            case Sum():
                sign = "⊕" if id(node) in self.sums else "+"
            case Arithmetic():
                sign = node.sign
        return _ASCII.get(sign, sign) if self.ascii else sign

    def _chain(self, node: _Binary) -> _Row:
        """All operands of a chain of equal precedence, of which the operators begin the lines.

        The lines of a sequence beside another are indented further than the operator between them.
        """
        level = _level(node)
        rights: list[tuple[str, Expression]] = []
        first: Expression = node
        while isinstance(first, _Binary) and _level(first) == level:
            rights.append((self._sign(first), first.right))
            first = first.left
        row: _Row = [Mark.BEGIN, *self._side(first, level)]
        for sign, right in reversed(rights):
            row += [Mark.SLOT, Mark.BREAK, Word(sign), Mark.SPACE, *self._side(right, level)]
        return [*row, Mark.END]

    def _side(self, node: Expression, level: int) -> _Row:
        if isinstance(node, _Binary) and _level(node) > level:
            begin, first, *rest, end = self._chain(node)
            return [begin, first, Mark.INDENT, *rest, Mark.DEDENT, end]
        return _operand(node, level + 1)


_LET, _PARALLEL, _SEQUENCE, _SUM, _PRODUCT, _CALL, _ATOM = range(7)
_LEVELS: dict[type[Expression], int] = {
    Let: _LET,
    Parallel: _PARALLEL,
    Sequence: _SEQUENCE,
    Loop: _SEQUENCE,
    Sum: _SUM,
    Arithmetic: _SUM,
    Call: _CALL,
}


def _is_product(node: Expression) -> bool:
    return isinstance(node, Arithmetic) and node.sign != "-"


def _level(node: Expression) -> int:
    """How tightly a node binds."""
    return _PRODUCT if _is_product(node) else _LEVELS.get(type(node), _ATOM)


def _lets(let: Let) -> _Row:
    """A `let` and all those in its body, one in each line if the first is broken."""
    row: _Row = [Mark.BEGIN]
    body: Expression = let
    while isinstance(body, Let):
        row += [Word("let", body.span.start), Mark.SPACE, Word(body.name), Mark.SPACE]
        for each in body.parameters:
            row += [Word(each.text), Mark.SPACE]
        row += [Word("="), Mark.BEGIN, Mark.INDENT, Mark.SLOT, Mark.BREAK, body.value, Mark.DEDENT]
        row += [Mark.BREAK, Word("in"), Mark.END, Mark.SLOT, Mark.BREAK]
        body = body.body
    return [*row, body, Mark.END]


def _operand(node: Expression, least: int) -> _Row:
    """A node where only those fit that bind at least so tightly, or else with parentheses."""
    if _level(node) >= least:
        return [node]
    inner = [Mark.INDENT, Mark.EDGE, node, Mark.DEDENT, Mark.EDGE]
    return [Word("("), Mark.BEGIN, *inner, Mark.END, Word(")")]


def _comment(token: Token, text: str) -> Comment:
    before, after = token.start - 1, token.end
    while before >= 0 and text[before] in " \t\r\f":
        before -= 1
    while after < len(text) and text[after] in " \t\r\f":
        after += 1
    alone = before < 0 or text[before] == "\n"
    last = after == len(text) or text[after] == "\n" or "\n" in token.text
    shown = token.text.rstrip() if token.text.startswith("//") else token.text
    return Comment(shown, token.start, alone, last)


def _refuse_large(root: Expression) -> None:
    counts: dict[int, int] = {}
    todo = [root]
    while todo:
        node = todo[-1]
        missing = [child for child in children(node) if id(child) not in counts]
        if missing:
            todo += missing
            continue
        todo.pop()
        counts[id(node)] = min(
            1 + sum(counts[id(child)] for child in children(node)), MOST_NODES + 1
        )
    if counts[id(root)] > MOST_NODES:
        message = (
            f"this expression is too large: written out, it has more than {MOST_NODES:,} parts"
        )
        help = "every use of a part makes new populations; use fewer"
        raise ProgramError(Source("", "<python>"), [Diagnostic(Span(0, 0), message, help=help)])
