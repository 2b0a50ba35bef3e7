"""From syntax tree back to text: one line if it fits, otherwise broken at the loosest operators.

    let l1 = dense 2 4 in                    dense 100 20
    let l2 = dense 2 4 in                    ⦶ (dense 20 10 ⊖ dense 20 10)
    (l1 ⊖ l2) ⦶ dense 8 1                    ⦶ dense 20 10

Each comment stays between the same two words, so none is lost and none moves. Parsing a printed
tree gives the tree, and printing that tree gives the text.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from volr.errors import ProgramError
from volr.language.grammar import Token, comments
from volr.language.pretty import Comment, Mark, Piece, Word, lay_out, with_comments
from volr.language.syntax import (
    Dense,
    Expression,
    Hole,
    Integer,
    Let,
    Name,
    Parallel,
    Sequence,
    children,
)
from volr.source import Diagnostic, Source, Span

MOST_NODES = 10_000_000
"""A tree of more nodes, each counted as often as it would be written, is refused."""

Operators: TypeAlias = Mapping[type[Expression], str]
_UNICODE: Operators = {Parallel: "⊖", Sequence: "⦶"}
_ASCII: Operators = {Parallel: "|", Sequence: ">>"}


def format_expression(expression: Expression, *, ascii: bool = False) -> str:
    """A tree as text, in Unicode or ASCII operators, without a line break at the end.

    Raises ``ProgramError`` if it is too large to be written: trees built in Python may use one
    object in many places.
    """
    _refuse_large(expression)
    return lay_out(_pieces(expression, _ASCII if ascii else _UNICODE))


def format_text(expression: Expression, text: str, *, ascii: bool = False) -> str:
    """The text of a tree in the standard layout, with the comments of its source."""
    pieces = _pieces(expression, _ASCII if ascii else _UNICODE)
    found = [_comment(token, text) for token in comments(text)]
    return lay_out(with_comments(pieces, found)) + "\n"


def _pieces(root: Expression, operators: Operators) -> list[Piece]:
    """The row of pieces of a tree, with a slot before it and one after it."""
    found: list[Piece] = [Mark.SLOT]
    todo: list[Expression | Piece] = [Mark.SLOT, root]
    while todo:
        item = todo.pop()
        match item:
            case Mark() | Word() | Comment():
                found.append(item)
            case Let():
                todo += reversed(_lets(item))
            case Parallel() | Sequence():
                todo += reversed(_chain(item, operators))
            case Dense():
                sizes = [_operand(size, Dense, operators) for size in (item.inputs, item.outputs)]
                row = [Word("dense", item.span.start), Mark.SPACE, *sizes[0], Mark.SPACE, *sizes[1]]
                todo += reversed(row)
            case Name():
                found.append(Word(item.text, item.span.start))
            case Integer():
                found.append(Word(item.digits, item.span.start))
            case Hole():
                found.append(Word("…", item.span.start))
    return found


def _lets(let: Let) -> list[Expression | Piece]:
    """A `let` and all those in its body, one in each line if the first is broken."""
    row: list[Expression | Piece] = [Mark.BEGIN]
    body: Expression = let
    while isinstance(body, Let):
        row += [Word("let", body.span.start), Mark.SPACE, Word(body.name), Mark.SPACE, Word("=")]
        row += [Mark.BEGIN, Mark.INDENT, Mark.SLOT, Mark.BREAK, body.value, Mark.DEDENT]
        row += [Mark.BREAK, Word("in"), Mark.END, Mark.SLOT, Mark.BREAK]
        body = body.body
    return [*row, body, Mark.END]


def _chain(node: Parallel | Sequence, operators: Operators) -> list[Expression | Piece]:
    """All operands of a chain of one operator, which begins each line after the first.

    The lines of a sequence beside another are indented further than the operator between them.
    """
    kind = type(node)
    rights: list[Expression] = []
    first: Expression = node
    while isinstance(first, kind):
        rights.append(first.right)
        first = first.left
    rights.reverse()
    row: list[Expression | Piece] = [Mark.BEGIN, *_operand(first, kind, operators)]
    for right in rights:
        operand = _operand(right, kind, operators)
        row += [Mark.SLOT, Mark.BREAK, Word(operators[kind]), Mark.SPACE, *operand]
    return [*row, Mark.END]


def _operand(
    node: Expression, above: type[Expression], operators: Operators
) -> list[Expression | Piece]:
    """A node below one of the kind ``above``, with parentheses if it binds more loosely."""
    match node:
        case Name() | Integer() | Hole():
            return [node]
        case Dense() if above is not Dense:
            return [node]
        case Sequence() if above is Parallel:
            begin, first, *rest, end = _chain(node, operators)
            return [begin, first, Mark.INDENT, *rest, Mark.DEDENT, end]
        case Let() | Parallel() | Sequence() | Dense():
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
