"""Populations of the operations of another program: activations, maxima, and what comes between."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from volr.affine import forms
from volr.affine.forms import Form, SizeError, source
from volr.affine.maps import check_axes, padded
from volr.affine.projections import projected
from volr.affine.shapes import ShapeError, is_identity, shapes_of
from volr.affine.skeleton import Names, Skeleton
from volr.affine.terms import Room, Scaled, as_kernel, factors_of_channels
from volr.affine.values import InexpressibleError, Value, in_order, value_of
from volr.models.activations import ACTIVATIONS, Identity, ReLU
from volr.models.model import ArtificialModel
from volr.network.connectors import Windows

if TYPE_CHECKING:
    from volr.affine.values import Pads
    from volr.checks.arrays import Floats
    from volr.network.connectors import Shape

INPUT, OUTPUT = "input", "output"


@dataclass
class Builder:
    """The populations so far, in the order in which they were made.

    ``activation`` is that of the hidden ones, by its name, once there is one.
    """

    room: Room = field(default_factory=Room)
    shapes: dict[str, Shape] = field(default_factory=dict[str, "Shape"])
    forms: dict[str, Form] = field(default_factory=dict[str, Form])
    largest: dict[str, tuple[str, Windows]] = field(
        default_factory=dict[str, "tuple[str, Windows]"]
    )
    activation: str | None = None
    _names: Names = field(default_factory=Names)
    _nonnegative: set[str] = field(default_factory=set[str])
    # The shapes in which maxima are taken, at both of their ends.
    _maps: list[tuple[str, Shape]] = field(default_factory=list["tuple[str, Shape]"])
    # Whether a population was made that only a ReLU leaves as it is.
    _needs_relu: bool = False

    def input(
        self, shape: Shape, scale: Floats | float = 1.0, offset: Floats | float = 0.0
    ) -> Value:
        """The stimuli x in [0, 1], of which the other program gets x · scale + offset.

        Both are of the ``shape``, or spread over it.
        """
        self.shapes[self._names.free(INPUT)] = shape
        self._nonnegative.add(INPUT)
        form = source(INPUT, shape)
        factors = np.broadcast_to(np.asarray(scale, np.float64), shape).ravel()
        offsets = np.broadcast_to(np.asarray(offset, np.float64), shape).ravel()
        if (factors != 1.0).any():
            form = forms.scaled(form, factors, self.room)
        return value_of(forms.shifted(form, offsets) if offsets.any() else form)

    def use(self, kind: str) -> None:
        """Take the activation of this ``kind``; ``InexpressibleError`` where there is another."""
        if self.activation not in {None, kind} or (self._needs_relu and kind != ReLU.name):
            raise InexpressibleError(
                f"it has the activation {kind}, and others have {self.activation or ReLU.name}: a "
                "network of Volr's has one",
                f"use {self.activation or ReLU.name} everywhere",
            )
        self.activation = kind

    def activated(self, value: Value, kind: str, name: str) -> Value:
        """The value after the activation of this ``kind``: ``name`` is that of its population."""
        self.use(kind)
        parts = [self._activated(part, kind, name) for part in value.parts]
        if value.largest is None:
            return value.of(parts)
        channels = sum(part.shape[0] for part in parts)
        before, windows = (channels, *parts[0].shape[1:]), value.largest
        none = ((0, 0),) * len(windows.window)
        made = Value(before, tuple(parts))
        found = self.maximum(made, windows.window, windows.stride, none, name)
        # It may have got another shape and another order on the way.
        return found if value.order is None else Value(value.shape, found.parts, value.order)

    def _activated(self, form: Form, kind: str, name: str) -> Form:
        if kind == ReLU.name and _is_nonnegative(form, frozenset(self._nonnegative)):
            return form
        term = form.terms[0] if len(form.terms) == 1 else None
        if isinstance(term, Scaled) and is_identity(term):
            # An identity, or a mean, would be passed on without an activation.
            form = replace(form, terms=(as_kernel(term, self.room),))
        return self._population(form, name, nonnegative=kind in {ReLU.name, "sigmoid"})

    def _population(self, form: Form, name: str, *, nonnegative: bool) -> Form:
        name = self._names.free(name)
        self.shapes[name] = form.shape
        self.forms[name] = form
        if nonnegative:
            self._nonnegative.add(name)
        return source(name, form.shape)

    def maximum(self, value: Value, window: Shape, stride: Shape, pads: Pads, name: str) -> Value:
        """The largest of windows. Where they read sums, they wait for an activation."""
        if value.repeated is not None:
            # Copies of a border change no maximum, and zeros do not, either.
            value, border = value.repeated
            pads = tuple((a + c, b + d) for (a, b), (c, d) in zip(pads, border, strict=True))
            if any(n <= max(pad) for n, pad in zip(window, pads, strict=True)):
                raise InexpressibleError(
                    "it has windows of padding alone", "pad less than a window"
                )
        value = in_order(value, self.room)
        check_axes(value, window)
        known = frozenset(self._nonnegative)
        if any(any(each) for each in pads):
            if not all(_is_nonnegative(part, known) for part in value.parts):
                raise InexpressibleError(
                    "it pads a maximum of values that may be below 0",
                    "put a relu right before it, or leave out its padding",
                )
            # Zeros change no maximum of what is not below 0.
            value = padded(value, pads, self.room)
        windows = Windows(tuple(window), tuple(stride))
        if wrong := windows.pool.misfit(value.shape):
            raise SizeError(wrong)
        parts: list[Form] = []
        for part in value.parts:
            found = self._largest(part, windows, name)
            if found is None and _is_nonnegative(part, known) and self.activation in {None, "relu"}:
                self._needs_relu = True
                found = self._largest(
                    self._population(part, f"{name}_maps", nonnegative=True), windows, name
                )
            if found is None:
                return Value(windows.reduced(value.shape), value.parts, None, windows)
            parts.append(found)
        return Value(windows.reduced(value.shape), tuple(parts))

    def _largest(self, form: Form, windows: Windows, name: str) -> Form | None:
        """The largest of windows of one population, times positive numbers by channel."""
        term = form.terms[0] if len(form.terms) == 1 else None
        if not isinstance(term, Scaled) or term.pools:
            return None
        factors = factors_of_channels(term.scale, form.shape)
        offsets = factors_of_channels(form.offset(), form.shape)
        if factors is None or offsets is None or not (factors > 0).all():
            return None
        target = windows.reduced(form.shape)
        each = self._names.free(name)
        self.shapes[each] = target
        self.largest[each] = (term.source, windows)
        self._maps += [(each, target), (term.source, form.shape)]
        if term.source in self._nonnegative:
            self._nonnegative.add(each)
        made, area = source(each, target), math.prod(target[1:])
        if (factors != 1.0).any():
            made = forms.scaled(made, np.repeat(factors, area), self.room)
        return forms.shifted(made, np.repeat(offsets, area)) if offsets.any() else made

    def model(self, value: Value) -> tuple[ArtificialModel, list[str]]:
        """The network that gives a value, and notes on what was written out.

        Raises ``InexpressibleError`` and ``SizeError`` as operations do, ``NetworkError`` for no
        network.
        """
        value = in_order(value, self.room)
        if len(value.shape) > 1 and math.prod(value.shape[1:]) > 1:
            value = Value((value.size,), value.parts)
        outputs: list[str] = []
        for part in value.parts:
            name = self._names.free(OUTPUT)
            self.shapes[name] = part.shape
            self.forms[name] = part
            outputs.append(name)
        self._prune(outputs)
        maps = [(name, shape) for name, shape in self._maps if name in self.shapes]
        try:
            shapes = shapes_of(self.shapes, self.forms, maps)
        except ShapeError as error:
            raise InexpressibleError(str(error)) from error
        found = Skeleton(
            shapes=shapes,
            inputs=(INPUT,),
            outputs=tuple(outputs),
            forms=self.forms,
            room=self.room,
            largest=self.largest,
        )
        ones = {name: np.ones(form.size) for name, form in self.forms.items()}
        biases = {name: form.offset() for name, form in self.forms.items()}
        made = projected(found, ones, biases, spiking=False)
        known = {each.name: each for each in ACTIVATIONS}
        kind = ReLU.name if self._needs_relu else self.activation
        activation = Identity() if kind is None else known[kind]
        return ArtificialModel(made.network, made.parameters, activation), [*made.notes]

    def _prune(self, outputs: list[str]) -> None:
        """Leave out populations that lead to no output."""
        needed, waiting = set[str](), [*outputs, INPUT]
        while waiting:
            name = waiting.pop()
            if name in needed:
                continue
            needed.add(name)
            if name in self.forms:
                waiting += [term.source for term in self.forms[name].terms]
            if name in self.largest:
                waiting.append(self.largest[name][0])
        for table in (self.shapes, self.forms, self.largest):
            for name in [*table]:
                if name not in needed:
                    del table[name]


def _is_nonnegative(form: Form, sources: frozenset[str]) -> bool:
    """Whether no number of a form is below 0, if those of the ``sources`` are not."""
    if form.bias is not None and (form.bias < 0).any():
        return False
    return all(
        term.source in sources
        and bool(((term.scale if isinstance(term, Scaled) else term.weights) >= 0).all())
        for term in form.terms
    )
