"""What a program was meant to say where the grammar reads something else.

    dense 2 -4                          reads as a difference, 4 less than `dense 2`
    dense 2*2 3                         reads as a product of `dense 2` and of `2 3`
    repeat (dense 4 4) 3                has its arguments the wrong way round
    conv [1 8 8] channels:4 window:3    has labels that are no labels

Each is reported once, and checked as the call that was meant.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TypeAlias

from volr.language import foreign, reading_messages, type_messages
from volr.language.checker import Checker
from volr.language.function_messages import parameter_names
from volr.language.layers import Layer
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
)
from volr.language.values import Before, NetValue, Number, Width

_Callee: TypeAlias = Let | Layer | str
_Computed: TypeAlias = Arithmetic | Sum
_Arguments: TypeAlias = tuple[Argument, ...]
_Signs: TypeAlias = list[tuple[_Computed, Expression]]

_MOST_SIGNS = 8
"""A longer chain of operators is not taken for an argument."""


class Readings(Checker):
    """Calls that were misread."""

    def is_number(self, node: Expression) -> bool:
        """Whether an expression is a number, as far as its first operand says."""
        for _ in range(_MOST_SIGNS):
            match node:
                case Integer() | Arithmetic():
                    return True
                case Sum():
                    node = node.left
                case Name():
                    binding = self.binding_of(node)
                    return binding is not None and isinstance(binding.value, Number)
                case _:
                    return False
        return False

    def is_network(self, node: Expression) -> bool:
        """Whether an expression is a network, as far as it says without being checked."""
        if isinstance(node, Call | Sequence | Parallel | Loop):
            return True
        binding = self.binding_of(node)
        return binding is not None and isinstance(binding.value, NetValue)

    # Signs between the arguments of a call.

    def meant(self, node: _Computed) -> Call | None:
        """The call that a sum or a product was meant to be, with its mistake reported."""
        first, signs = _chain(node)
        callee = first.function if isinstance(first, Call) else first
        function = self.function_of(callee)
        # A call in parentheses is what it is.
        if function is None or not signs or first.span.start != node.span.start:
            return None
        given = first.arguments if isinstance(first, Call) else ()
        wanted = self.wanted(function)
        sizes: list[_Computed] = []
        negative = _with_negative(given, signs) if _count(given) < wanted else None
        if negative is None or _count(negative[0]) != wanted:
            computed, sizes = self._with_computed(given, signs)
            if computed and (negative is None or _count(computed) == wanted):
                call = self.made(Call(callee, computed, node.span))
                self.report(sizes[0], reading_messages.computed_size, sizes, call)
                return call
        if negative is None:
            return None
        arguments, numbers = negative
        for index, number in numbers:
            self.report(number, type_messages.negative, number, self._noun(function, index))
        return self.made(Call(callee, arguments, node.span))

    def _with_computed(
        self, given: _Arguments, signs: _Signs
    ) -> tuple[_Arguments, list[_Computed]]:
        """The arguments if a sign joins those beside it; none if they are no numbers."""
        rows: list[tuple[Argument, _Signs]] = [(each, []) for each in given]
        for sign, operand in signs:
            head, rest = _split(operand)
            if not (rows and self.is_number(rows[-1][0].value) and self.is_number(head)):
                return (), []
            rows[-1][1].append((sign, head))
            rows += [(each, []) for each in rest]
        arguments: list[Argument] = []
        sizes: list[_Computed] = []
        for argument, row in rows:
            if row:
                size = _joined(argument.value, row)
                sizes.append(size)
                argument = Argument(size, argument.label, argument.span.to(size.span))
            arguments.append(argument)
        return tuple(arguments), sizes

    def _noun(self, function: _Callee, index: int) -> str:
        """What an argument is called in messages."""
        match function:
            case Layer() if index < len(function.required):
                return function.required[index].noun
            case str() if index == 0:
                return "the number of times"
            case _:
                return "a size"

    # Arguments in the wrong place.

    def swapped(self, node: Call) -> Call:
        """``repeat`` with the network before the number, the other way round."""
        if len(node.arguments) != 2:
            return node
        network, count = node.arguments
        if not (self.is_network(network.value) and self.is_number(count.value)):
            return node
        call = self.made(Call(node.function, (count, network), node.span))
        self.report(network, reading_messages.swapped, node, call)
        return call

    def unbracketed(self, node: Call, function: _Callee) -> Call:
        """A call whose arguments stand in brackets, as in ``dense(2 4)``, without these."""
        if len(node.arguments) != 1:
            return node
        [only] = node.arguments
        inner = only.value
        if only.label or not isinstance(inner, Call) or self.wanted(function) < 2:
            return node
        head = inner.function
        if not (isinstance(head, Shape | Blank) or self.is_number(head)):
            return node
        arguments = (Argument(head, span=head.span), *inner.arguments)
        call = self.made(Call(node.function, arguments, node.span))
        self.report(only, reading_messages.in_brackets, only, node.function.span.end, call)
        return call

    def placed(self, node: Call, function: _Callee, before: Before) -> Call:
        """A call with labels that name arguments by their place, with those in their places."""
        names = parameter_names(function)
        named: dict[str, Argument] = {}
        for each in node.arguments:
            own = each.label in names
            name = each.label if own else foreign.parameter_meant(each.label)
            if not each.label or name not in names:
                continue
            if name in named:
                return node
            named[name] = each
        given = [each for each in node.arguments if not each.label]
        free = [name for name in names if name not in named]
        if not named or len(given) > len(free):
            return node
        found = dict(zip(free, given, strict=False)) | {
            name: replace(each, label="") for name, each in named.items()
        }
        start = node.function.span
        takes_input = isinstance(function, Layer) and isinstance(before, Width)
        if takes_input and names[0] not in found:
            found[names[0]] = Argument(Blank(start), span=start)
        complete = all(name in found for name in names)
        arguments = [found.get(name) or Argument(Hole(start), span=start) for name in names]
        labelled = list(named.values())
        others = [each for each in node.arguments if each.label and each not in labelled]
        call = self.made(Call(node.function, (*arguments, *others), node.span))
        meant = None
        if complete:
            others = [replace(each, label=foreign.parameter_meant(each.label)) for each in others]
            meant = Call(node.function, (*arguments, *others), node.span)
        self.report(labelled[0], reading_messages.no_label, labelled, function, meant)
        return call


def _count(arguments: _Arguments) -> int:
    """How many arguments have no label."""
    return sum(not each.label for each in arguments)


def _chain(node: _Computed) -> tuple[Expression, _Signs]:
    """The first operand, and the others in the order of the text, each with its operator.

    Operands that must be in parentheses are not taken apart.
    """
    row: _Signs = []
    left: Expression = node
    while isinstance(left, Arithmetic | Sum) and len(row) < _MOST_SIGNS:
        if row and _is_product(row[-1][0]) and not _is_product(left):
            break
        right: Expression = left.right
        tail: _Signs = []
        while isinstance(right, Arithmetic) and _is_product(right) and not _is_product(left):
            if len(tail) == _MOST_SIGNS:
                return node, []
            tail.append((right, right.right))
            right = right.left
        row += [*tail, (left, right)]
        left = left.left
    return left, row[::-1]


def _is_product(node: _Computed) -> bool:
    return isinstance(node, Arithmetic) and node.sign in ("*", "/")


def _split(operand: Expression) -> tuple[Expression, _Arguments]:
    """An operand, and the arguments that it seems to have."""
    if isinstance(operand, Call):
        return operand.function, operand.arguments
    return operand, ()


def _with_negative(
    given: _Arguments, signs: _Signs
) -> tuple[_Arguments, list[tuple[int, Integer]]] | None:
    """The arguments if each `-` is the sign of the number after it; None if it cannot be."""
    arguments = list(given)
    numbers: list[tuple[int, Integer]] = []
    for sign, operand in signs:
        right, rest = _split(operand)
        if not (isinstance(sign, Arithmetic) and sign.sign == "-" and isinstance(right, Integer)):
            return None
        # In `4-1`, nothing says that the number is one of its own.
        if arguments and arguments[-1].span.end == sign.sign_span.start:
            return None
        number = Integer(f"-{right.digits}", sign.sign_span.to(right.span))
        numbers.append((_count(tuple(arguments)), number))
        arguments += [Argument(Hole(number.span), span=number.span), *rest]
    return tuple(arguments), numbers


def _joined(first: Expression, row: _Signs) -> _Computed:
    """Operands with operators between them as one expression: products bind tighter."""
    terms: list[tuple[_Computed | None, Expression]] = [(None, first)]
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


def _one(sign: _Computed, left: Expression, right: Expression) -> _Computed:
    return replace(sign, left=left, right=right, span=left.span.to(right.span))
