"""Operands and operators of a chain such as ``dense 1+2*2 3*3``, in the order of the text."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeAlias

from volr.language.syntax import Argument, Arithmetic, Call, Expression, Hole, Integer, Sum

Computed: TypeAlias = Arithmetic | Sum
Arguments: TypeAlias = tuple[Argument, ...]
Signs: TypeAlias = list[tuple[Computed, Expression]]
"""Operators, each with the operand after it."""

_MOST_SIGNS = 8
"""A longer chain of operators is not taken for an argument."""
_BOTH_SIDES = 2


def count(arguments: Arguments) -> int:
    """How many arguments have no label."""
    return sum(not each.label for each in arguments)


def chain(node: Computed) -> tuple[Expression, Signs]:
    """The first operand, and the others in the order of the text, each with its operator.

    Operands that must be in parentheses are not taken apart.
    """
    row: Signs = []
    left: Expression = node
    while isinstance(left, Arithmetic | Sum) and len(row) < _MOST_SIGNS:
        if row and _is_product(row[-1][0]) and not _is_product(left):
            break
        right: Expression = left.right
        tail: Signs = []
        while isinstance(right, Arithmetic) and _is_product(right) and not _is_product(left):
            if len(tail) == _MOST_SIGNS:
                return node, []
            tail.append((right, right.right))
            right = right.left
        row += [*tail, (left, right)]
        left = left.left
    return left, row[::-1]


def _is_product(node: Computed) -> bool:
    return isinstance(node, Arithmetic) and node.sign in ("*", "/")


def split(operand: Expression) -> tuple[Expression, Arguments]:
    """An operand, and the arguments that it seems to have."""
    if isinstance(operand, Call):
        return operand.function, operand.arguments
    return operand, ()


def with_negative(
    given: Arguments, signs: Signs
) -> tuple[Arguments, list[tuple[int, Integer]]] | None:
    """The arguments if each `-` is the sign of the number after it; None if it cannot be."""
    arguments = list(given)
    numbers: list[tuple[int, Integer]] = []
    for sign, operand in signs:
        right, rest = split(operand)
        if not (isinstance(sign, Arithmetic) and sign.sign == "-" and isinstance(right, Integer)):
            return None
        # In `4-1`, nothing says that the number is one of its own.
        if arguments and arguments[-1].span.end == sign.sign_span.start:
            return None
        number = Integer(f"-{right.digits}", sign.sign_span.to(right.span))
        numbers.append((count(tuple(arguments)), number))
        arguments += [Argument(Hole(number.span), span=number.span), *rest]
    return tuple(arguments), numbers


def joined(first: Expression, row: Signs) -> Computed:
    """Operands with operators between them as one expression: products bind tighter."""
    terms: list[tuple[Computed | None, Expression]] = [(None, first)]
    for sign, operand in row:
        if _is_product(sign):
            terms[-1] = (terms[-1][0], _one(sign, terms[-1][1], operand))
        else:
            terms.append((sign, operand))
    found = terms[0][1]
    for sign, operand in terms[1:]:
        if sign is not None:
            found = _one(sign, found, operand)
    if not isinstance(found, Arithmetic | Sum):
        raise TypeError("an operator joins two operands")
    return found


def _one(sign: Computed, left: Expression, right: Expression) -> Computed:
    return replace(sign, left=left, right=right, span=left.span.to(right.span))


def all_apart(given: Arguments, signs: Signs) -> bool:
    """Whether all operators stand apart from what is on both sides, and join nothing else."""
    end = given[-1].span.end if given else 0
    for sign, operand in signs:
        spaces = operand.span.start - end - len(sign.sign)
        if isinstance(operand, Call) or spaces < _BOTH_SIDES:
            return False
        end = operand.span.end
    return True
