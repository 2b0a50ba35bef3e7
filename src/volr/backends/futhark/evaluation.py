"""What the statements of a Futhark program of Volr's compute, one after the other.

A statement gives its name to what is read of a population, or to weighted sums, which a population
may have activated. ``FUNCTIONS`` says what each function of a program does with them; the numbers
are those of the call.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeAlias, cast

import numpy as np

from volr.backends.futhark.expressions import Call, NotOursError, Settings, Several, Sized
from volr.backends.probing import ANOTHER
from volr.backends.terms import WINDOWS, Reading, Term, by_channel
from volr.network.connectors import AllToAll, AveragePool, Convolution, OneToOne, Windows

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from volr.backends.futhark.expressions import Node
    from volr.checks.arrays import Floats
    from volr.network.connectors import Shape


@dataclass(frozen=True, eq=False)
class Sum:
    """Weighted sums of this ``shape``: terms, how they are merged, biases ``[unit]``, and the name
    of the function that has been applied to them.
    """

    terms: tuple[Term[str], ...]
    shape: Shape
    merge: str = "sum"
    bias: Floats | None = None
    function: str | None = None

    @property
    def is_plain(self) -> bool:
        """Whether it is what one weight for all has made of one source."""
        is_one = len(self.terms) == 1 and isinstance(self.terms[0].connector, OneToOne)
        return is_one and self.bias is None and self.function is None and self.merge == "sum"

    @property
    def passes(self) -> bool:
        """Whether it is sent on as it is, with no activation and no weights to train."""
        kinds = (OneToOne, Windows)
        return self.function is None and all(isinstance(e.connector, kinds) for e in self.terms)


Value: TypeAlias = "Reading[str] | Sum"


@dataclass
class Evaluation:
    """The values of the names so far.

    ``parameter`` gives a parameter by its name. ``populations`` are the names that stand for inputs
    and sums.
    """

    parameter: Callable[[str], NDArray[np.floating]]
    values: dict[str, Value] = field(default_factory=dict[str, "Value"])
    populations: dict[str, Shape] = field(default_factory=dict[str, "Shape"])
    _rows: dict[str, str] = field(default_factory=dict[str, str])

    def bind(self, name: str, tree: Node) -> None:
        """One statement; ``NotOursError`` where Volr would not write it."""
        found = self._value(tree)
        if isinstance(found, Sum) and (base := _viewed(tree)) is not None:
            self._rows[name] = base
            return
        self.values[name] = found
        if isinstance(found, Sum):
            self.populations[name] = found.shape

    def row(self, name: str) -> str:
        """The population, or the sum, whose values these are in another shape."""
        if name in self._rows:
            return self._rows[name]
        value = self.values.get(name)
        is_view = isinstance(value, Reading) and not value.pools and name not in self.populations
        return cast("Reading[str]", value).source if is_view else name

    def _value(self, tree: Node) -> Value:
        match tree:
            case str():
                return self._read(tree)
            case Sized(value, sizes):
                found = self._value(value)
                if np.prod(found.shape) != np.prod(sizes):
                    raise NotOursError(f"{sizes}")
                return _shaped(found, sizes)
            case Call("unflatten_3d" | "flatten_3d", (value,)):
                found = self._value(value)
                is_flat = tree.function == "flatten_3d"
                return _shaped(found, (int(np.prod(found.shape)),)) if is_flat else found
            case Call("weighted", (weight, x)):
                read, weights = self._reading(x), self._array(weight, 2)
                if weights.shape[1:] != read.shape:
                    raise NotOursError("weighted")
                shape = weights.shape[:1]
                return _marked(Sum((Term(read, AllToAll(), weights, shape),), shape))
            case Call("convolved", (int(m), int(n), Settings(given), weight, x)):
                return self._convolved((m, n), given, self._array(weight, 4), self._reading(x))
            case Call("scaled" | "scaled_maps", (weight, x)):
                read, weights = self._reading(x), self._array(weight, 1)
                return _marked(Sum((Term(read, OneToOne(), weights, read.shape),), read.shape))
            case Call("means" | "largest" | "sums" as kind, (int(m), int(n), Settings(given), x)):
                return self._windows(kind, (m, n), given, self._value(x))
            case Call("add_channels", (bias, z)):
                found, numbers = self._sum(z), self._array(bias, 1)
                return replace(found, bias=by_channel(numbers, found.shape))
            case Call("add" | "add_maps" | "larger" as kind, (other, z)):
                return self._joined(kind, other, self._sum(z))
            case Call("map" | "map_maps", (str(function), z)):
                name = z if isinstance(z, str) else None
                found = self._sum(z)
                if name is not None:
                    del self.populations[name]
                return replace(found, function=function)
            case _:
                raise NotOursError(f"{tree}")

    def _read(self, name: str) -> Value:
        if name in self.populations:
            shape = self.populations[name]
            return Reading(name, shape, shape)
        if name in self.values:
            return self.values[name]
        raise KeyError(name)

    def _reading(self, tree: Node) -> Reading[str]:
        found = self._value(tree)
        if not isinstance(found, Reading):
            raise NotOursError(f"{tree}")
        return found

    def _sum(self, tree: Node) -> Sum:
        found = self.values.get(tree) if isinstance(tree, str) else self._value(tree)
        if not isinstance(found, Sum) or found.function is not None:
            raise NotOursError(f"{tree}")
        return found

    def _array(self, tree: Node, axes: int) -> Floats:
        match tree:
            case Call("row_kernel", (kernel,)):
                return self._array(kernel, 3)[:, :, None, :]
            case Call("part" | "parts" | "kernel_parts", (int(count), whole)) if count > 0:
                return self._array(whole, axes) / count
            case str() if tree.startswith("p."):
                found = self.parameter(tree.removeprefix("p.")).astype(np.float64)
                if found.ndim == axes:
                    return found
            case _:
                pass
        raise NotOursError(f"{tree}")

    def _convolved(
        self, places: Shape, given: Mapping[str, Node], kernel: Floats, read: Reading[str]
    ) -> Sum:
        stride, pad, groups = _pair(given, "stride"), _pair(given, "pad"), given.get("groups")
        connector = Convolution(kernel.shape[2:], stride, pad, cast("int", groups))
        target = (kernel.shape[0], *places)
        if (
            not isinstance(groups, int)
            or len(read.shape) != 3
            or read.maps() is None
            or min(groups, *stride) < 1
            or kernel.shape[1] * groups != read.shape[0]
            or kernel.shape[0] % groups
        ):
            raise NotOursError("convolved")
        return _marked(Sum((Term(read, connector, kernel, target),), target))

    def _windows(self, kind: str, places: Shape, given: Mapping[str, Node], before: Value) -> Value:
        pool = AveragePool(_pair(given, "window"), _pair(given, "stride"))
        if pool.misfit(before.shape) or pool.reduced(before.shape)[1:] != places:
            raise NotOursError(kind)
        if isinstance(before, Reading):
            found = before.through(pool, largest=kind == "largest")
            if found is None:
                raise NotOursError(kind)
            count = math.prod(pool.window) if kind == "sums" else 1
            return replace(found, factor=count * found.factor)
        if not before.is_plain:
            raise NotOursError(kind)
        # A weight for all, and then the largest, the sum or the mean of each window.
        (term,) = before.terms
        read = term.read.reshaped(before.shape)
        if kind == "largest":
            connector = Windows(pool.window, pool.stride)
            made = Term(read, connector, term.weights, pool.reduced(before.shape))
            return Sum((made,), made.target, "max")
        through = read.through(pool)
        if through is None:
            raise NotOursError(kind)
        count = float(np.prod(pool.window)) if kind == "sums" else 1.0
        made = replace(term, read=through, weights=count * term.weights, target=through.shape)
        return Sum((made,), made.target)

    def _joined(self, kind: str, other: Node, found: Sum) -> Sum:
        if isinstance(other, str) and other.startswith("p."):
            bias = self._array(other, 1)
            if kind == "larger" or bias.shape != found.shape:
                raise NotOursError(kind)
            return replace(found, bias=bias)
        more = self._sum(other)
        if more.shape != found.shape:
            raise NotOursError(kind)
        terms = (*found.terms, *more.terms)
        if kind == "larger":
            both = found.merge == more.merge == "max"
            return Sum(terms, found.shape, "max" if both else ANOTHER)
        return _marked(Sum(terms, found.shape, "sum", found.bias))


def _viewed(tree: Node) -> str | None:
    """The name of the value that an expression only shows in another shape."""
    match tree:
        case Sized(value) | Call("unflatten_3d" | "flatten_3d", (value,)):
            return value if isinstance(value, str) else _viewed(value)
        case _:
            return None


def _shaped(value: Value, shape: Shape) -> Value:
    return value.reshaped(shape) if isinstance(value, Reading) else replace(value, shape=shape)


def _marked(made: Sum) -> Sum:
    """A sum of terms, with how they are merged."""
    if any(isinstance(each.connector, Windows) for each in made.terms):
        return replace(made, merge=ANOTHER)
    largest = any(each.read.largest for each in made.terms)
    return replace(made, merge=WINDOWS) if largest else made


def _pair(given: Mapping[str, Node], name: str) -> tuple[int, int]:
    found = given.get(name)
    if not isinstance(found, Several) or len(found.numbers) != 2:
        raise NotOursError(name)
    return found.numbers[0], found.numbers[1]
