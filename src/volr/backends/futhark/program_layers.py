"""The statements of a Futhark program's ``logits``: how each population comes about.

    input       let input = x :> [784]f32
    maps        let input_maps = unflatten_3d (input :> [1 * 28 * 28]f32), and flatten_3d back
    pool        let conv_1_conv_2_pool_1 = means 12 12 {window = (2, 2), stride = (2, 2)} conv_1
    layer       let conv_2 =
                  convolved 8 8 {stride = (1, 1), pad = (0, 0), groups = 1} p.weight maps
                  |> add_channels p.conv_2_bias
                  |> map_maps relu

A population is held as maps where kernels, pools and identities alone lead to it and it has one or
two axes beside the channels, and otherwise as a vector.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from volr.models.activations import Identity, Staircase
from volr.models.model import activation_of
from volr.models.parameters import bias_name, weight_name
from volr.network.connectors import AllToAll, Convolution, OneToOne, Pooled, Windows

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from volr.models.activations import Activation
    from volr.network import Network, Population, Projection
    from volr.network.connectors import AveragePool, Connector, Shape


@dataclass(frozen=True)
class Names:
    """The identifiers of populations, of their weighted sums, of parameters and of the rest."""

    population: Mapping[str, str]
    sum: Mapping[str, str]
    parameter: Mapping[str, str]
    other: Mapping[str, str]


_WIDTH = 98


def is_dense(network: Network) -> bool:
    """Whether dense layers are all that there is."""
    return all(isinstance(each.connector, AllToAll) for each in network.projections)


def other_names(network: Network) -> list[str]:
    """What else may need an identifier: pools, and values in their other form."""
    if is_dense(network):
        return []
    found = [f"{p.name} {what}" for p in network.populations for what in ("maps", "row")]
    for each in network.projections:
        found += [f"{each.name} pool {count}" for count in range(1, len(_pools(each)) + 1)]
        found.append(f"{each.name} row")
    return found + [f"{p.name} logits" for p in network.populations]


@dataclass
class Layers:
    """The statements so far, and the ``needed`` definitions that they call.

    ``sums`` are the identifiers of weighted sums, where those are not activated at once.
    """

    network: Network
    activation: Activation
    names: Names
    lines: list[str] = field(default_factory=list[str])
    needed: set[str] = field(default_factory=set[str])
    sums: dict[str, str] = field(default_factory=dict[str, str])
    _made: set[str] = field(default_factory=set[str])

    @property
    def whole(self) -> bool:
        """Whether values are whole numbers, of which a mean need not be one."""
        return isinstance(self.activation, Staircase)

    def add(self, population: Population, *, sends: bool, is_read: bool) -> None:
        """One population, with the activation that it ``sends`` on; an output ``is_read``."""
        name, own = population.name, self.names.population[population.name]
        terms = self._terms(population)
        function = activation_of(self.network, population, self.activation)
        mapping = "map_maps" if self._is_maps(population) else "map"
        # What passes on what it gets needs no function, and the program may have none that does.
        passes = population.merge == "max" or (function == Identity() != self.activation)
        self.sums[name] = own
        if not sends or passes:
            self.lines += [f"let {own} =", *terms]
            return
        self._need(mapping)
        if is_read:
            summed = self.sums[name] = self.names.sum[name]
            self.lines += [
                f"let {summed} =",
                *terms,
                f"let {own} = {mapping} {function.name} {summed}",
            ]
        else:
            self.lines += [f"let {own} =", *terms, f"  |> {mapping} {function.name}"]

    def row(self, population: Population) -> str:
        """The values of an output, which are its weighted sums, as a vector."""
        own = self.names.population[population.name]
        value = self.sums.get(population.name, own)
        if not self._is_maps(population):
            return value
        key, expression = f"{population.name} row", f"flatten_3d {value} :> [{population.size}]f32"
        if key in self._made and value != own:
            # There is a row of what it sends on, which is another one.
            key = f"{population.name} logits"
        return self._other(key, expression)

    def _terms(self, population: Population) -> list[str]:
        """The weighted sum of a population: a line for each projection, and one for the bias."""
        network, maps = self.network, self._is_maps(population)
        join = "add_maps" if maps else "add"
        if population.merge == "max":
            join = "larger"
        first, *more = [self._term(p, population) for p in _in_order(network, population)]
        lines = [*_wrapped(f"  {first}"), *_each(f"  |> {join} ({term})" for term in more)]
        if more:
            self._need(join)
        biases = network.biases(population)
        if biases:
            by_channel = maps and biases == population.shape[0]
            add = "add_channels" if by_channel else "add"
            self._need(add)
            lines.append(f"  |> {add} p.{self.names.parameter[bias_name(population)]}")
        return lines

    def _term(self, projection: Projection, population: Population) -> str:
        connector = projection.connector.parts[-1]
        weight = f"p.{self.names.parameter[weight_name(projection)]}"
        maps = self._is_maps(population)
        rows, columns = _rows(population.shape) if len(population.shape) > 1 else (1, 1)
        match connector:
            case AllToAll():
                weight = self._share(projection, "parts", weight)
                return f"weighted {weight} {self._read(projection, as_maps=False)}"
            case OneToOne():
                scaled = "scaled_maps" if maps else "scaled"
                self._need(scaled)
                weight = self._share(projection, "part", weight)
                return f"{scaled} {weight} {self._read(projection, as_maps=maps)}"
            case Convolution(window, stride, pad, groups):
                self._need("convolved")
                if len(window) == 1:
                    self._need("row_kernel")
                    weight = f"(row_kernel {weight})"
                weight = self._share(projection, "kernel_parts", weight)
                settings = (
                    f"{{stride = {_pair(stride, 1)}, pad = {_pair(pad, 0)}, groups = {groups}}}"
                )
                read = self._read(projection, as_maps=True)
                made = f"convolved {rows} {columns} {settings} {weight} {read}"
            case Windows(window, stride):
                function = "largest" if population.merge == "max" else "sums"
                self._need(function, "scaled_maps")
                weight = self._share(projection, "part", weight)
                read = self._read(projection, as_maps=True)
                settings = f"{{window = {_pair(window, 1)}, stride = {_pair(stride, 1)}}}"
                made = f"{function} {rows} {columns} {settings} (scaled_maps {weight} {read})"
            case _:
                raise NotImplementedError(connector.name)
        return made if maps else f"flatten_3d ({made}) :> [{population.size}]f32"

    def _share(self, projection: Projection, function: str, weight: str) -> str:
        """What is multiplied with the values: of sums in place of means, a share of the weight."""
        divisor = projection.connector.divisor
        if divisor == 1 or not self.whole:
            return weight
        self._need(function)
        return f"({function} {divisor} {weight})"

    def _read(self, projection: Projection, *, as_maps: bool) -> str:
        """The name of the source's values through its pools."""
        source, pools = self.network[projection.source], _pools(projection)
        if not pools:
            return self._in_form(source, as_maps=as_maps)
        value, shape = self._in_form(source, as_maps=True), source.shape
        for count, pool in enumerate(pools, 1):
            windows = "sums" if self.whole else "means"
            self._need(windows)
            shape = pool.reduced(shape)
            rows, columns = _rows(shape)
            settings = f"{{window = {_pair(pool.window, 1)}, stride = {_pair(pool.stride, 1)}}}"
            value = self._other(
                f"{projection.name} pool {count}", f"{windows} {rows} {columns} {settings} {value}"
            )
        if as_maps:
            return value
        size = math.prod(shape)
        return self._other(f"{projection.name} row", f"flatten_3d {value} :> [{size}]f32")

    def _in_form(self, source: Population, *, as_maps: bool) -> str:
        """The name of a population's values, as maps or as a vector."""
        own = self.names.population[source.name]
        if as_maps == self._is_maps(source):
            return own
        if not as_maps:
            return self._other(f"{source.name} row", f"flatten_3d {own} :> [{source.size}]f32")
        rows, columns = _rows(source.shape)
        product = f"{source.shape[0]} * {rows} * {columns}"
        return self._other(f"{source.name} maps", f"unflatten_3d ({own} :> [{product}]f32)")

    def _other(self, key: str, expression: str) -> str:
        name = self.names.other[key]
        if key not in self._made:
            self._made.add(key)
            self.lines.append(f"let {name} = {expression}")
        return name

    def _is_maps(self, population: Population) -> bool:
        incoming = self.network.incoming[population.name]
        dense = any(isinstance(p.connector.parts[-1], AllToAll) for p in incoming)
        return bool(incoming) and not dense and len(population.shape) in (2, 3)

    def _need(self, *names: str) -> None:
        self.needed.update(set(names) - {"add", "map"})


