"""Which number is blamed, where numbers that must be the same are not."""

from __future__ import annotations

import pytest
from tests.language.diagnosed import mistakes, only, type_after


@pytest.mark.parametrize(
    ("text", "message", "places", "after"),
    [
        # The first side is wrong, not the two that agree.
        (
            "dense 3 4 ⊖ dense 2 5 ⊖ dense 2 6",
            "this `3` does not fit: 2 places want 2",
            2,
            "net 2 15",
        ),
        (
            "dense 1 2 ⦶ (dense 3 4 ⊖ dense 2 5)",
            "this `3` does not fit: 2 places want 2",
            2,
            "net 1 9",
        ),
        (
            "let n = 5 in dense 2 n ⦶ dense 4 n ⦶ dense 4 3",
            "this `5` does not fit: 2 places want 4",
            2,
            "net 2 3",
        ),
        (
            "let l = dense 2 5 in (l ⦶ dense 4 1) ⊖ (l ⦶ dense 4 2) ⊖ (l ⦶ dense 4 3)",
            "this `5` does not fit: 3 places want 4",
            3,
            "net 2 6",
        ),
        (
            "let p = dense 2 1 ⊖ dense 2 5 in (p ⦶ dense 4 1) ⊖ (p ⦶ dense 4 2)",
            "the sides of this `⊖` give 6 together, but 2 places want 4",
            2,
            None,
        ),
    ],
)
def test_a_wrong_number_is_one_mistake_wherever_it_shows(
    text: str, message: str, places: int, after: str | None
) -> None:
    found = only(text)
    assert found.message == message
    assert len(found.others) == places
    assert (type_after(text) if found.edits else None) == after


def test_two_wrong_numbers_are_two_mistakes() -> None:
    assert len(mistakes("dense 2 5 ⦶ dense 4 1 ⦶ dense 1 7 ⦶ dense 6 1")) == 2
    assert len(mistakes("let l = dense 2 5 in (l ⦶ dense 4 1) ⊖ (l ⦶ dense 3 2)")) == 2


def test_the_number_that_fits_nowhere_else_is_to_be_changed() -> None:
    text = "let w = 4 in (dense 2 4 ⦶ dense w 1) ⊖ (dense 2 5 ⦶ dense w 1)"
    assert only(text).help == "write `dense 2 4` before it"
    assert type_after(text) == "net 2 2"
