"""Compare what a back end holds with the model."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from volr.backends.probing import ANOTHER
from volr.backends.readback import ArtificialReadback, Asked, Cells, SpikingReadback, Told
from volr.backends.terms import WINDOWS
from volr.models.activations import AS_GIVEN
from volr.verification.blocks import arrow, close, factor_or_sign, spread_by_pixel, worst
from volr.verification.differences import Comparison, Difference, Tally
from volr.verification.numbers import alike, first_of, near, number_difference
from volr.verification.ticks import tick_difference
from volr.verification.weights import weight_differences

if TYPE_CHECKING:
    from collections.abc import Mapping

    from volr.backends.expected import Expected, ExpectedCells
    from volr.backends.readback import Answer, Ends, Names, Number, Readback
    from volr.checks.arrays import Floats
    from volr.verification.differences import Kind

T = TypeVar("T")

_MERGES = {
    "sum": "sum",
    "max": "largest",
    WINDOWS: "largest of each window",
    ANOTHER: "something else",
}

_MOST_DELAYS = 6


def compare(expected: Expected, found: Readback) -> Comparison:
    """Compare everything that was asked. There is no difference if the back end holds the model.

    What is missing in a readback, neither asked nor told, is a difference too.
    """
    comparing = _Comparing(expected, found)
    comparing.topology()
    comparing.parameters()
    differences = sorted(comparing.differences, key=lambda each: each.kind == "parameters")
    return Comparison(tuple(differences), comparing.fields)


@dataclass
class _Comparing:
    """One comparison: the differences and the tallies so far."""

    expected: Expected
    found: Readback
    differences: list[Difference] = field(default_factory=list[Difference])
    fields: dict[str, Tally] = field(default_factory=dict[str, Tally])

    def differ(self, name: str, where: str, message: str, cause: str | None = None) -> None:
        in_topology = ("populations", "inputs", "outputs", "projections")
        kind: Kind = "topology" if name in in_topology else "parameters"
        name = "weights" if name == "projections" else name
        self.differences.append(Difference(kind, where, message, cause, name))

    def take(self, name: str, answer: Answer[T], count: int = 1) -> T | None:
        """The value if it was asked, None if it was told; it counts as ``count`` values."""
        tally = self.fields.setdefault(name, Tally())
        match answer:
            case Asked(value, note):
                tally.asked += count
                if note and note not in tally.notes:
                    tally.notes += (note,)
                return value
            case Told(why):
                tally.told += count
                if why not in tally.why:
                    tally.why += (why,)
                return None

    def topology(self) -> None:
        expected, found = self.expected, self.found
        sizes = {
            name: self.take("populations", answer) for name, answer in found.populations.items()
        }
        known = {name: size for name, size in sizes.items() if size is not None}
        exchanged = _exchanged_sizes(expected.populations, known)
        for name, size in expected.populations.items():
            if name not in sizes:
                self.differ("populations", name, "the population is missing")
            elif (has := sizes[name]) is not None and has != size:
                message = f"{has} neurons, expected {size}"
                self.differ("populations", name, message, exchanged.get(name))
        for name in sizes:
            if name not in expected.populations:
                self.differ("populations", name, "there is no such population in the model")
        self._names("inputs", found.inputs, expected.inputs)
        self._names("outputs", found.outputs, expected.outputs)

    def _names(self, side: str, answer: Answer[Names], wanted: tuple[str, ...]) -> None:
        has = self.take(side, answer, len(wanted))
        if has is None:
            return
        same = has == frozenset(wanted) if isinstance(has, frozenset) else has == wanted
        if not same:
            message = f"they are {_listed(has)}, expected {_listed(wanted)}"
            self.differ(side, side, message)

    def parameters(self) -> None:
        expected, found = self.expected, self.found
        self._precision()
        for part, answer in found.rest.items():
            for message in self.take(f"rest.{part}", answer) or ():
                self.differ(f"rest.{part}", part, message)
        for ends, weights in expected.weights.items():
            self._weights(ends, weights)
        for ends in found.weights:
            if ends not in expected.weights:
                message = "there is no such projection in the model"
                self.differ("projections", arrow(ends), message)
        for name, bias in expected.biases.items():
            self._bias(name, bias)
        for name in dict.fromkeys((*expected.merges, *found.merges)):
            self._merge(name)
        match found:
            case ArtificialReadback():
                for name in dict.fromkeys((*expected.activations, *found.activations)):
                    self._activation(name, found.activations.get(name))
            case SpikingReadback():
                self._times(found)
                for name in dict.fromkeys((*expected.ticks, *found.ticks)):
                    self._ticks(name, found)
                for name, cells in expected.cells.items():
                    if name in found.populations:
                        self._cells(name, cells, found.cells.get(name))

    def _precision(self) -> None:
        has, most = self.take("precision", self.found.precision), self.expected.precision
        if has is not None and has > most:
            message = f"numbers are held to within {has:.2g} of their size, expected {most:.2g}"
            self.differ("precision", "precision", message)

    def _weights(self, ends: Ends, weights: Floats) -> None:
        answer = self.found.weights.get(ends)
        if answer is None:
            cause = "it leads the other way" if ends[::-1] in self.found.weights else None
            self.differ("projections", arrow(ends), "the projection is missing", cause)
            return
        has = self.take("weights", answer, weights.size)
        if has is None:
            return
        if has.shape != weights.shape:
            cause = "the block is transposed" if has.shape == weights.shape[::-1] else None
            message = f"a block of {list(has.shape)}, expected {list(weights.shape)}"
            self.differ("projections", arrow(ends), message, cause)
            return
        for name, message, cause in weight_differences(self.expected, ends, weights, has):
            self.differ(name, arrow(ends), message, cause)

    def _bias(self, name: str, bias: Floats) -> None:
        if name not in self.found.populations:
            return
        answer, precision = self.found.biases.get(name), self.expected.precision
        if answer is None:
            message = f"biases of the shape none, expected {list(bias.shape)}"
            self.differ("biases", name, message)
            return
        has = self.take("biases", answer, bias.size)
        if has is None:
            return
        if has.shape != bias.shape:
            message = f"biases of the shape {list(has.shape)}, expected {list(bias.shape)}"
            self.differ("biases", name, message)
        elif not (same := close(bias, has, precision)).all():
            message = worst("bias", bias, has, same)
            channels = self.expected.channels(name)
            cause = factor_or_sign(bias, has, precision)
            cause = cause or spread_by_pixel(bias, has, channels, precision)
            self.differ("biases", name, message, cause)

    def _merge(self, name: str) -> None:
        if name not in self.found.populations:
            return
        wanted = self.expected.merges.get(name, "sum")
        answer = self.found.merges.get(name)
        has = "sum" if answer is None else self.take("merges", answer)
        if has is not None and has != wanted:
            cause = "a pool takes the largest in place of the mean" if has == WINDOWS else None
            if wanted == "max" and has == "sum":
                cause = "the mean, or the sum, in place of the largest"
            message = f"the {_MERGES[has]} of what arrives counts, expected the {_MERGES[wanted]}"
            self.differ("merges", name, message, cause)

    def _activation(self, name: str, answer: Answer[str] | None) -> None:
        if name not in self.found.populations:
            return
        is_input = name in self.expected.inputs
        none = AS_GIVEN if is_input else "none"
        wanted = self.expected.activations.get(name, none)
        has = none if answer is None else self.take("activations", answer)
        if has is not None and has != wanted:
            what = "of a stimulus x it sends" if is_input else "the activation"
            self.differ("activations", name, f"{what} {has}, expected {wanted}")

    def _times(self, found: SpikingReadback) -> None:
        expected = self.expected
        dt = self.take("dt", found.dt)
        if dt is not None and expected.dt is not None and not near(dt, expected.dt):
            message = f"dt is {dt:g} ms, expected {expected.dt:g} ms"
            self.differ("dt", "time step", message)
        for ends, wanted in expected.delays.items():
            if ends not in found.weights:
                continue
            if ends not in found.delays:
                self.differ("delays", arrow(ends), "it has no delay")
                continue
            delay = self.take("delays", found.delays[ends])
            if delay is None or alike(delay, wanted):
                continue
            cause = None
            if expected.dt and np.size(delay) == np.size(wanted) == 1:
                steps = (first_of(delay) - first_of(wanted)) / expected.dt
                less = "more" if steps > 0 else "less"
                cause = f"{abs(steps):.3g} step{'s' if abs(steps) != 1 else ''} {less}"
            answer = f"the delay{'s' * (np.size(delay) > 1)} {_times(delay)}"
            message = f"{answer}, expected {_times(wanted)}"
            self.differ("delays", arrow(ends), message, cause)

    def _ticks(self, name: str, found: SpikingReadback) -> None:
        wanted, answer = self.expected.ticks.get(name), found.ticks.get(name)
        if name not in found.populations:
            return
        if wanted is None or answer is None:
            no = "no clock in the model" if wanted is None else "no clock"
            self.differ("ticks", name, f"there is {no}")
            return
        has = self.take("ticks", answer, wanted.size)
        if has is not None and (difference := tick_difference(wanted, has)):
            self.differ("ticks", name, *difference)

    def _cells(self, name: str, wanted: ExpectedCells, answer: Cells | Told | None) -> None:
        if answer is None:
            self.differ("cells.kind", name, "it has no neurons")
            return
        if isinstance(answer, Told):
            answer = Cells(answer, answer, dict.fromkeys(wanted.numbers, answer))
        kind = self.take("cells.kind", answer.kind)
        if kind is not None and kind != wanted.kind:
            self.differ("cells.kind", name, f"neurons of the model {kind}, expected {wanted.kind}")
        reset = self.take("cells.reset", answer.reset)
        if reset is not None and reset != wanted.reset:
            message = f"the reset {reset!r}, expected {wanted.reset!r}"
            self.differ("cells.reset", name, message, "wrong reset")
        for key, number in wanted.numbers.items():
            if key not in answer.numbers:
                # Neurons of another model have other parameters.
                if kind is None or kind == wanted.kind:
                    message = f"it has no {key}, expected {first_of(number):g}"
                    self.differ(f"cells.{key}", name, message)
                continue
            has = self.take(f"cells.{key}", answer.numbers[key])
            if has is None:
                continue
            if wrong := number_difference(has, number, max(self.expected.precision, 1e-9)):
                cause = "wrong reset" if key == "v_reset" else None
                self.differ(f"cells.{key}", name, f"{key} {wrong}", cause)


def _listed(names: Names) -> str:
    return ", ".join(sorted(names) if isinstance(names, frozenset) else names) or "none"


def _times(each: Number) -> str:
    """One delay or several, ms, in words."""
    found = np.ravel(each).tolist()
    more = f" … {found[-1]:g}" if len(found) > _MOST_DELAYS else ""
    listed = ", ".join(f"{one:g}" for one in found[:_MOST_DELAYS])
    return f"{listed}{more} ms"


def _exchanged_sizes(expected: Mapping[str, int], found: Mapping[str, int]) -> dict[str, str]:
    wrong = [name for name in expected if found.get(name, expected[name]) != expected[name]]
    return {
        name: f"{first} and {second} are exchanged"
        for first, second in itertools.combinations(wrong, 2)
        if (found[first], found[second]) == (expected[second], expected[first])
        for name in (first, second)
    }
