"""The tokens are those of Lark's own lexer, which is the definition."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st

from volr.language import grammar
from volr.language.grammar import comments, tables

if TYPE_CHECKING:
    from volr.language.grammar import Token

PIECES = (
    *("dense", "let", "in", "inner", "_", "_x", "x'", "12", "3x", "1.5", "--", "-", "\x1b["),
    *("//", "/*", "*/", "\n", "\t", "\r\n", " ", "(", ")", "[", "]", "⦶", ">>", "<<", "<", ">"),
    *("⊖", "|", "⊕", "+", "−", "*", "/", ":", "=", "#", "²", "é", '"', "'", "λ"),
)


def of_lark(text: str, *, ignored: bool = False) -> list[tuple[Any, ...]]:
    lexed = grammar._lark().lex(text, dont_ignore=ignored)
    return [(each.type, str(each), each.start_pos, each.end_pos) for each in lexed]


def plain(tokens: list[Token]) -> list[tuple[Any, ...]]:
    return [tuple(each) for each in tokens]


@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=20).map("".join))
def test_the_tokens_are_those_of_lark(text: str) -> None:
    assert plain(list(tables().tokens(text))) == of_lark(text)
    everything = of_lark(text, ignored=True)
    assert plain(comments(text)) == [each for each in everything if each[0] == "COMMENT"]
