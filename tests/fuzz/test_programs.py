"""The fuzzer of programs in small: its shares, and that it would see what it looks for."""

from __future__ import annotations

from random import Random

import pytest
from tests.fuzz import programs
from tests.fuzz.mistakes import KINDS, mistake, words
from tests.fuzz.programs import fuzz, table
from tests.shaped_programs import random_shaped_program
from tests.strategies import random_program

from volr.errors import ProgramError
from volr.language import check
from volr.source import Diagnostic, Source, Span


def test_one_mistake_gives_one_error_two_give_two_and_the_help_helps() -> None:
    found = fuzz(240, seed=0)
    printed = "\n".join(table(found))
    assert not found.tracebacks, printed
    assert found.total.rejected > 80, printed
    assert found.total.share < 0.1, printed
    assert found.pairs > 20, printed
    assert found.pairs_share > 0.9, printed
    assert found.proposed > 50, printed
    assert found.mended_share > 0.9, printed


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_mistake_can_be_made(kind: str) -> None:
    random = Random(0)
    drawn = [random_program(random).text, random_shaped_program(random, depth=4).text]
    made = {mistake(drawn[i % 2] + " ⦶ conv _ 2 3 pad:1", random).kind for i in range(800)}
    assert kind in made


def test_a_mistake_stays_within_its_part_of_the_program() -> None:
    random = Random(1)
    text = " ⦶ ".join(["dense 2 2"] * 20)
    half = words(text)[len(words(text)) // 2].start()
    for _ in range(200):
        assert mistake(text, random, first=0.5).text.startswith(text[:half].rstrip())


def test_several_errors_and_tracebacks_are_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    twice = [Diagnostic(Span(0, 1), "wrong"), Diagnostic(Span(0, 1), "and once more")]

    def checked(source: Source) -> None:
        try:
            check(source)
        except ProgramError as error:
            if "(" in source.text:
                raise ValueError("a bug") from None
            raise ProgramError(source, twice) from error

    monkeypatch.setattr(programs, "check", checked)
    found = fuzz(40, seed=0)
    assert found.total.share > 0.5
    assert "ValueError: a bug" in "".join(found.tracebacks)
    assert any("wrong + and once more" in line for line in table(found))
