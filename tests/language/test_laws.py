"""The laws of the language, for random programs of every construct.

Two sides of a law have one network, but for the order of projections where a sum commutes.
"""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st
from tests.shaped_programs import ShapedProgram, random_shaped_program, shaped_programs, shapes

from volr.language import check, format_expression, format_source, lower, parse, to_network
from volr.language.types import shaped

if TYPE_CHECKING:
    from volr.network import Network

programs = shaped_programs(depth=2)


@given(shaped_programs())
def test_a_program_has_the_type_it_was_drawn_for(program: ShapedProgram) -> None:
    checked = check(program.source)
    assert (checked.type.inputs, checked.type.outputs) == (program.inputs, program.outputs)
    network = lower(checked.term)
    bulk = checked.term.bulk
    read = len(network.layers) - bulk.populations
    # What waits at the end, or before a maxpool, is read by a population that nobody counted.
    assert read >= 0
    assert len(network.projections) == bulk.projections + read
    weights = sum(map(network.weight_count, network.projections))
    assert weights >= bulk.weights


@given(shaped_programs(), st.booleans())
def test_parsing_a_printed_tree_gives_the_tree(program: ShapedProgram, ascii: bool) -> None:
    text = format_expression(program.expression, ascii=ascii)
    assert parse(text) == program.expression
    assert format_source(text, ascii=ascii) == text + "\n"
    assert format_source(format_source(text, ascii=not ascii), ascii=ascii) == text + "\n"
    if ascii:
        assert not set(text) & set("⦶⊖⊕↺")


@given(shaped_programs())
def test_filling_in_changes_nothing(program: ShapedProgram) -> None:
    filled = format_source(program.text, fill=True)
    assert to_network(filled) == to_network(program.text)
    assert format_source(filled, fill=True) == filled


@given(st.data())
def test_one_after_the_other_associates(data: st.DataObject) -> None:
    a = data.draw(programs)
    b = data.draw(shaped_programs(a.outputs, several=not a.alone, depth=2))
    several = not (a.alone and b.alone)
    c = data.draw(shaped_programs(b.outputs, several=several, depth=2))
    left = (a.expression >> b.expression) >> c.expression
    assert to_network(left) == to_network(a.expression >> (b.expression >> c.expression))


@given(st.data(), shapes())
def test_side_by_side_associates(data: st.DataObject, rest: tuple[int, ...]) -> None:
    a, b, c = _sides(data, [(each, *rest[1:]) for each in (1, 2, 3)])
    left = (a.expression | b.expression) | c.expression
    assert to_network(left) == to_network(a.expression | (b.expression | c.expression))


@given(st.data(), shapes())
def test_a_sum_associates(data: st.DataObject, target: tuple[int, ...]) -> None:
    a, b, c = _sides(data, [target] * 3, alone=True)
    left = (a.expression + b.expression) + c.expression
    assert to_network(left) == to_network(a.expression + (b.expression + c.expression))


@given(st.data(), shapes())
def test_a_sum_commutes_but_for_the_order(data: st.DataObject, target: tuple[int, ...]) -> None:
    a, b = _sides(data, [target] * 2, alone=True)
    one, other = (to_network(each) for each in (a.expression + b.expression,
                                                b.expression + a.expression))  # fmt: skip
    assert _unordered(one) == _unordered(other)


@given(shaped_programs())
def test_the_identity_is_neutral(program: ShapedProgram) -> None:
    wanted = to_network(program.text)
    assert to_network(f"id {shaped(program.inputs)} ⦶ ({program.text})") == wanted
    assert to_network(f"({program.text}) ⦶ id _") == wanted


@given(st.data(), shapes())
def test_a_loop_moves_into_a_sequence(data: st.DataObject, target: tuple[int, ...]) -> None:
    a = data.draw(programs)
    several = not a.alone
    b = data.draw(shaped_programs(a.outputs, target, several=several, alone=True, depth=2))
    f = data.draw(shaped_programs(target, target, alone=True, depth=2))
    left = (a.expression >> b.expression) << f.expression
    assert to_network(left) == to_network(a.expression >> (b.expression << f.expression))


@given(st.data(), shapes(), st.integers(1, 4))
def test_repeat_is_a_sequence(data: st.DataObject, shape: tuple[int, ...], count: int) -> None:
    body = data.draw(shaped_programs(shape, shape, several=True, depth=2))
    row = " ⦶ ".join([f"({body.text})"] * count)
    assert to_network(f"repeat {count} ({body.text})") == to_network(row)


@given(shaped_programs())
def test_a_let_is_a_substitution(program: ShapedProgram) -> None:
    text = f"let whole s = {program.text} in whole {shaped(program.inputs)}"
    assert to_network(text) == to_network(program.text)
    assert to_network(f"let whole = {program.text} in whole") == to_network(program.text)


def test_programs_have_every_construct() -> None:
    """Or else the laws would say little."""
    found: Counter[str] = Counter()
    for seed in range(150):
        text = random_shaped_program(Random(seed), depth=4).text
        words = "dense conv avgpool maxpool id repeat let _ ⦶ ⊖ ⊕ ↺ stride: pad: groups: * - /"
        found.update(word for word in words.split() if word in text)
    assert min(found.values()) > 10, found
    assert len(found) == 18


def _sides(
    data: st.DataObject, targets: list[tuple[int, ...]], *, alone: bool = False
) -> list[ShapedProgram]:
    source = data.draw(shapes())
    return [data.draw(shaped_programs(source, each, alone=alone, depth=2)) for each in targets]


def _unordered(network: Network) -> object:
    """A network without names and order: populations by what leads to them, however deep."""
    known: dict[str, object] = {}
    for each in network.populations:
        incoming = sorted(
            repr((known[p.source], str(p.connector)))
            for p in network.incoming[each.name]
            if not p.back
        )
        known[each.name] = hash((each.shape, each.merge, tuple(incoming)))
    loops = sorted(
        repr((known[p.source], known[p.target], str(p.connector)))
        for p in network.projections
        if p.back
    )
    return sorted(map(repr, known.values())), loops, [known[name] for name in network.outputs]
