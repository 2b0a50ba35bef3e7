"""All that is known of a program, right or wrong: what an editor shows of it.

`check` stops at the first stage that finds a mistake. Here every part that can be read has its
values, also next to a mistake. A part may be checked several times, in several calls of a function
or at several uses of a name, and then it has several values.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias

from volr.language.collection import collector_paused
from volr.language.inference import Inference, inferred
from volr.language.parser import read
from volr.language.program_source import as_source
from volr.language.scoping import scoped
from volr.language.stages import judged
from volr.language.syntax import Blank, Hole, Integer, Let, Name, parts
from volr.language.values import Binding, NetValue, Number, ShapeValue

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from volr.language.program_source import Program
    from volr.language.rules import Rule
    from volr.language.scoping import Binder, Scoping
    from volr.language.syntax import Expression
    from volr.language.terms import Term
    from volr.language.types import Shape
    from volr.language.values import Before, Value
    from volr.source import Diagnostic, Source, Span

MOST_VALUES = 8
"""So many values of one part are kept."""

Known: TypeAlias = NetValue | Number | ShapeValue
"""A value of which the type is known."""
_Values: TypeAlias = "dict[tuple[int, int], dict[object, Known]]"


@dataclass(frozen=True)
class Analysis:
    """What is known of a program.

    ``expression`` is None if the text has too many mistakes; it has holes where something is
    missing. ``readable`` says whether the syntax is right. ``term`` is None unless the whole
    program is right. ``binders`` has what each name belongs to, and ``filled`` the shapes of each
    `_`, both by the identity of their nodes.
    """

    source: Source
    expression: Expression | None
    readable: bool = field(kw_only=True)
    diagnostics: tuple[Diagnostic, ...] = field(kw_only=True)
    term: Term | None = None
    binders: Mapping[int, Binder] = field(default_factory=dict[int, "Binder"], repr=False)
    filled: Mapping[int, set[Shape]] = field(default_factory=dict[int, "set[Shape]"], repr=False)
    _values: _Values = field(
        default_factory=dict[tuple[int, int], "dict[object, Known]"], repr=False
    )

    def values(self, span: Span) -> tuple[Known, ...]:
        """The values of the part with this span; none if it was not checked or has a mistake."""
        return tuple(self._values.get((span.start, span.end), {}).values())

    @cached_property
    def telling(self) -> tuple[Blank | Let, ...]:
        """Each `_`, and each `let` of a value: what has more to tell than its text does."""
        nodes = () if self.expression is None else parts(self.expression)
        return tuple(
            each
            for each in nodes
            if isinstance(each, Blank) or (isinstance(each, Let) and not each.parameters)
        )

    def uses(self, binder: Binder) -> Iterator[Name]:
        """Where the name is used that this binds, in the order of the text."""
        if self.expression is not None:
            for node in parts(self.expression):
                if isinstance(node, Name) and self.binders.get(id(node)) is binder:
                    yield node


def analysed(program: Program) -> Analysis:
    """Read and check a program, as ``parse`` takes it. Its mistakes are those of ``check``.

    Raises ``ProgramError`` only for a file that cannot be read.
    """
    source = as_source(program)
    with collector_paused():
        reading = read(source.text)
        tree = reading.expression
        if tree is None:
            return Analysis(source, None, readable=False, diagnostics=reading.diagnostics)
        scoping = scoped(tree)
        values: _Values = {}
        result = inferred(tree, scoping, lambda scoping: _Noting(scoping, values))
        term, found = judged(reading, result)
    right = term if not found else None
    return Analysis(
        source,
        tree,
        right,
        scoping.binders,
        result.filled,
        values,
        readable=not reading.diagnostics,
        diagnostics=tuple(found),
    )


class _Noting(Inference):
    """The rules of the checker, which note the value of every part."""

    def __init__(self, scoping: Scoping, values: _Values) -> None:
        super().__init__(scoping)
        self._noted = values

    def value(self, node: Expression, before: Before) -> Rule[Value]:
        rule = super().value(node, before)
        return rule if isinstance(node, Integer | Blank | Hole) else self._noting(node, rule)

    def _noting(self, node: Expression, rule: Rule[Value]) -> Rule[Value]:
        value = yield rule
        self._note(node.span, value)
        if isinstance(node, Let) and isinstance(bound := self.bound.get(id(node)), Binding):
            self._note(node.name_span, bound.value)
        return value

    def _note(self, span: Span, value: Value) -> None:
        match value:
            case NetValue(inputs=inputs, outputs=outputs) if inputs and outputs:
                key: object = (inputs.shape, outputs.shape)
            case Number(size=int() as key):
                pass
            case ShapeValue(shape=tuple() as key):
                pass
            case _:
                return
        noted = self._noted.setdefault((span.start, span.end), {})
        if len(noted) < MOST_VALUES:
            noted.setdefault(key, value)
