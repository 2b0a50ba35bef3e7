"""All that is known of a program: its mistakes are those of check, and its types those of terms."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest
from tests.shaped_programs import random_shaped_program

from volr.errors import ProgramError
from volr.language import check, terms
from volr.language.analysis import Analysis, analysed
from volr.language.syntax import Blank, Call, Let, Name, parts
from volr.language.types import Net, shaped
from volr.language.values import NetValue, Number

REJECTED = sorted(
    each
    for each in (Path(__file__).resolve().parents[1] / "rejected").glob("*.volr")
    if each.stem != "not-utf8"
)


@pytest.mark.parametrize("path", REJECTED, ids=lambda path: path.stem)
def test_its_mistakes_are_those_of_check(path: Path) -> None:
    found = analysed(path)
    with pytest.raises(ProgramError) as caught:
        check(path)
    assert found.diagnostics == caught.value.diagnostics
    assert found.term is None


def types(found: Analysis, text: str) -> list[str]:
    """The types of the parts with this text."""
    if found.expression is None:
        return []
    spans = {
        each.span
        for each in parts(found.expression)
        if found.source.text[each.span.start : each.span.end] == text
    }
    return [
        str(Net(value.inputs.shape, value.outputs.shape))
        for span in spans
        for value in found.values(span)
        if isinstance(value, NetValue) and value.inputs and value.outputs
    ]


@pytest.mark.parametrize("seed", range(40))
def test_its_types_are_those_of_the_terms(seed: int) -> None:
    """Oracle: the term, in which every layer has the span of its call and its type."""
    text = random_shaped_program(Random(seed), depth=4).text
    found, checked = analysed(text), check(text)
    assert found.term is not None
    assert found.term.type == checked.type
    assert found.diagnostics == ()
    wanted: dict[tuple[int, int], set[str]] = {}
    todo: list[terms.Term] = [checked.term]
    while todo:
        term = todo.pop()
        wanted.setdefault((term.span.start, term.span.end), set()).add(str(term.type))
        todo += terms.children(term)
    for (start, end), expected in wanted.items():
        assert expected <= {*types(found, text[start:end])}


def test_what_is_known_beside_a_mistake() -> None:
    found = analysed("let n = 4 in conv [1 8 8] 8 3 ⦶ avgpol _ 2 ⦶ dense 3 n ⦶ dense _ 1")
    assert len(found.diagnostics) == 1
    assert found.readable
    assert found.term is None
    assert types(found, "conv [1 8 8] 8 3") == ["net [1 8 8] [8 6 6]"]
    assert types(found, "dense _ 1") == ["net 4 1"]


def test_a_part_of_several_calls_has_several_values() -> None:
    found = analysed("let f n = dense _ n in dense 1 2 ⦶ f 3 ⦶ f 4")
    assert {*types(found, "dense _ n")} == {"net 2 3", "net 3 4"}
    assert found.expression is not None
    (blank,) = (each for each in parts(found.expression) if isinstance(each, Blank))
    assert {*map(shaped, found.filled[id(blank)])} == {"2", "3"}


def test_names() -> None:
    found = analysed("let n = 2 in let f k = dense n k in f n")
    assert found.expression is not None
    nodes = [*parts(found.expression)]
    outer, inner = (each for each in nodes if isinstance(each, Let))
    assert [each.span.start for each in found.uses(outer)] == [29, 38]
    assert [each.span.start for each in found.uses(inner)] == [36]
    (number,) = found.values(outer.name_span)
    assert isinstance(number, Number)
    assert number.size == 2
    (parameter,) = inner.parameters
    assert [each.span.start for each in found.uses(parameter)] == [31]
    calls = (each for each in nodes if isinstance(each, Call))
    assert all(
        id(each.function) in found.binders for each in calls if isinstance(each.function, Name)
    )
    assert [*found.telling] == [outer]


def test_a_text_that_cannot_be_read() -> None:
    found = analysed(")(" * 300)
    assert found.expression is None
    assert not found.readable
    assert found.diagnostics
    assert found.telling == ()