def _each(lines: Iterable[str]) -> list[str]:
    return [part for line in lines for part in _wrapped(line)]


def _wrapped(line: str) -> list[str]:
    """A line that is too long goes on after the settings of its operation."""
    settings, brace, rest = line.partition("} ")
    if len(line) <= _WIDTH or not brace:
        return [line]
    indent = " " * (len(line) - len(line.lstrip()) + 4)
    return [f"{settings}}}", f"{indent}{rest}"]


def _pools(projection: Projection) -> tuple[AveragePool, ...]:
    connector = projection.connector
    return connector.pools if isinstance(connector, Pooled) else ()


def _in_order(network: Network, population: Population) -> list[Projection]:
    """Dense layers first, which set the biases that the population has."""
    kinds: list[type[Connector]] = [AllToAll, Convolution, OneToOne, Windows]
    incoming = network.incoming[population.name]
    return sorted(incoming, key=lambda each: kinds.index(type(each.connector.parts[-1])))


def _rows(shape: Shape) -> tuple[int, int]:
    """Rows and columns of maps, which are one row where they have one axis."""
    return (1, shape[1]) if len(shape) == 2 else (shape[1], shape[2])


def _pair(values: Shape, first: int) -> str:
    """Numbers by axis, with the ``first`` for a single row."""
    return "({}, {})".format(*((first, *values) if len(values) == 1 else values))
