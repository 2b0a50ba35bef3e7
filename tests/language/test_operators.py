"""Programs spelled in Python."""

from __future__ import annotations

import numpy as np
import pytest

from volr.errors import ProgramError
from volr.language import (
    Expression,
    avgpool,
    conv,
    dense,
    identity,
    maxpool,
    parse,
    repeat,
    to_network,
)
from volr.source import Source


def test_the_operators_are_those_of_the_language() -> None:
    spelled = dense(100, 20) >> (dense(20, 10) | dense(20, 10)) >> dense(20, 10)
    text = "dense 100 20 ⦶ (dense 20 10 ⊖ dense 20 10) ⦶ dense 20 10"
    assert spelled == parse(Source(text))
    assert to_network(spelled) == to_network(text)


def test_precedence_and_association_are_those_of_the_language() -> None:
    a, b, c, d = dense(1, 2), dense(2, 3), dense(1, 3), dense(3, 1)
    assert a >> b | c >> d == parse(Source("dense 1 2 ⦶ dense 2 3 ⊖ dense 1 3 ⦶ dense 3 1"))
    assert a >> b >> d == parse(Source("dense 1 2 ⦶ dense 2 3 ⦶ dense 3 1"))
    assert a >> (b >> d) != a >> b >> d


def test_every_layer_has_a_function() -> None:
    block = repeat(2, conv(..., 6, 3, pad=1) + identity(...))
    spelled = conv([1, 9, 9], 6, (3, 3), stride=1, groups=1) >> block >> maxpool(..., 2)
    spelled = spelled >> avgpool(..., (1, 1), stride=(1, 2)) >> (dense(..., 3) << dense(3, 3))
    text = (
        "conv [1 9 9] 6 [3 3] stride:1 groups:1 ⦶ repeat 2 (conv _ 6 3 pad:1 ⊕ id _) "
        "⦶ maxpool _ 2 ⦶ avgpool _ [1 1] stride:[1 2] ⦶ (dense _ 3 ↺ dense 3 3)"
    )
    assert spelled == parse(text)
    assert to_network(spelled) == to_network(text)
    for wrong in ("28", [1.0, 2], [], None):
        with pytest.raises(TypeError, match="must be a whole number"):
            identity(wrong)  # pyright: ignore[reportArgumentType]
    with pytest.raises(TypeError, match="`network` must be an expression of layers, found int"):
        repeat(2, 3)  # pyright: ignore[reportArgumentType]


def test_sizes_may_be_whole_numbers_and_arrays_of_numpy() -> None:
    assert dense(np.int64(3), np.uint8(2)) == dense(3, 2)
    assert dense(np.array(3), [np.int64(2)]) == dense(3, [2])
    spelled = conv(np.array([1, 8, 9]), 4, np.array([3, 2]), stride=(np.int8(2), 1))
    assert spelled == conv([1, 8, 9], 4, (3, 2), stride=[2, 1])
    assert to_network(spelled) == to_network("conv [1 8 9] 4 [3 2] stride:[2 1]")


@pytest.mark.parametrize(
    "shape", [np.array([1.0, 2]), np.array([[1, 2]]), np.array([], int), {1: 2}, {3}, range(0)]
)
def test_what_is_no_shape_is_refused(shape: object) -> None:
    with pytest.raises(TypeError, match=r"dense: `inputs` must be a whole number, found .*\)"):
        dense(shape, 3)  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("size", [2.0, "2", bool(1), None, np.float32(2), np.bool_(1)])
def test_other_sizes_are_refused(size: object) -> None:
    with pytest.raises(TypeError, match=r"dense: `outputs` must be a whole number, found .*\)"):
        dense(3, size)  # pyright: ignore[reportArgumentType]


def test_what_is_no_layer_is_refused() -> None:
    with pytest.raises(TypeError, match="a program is text, a path or an expression of layers"):
        to_network(3)  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("sign", [">>", "<<", "|", "+"])
def test_an_operator_joins_networks_and_says_so(sign: str) -> None:
    scope = {"layer": dense(2, 2), "array": np.array([4])}
    for text, found in ((f"layer {sign} 3", r"3 \(int\)"), (f"'x' {sign} layer", r"'x' \(str\)")):
        with pytest.raises(TypeError, match=f"joins two networks, .* one side is {found}"):
            eval(text, scope)
    for text in (f"layer {sign} array", f"array {sign} layer", f"layer {sign} 'a' * 1000"):
        with pytest.raises(TypeError, match="joins two networks") as caught:
            eval(text, scope)
        assert len(str(caught.value)) < 160


@pytest.mark.parametrize("sign", ["-", "*", "/", "@", "&"])
def test_operators_that_networks_do_not_have_name_those_that_they_have(sign: str) -> None:
    for text in (f"layer {sign} 3", f"3 {sign} layer", f"layer {sign} layer"):
        with pytest.raises(TypeError, match=f"networks have no `[{sign}]`: .*`repeat"):
            eval(text, {"layer": dense(2, 2)})


def test_mistakes_are_shown_in_the_printed_program() -> None:
    with pytest.raises(ProgramError) as caught:
        to_network(dense(2, 4) >> dense(3, 1))
    assert str(caught.value) == (
        "<python>:1:13: error: this network takes 3 inputs, but what comes before it gives 4\n"
        "1 | dense 2 4 ⦶ dense 3 1\n"
        "  | --------- gives 4\n"
        "  |             ^^^^^^^^^ takes 3\n"
        "  = help: write `dense 4 1`"
    )


@pytest.mark.parametrize(("size", "found"), [(0, "`0`"), (-3, "`-3`")])
def test_sizes_below_one_are_reported(size: int, found: str) -> None:
    with pytest.raises(ProgramError, match=f"a size must be at least 1, found {found}"):
        to_network(dense(2, size))


def test_sizes_beyond_reason_are_refused_where_they_are_written() -> None:
    with pytest.raises(ValueError, match="`inputs` has more than 100 digits"):
        dense(10**5000, 1)


def test_one_part_in_many_places_is_counted_as_often() -> None:
    twice = dense(1, 1)
    for _ in range(60):
        twice = twice | twice
    with pytest.raises(ProgramError, match="this expression is too large"):
        to_network(twice)
    other = dense(1, 1)
    for _ in range(60):
        other = other | other
    assert twice == other
    assert hash(twice) == hash(other)
    assert len(repr(twice)) < 20_000


def test_a_chain_of_ten_thousand_compares_hashes_and_prints() -> None:
    def chain(last: int) -> Expression:
        found: Expression = dense(2, 2)
        for _ in range(10_000):
            found = found >> dense(2, 2)
        return found >> dense(2, last)

    assert chain(3) == chain(3)
    assert chain(3) != chain(4)
    assert hash(chain(3)) == hash(chain(3))
    assert repr(chain(3)).endswith("…")
