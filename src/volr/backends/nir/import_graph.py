"""From a graph that another program wrote to a network of Volr's, or all reasons against it.

Populations are the spiking nodes and the leaky integrators; the nodes between two of them are
projections (``affine``). Numbers that differ from neuron to neuron, r, v_leak and the threshold,
become part of weights and biases: the potential of each neuron is counted in units of its
threshold. That is exact, because the equations are linear between spikes.
"""

from __future__ import annotations

import math
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from volr.affine.forms import Form, SizeError, source, total
from volr.affine.shapes import ShapeError, shapes_of
from volr.affine.skeleton import Names, Skeleton
from volr.affine.terms import Room
from volr.backends.nir.graph import DIALECT
from volr.backends.nir.primitives import PRIMITIVES, Linear, Neuron, is_population, shape_of
from volr.backends.nir.spiking_nodes import by_unit
from volr.errors import ModelFileError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from volr.backends.nir.graph import Graph, Node
    from volr.network.connectors import Shape


@dataclass(frozen=True, kw_only=True)
class GraphSkeleton(Skeleton):
    """A graph as a network, ``artificial`` or spiking.

    Outputs are read in the order of ``outputs``. ``nodes`` are the nodes of the populations, by the
    populations' names; an input that is given as spikes or values is an ``Input``, one whose
    neurons are driven is theirs. ``driven`` says which of the two all inputs are. The first
    ``batch`` axes of an Input are none of a stimulus. ``late`` are the Delays that are not read as
    such: those that a bias goes through, and all of an artificial network.
    """

    nodes: Mapping[str, str]
    driven: bool
    artificial: bool
    batch: int = 0
    late: tuple[str, ...] = ()

    @property
    def notes(self) -> list[str]:
        """What was assumed of the axes of Inputs and of Delays, in sentences."""
        found: list[str] = []
        if self.batch:
            axes = "axis of an Input is" if self.batch == 1 else f"{self.batch} axes of Inputs are"
            found = [
                f"the first {axes} taken for a batch or for time: weights fit the others alone"
            ]
        if self.late:
            named = ", ".join(map(repr, self.late))
            found.append(
                f"a Delay changes no number of an artificial network, and is left out: {named}"
                if self.artificial
                else f"a bias goes through {named}, and is there from the first step on"
            )
        return found


def refuse(name: str, problems: list[str], *, help: str | None = None) -> ModelFileError:
    """The error that lists all problems."""
    listed = "\n".join(f"  - {each}" for each in problems[:_MOST])
    more = f"\n  … and {len(problems) - _MOST:,} more" if len(problems) > _MOST else ""
    return ModelFileError(f"{name} is no network that Volr can express:\n{listed}{more}", help=help)


_MOST = 50


def skeleton_of(graph: Graph, name: str, *, artificial: bool) -> GraphSkeleton:
    """The network in a graph. In an ``artificial`` one, outputs are weighted sums.

    Raises ``ModelFileError`` with every node that cannot be read, and why.
    """
    problems = [
        f"node {each!r}: Volr has no {node.kind}"
        for each, node in graph.nodes.items()
        if node.kind not in PRIMITIVES
    ]
    nodes, looped = graph.in_order()
    if looped:
        some = ", ".join(map(repr, looped[:5])) + (" …" if len(looped) > 5 else "")
        problems.append(f"nodes {some}: they lie on a loop or behind one, and Volr has none")
    inputs, outputs = graph.of_kind("Input"), graph.of_kind("Output")
    first = [each for each in nodes if not graph.before[each]]
    last = [each for each in graph.nodes if not graph.after[each]]
    kind = {each: node.kind for each, node in graph.nodes.items()}
    for why, where in (
        ("nothing leads to it, and it is no Input", [e for e in first if kind[e] != "Input"]),
        ("an Input has something that leads to it", [e for e in inputs if graph.before[e]]),
        ("it leads nowhere, and is no Output", [e for e in last if kind[e] != "Output"]),
        ("an Output leads to something", [e for e in outputs if graph.after[e]]),
    ):
        problems += [f"node {each!r}: {why}" for each in where]
    if problems:
        dialect = graph.metadata.get(DIALECT)
        help = f"this file is for {dialect} alone" if dialect else None
        raise refuse(name, problems, help=help)
    try:
        return _Builder(graph, artificial).build(name, nodes)
    except ModelFileError:
        # Exporters may take the axes of a batch, or of time, for axes of the Input.
        for batch in range(1, _deepest(graph)):
            with suppress(ModelFileError, SizeError):
                return _Builder(graph, artificial, batch).build(name, nodes)
        raise


def _deepest(graph: Graph) -> int:
    """The most axes that an Input has."""
    shapes = [graph.nodes[each].values["shape"].size for each in graph.of_kind("Input")]
    return max(shapes, default=0)


