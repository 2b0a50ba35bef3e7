"""Calls that the grammar reads otherwise than they were meant: one mistake, and an edit for it."""

from __future__ import annotations

import pytest
from tests.language.diagnosed import mistakes, only, type_after

COMPUTED = "a computed size stands in parentheses"


@pytest.mark.parametrize(
    ("text", "help", "after"),
    [
        ("dense 2*2 3", "write `dense (2 * 2) 3`", "net 4 3"),
        ("dense 6/2 3", "write `dense (6 / 2) 3`", "net 3 3"),
        ("dense 4+1 3", "write `dense (4 + 1) 3`", "net 5 3"),
        ("dense 4-1 3", "write `dense (4 - 1) 3`", "net 3 3"),
        ("dense 4 2*2", "write `dense 4 (2 * 2)`", "net 4 4"),
        ("dense 1+2*2 3*3-1", "write `dense (1 + 2 * 2) (3 * 3 - 1)`", "net 5 8"),
        ("dense 2*(1+1) 3", "write `dense (2 * (1 + 1)) 3`", "net 4 3"),
        ("dense (1+1)*2 3", "write `dense ((1 + 1) * 2) 3`", "net 4 3"),
        ("let n = 4 in dense n*2 n", "write `dense (n * 2) n`", "net 8 4"),
        ("let f n = dense n*2 n in f 3", "write `dense (n * 2) n`", "net 6 3"),
        ("repeat 1+1 (dense 4 4)", "write `repeat (1 + 1) (dense 4 4)`", "net 4 4"),
        ("avgpool [1 8] 1+1", "write `avgpool [1 8] (1 + 1)`", "net [1 8] [1 4]"),
        ("avgpool [1 8] 2 stride:1+1", "write `avgpool [1 8] 2 stride:(1 + 1)`", "net [1 8] [1 4]"),
        ("dense 2*2 3 + dense 4 3", "write `dense (2 * 2) 3`", "net 4 3"),
        ("dense 2 4 >> dense _ 2*3", "write `dense _ (2 * 3)`", "net 2 6"),
        ("dense [(1+1) 2*2] 3", "write `(2*2)`", "net [2 4] 3"),
        ("dense [2*2 3 (4-1)*2] 3", "write `(2*2)`", "net [4 3 6] 3"),
        ("dense [2 8-2 3] 3", "write `(8-2)`", "net [2 6 3] 3"),
    ],
)  # fmt: skip
def test_a_computed_size_stands_in_parentheses(text: str, help: str, after: str) -> None:
    found = only(text)
    assert found.message == COMPUTED
    assert found.help == help
    assert type_after(text) == after


@pytest.mark.parametrize("size", ["1/2", "1-1"])
def test_a_computed_size_may_have_a_mistake_of_its_own(size: str) -> None:
    assert [each.message for each in mistakes(f"dense {size} 3")][:1] == [COMPUTED]
    assert len(mistakes(f"dense ({size}) 3")) == 1


@pytest.mark.parametrize(
    ("text", "message", "after"),
    [
        ("dense 2 -4", "a size must be at least 1, found `-4`", "net 2 4"),
        ("dense [3 -8] 4", "a size must be at least 1, found `-8`", "net [3 8] 4"),
        ("dense [-3 8] 4", "a size must be at least 1, found `-3`", "net [3 8] 4"),
        ("repeat -2 (dense 3 3)", "the number of times must be at least 1, found `-2`", "net 3 3"),
        (
            "conv [1 8 7] 4 3 pad:-1",
            "a padding must be at least 0, found `-1`",
            "net [1 8 7] [4 6 5]",
        ),
        (
            "conv [1 8 7] 4 3 pad:[1 -1]",
            "a padding must be at least 0, found `-1`",
            "net [1 8 7] [4 8 5]",
        ),
        (
            "conv [1 8 7] 4 3 stride:-2",
            "a stride must be at least 1, found `-2`",
            "net [1 8 7] [4 3 3]",
        ),
        (
            "conv [1 8 7] -4 3",
            "the number of channels must be at least 1, found `-4`",
            "net [1 8 7] [4 6 5]",
        ),
        (
            "conv [1 8 7] 4 -3",
            "a window must be at least 1, found `-3`",
            "net [1 8 7] [4 6 5]",
        ),
        (
            "conv [2 8 7] 4 3 groups:-2",
            "the number of groups must be at least 1, found `-2`",
            "net [2 8 7] [4 6 5]",
        ),
    ],
)
def test_a_number_below_zero_is_named_by_its_place(text: str, message: str, after: str) -> None:
    assert only(text).message == message
    assert type_after(text) == after


