"""Characters that look like those of the language: one error, and the edit that mends it."""

from __future__ import annotations

import sys
import unicodedata

import pytest
from tests.language.diagnosed import only, type_after

from volr.language import check
from volr.language.lookalikes import _ALIKE, called, explained, impostors, plain
from volr.source import Diagnostic, Source


def mended(text: str) -> tuple[Diagnostic, str]:
    """The one diagnostic of a text, and the type of the program after its edit."""
    return only(text), type_after(text)


@pytest.mark.parametrize(
    ("character", "program", "type_"),
    [
        *((each, f"dense 2 4 {each} dense 2 3", "net 2 7") for each in _ALIKE["⊖"]),
        *((each, f"dense 2 4 {each} dense 4 3", "net 2 3") for each in _ALIKE["⦶"]),
        *((each, f"dense 2 4 {each} dense 2 3", "net 2 7") for each in _ALIKE["|"]),
        *((each, f"let n {each} 4 in dense 2 n", "net 2 4") for each in _ALIKE["="]),
        *((each, f"dense 2 {each}4)", "net 2 4") for each in _ALIKE["("]),
        *((each, f"dense 2 (4{each}", "net 2 4") for each in _ALIKE[")"]),
        *((each, f"dense 2 4 {each}> dense 4 3", "net 2 3") for each in _ALIKE["-"]),
        *((each, "dense 2 4".replace("e", each, 1), "net 2 4") for each in _ALIKE["e"]),
        *((each, "dense 2 4".replace("s", each, 1), "net 2 4") for each in _ALIKE["s"]),
        *((each, "let n = 4 in dense 2 n".replace("t", each), "net 2 4") for each in _ALIKE["t"]),
        *((each, "let n = 4 in dense 2 n".replace("i", each), "net 2 4") for each in _ALIKE["i"]),
    ],
)
def test_a_look_alike_is_told_and_mended(character: str, program: str, type_: str) -> None:
    found, after = mended(program)
    assert after == type_
    assert character in found.message or called(character) in found.message


@pytest.mark.parametrize("wide", ["dense", "let", "in", "=", "(", ")", "|", "12"])
def test_full_width_forms(wide: str) -> None:
    text = "let n = 12 in (dense 12 n) | dense 12 3"
    full = "".join(chr(ord(each) + 0xFEE0) for each in wide)
    before, after = text.split(wide, 1)
    assert mended(f"{before}{full}{after}")[1] == "net 12 15"


SPACES = [chr(i) for i in range(sys.maxunicode) if unicodedata.category(chr(i)) == "Zs"]


@pytest.mark.parametrize("space", [each for each in SPACES if each != " "], ids=ascii)
def test_spaces_that_are_none(space: str) -> None:
    found, after = mended(f"dense 2{space}4")
    assert (found.help, after) == ("write a plain space", "net 2 4")
    assert called(space) in found.message


@pytest.mark.parametrize("character", "\u200b\u200c\u200d\u2060\ufeff\u00ad\u200e\u202e", ids=ascii)
@pytest.mark.parametrize("text", ["dense 2{} 4", "de{}nse 2 4", "dense 1{}2 4", "dense 2 4{}"])
def test_what_cannot_be_seen(text: str, character: str) -> None:
    found, after = mended(text.format(character))
    assert after == f"net {'12' if '1' in text else '2'} 4"
    shown = found.render(Source(text.format(character)))
    assert all(line.isprintable() for line in shown.split("\n"))


@pytest.mark.parametrize("quotes", ['""', "“”", "‘’", "«»", "``"])
def test_quotation_marks(quotes: str) -> None:
    assert mended(f"dense {quotes[0]}2{quotes[1]} 4")[1] == "net 2 4"


@pytest.mark.parametrize("brackets", ["[]", "{}", "（）", "⟨⟩", "【】"])
def test_brackets(brackets: str) -> None:
    opened, closed = brackets
    text = f"{opened}dense 2 2 ⊖ dense 2 2{closed} ⦶ dense 4 3"
    found, after = mended(text)
    assert (found.help, after) == ("write `(` and `)`", "net 2 3")


def test_a_name_with_another_alphabets_letter_is_the_one_it_looks_like() -> None:
    found, after = mended("let cafe = 4 in dense cаfe cаfe")
    assert after == "net 4 4"
    assert found.help == (
        "write `cafe` in plain characters: this one has U+0430 (CYRILLIC SMALL LETTER A)"
    )


def test_letters_of_other_alphabets_are_letters() -> None:
    assert str(check("let λ = 2 in let größe = 3 in dense λ größe").type) == "net 2 3"


def test_no_character_looks_like_two() -> None:
    every = [each for alike in _ALIKE.values() for each in alike]
    assert len(every) == len(set(every))


def test_what_is_plain_stays() -> None:
    text = "let x1' = dense 2 4 ⊖ y // ok\n"
    assert plain(text) == text
    assert impostors(text) == []
    assert explained("x", "y") == ""
    assert plain("ｄｅｎｓｅ\u00a0２\u200b ٣") == "dense 2 3"
