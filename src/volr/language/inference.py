"""From syntax tree to typed term. Unknown names and shapes that do not fit get a diagnostic.

    Γ ⊢ e : net S T,  Γ ⊢ e' : net T U            ⟹   Γ ⊢ e ⦶ e' : net S U
    Γ ⊢ e : net S [c R],  Γ ⊢ e' : net S [c' R]   ⟹   Γ ⊢ e ⊖ e' : net S [c + c' R]
    Γ ⊢ e : net S T,  Γ ⊢ e' : net S T            ⟹   Γ ⊢ e ⊕ e' : net S T
    Γ ⊢ e : net S T,  Γ ⊢ f : net T T             ⟹   Γ ⊢ e ↺ f : net S T
    Γ ⊢ n : int,  Γ ⊢ e : net S S                 ⟹   Γ ⊢ repeat n e : net S S
    Γ ⊢ e : τ,  Γ[x:τ] ⊢ e' : τ'                  ⟹   Γ ⊢ let x = e in e' : τ'

and a layer has the type that its entry in ``layers`` gives. Each rule also gets the shape of what
comes *before* the expression, which `_` stands for. A value with a `_` that nothing has filled in
is *open*: each use of its name is checked anew, once for each shape. A function is checked at each
call, once for each list of arguments (``calls``).

A shape or a part that a mistake leaves unknown fits everything, so the mistake is reported once. An
unknown name, or a wrong number that is used often, is reported once as well (`blame`).

The rules are generators (``rules``). They read like a recursion, but do not recurse.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from volr.language import (
    function_messages,
    mismatch_messages,
    reading_messages,
    terms,
    type_messages,
)
from volr.language.blame import Entered
from volr.language.calls import Calls
from volr.language.rules import Rule, run
from volr.language.scoping import Scoping, scoped
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
    from collections.abc import Callable, Mapping

    from volr.language import types
    from volr.source import Diagnostic


@dataclass(frozen=True)
class Inferred:
    """The value of an expression, and its mistakes, whose words are made on demand.

    ``filled`` has, by the identity of each `_`, the shapes that it stands for.
    """

    value: Value
    findings: tuple[Callable[[], Diagnostic], ...]
    filled: Mapping[int, set[types.Shape]]

    def diagnostics(self) -> list[Diagnostic]:
        return [finding() for finding in self.findings]


def inferred(
    expression: Expression,
    scoping: Scoping | None = None,
    rules: Callable[[Scoping], Inference] | None = None,
) -> Inferred:
    """The value of a whole program. ``rules`` makes others than the usual ones."""
    scoping = scoping or scoped(expression)
    inference = (rules or Inference)(scoping)
    value = run(inference.value(expression, Absent.NOTHING))
    found = (*scoping.findings, *inference.findings.all())
    return Inferred(value, found, inference.filled)


class Inference(Calls):
    """The rules of names and operators."""

    def value(self, node: Expression, before: Before) -> Rule[Value]:
        if self.exhausted(node):
            return self._leaf(Hole(node.span))
        match node:
            case Call():
                return self.call(node, before)
            case Sequence():
                return self._sequence(node, before)
            case Name():
                return self._name(node, before)
            case Integer() | Blank() | Hole():
                return self._leaf(node)
            case Shape():
                return self._shape(node)
            case Parallel():
                return self._parallel(node, before)
            case Let():
                return self._let(node, before)
            case Sum():
                return self._sum(node, before)
            case Loop():
                return self._loop(node, before)
            case Arithmetic():
                return self.arithmetic(node, before)
            case Argument():
                return self.value(node.value, before)

    def _leaf(self, node: Integer | Blank | Hole) -> Rule[Value]:
        yield from ()
        match node:
            case Hole():
                return Unknown()
            case Blank():
                place = "this is not the place of an input shape"
                self.report(node, function_messages.blank_misplaced, node, place)
                return Unknown()
            case Integer():
                return self.integer(node)

    def _let(self, node: Let, before: Before) -> Rule[Value]:
        shadowed = self.bound.get(id(node))
        if node.parameters:
            self.bound[id(node)] = Function(node)
        else:
            self.findings.within += 1
            value = yield self.value(node.value, Absent.OPEN)
            self.findings.within -= 1
            self.bound[id(node)] = Binding(value, node, node.value)
        body = yield self.value(node.body, before)
        if shadowed is not None:
            self.bound[id(node)] = shadowed
        return body

    def _name(self, node: Name, before: Before) -> Rule[Value]:
        binding = self.binding_of(node)
        if binding is None:
            if (function := self.function_of(node)) is not None:
                after = isinstance(before, Width)
                self.report(node, function_messages.needs_arguments, node, function, after)
                self.bare = node
            return Unknown()
        value = binding.value
        if not isinstance(value, NetValue):
            return value
        if value.open and before is Absent.LOST:
            value = replace(value, open=False)
        elif value.open and before is not Absent.OPEN:
            key = key_of(before)
            if key not in binding.by_shape:
                self.findings.enter(Entered(node.span, "used here"))
                binding.by_shape[key] = yield self.value(binding.expression, before)
                self.findings.leave()
            value = binding.by_shape[key]
        return value.used_at(node) if isinstance(value, NetValue) else value

    def _shape(self, node: Shape) -> Rule[Value]:
        sizes: list[int] = []
        origins: list[Expression] = []
        for axis in node.axes:
            if self.several(axis):
                self.report(axis, reading_messages.in_a_row, axis)
                continue
            number = self.number((yield self.value(axis, Absent.LOST)), axis, "a size")
            if number.size is not None:
                sizes.append(number.size)
                origins.append(number.origin or axis)
        if len(sizes) < len(node.axes):
            return ShapeValue(None, node)
        return ShapeValue(tuple(sizes), node, tuple(origins))

    # Operators between networks.

    def _parallel(self, node: Parallel, before: Before) -> Rule[Value]:
        left = self.network((yield self.value(node.left, before)), node.left, "⊖")
        right = self.network((yield self.value(node.right, before)), node.right, "⊖")
        fits = self.same("inputs", "⊖", node.right, left.inputs, right.inputs, left, right)
        # If the two would fit one after the other, the operator may be the mistake.
        meant = not fits and _shape_of(left.outputs) == _shape_of(right.inputs)
        outputs, term = None, None
        if left.outputs is not None and right.outputs is not None and not meant:
            one, two = left.outputs.shape, right.outputs.shape
            if one[1:] == two[1:]:
                outputs = Width((min(one[0] + two[0], terms.MANY), *one[1:]), node)
            elif fits:
                say = mismatch_messages.beyond_the_first_axis
                self.report(node.right, say, node.right, left, one, two)
        if left.term and right.term and fits and outputs is not None:
            term = terms.Parallel(left.term, right.term, node.span)
        inputs = right.inputs if left.inputs is None else left.inputs
        return NetValue(inputs, outputs, term, left.side, node, open=left.open or right.open)

    def _sequence(self, node: Sequence, before: Before) -> Rule[Value]:
        left = self.network((yield self.value(node.left, before)), node.left, "⦶")
        between = left.outputs or Absent.LOST
        right = self.network((yield self.value(node.right, between)), node.right, "⦶")
        fits = self.same("then", "⦶", node.right, left.outputs, right.inputs, left, right)
        term = None
        if left.term and right.term and fits and self._can_read(left.term, right.term):
            term = terms.Sequence(left.term, right.term, node.span)
        # If the two would fit side by side, the operator may be the mistake.
        meant = not fits and _shape_of(left.inputs) == _shape_of(right.inputs)
        outputs = None if meant else right.outputs
        return NetValue(
            left.inputs, outputs, term, node, node.right, left.layer, left.name, left.open
        )

    def _can_read(self, first: terms.Term, second: terms.Term) -> bool:
        """Whether a part that reads one population does not get several side by side."""
        single = second.bulk.single
        if single is None or (count := first.bulk.tails.at(1)) == 1:
            return True
        say = function_messages.several_before
        self.report(single, say, first, single.span, count)
        return False

    def _loop(self, node: Loop, before: Before) -> Rule[Value]:
        left = self.network((yield self.value(node.left, before)), node.left, "↺")
        between = left.outputs or Absent.LOST
        right = self.network((yield self.value(node.right, between)), node.right, "↺")
        takes = self.same("loop takes", "↺", node.right, left.outputs, right.inputs, left, right)
        fits = takes and self.same(
            "loop gives", "↺", node.right, left.outputs, right.outputs, left, right
        )
        term = None
        if self._ends_alone(node, left, right, "↺") and left.term and right.term and fits:
            term = terms.Loop(left.term, right.term, node.span)
        return NetValue(
            left.inputs, left.outputs, term, node, node, left.layer, left.name, left.open
        )

    def _sum(self, node: Sum, before: Before) -> Rule[Value]:
        if (call := self.meant(node)) is not None:
            return (yield self.value(call, before))
        if self.in_a_row(node):
            return Unknown()
        one = yield self.value(node.left, before)
        two = yield self.value(node.right, before)
        if not isinstance(one, NetValue) and not isinstance(two, NetValue):
            return self.computed(node, node.sign, one, two)
        for value, side in ((one, node.left), (two, node.right)):
            if isinstance(value, Number):
                self.misuse(side, type_messages.number_and_network, node.sign)
                return Unknown()
        left = self.network(one, node.left, "⊕")
        right = self.network(two, node.right, "⊕")
        fits = self.same("inputs", "⊕", node.right, left.inputs, right.inputs, left, right)
        fits = fits and self.same(
            "outputs", "⊕", node.right, left.outputs, right.outputs, left, right
        )
        term = None
        if self._ends_alone(node, left, right, "⊕") and left.term and right.term and fits:
            term = terms.Sum(left.term, right.term, node.span)
        return NetValue(
            left.inputs or right.inputs,
            left.outputs or right.outputs,
            term,
            left.side,
            node,
            open=left.open or right.open,
        )

    def _ends_alone(self, node: Sum | Loop, left: NetValue, right: NetValue, sign: str) -> bool:
        """Whether both sides end in one population, and not in several side by side."""
        alone = True
        for value, side in ((left, node.left), (right, node.right)):
            if value.term is not None and value.term.bulk.tails.at(1) > 1:
                self.report(side, function_messages.ends_side_by_side, side, sign)
                alone = False
        return alone


def _shape_of(width: Width | None) -> types.Shape | None:
    return None if width is None else width.shape