def test_a_number_of_zero_is_named_by_its_place() -> None:
    assert only("repeat 0 (dense 4 4)").message.startswith("the number of times must be at least 1")
    assert only("conv [1 8 8] 0 3").message.startswith("the number of channels must be at least 1")


@pytest.mark.parametrize(
    ("text", "help", "after"),
    [
        ("repeat (dense 4 4) 3", "write `repeat 3 (dense 4 4)`", "net 4 4"),
        ("let n = 3 in repeat (dense 4 4) n", "write `repeat n (dense 4 4)`", "net 4 4"),
        ("let e = dense 4 4 in repeat e (1+2)", "write `repeat (1 + 2) e`", "net 4 4"),
        ("dense 2 4 >> repeat (dense _ 4) 3", "write `repeat 3 (dense _ 4)`", "net 2 4"),
    ],
)
def test_the_number_of_times_comes_first(text: str, help: str, after: str) -> None:
    found = only(text)
    assert found.message == "the number of times stands before the network"
    assert found.help == help
    assert type_after(text) == after


@pytest.mark.parametrize(
    ("text", "help", "after"),
    [
        ("conv [1 8 7] channels:4 window:3", "write `conv [1 8 7] 4 3`", "net [1 8 7] [4 6 5]"),
        ("conv [1 8 7] window:3 channels:4", "write `conv [1 8 7] 4 3`", "net [1 8 7] [4 6 5]"),
        (
            "conv [1 8 7] out_channels:4 kernel_size:(1+2) padding:1",
            "write `conv [1 8 7] 4 (1 + 2) pad:1`",
            "net [1 8 7] [4 8 7]",
        ),
        ("dense inputs:2 outputs:3", "write `dense 2 3`", "net 2 3"),
        ("dense 2 [1 4 4] >> avgpool kernel_size:2", "write `avgpool _ 2`", "net 2 [1 2 2]"),
        ("let f n k = dense n k in f k:3 n:4", "write `f 4 3`", "net 4 3"),
        ("repeat network:(dense 4 4) count:3", "write `repeat 3 (dense 4 4)`", "net 4 4"),
    ],
)
def test_labels_of_arguments_by_place(text: str, help: str, after: str) -> None:
    found = mistakes(text)[0]
    assert "is no label: `" in found.message
    assert found.help == help
    others = [each.message for each in mistakes(text)[1:]]
    assert others == ["`conv` has no label `padding`"] * ("padding" in text)
    if not others:
        assert type_after(text) == after


def test_labels_that_leave_an_argument_open() -> None:
    found = only("conv [1 8 8] window:3")
    assert found.message == "`window` is no label: `conv` takes it by its place"
    assert (found.help or "").startswith("a layer is written `conv inputs channels window ")
    assert not found.edits
    assert only("dense 2 4 outputs:3").message == "`dense` has no label `outputs`"


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("dense(4 2)", "net 4 2"),
        ("dense ((2*2) 3)", "net 4 3"),
        ("conv([1 8 7] 4 3 pad:1)", "net [1 8 7] [4 8 7]"),
        ("repeat(3 (dense 4 4))", "net 4 4"),
        ("dense 2 4 >> dense(_ 3)", "net 2 3"),
    ],
)
def test_brackets_around_arguments(text: str, after: str) -> None:
    assert only(text).message.endswith("stand without brackets")
    assert type_after(text) == after


