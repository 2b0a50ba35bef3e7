"""The lexer for Pygments has the tokens of the grammar."""

from __future__ import annotations

import tomllib
from pathlib import Path
from pkgutil import resolve_name
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pygments.lexers import get_lexer_by_name
from pygments.token import Comment, Error, Keyword, Name, Number, Operator, Punctuation, Whitespace
from tests.fuzz.mistakes import mistake
from tests.shaped_programs import ShapedProgram, shaped_programs

from volr.display.lexer import LAYERS, VolrLexer
from volr.language import layers
from volr.language.grammar import comments, tables
from volr.language.tokens import UNREADABLE, listed

if TYPE_CHECKING:
    from volr.language.grammar import Token

ROOT = Path(__file__).resolve().parents[2]
KINDS: dict[str, Any] = {
    **dict.fromkeys(("LET", "IN"), Keyword),
    **dict.fromkeys(("BESIDE", "THEN", "LOOP", "PLUS", "MINUS", "TIMES", "OVER"), Operator),
    "EQUAL": Operator,
    **dict.fromkeys(("COLON", "OPEN", "CLOSE", "OPEN_SHAPE", "CLOSE_SHAPE"), Punctuation),
    "BLANK": Name.Builtin.Pseudo,
    "NAME": Name,
    "INTEGER": Number.Integer,
    "COMMENT": Comment,
    **dict.fromkeys(("MALFORMED", "STRAY", "DASHES", "UNFINISHED"), Error),
}
"""What each terminal of the grammar is."""
CHARACTERS = "leti n_09'²½Ⅷλπ⦶⊖⊕↺−+-*/=|<>:()[]\t\n\r\x0b.#\ufeff\x1b\u00a0é"


def lexed(text: str) -> list[tuple[int, Any, str]]:
    return [*VolrLexer().get_tokens_unprocessed(text)]


def of_the_language(text: str) -> list[Token]:
    found = [*tables().tokens(text), *comments(text)]
    return sorted(found, key=lambda each: each.start)


def check_alike(text: str) -> None:
    tokens = lexed(text)
    assert "".join(part for _, _, part in tokens) == text
    shown = [(at, part, kind) for at, kind, part in tokens if kind is not Whitespace]
    wanted = of_the_language(text)
    assert [(at, part) for at, part, _ in shown] == [(each.start, each.text) for each in wanted]
    for (_, part, kind), each in zip(shown, wanted, strict=True):
        no_letter = each.kind == "NAME" and not (part[0].isalpha() or part[0] == "_")
        assert kind in (Error if no_letter else KINDS[each.kind]), (part, each.kind)


@given(shaped_programs())
def test_a_program_has_the_tokens_of_the_grammar_and_no_error(program: ShapedProgram) -> None:
    check_alike(program.text)
    assert not [part for _, kind, part in lexed(program.text) if kind in Error]


@given(shaped_programs(), st.integers(0, 2**32))
def test_so_has_a_program_with_a_mistake(program: ShapedProgram, seed: int) -> None:
    check_alike(mistake(program.text, Random(seed)).text)


@given(st.text(st.sampled_from(CHARACTERS)) | st.text())
def test_any_text_is_given_back_and_what_is_unreadable_is_an_error(text: str) -> None:
    check_alike(text)
    errors = {at for at, kind, _ in lexed(text) if kind in Error}
    found, _ = listed(text)
    # The language knows more: letters that look like signs, which depends on what is bound.
    signs = {each.start for each in found if each.kind == UNREADABLE and each.text.isidentifier()}
    assert {each.start for each in found if each.kind == UNREADABLE} <= errors | signs


def test_every_terminal_has_a_kind() -> None:
    kinds = {kind for state in tables().states.values() for kind in state if kind.isupper()}
    assert kinds - {"HOLE", "$END"} <= set(KINDS)
    assert len(kinds) > 20


def test_names_say_what_they_are() -> None:
    text = "let block n k' = conv _ n k' pad: 1 in // three\nblock 2 3 ⦶ dense _ 4"
    named = [(part, kind) for _, kind, part in lexed(text) if kind in Name]
    assert named == [
        ("block", Name.Function),
        *(("n", Name.Variable), ("k'", Name.Variable)),
        *(("conv", Name.Builtin), ("_", Name.Builtin.Pseudo), ("n", Name), ("k'", Name)),
        *(("pad", Name.Attribute), ("block", Name)),
        *(("dense", Name.Builtin), ("_", Name.Builtin.Pseudo)),
    ]


def test_the_names_that_are_bound_from_the_start_are_those_of_the_language() -> None:
    assert LAYERS == layers.RESERVED


@pytest.mark.parametrize("operator", ["⊖", "|", "⦶", ">>", "↺", "<<", "⊕", "+", "-", "−", "*"])
def test_both_spellings_are_one_token(operator: str) -> None:
    assert (2, Operator, operator) in lexed(f"a {operator} b")


def test_pygments_is_told_where_it_is() -> None:
    """The entry point by which Pygments, and so the site and Jupyter, find it."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    place = settings["project"]["entry-points"]["pygments.lexers"]["volr"]
    assert resolve_name(place) is VolrLexer
    assert VolrLexer.aliases == ["volr"]
    assert VolrLexer.filenames == ["*.volr"]
    assert get_lexer_by_name("python").name == "Python"
