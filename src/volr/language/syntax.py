"""The syntax tree: a program without its layout and spelling.

    program  ::= expr
    expr     ::= "let" name { name } "=" expr "in" expr          Let
               | parallel
    parallel ::= sequence { ("⊖" | "|") sequence }               Parallel
    sequence ::= sum      { ("⦶" | ">>") sum                     Sequence
                          | ("↺" | "<<") sum }                   Loop
    sum      ::= product  { ("⊕" | "+") product                  Sum
                          | "-" product }                        Arithmetic
    product  ::= call     { ("*" | "/") call }                   Arithmetic
    call     ::= atom { argument }                               Call
    argument ::= atom | name ":" atom                            Argument
    atom     ::= integer | name | "_" | "[" atom { atom } "]" | "(" expr ")"
    name     ::= letter or "_", then letters, digits, "_" or "'"
    comment  ::= "//" to the end of the line | "/*" … "*/"

Each production has a class. Operators associate to the left, so a chain of them is a tree that
leans to the left. Parentheses only change the shape of the tree. A span covers the text of its node
without parentheses around it, and does not count for equality.

A tree may be as deep as its program is long, so no code that reads a tree recurses.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, TypeAlias, cast

from volr.language.refused_operators import Refusing, no_network
from volr.source import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

NOWHERE = Span(0, 0)
"""The span of a node that was not read from a text."""

_REPR_PIECES = 400
_HASH_PIECES = 64


class Node(Refusing):
    """The base of all nodes: comparison, and the operators in Python's spelling."""

    __slots__ = ()

    def __rshift__(self, other: Node) -> Sequence:
        return Sequence(*_sides(">>", self, other))

    def __lshift__(self, other: Node) -> Loop:
        return Loop(*_sides("<<", self, other))

    def __or__(self, other: Node) -> Parallel:
        return Parallel(*_sides("|", self, other))

    def __add__(self, other: Node) -> Sum:
        return Sum(*_sides("+", self, other))

    def __eq__(self, other: object) -> bool:
        left, right = _production(self), _production(other)
        return NotImplemented if left is None or right is None else _equal(left, right)

    def __hash__(self) -> int:
        return hash(tuple(islice(_pieces(self), _HASH_PIECES)))

    def __repr__(self) -> str:
        pieces = list(islice(_pieces(self), _REPR_PIECES + 1))
        cut = ["…"] if len(pieces) > _REPR_PIECES else []
        return "".join(pieces[:_REPR_PIECES] + cut)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Let(Node):
    """``let name = value in body``; with ``parameters``, the name is a function."""

    name: str
    value: Expression
    body: Expression
    parameters: tuple[Name, ...] = ()
    span: Span = field(default=NOWHERE, compare=False)
    name_span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Parallel(Node):
    """``left ⊖ right``."""

    left: Expression
    right: Expression
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Sequence(Node):
    """``left ⦶ right``."""

    left: Expression
    right: Expression
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Loop(Node):
    """``left ↺ right``."""

    left: Expression
    right: Expression
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Sum(Node):
    """``left ⊕ right`` of networks, or ``left + right`` of numbers; ``sign`` is as written."""

    left: Expression
    right: Expression
    span: Span = field(default=NOWHERE, compare=False)
    sign: str = field(default="+", compare=False)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Arithmetic(Node):
    """``left - right``, ``left * right`` or ``left / right``; ``sign`` says which."""

    sign: str
    left: Expression
    right: Expression
    span: Span = field(default=NOWHERE, compare=False)
    sign_span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Argument(Node):
    """``value`` in a call, or ``label:value``."""

    value: Expression
    label: str = ""
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Call(Node):
    """``function argument …``, with at least one argument."""

    function: Expression
    arguments: tuple[Argument, ...]
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Shape(Node):
    """``[axis axis …]``."""

    axes: tuple[Expression, ...]
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Name(Node):
    """The use of a name, or a parameter of a function."""

    text: str
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Integer(Node):
    """A whole number, by its decimal digits without leading zeros.

    It is not an ``int``, because Python refuses to convert very long numbers. A number below zero,
    which no program may have, has a sign.
    """

    digits: str
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Blank(Node):
    """``_``, the shape of what comes before."""

    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Hole(Node):
    """A place where a mistake left nothing to read. Only programs with mistakes have one."""

    span: Span = field(default=NOWHERE, compare=False)


Expression: TypeAlias = (
    Let
    | Parallel
    | Sequence
    | Loop
    | Sum
    | Arithmetic
    | Argument
    | Call
    | Shape
    | Name
    | Integer
    | Blank
    | Hole
)


def children(node: Expression) -> tuple[Expression, ...]:
    """The expressions directly below a node, in the order of the text."""
    match node:
        case Let():
            return (*node.parameters, node.value, node.body)
        case Parallel() | Sequence() | Loop() | Sum() | Arithmetic():
            return (node.left, node.right)
        case Argument():
            return (node.value,)
        case Call():
            return (node.function, *node.arguments)
        case Shape():
            return node.axes
        case Name() | Integer() | Blank() | Hole():
            return ()


def parts(root: Expression) -> Iterator[Expression]:
    """All nodes of a tree, in the order of the text."""
    todo = [root]
    while todo:
        yield (node := todo.pop())
        todo += reversed(children(node))


def _sides(sign: str, left: Node, right: object) -> tuple[Expression, Expression]:
    """The sides of an operator. Raises ``TypeError`` if the right one is no network."""
    one, two = _production(left), _production(right)
    if one is None or two is None:
        raise no_network(sign, right)
    return one, two


def _production(node: object) -> Expression | None:
    known = isinstance(node, Node)
    return cast("Expression", node) if known else None


def _own(node: Expression) -> str:
    """The fields of a node that are not children."""
    match node:
        case Let():
            return node.name
        case Arithmetic():
            return node.sign
        case Argument():
            return node.label
        case Name():
            return node.text
        case Integer():
            return node.digits
        case _:
            return ""


def _equal(a: Expression, b: Expression) -> bool:
    """Equality of trees. Two parts that occur often are compared once."""
    pairs = [(a, b)]
    seen: set[tuple[int, int]] = set()
    while pairs:
        one, other = pairs.pop()
        ids = (id(one), id(other))
        if one is other or ids in seen:
            continue
        seen.add(ids)
        if type(one) is not type(other) or _own(one) != _own(other):
            return False
        below = (children(one), children(other))
        if len(below[0]) != len(below[1]):
            return False
        pairs += zip(*below, strict=True)
    return True


def _pieces(root: Node) -> Iterator[str]:
    """The tree as Python would write it, piece by piece: equal trees give equal pieces."""
    todo: list[Node | str] = [root]
    while todo:
        item = todo.pop()
        if isinstance(item, str):
            yield item
            continue
        node = _production(item)
        own, below = ("", ()) if node is None else (_own(node), children(node))
        yield f"{type(item).__name__}({own!r}" if own else f"{type(item).__name__}("
        todo.append(")")
        for index in reversed(range(len(below))):
            todo.append(below[index])
            if own or index:
                todo.append(", ")