def test_a_shape_of_very_many_axes_is_too_large_and_said_so() -> None:
    found = only(f"dense [{'99 ' * 5000}] 3")
    assert "would take more than 10^60 bytes" in found.message


@pytest.mark.parametrize(
    ("text", "help", "after"),
    [
        ("dense (3 4) 5", "write `[3 4]`", "net [3 4] 5"),
        ("dense 2 (3 (1+1))", "write `[3 (1 + 1)]`", "net 2 [3 2]"),
        ("conv [1 8 7] 4 (3 2)", "write `[3 2]`", "net [1 8 7] [4 6 6]"),
        ("conv [1 8 7] 4 3 pad:(0 1)", "write `[0 1]`", "net [1 8 7] [4 6 7]"),
    ],
)
def test_a_shape_in_parentheses(text: str, help: str, after: str) -> None:
    found = only(text)
    assert found.message == "a shape is written in square brackets"
    assert found.help == help
    assert type_after(text) == after


@pytest.mark.parametrize("size", ["[(3 2) 4]", "(1 + 3 2)", "(3 2 * 4)"])
def test_numbers_with_nothing_between_them_in_the_place_of_one(size: str) -> None:
    assert "several numbers with no operator between them" in only(f"dense 2 {size}").message
    assert "several numbers" in only("conv [1 8 7] (2 2) 3").message


@pytest.mark.parametrize(
    ("text", "help"),
    [
        ("dense 4 4 * 3", "write `repeat 3 (dense 4 4)` for several in a row"),
        ("3 * dense 4 4", "write `repeat 3 (dense 4 4)` for several in a row"),
        ("dense 4 4 >> (dense 4 3 >> dense 3 4) * 2", None),
        ("let e = dense 4 4 in e * 2", "write `repeat 2 e` for several in a row"),
        ("dense 4 3 * 2", None),
    ],
)
def test_a_network_times_a_number(text: str, help: str | None) -> None:
    found = only(text)
    assert found.message.endswith("is a network, but `*` takes numbers")
    if help is not None:
        assert found.help == help
    if found.edits:
        assert type_after(text) == "net 4 4"
    else:
        assert found.help is None


@pytest.mark.parametrize(
    ("text", "help", "after"),
    [
        ("3 dense 6", "write `dense 3 6`", "net 3 6"),
        ("dense 2 3 >> 3 dense 6", "write `dense 3 6`", "net 2 6"),
        ("[1 8 7] conv 4 3 pad:1", "write `conv [1 8 7] 4 3 pad:1`", "net [1 8 7] [4 8 7]"),
        ("(1 + 2) id", "write `id (1 + 2)`", "net 3 3"),
        ("let n = 3 in n dense 6", "write `dense n 6`", "net 3 6"),
    ],
)
def test_an_argument_before_its_layer(text: str, help: str, after: str) -> None:
    found = only(text)
    assert found.message.endswith(", and arguments stand after it")
    assert found.help == help
    assert type_after(text) == after


def test_a_number_just_before_a_layer() -> None:
    text = "dense 6 2 >> 3 dense 2 1"
    assert only(text).message == "unexpected `3` before `dense`"
    assert type_after(text) == "net 6 1"


@pytest.mark.parametrize(
    ("text", "help", "after"),
    [
        (
            "conv [1 8 8] 4 3 >> maxpool 2 2",
            "write `_`, the shape of what comes before",
            "net [1 8 8] [4 3 3]",
        ),
        ("dense 2 4 >> id", "write `id _`: `_` is the shape of what comes before", "net 2 4"),
    ],
)
def test_what_comes_before_may_be_the_input(text: str, help: str, after: str) -> None:
    assert only(text).help == help
    assert type_after(text) == after


def test_the_name_of_a_layer_that_is_torn_is_one_mistake() -> None:
    assert only("dense 5 4 ⊖ d ense 5 1").message == "`d` and `ense` are one word, `dense`"
    assert type_after("dense 5 4 ⊖ d ense 5 1") == "net 5 5"
    assert only("dense 5 4 >> max(pool [4 2] 2)").message.startswith("`max` and `pool` are one")
