"""Calls of layers, of ``repeat`` and of functions."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from volr.language import function_messages, terms
from volr.language.blame import Entered
from volr.language.layer_calls import LayerCalls
from volr.language.layers import Layer
from volr.language.syntax import (
    Blank,
    Call,
    Integer,
    Let,
)
from volr.language.values import (
    Absent,
    Before,
    Binding,
    Function,
    NetValue,
    Number,
    ShapeValue,
    Unknown,
    Value,
    Width,
    key_of,
)

if TYPE_CHECKING:
    from volr.language.rules import Rule


class Calls(LayerCalls):
    """The rules of calls."""

    def call(self, node: Call, before: Before) -> Rule[Value]:
        function = self.function_of(node.function)
        if function is not None:
            node = self.unbracketed(node, function)
            if any(each.label for each in node.arguments):
                node = self.placed(node, function, before)
        if (at := self._second_part(node, function)) is not None:
            return self._two_in_one(node, at, function, before)
        match function:
            case Layer():
                return self.layer(node, function, before)
            case Let():
                return self._apply(node, function, before)
            case str():
                return self._repeat(node, function, before)
            case None:
                return self._no_function(node, before)

    # What is no call of a function with its arguments.

    def _second_part(self, node: Call, function: Let | Layer | str | None) -> int | None:
        """The argument that begins another network, if the operator before it is missing."""
        most = self.wanted(function)
        for index, argument in enumerate(node.arguments):
            if argument.label or isinstance(argument.value, Integer):
                continue
            if self.function_of(argument.value) is not None:
                return index
            if index >= most and self.is_network(argument.value):
                return index
        return None

    def _two_in_one(
        self, node: Call, at: int, function: Let | Layer | str | None, before: Before
    ) -> Rule[Value]:
        """``dense 2 4 dense 4 2``, and ``repeat 3 dense 2 2``."""
        second, rest = node.arguments[at].value, node.arguments[at + 1 :]
        called = self.function_of(second)
        if at < self.wanted(function) and called is not None and not isinstance(function, Layer):
            end = (node.arguments[at : at + 1 + self.wanted(called)])[-1].span.end
            say = function_messages.parentheses_missing
            self.report(second, say, second, end, called)
            return Unknown()
        first = node.function
        if at:
            first = self.made(Call(first, node.arguments[:at], node.span))
        left = yield self.value(first, before)
        # In the place of a size, or as the value of a name, the number may be what was meant.
        in_row = isinstance(before, Width) or before is Absent.NOTHING
        if at == 0 and isinstance(left, Number | ShapeValue) and in_row:
            return (yield self.value(self.number_first(node), before))
        part = self.made(Call(second, rest, second.span)) if rest else second
        after = left.outputs if isinstance(left, NetValue) else None
        right = yield self.value(part, after or Absent.LOST)
        sign = "⦶"
        if isinstance(left, NetValue) and isinstance(right, NetValue):
            one, two = left.inputs, right.inputs
            fits = after and two and after.shape == two.shape
            sign = "⊖" if not fits and one and two and one.shape == two.shape else "⦶"
        # What stands before may have a mistake of its own, which says enough.
        whole = at == 0 and not isinstance(left, Unknown) if function is None else True
        if whole and at >= self.wanted(function):
            say = function_messages.operator_missing
            self.report(node.arguments[at], say, node.arguments[at], sign)
        return Unknown()

    def _no_function(self, node: Call, before: Before) -> Rule[Value]:
        """A number, a shape or a network with arguments."""
        value: Value = yield self.value(node.function, before)
        given: list[Value] = []
        for each in node.arguments:
            if not isinstance(each.value, Blank):
                argument = yield self.value(each.value, Absent.LOST)
                given += [argument]
        match value, given:
            case Unknown(), _:
                pass
            case Number() | ShapeValue(), [Number() | ShapeValue() | Unknown()]:
                if not self.belongs_before(node):
                    self.report(node.function, function_messages.layer_missing, node)
            case Number(), _:
                self.misuse_call(node, "number")
            case ShapeValue(), _:
                self.misuse_call(node, "shape")
            case NetValue(), _:
                self.misuse_call(node, "network")
        return Unknown()

    def misuse_call(self, node: Call, what: str) -> None:
        self.report(
            node.function, function_messages.no_function, node, what, self.let_of(node.function)
        )

    # ``repeat`` and functions.

    def _repeat(self, node: Call, function: str, before: Before) -> Rule[Value]:
        node = self.swapped(node)
        if not self._all_given(node, function, 2):
            return Unknown()
        count, body = (each.value for each in node.arguments)
        times = yield self.value(count, Absent.LOST)
        many = isinstance(times, Number) and times.huge
        noun = "the number of times"
        number = Number(terms.MANY, 61) if many else self.number(times, count, noun)
        large = self.at_least(number, count, 1, noun)
        value = self.network((yield self.value(body, before)), body, "repeat")
        fits = self.same("repeat", "repeat", body, value.inputs, value.outputs, value, value)
        term = None
        if fits and large and value.term is not None and number.size is not None:
            tails, single = value.term.bulk.tails.at(1), value.term.bulk.single
            if tails > 1 and single is not None:
                say = function_messages.several_before
                self.report(single, say, body, single.span, tails)
            else:
                term = terms.Repeat(number.size, value.term, node.span)
        outputs = value.outputs or value.inputs
        return NetValue(value.inputs, outputs, term, node, node, open=value.open)

    def _all_given(self, node: Call, function: Let | str, wanted: int) -> bool:
        """Whether a function has as many arguments as it takes, and no label."""
        for each in node.arguments:
            if each.label:
                self.report(each, function_messages.unknown_label, each, function)
                return False
        found = len(node.arguments)
        if found < wanted:
            self.report(node, function_messages.too_few, node, function, found, wanted)
        elif found > wanted:
            extra = node.arguments[wanted:]
            say = function_messages.too_many
            self.report(extra[0], say, extra, node, function, wanted)
        return found == wanted

    def _apply(self, node: Call, let: Let, before: Before) -> Rule[Value]:
        """The value of a function, checked with these arguments."""
        function = self.bound.get(id(let))
        if not isinstance(function, Function) or not self._all_given(
            node, let, len(let.parameters)
        ):
            return Unknown()
        arguments: list[Binding] = []
        fills = False
        for each in node.arguments:
            argument = each.value
            binding = self.binding_of(argument)
            if isinstance(argument, Blank):
                width = self.blank(argument, before)
                fills = True
                value: Value = Unknown()
                if width is not None:
                    value = ShapeValue(width.shape, width.origin)
                binding = Binding(value, None, argument)
            elif binding is None:
                self.findings.within += 1
                value = yield self.value(argument, Absent.OPEN)
                self.findings.within -= 1
                binding = Binding(value, None, argument)
            arguments.append(binding)
        key = (tuple(each.key() for each in arguments), key_of(before))
        if key not in function.results:
            names = [id(each) for each in let.parameters]
            kept = {each: self.bound[each] for each in names if each in self.bound}
            self.bound |= zip(names, arguments, strict=True)
            self.findings.enter(Entered(node.span, "called here"))
            function.results[key] = yield self.value(let.value, before)
            self.findings.leave()
            self.bound |= kept
        value = function.results[key]
        if isinstance(value, NetValue):
            is_open = value.open or (fills and before is Absent.OPEN)
            return replace(value.called_at(node), open=is_open)
        return value
