"""The rules of numbers: sums, differences, products and quotients."""

from __future__ import annotations

from typing import TYPE_CHECKING

from volr.language import reading_messages, type_messages
from volr.language.readings import Readings
from volr.language.values import Absent, Before, NetValue, Number, ShapeValue, Unknown, Value

if TYPE_CHECKING:
    from volr.language.rules import Rule
    from volr.language.syntax import Arithmetic, Sum


class Numbers(Readings):
    """The rules of numbers."""

    def arithmetic(self, node: Arithmetic, before: Before) -> Rule[Value]:
        if (call := self.meant(node)) is not None:
            return (yield self.value(call, before))
        if self.in_a_row(node):
            return Unknown()
        one = yield self.value(node.left, Absent.LOST)
        two = yield self.value(node.right, Absent.LOST)
        return self.computed(node, node.sign, one, two)

    def in_a_row(self, node: Sum | Arithmetic) -> bool:
        """Whether a side is several numbers with nothing between them, which is reported."""
        for side, other in ((node.left, node.right), (node.right, node.left)):
            if self.several(side) and (self.is_number(other) or self.several(other)):
                self.report(side, reading_messages.in_a_row, side)
                return True
        return False

    def computed(self, node: Sum | Arithmetic, sign: str, one: Value, two: Value) -> Value:
        if isinstance(one, Unknown) and isinstance(two, Unknown):
            return Unknown()
        match one, two:
            case (NetValue(), Number()) if sign == "*":
                self.report(node, reading_messages.times, node, node.left, one, node.right)
                return Unknown()
            case (Number(), NetValue()) if sign == "*":
                self.report(node, reading_messages.times, node, node.right, two, node.left)
                return Unknown()
            case _:
                pass
        left = self.operand(one, node.left, sign)
        right = self.operand(two, node.right, sign)
        if isinstance(one, NetValue | ShapeValue) or isinstance(two, NetValue | ShapeValue):
            return Unknown()
        for value, side in ((left, node.left), (right, node.right)):
            if value.huge:
                self.report(value.origin or side, type_messages.large_number, value.origin or side)
        a, b = left.size, right.size
        if a is None or b is None:
            return Number(None, 1, node)
        match sign:
            case "-":
                size = a - b
            case "*":
                size = a * b
            case "/":
                if b == 0 or a % b:
                    self.report(node, type_messages.division, node, a, b)
                    return Number(None, 1, node)
                size = a // b
            case _:
                size = a + b
        digits = len(str(abs(size)))
        return Number(size if digits <= self.EXACT_DIGITS else None, digits, node)
