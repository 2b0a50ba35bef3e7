"""What the layers, sums, loops and functions become."""

from __future__ import annotations

import pytest

from volr.language import check, to_network


def listed(text: str) -> list[str]:
    """The populations with their shapes, and the projections with their connectors."""
    found = to_network(text)
    rows = [
        f"{each.name} {'x'.join(map(str, each.shape))}{' max' if each.merge == 'max' else ''}"
        for each in found.populations
    ]
    rows += [
        f"{each.name} {each.connector}{' back' if each.back else ''}" for each in found.projections
    ]
    return rows


@pytest.mark.parametrize(
    ("text", "type_", "expected"),
    [
        (
            "conv [1 9 9] 2 3 ⦶ avgpool _ 2 ⦶ dense _ 5",
            "net [1 9 9] 5",
            [
                *("input 1x9x9", "conv_1 2x7x7", "dense_2 5"),
                *("input->conv_1 convolution 3", "conv_1->dense_2 all_to_all of avgpool 2"),
            ],
        ),
        (
            "maxpool [2 8] 2 stride:1 ⦶ conv _ 4 3 groups:2 pad:1",
            "net [2 8] [4 7]",
            [
                *("input 2x8", "maxpool_1 2x7 max", "conv_2 4x7"),
                "input->maxpool_1 windows 2 stride:1",
                "maxpool_1->conv_2 convolution 3 pad:1 groups:2",
            ],
        ),
        (
            "dense 3 4 ⊕ dense 3 4 ⊕ (dense 3 2 ⦶ dense 2 4)",
            "net 3 4",
            [
                *("input 3", "dense_1 2", "dense_2 4", "input->dense_1 all_to_all"),
                *("input->dense_2 all_to_all", "input->dense_2#2 all_to_all"),
                "dense_1->dense_2 all_to_all",
            ],
        ),
        (
            "dense 3 4 ⦶ (id 4 ⊕ dense 4 4)",
            "net 3 4",
            [
                *("input 3", "dense_1 4", "dense_2 4", "input->dense_1 all_to_all"),
                *("dense_1->dense_2 one_to_one", "dense_1->dense_2#2 all_to_all"),
            ],
        ),
        (
            "dense 3 4 ↺ (dense 4 2 ⦶ dense 2 4)",
            "net 3 4",
            [
                *("input 3", "dense_1 4", "dense_2 2", "input->dense_1 all_to_all"),
                *("dense_1->dense_2 all_to_all", "dense_2->dense_1 all_to_all back"),
            ],
        ),
        (
            "avgpool [1 4] 2 ⊖ id [1 4] ⦶ avgpool _ 2",
            "net [1 4] [2 2]",
            [
                *("input 1x4", "avgpool_1 1x2", "avgpool_2 1x2"),
                "input->avgpool_1 one_to_one of avgpool 2",
                "input->avgpool_2 one_to_one of avgpool 2",
            ],
        ),
        (
            "(conv [1 8] 1 3 ⊖ conv [1 8] 2 3) ⦶ maxpool _ 2 ⦶ conv _ 2 3",
            "net [1 8] [2 1]",
            [
                *("input 1x8", "conv_1 1x6", "conv_2 2x6", "maxpool_3 1x3 max"),
                *("maxpool_4 2x3 max", "conv_5 2x1", "input->conv_1 convolution 3"),
                *("input->conv_2 convolution 3", "conv_1->maxpool_3 windows 2"),
                *("conv_2->maxpool_4 windows 2", "maxpool_3->conv_5 convolution 3"),
                "maxpool_4->conv_5 convolution 3",
            ],
        ),
        (
            "let f s n = dense s n ⦶ dense _ (n * 2 - 1) in f 3 2 ⦶ f _ 4",
            "net 3 7",
            [
                *("input 3", "dense_1 2", "dense_2 3", "dense_3 4", "dense_4 7"),
                *("input->dense_1 all_to_all", "dense_1->dense_2 all_to_all"),
                *("dense_2->dense_3 all_to_all", "dense_3->dense_4 all_to_all"),
            ],
        ),
        (
            "let twice f = f ⦶ f in dense 3 2 ⦶ twice (dense _ 4)",
            "net 3 4",
            [
                *("input 3", "dense_1 2", "dense_2 4", "dense_3 4"),
                *("input->dense_1 all_to_all", "dense_1->dense_2 all_to_all"),
                "dense_2->dense_3 all_to_all",
            ],
        ),
    ],
)
def test_what_a_program_becomes(text: str, type_: str, expected: list[str]) -> None:
    assert str(check(text).type) == type_
    assert listed(text) == expected


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("dense [3] [4]", "dense 3 4"),
        ("repeat 3 (dense 4 4)", "dense 4 4 ⦶ dense 4 4 ⦶ dense 4 4"),
        ("dense 3 4 ⦶ id 4 ⦶ dense 4 2", "dense 3 4 ⦶ dense 4 2"),
        ("(dense 3 4 ⦶ dense 4 5) ↺ dense 5 5", "dense 3 4 ⦶ (dense 4 5 ↺ dense 5 5)"),
        ("let x = dense _ 4 in dense 3 2 ⦶ x ⦶ x", "dense 3 2 ⦶ dense 2 4 ⦶ dense 4 4"),
        ("conv [1 9] 2 3 stride:(4 / 2)", "conv [1 9] 2 [3] stride:[2]"),
        (
            "let n = 3 in let f m = dense n m in let n = 5 in f n",
            "dense 3 5",
        ),
    ],
)
def test_two_programs_of_one_network(text: str, same: str) -> None:
    assert to_network(text) == to_network(same)


@pytest.mark.parametrize("count", [30_000])
def test_many_layers_by_functions_and_blanks(count: int) -> None:
    rows = " ⦶ ".join(f"f {i % 5 + 1}" for i in range(count))
    checked = check(f"let f n = dense _ n in dense 2 2 ⦶ {rows}")
    assert checked.term.bulk.populations == count + 1
    assert check(f"repeat {count} (dense 2 2)").term.bulk.projections == count


def test_depth_is_no_matter() -> None:
    deep = 10_000
    calls = "let f x = x in " + "f (" * deep + "dense 2 3" + ")" * deep
    sums = "dense 2 3 ⊕ (" * deep + "dense 2 3" + ")" * deep
    for text in (calls, sums):
        assert str(check(text).type) == "net 2 3"
