"""What a program was meant to say where the grammar reads something else.

    dense 2 -4                          reads as a difference, 4 less than `dense 2`
    dense 2*2 3                         reads as a product of `dense 2` and of `2 3`
    repeat (dense 4 4) 3                has its arguments the wrong way round
    conv [1 8 8] channels:4 window:3    has labels that are no labels

Each is reported once, and checked as the call that was meant.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

from volr.language import foreign, function_messages, reading_messages, type_messages
from volr.language.checker import Checker
from volr.language.function_messages import parameter_names
from volr.language.layers import Layer
from volr.language.operands import Computed, all_apart, chain, count, joined, split, with_negative
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

if TYPE_CHECKING:
    from volr.language.operands import Arguments, Signs

_Callee: TypeAlias = Let | Layer | str

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

    def meant(self, node: Computed) -> Call | None:
        """The call that a sum or a product was meant to be, with its mistake reported."""
        first, signs = chain(node)
        callee = first.function if isinstance(first, Call) else first
        function = self.function_of(callee)
        # A call in parentheses is what it is.
        if function is None or not signs or first.span.start != node.span.start:
            return None
        given = first.arguments if isinstance(first, Call) else ()
        wanted = self.wanted(function)
        if count(given) == wanted and all_apart(given, signs):
            return None
        sizes: list[Computed] = []
        negative = with_negative(given, signs) if count(given) < wanted else None
        if negative is None or count(negative[0]) != wanted:
            computed, sizes = self._with_computed(given, signs)
            if computed and (negative is None or count(computed) == wanted):
                call = self.made(Call(callee, computed, node.span))
                self.report(sizes[0], reading_messages.computed_size, sizes, call)
                return call
        if negative is None:
            return None
        arguments, numbers = negative
        for index, number in numbers:
            self.report(number, type_messages.negative, number, self._noun(function, index))
        return self.made(Call(callee, arguments, node.span))

    def _with_computed(self, given: Arguments, signs: Signs) -> tuple[Arguments, list[Computed]]:
        """The arguments if a sign joins those beside it; none if they are no numbers."""
        rows: list[tuple[Argument, Signs]] = [(each, []) for each in given]
        for sign, operand in signs:
            head, rest = split(operand)
            if not (rows and self.is_number(rows[-1][0].value) and self.is_number(head)):
                return (), []
            rows[-1][1].append((sign, head))
            rows += [(each, []) for each in rest]
        arguments: list[Argument] = []
        sizes: list[Computed] = []
        for argument, row in rows:
            if row:
                size = joined(argument.value, row)
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

    def number_first(self, node: Call) -> Expression:
        """The network in ``3 dense 4``, where the number is its first argument or too much."""
        called, rest = node.arguments[0].value, node.arguments[1:]
        number = Argument(node.function, span=node.function.span)
        if count(rest) < self.wanted(self.function_of(called)):
            call = self.made(Call(called, (number, *rest), node.span))
            self.report(node.function, reading_messages.before_its_layer, node, call)
            return call
        self.report(node.function, function_messages.stray_number, node)
        return self.made(Call(called, rest, called.span)) if rest else called

    def several(self, node: Expression) -> tuple[Expression, ...]:
        """Numbers in the place of one, with nothing between them: ``dense (3 4) 5``."""
        if not isinstance(node, Call) or not self.is_number(node.function):
            return ()
        if any(each.label or not self.is_number(each.value) for each in node.arguments):
            return ()
        return (node.function, *(each.value for each in node.arguments))

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
