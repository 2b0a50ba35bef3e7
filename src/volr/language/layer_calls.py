"""Calls of layers: which argument is which, and whether each is what the layer takes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from volr.language import function_messages, reading_messages, terms, type_messages
from volr.language.arithmetic import Numbers
from volr.language.layers import Built, Fault, Layer, Parameter
from volr.language.syntax import Argument, Blank, Call, Hole, Integer, Shape
from volr.language.types import Net
from volr.language.values import (
    Absent,
    Before,
    NetValue,
    Number,
    ShapeValue,
    Unknown,
    Value,
    Width,
)

if TYPE_CHECKING:
    from volr.language import types
    from volr.language.rules import Rule

MOST_BYTES = 1 << 40
"""A layer, or a program, whose weights take more, in float64, is refused."""
MOST_NEURONS = MOST_BYTES // terms.BYTES_PER_WEIGHT
"""A shape of more neurons is refused."""


class LayerCalls(Numbers):
    """The rules of layers."""

    def layer(self, node: Call, layer: Layer, before: Before) -> Rule[Value]:
        bound, complete = self._arguments(node, layer, before)
        given: dict[str, types.Shape] = {}
        widths: dict[str, Width] = {}
        huge: list[Number] = []
        asked: list[tuple[Parameter, Argument, Value]] = []
        for parameter, argument in bound:
            written = argument.value
            value: Value = Unknown()
            if isinstance(written, Integer):
                value = self.integer(written)
            elif row := self.several(written):
                if parameter.kind == "int":
                    self.report(argument, reading_messages.in_a_row, written)
                else:
                    self.report(argument, reading_messages.sizes_in_a_row, argument)
                    value = yield self.value(Shape(row, written.span), Absent.LOST)
            elif not isinstance(written, Blank):
                value = yield self.value(written, Absent.LOST)
            elif parameter.kind == "input":
                width = self.blank(written, before)
                if width is not None:
                    given[parameter.name], widths[parameter.name] = width.shape, width
                continue
            else:
                place = f"this is the argument `{parameter.name}`"
                self.report(argument, function_messages.blank_misplaced, written, place)
            # With too few, nobody knows which is which.
            if complete or isinstance(value, NetValue):
                asked.append((parameter, argument, value))
        for parameter, argument, value in asked:
            if isinstance(value, Number) and value.huge and layer.name == "dense":
                huge.append(value)
                continue
            shape = self._shape_for(parameter, argument, value, given, layer, before)
            if shape is not None:
                given[parameter.name] = shape
                origin = value.origin if isinstance(value, Number | ShapeValue) else None
                widths[parameter.name] = Width(shape, origin or argument.value)
        inputs = widths.get(layer.parameters[0].name)
        outputs = widths.get("outputs")
        term = None
        if huge:
            digits = sum(v.digits for _, _, v in asked if isinstance(v, Number)) - len(asked) + 1
            self.report(node, type_messages.huge_layer, node, digits)
        elif complete and all(each.name in given for each, _ in bound):
            built = self._built(layer, given)
            if isinstance(built, Fault):
                blamed = next((a for p, a in bound if p.name == built.parameter), None)
                place = node if blamed is None else blamed.value
                self.report(place, function_messages.fault, node, place, built)
            elif self._is_small(node, built.source, built.target, weights := built.weights):
                type_ = Net(built.source, built.target)
                term = terms.Layer(layer.name, type_, built.becomes, weights, node.span)
                same = built.target == built.source and inputs is not None
                made = inputs if layer.name == "id" and same else Width(built.target, node)
                outputs = outputs or made
        first = node.arguments[0].value if node.arguments else None
        explicit = complete and not isinstance(first, Blank)
        is_open = isinstance(first, Blank) and before is Absent.OPEN
        return NetValue(inputs, outputs, term, node, node, node if explicit else None, open=is_open)

    def _built(self, layer: Layer, given: dict[str, types.Shape]) -> Built | Fault:
        """The layer with its arguments. Programs have many layers that are alike."""
        key = (layer.name, *given.items())
        found = self.built.get(key)
        if found is None:
            found = self.built[key] = layer.build(given)
        return found

    def _arguments(
        self, node: Call, function: Layer, before: Before
    ) -> tuple[list[tuple[Parameter, Argument]], bool]:
        """Which argument each parameter gets, and whether there are enough."""
        given = [each for each in node.arguments if not each.label]
        required = function.required
        if len(given) == len(required) == len(node.arguments):
            return list(zip(required, given, strict=True)), True
        labels = function.labelled
        found: dict[str, tuple[Parameter, Argument]] = {}
        for index, each in enumerate(node.arguments):
            if not each.label:
                continue
            if each.label not in labels:
                self.report(each, function_messages.unknown_label, each, function)
            elif each.label in found:
                end = (node.arguments[index - 1] if index else node.function).span.end
                say = function_messages.label_twice
                self.report(each, say, found[each.label][1], each, end)
            else:
                found[each.label] = (labels[each.label], each)
        missing, places = len(required) - len(given), required
        unreadable = any(isinstance(each.value, Hole) for each in given)
        if missing > 0 and not unreadable:
            blank = any(isinstance(each.value, Blank) for each in given)
            if missing == 1 and given and isinstance(before, Width) and not blank:
                self.report(node, function_messages.input_missing, node, function)
                places = required[1:]
            else:
                say = function_messages.too_few
                self.report(node, say, node, function, len(given), len(required))
        if len(given) > len(required):
            extra = given[len(required) :]
            say = function_messages.too_many
            self.report(extra[0], say, extra, node, function, len(required))
        labels_known = len(found) == len(node.arguments) - len(given)
        return [*zip(places, given, strict=False), *found.values()], missing <= 0 and labels_known

    def _shape_for(
        self,
        parameter: Parameter,
        argument: Argument,
        value: Value,
        given: dict[str, types.Shape],
        layer: Layer,
        before: Before,
    ) -> types.Shape | None:
        """The value of an argument as the layer takes it; None where that is not known."""
        node = argument.value
        name = parameter.noun
        if isinstance(value, ShapeValue) and parameter.kind != "int":
            shape = value.shape if self.at_least(value, node, parameter.least, name) else None
        elif isinstance(value, Number) and (value.size or 0) >= max(parameter.least, 1):
            shape = (value.size or 0,)
        else:
            size = self.number(value, node, name)
            if size.size is None or not self.at_least(size, node, parameter.least, name):
                return None
            shape = (size.size,)
        if shape is None:
            return None
        if parameter.kind == "input" and layer.channels and len(shape) not in (2, 3):
            known = isinstance(before, Width) and len(before.shape) in (2, 3)
            self.report(node, function_messages.wants_channels, node, layer, shape, known)
            return None
        if parameter.kind == "axes":
            source = given.get("inputs")
            if source is None:
                return None
            axes = len(source) - 1
            if len(shape) == 1:
                shape = shape * axes
            elif len(shape) != axes:
                say = function_messages.wants_axes
                self.report(node, say, node, parameter.name, len(shape), axes)
                return None
        return shape

    def _is_small(self, node: Call, source: types.Shape, target: types.Shape, weights: int) -> bool:
        if weights * terms.BYTES_PER_WEIGHT > MOST_BYTES:
            sizes = [math.prod(source), math.prod(target)]
            if math.prod(sizes) != weights:
                sizes = [weights]
            self.report(node, type_messages.large_layer, node, sizes, weights)
            return False
        for shape in (source, target):
            if math.prod(shape) > MOST_NEURONS:
                self.report(node, type_messages.many_neurons, node, shape, MOST_NEURONS)
                return False
        return True