@dataclass
class _Builder:
    """``batch`` is how many axes of the Inputs, the first ones, are none of a stimulus."""

    graph: Graph
    artificial: bool
    batch: int = 0
    room: Room = field(default_factory=Room)
    arrived: dict[str, Form] = field(default_factory=dict[str, Form])
    shapes: dict[str, Shape] = field(default_factory=dict[str, "Shape"])
    problems: list[str] = field(default_factory=list[str])
    late: list[str] = field(default_factory=list[str])

    def build(self, name: str, nodes: list[str]) -> GraphSkeleton:
        forms: dict[str, Form] = {}
        for each in nodes:
            try:
                forms[each] = self._form(each, forms)
            except SizeError as error:
                # What comes after it has no sizes either.
                raise refuse(name, [f"node {each!r}: {error}"]) from error
        ports = self._ports()
        if len(ports) not in {0, len(self.graph.of_kind("Input"))}:
            raise refuse(name, ["some Inputs lead to neurons and others to weights"])
        outputs = self._outputs(ports)
        if self.problems:
            raise refuse(name, self.problems)
        try:
            return self._skeleton(nodes, ports, outputs)
        except ShapeError as error:
            raise refuse(name, [str(error)]) from error

    def _form(self, name: str, forms: Mapping[str, Form]) -> Form:
        """The output of a node."""
        node = self.graph.nodes[name]
        if node.kind == "Input":
            self.shapes[name] = shape_of(node)[self.batch :]
            if not self.shapes[name]:
                raise SizeError("it has no axis but those of a batch")
            return source(name, self.shapes[name])
        arrived = total([forms[each] for each in self.graph.before[name]], self.room)
        primitive = PRIMITIVES[node.kind]
        if node.kind == "Delay" and (self.artificial or arrived.has_bias):
            self.late.append(name)
            if self.artificial:
                return arrived
        if isinstance(primitive, Linear):
            return primitive.through(node.values, arrived, self.room)
        self.arrived[name] = arrived
        if isinstance(primitive, Neuron):
            self.shapes[name] = _shape(node, arrived)
            return source(name, self.shapes[name])
        return arrived

    def _ports(self) -> dict[str, str]:
        """The neurons that an Input drives directly, without weights, by the Input."""
        ports: dict[str, str] = {}
        for name in self.graph.of_kind("Input"):
            after = self.graph.after[name]
            if self.artificial or not any(is_population(self.graph.nodes[e]) for e in after):
                continue
            if len(after) != 1 or len(self.graph.before[after[0]]) != 1:
                self.problems.append(f"node {name!r}: it leads to neurons and to something else")
            ports[name] = after[0]
        return ports

    def _outputs(self, ports: Mapping[str, str]) -> list[str]:
        """The populations that are read, in the order of the Outputs; sums of their own are added.

        The order of a file's nodes is that of their names.
        """
        outputs: list[str] = []
        for name in self.graph.of_kind("Output"):
            form = self.arrived[name]
            first = form.terms[0].source if form.terms else ""
            if form.is_identity() and (not self.artificial or first not in self.arrived):
                outputs.append(ports.get(first, first))
            elif any(each.delay for each in form.terms):
                self.problems.append(
                    f"node {name!r}: it reads what a Delay makes later, and Volr reads neurons at "
                    "once; put the Delay before the neurons"
                )
            elif self.artificial:
                self.shapes[name] = form.shape
                outputs.append(name)
            else:
                self.problems.append(
                    f"node {name!r}: it reads a weighted sum, and a spiking output is neurons"
                )
        if len(set(outputs)) != len(outputs):
            self.problems.append("two Outputs read the same neurons")
        return outputs

    def _skeleton(
        self, nodes: list[str], ports: Mapping[str, str], outputs: list[str]
    ) -> GraphSkeleton:
        inputs = [ports.get(each, each) for each in self.graph.of_kind("Input")]
        places = [each for each in nodes if each in self.shapes and each not in ports]
        given = Names()
        names = {each: given.free(each) for each in places}
        forms: dict[str, Form] = {}
        for each in places:
            if each in inputs:
                continue
            form = self.arrived[each]
            terms = [replace(t, source=names[ports.get(t.source, t.source)]) for t in form.terms]
            forms[names[each]] = replace(form, terms=tuple(terms))
        shapes = shapes_of({names[each]: self.shapes[each] for each in places}, forms)
        return GraphSkeleton(
            shapes=shapes,
            inputs=tuple(names[each] for each in inputs),
            outputs=tuple(names[each] for each in outputs),
            forms=forms,
            nodes={names[k]: k for k in places},
            driven=bool(ports),
            artificial=self.artificial,
            batch=self.batch,
            late=tuple(self.late),
            room=self.room,
        )


def _shape(node: Node, arrived: Form) -> Shape:
    """The shape of a population: that of what arrives, or else that of its parameters."""
    own = shape_of(node)
    largest = next(each for each in node.values.values() if each.shape == own)
    try:
        by_unit("", largest, arrived.shape)
    except ValueError as error:
        wrong = f"it has {largest.size} neurons and gets {arrived.size} values"
        raise SizeError(wrong) from error
    return own if len(arrived.shape) == 1 and math.prod(own) == arrived.size else arrived.shape
