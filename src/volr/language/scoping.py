"""Which `let` each name belongs to, found in one walk before anything is computed.

Names of layers are bound from the start, and binding one anew is refused. A function is not in
scope in its own value, so there is no recursion.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from volr.language import function_messages, type_messages
from volr.language.layers import LAYERS, REPEAT, RESERVED, Layer
from volr.language.syntax import Call, Expression, Integer, Let, Name, children

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from volr.source import Diagnostic

Binder: TypeAlias = Let | Name | Layer | str
"""A `let`, a parameter, a layer, or ``repeat``."""


@dataclass(frozen=True)
class Scoping:
    """``binders`` by the identity of the names, the mistakes, and the number of nodes."""

    binders: Mapping[int, Binder]
    findings: tuple[Callable[[], Diagnostic], ...]
    nodes: int


def scoped(root: Expression) -> Scoping:
    """The binders of all names of a program. An unknown name has none."""
    walk = _Walk()
    walk.run(root)
    return Scoping(walk.binders, tuple(walk.findings()), walk.nodes)


class _Walk:
    """The names in scope, and what has been found so far."""

    def __init__(self) -> None:
        self.binders: dict[int, Binder] = {}
        self.nodes = 0
        self._bound: dict[str, list[Binder]] = {name: [each] for name, each in LAYERS.items()}
        self._bound[REPEAT] = [REPEAT]
        self._defining: Counter[str] = Counter()
        self._unknown: dict[str, tuple[list[Name], list[str]]] = {}
        self._own: dict[str, list[Name]] = {}
        self._twice: list[Name] = []
        # Names of layers with a space or a bracket within, and the parts of these.
        self._torn: list[Call] = []
        self._parts: set[int] = set()
        self._called: set[int] = set()
        # Names that are layers' and are bound all the same, each with its uses.
        self._rebound: dict[int, list[Name]] = {}

    def run(self, root: Expression) -> None:
        todo: list[Expression | partial[None]] = [root]
        while todo:
            node = todo.pop()
            if isinstance(node, partial):
                node()
                continue
            self.nodes += 1
            match node:
                case Let():
                    todo += reversed(list(self._let(node)))
                case Name():
                    self._use(node)
                case Call():
                    self._called.add(id(node.function))
                    self._join(node)
                    self.nodes += len(node.arguments)
                    todo += [each.value for each in reversed(node.arguments)]
                    todo.append(node.function)
                case Integer():
                    pass
                case _:
                    todo += reversed(children(node))

    def findings(self) -> Iterator[Callable[[], Diagnostic]]:
        suggestions = type_messages.Suggestions()
        for uses, known in self._unknown.values():
            called = id(uses[0]) in self._called
            yield partial(suggestions.unknown_name, uses, known, called=called)
        for uses in self._own.values():
            yield partial(function_messages.calls_itself, uses)
        for call in self._torn:
            yield partial(function_messages.torn, call)
        for name in self._twice:
            yield partial(function_messages.parameter_twice, name)
        for uses in self._rebound.values():
            yield partial(function_messages.layer_bound, uses)

    def _let(self, let: Let) -> Iterator[Expression | partial[None]]:
        """The steps of a `let`: its parts, and where names come into scope and go."""
        seen: set[str] = set()
        for each in let.parameters:
            if each.text in seen:
                self._twice.append(each)
            seen.add(each.text)
        if let.parameters:
            yield partial(self._define, let, 1)
        for each in let.parameters:
            yield partial(self._bind, each.text, each, each)
        yield let.value
        for each in let.parameters:
            yield partial(self._unbind, each.text)
        if let.parameters:
            yield partial(self._define, let, -1)
        yield partial(self._bind, let.name, let, Name(let.name, let.name_span))
        yield let.body
        yield partial(self._unbind, let.name)

    def _define(self, let: Let, change: int) -> None:
        self._defining[let.name] += change

    def _bind(self, text: str, binder: Binder, name: Name) -> None:
        self._bound.setdefault(text, []).append(binder)
        if text in RESERVED:
            self._rebound[id(binder)] = [name]

    def _unbind(self, text: str) -> None:
        self._bound[text].pop()

    def _join(self, call: Call) -> None:
        """Take two unknown names that are a layer's together for this name: ``d ense 2 4``."""
        one, other = call.function, function_messages.head_of(call.arguments[0].value)
        if not (isinstance(one, Name) and isinstance(other, Name)):
            return
        known = self._bound.get(one.text) or self._bound.get(other.text)
        if one.text + other.text in RESERVED and not known:
            self._torn.append(call)
            self._parts |= {id(one), id(other)}

    def _use(self, name: Name) -> None:
        if id(name) in self._parts:
            return
        bound = self._bound.get(name.text)
        if bound and id(bound[-1]) in self._rebound:
            self._rebound[id(bound[-1])].append(name)
        elif bound:
            self.binders[id(name)] = bound[-1]
        elif self._defining[name.text]:
            self._own.setdefault(name.text, []).append(name)
        # A `let` whose name could not be read may have been meant to bind this one.
        elif not self._bound.get(""):
            if name.text not in self._unknown:
                known = [each for each, binders in self._bound.items() if binders]
                self._unknown[name.text] = ([], [each for each in known if each not in RESERVED])
            self._unknown[name.text][0].append(name)
