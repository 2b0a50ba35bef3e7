"""From text to tree: against a grammar of its own, and on texts that are no programs."""

from __future__ import annotations

import functools

import lark
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.strategies import Program, dense_of, programs

from volr.errors import ProgramError
from volr.language import parse
from volr.language.syntax import (
    Argument,
    Arithmetic,
    Blank,
    Call,
    Expression,
    Integer,
    Let,
    Loop,
    Name,
    Parallel,
    Sequence,
    Shape,
    Sum,
)
from volr.source import Source, Span

# The grammar of the language's description, word for word, for a general parser (Earley).
DESCRIBED = r"""
    start: expr
    expr: "let" NAME NAME* "=" expr "in" expr | parallel
    parallel: sequence (("⊖" | "|") sequence)*
    sequence: sum ((("⦶" | ">>") sum) | (("↺" | "<<") sum))*
    sum: product (("⊕" | "+" | "-") product)*
    product: call (("*" | "/") call)*
    call: atom argument*
    argument: atom | NAME ":" atom
    atom: INTEGER | NAME | "_" | "[" atom+ "]" | "(" expr ")"
    NAME: /(?!(?:let|in|_)(?![\w']))[^\W\d][\w']*/
    INTEGER: /[0-9]+/
    %ignore " "
"""
IN_BRACKETS = "the arguments of `dense` stand without brackets and commas"
LET = "a `let` within an expression needs parentheses"
WORDS = [
    *("dense", "let", "in", "=", "(", ")", "⦶", ">>", "⊖", "|", "x", "y'", "3", "12"),
    *("_", "[", "]", ":", "⊕", "+", "-", "*", "/", "↺", "<<"),
]


@functools.cache
def described() -> lark.Lark:
    return lark.Lark(DESCRIBED, parser="earley")


def tree(text: str) -> Expression:
    return parse(Source(text))


def accepted(text: str) -> bool:
    try:
        tree(text)
    except ProgramError:
        return False
    return True


def accepted_as_described(text: str) -> bool:
    try:
        described().parse(text)
    except lark.exceptions.LarkError:
        return False
    return True


def number(value: int) -> Integer:
    return Integer(str(value))


TWENTY = Arithmetic("*", number(4), number(5))
SHAPE = Shape((number(1), Call(Name("g"), (Argument(number(2)),)), Name("n")))
A, B, C = (dense_of(number(1), number(size)) for size in (2, 3, 4))


@given(programs(), st.data())
def test_what_is_a_program_is_what_the_description_says(
    program: Program, data: st.DataObject
) -> None:
    words = program.text.replace("(", "( ").replace(")", " )").split()
    at = st.integers(0, len(words) - 1)
    for _ in range(data.draw(st.integers(0, 2))):
        words[data.draw(at)] = data.draw(st.sampled_from(["", *WORDS]))
    text = " ".join(words)
    assert accepted(text) == accepted_as_described(text)


@given(st.lists(st.sampled_from(WORDS), max_size=8))
def test_words_in_any_order_are_read_as_described(words: list[str]) -> None:
    text = " ".join(words)
    assert accepted(text) == accepted_as_described(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("dense 1 2 ⦶ dense 1 3 ⊖ dense 1 4", Parallel(Sequence(A, B), C)),
        ("dense 1 2 ⊖ dense 1 3 ⦶ dense 1 4", Parallel(A, Sequence(B, C))),
        ("dense 1 2 >> dense 1 3 >> dense 1 4", Sequence(Sequence(A, B), C)),
        ("dense 1 2 | dense 1 3 | dense 1 4", Parallel(Parallel(A, B), C)),
        ("dense 1 2 ⦶ (dense 1 3 ⦶ dense 1 4)", Sequence(A, Sequence(B, C))),
        ("let x = dense 1 2 in x | dense 1 3", Let("x", A, Parallel(Name("x"), B))),
        ("(let x = dense 1 2 in x) | dense 1 3", Parallel(Let("x", A, Name("x")), B)),
        ("let x = let y = 3 in y in x", Let("x", Let("y", number(3), Name("y")), Name("x"))),
        ("dense (let n = 3 in n) (4)", dense_of(Let("n", number(3), Name("n")), number(4))),
        ("007", number(7)),
        ("000", number(0)),
        ("(((3)))", number(3)),
        ("3 - 4 * 5 - 6", Arithmetic("-", Arithmetic("-", number(3), TWENTY), number(6))),
        ("3 - (4 * 5 - 6)", Arithmetic("-", number(3), Arithmetic("-", TWENTY, number(6)))),
        ("dense 1 2 + dense 1 3 ⦶ dense 1 4", Sequence(Sum(A, B), C)),
        ("dense 1 2 ↺ dense 1 3 ⦶ dense 1 4", Sequence(Loop(A, B), C)),
        ("dense 1 2 >> dense 1 3 << dense 1 4", Loop(Sequence(A, B), C)),
        ("f 3 n:4", Call(Name("f"), (Argument(number(3)), Argument(number(4), "n")))),
        ("f 3 n", Call(Name("f"), (Argument(number(3)), Argument(Name("n"))))),
        ("f [1 (g 2) n] _", Call(Name("f"), (Argument(SHAPE), Argument(Blank())))),
        ("let f n k = n in f", Let("f", Name("n"), Name("f"), (Name("n"), Name("k")))),
    ],
)
def test_precedence_and_association(text: str, expected: Expression) -> None:
    assert tree(text) == expected


@pytest.mark.parametrize(
    "name", ["x", "_x", "__", "x'", "a_1'", "letter", "in'", "dense_1", "größe", "層"]
)
def test_names(name: str) -> None:
    assert tree(name) == Name(name)


@pytest.mark.parametrize(
    "text",
    [
        "dense/**/1/* | */2",
        "dense 1// )\n2",
        "// first\r\ndense\t1 2\r\n",
        "\fdense 1 2 // last",
        "/*/*/dense 1 2",
    ],
)
def test_comments_and_white_space_separate(text: str) -> None:
    assert tree(text) == A


def test_spans_cover_the_text_without_the_parentheses_around_it() -> None:
    text = "let x = ( dense 1 (2) ) in (x ⦶ x) ⊖ (x)"
    found = tree(text)
    assert isinstance(found, Let)
    assert isinstance(found.body, Parallel)
    parts = (found, found.value, found.body, found.body.left, found.body.right)
    shown = [text[part.span.start : part.span.end] for part in parts]
    assert shown == [text, "dense 1 (2)", "(x ⦶ x) ⊖ (x)", "x ⦶ x", "x"]
    assert found.name_span == Span(4, 5)


def messages(text: str) -> list[str]:
    with pytest.raises(ProgramError) as caught:
        tree(text)
    return [found.message for found in caught.value.diagnostics]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("dense(2, 4) >> dense(4, 2)", [IN_BRACKETS] * 2),
        ("conv [1, 28, 28] 6 5", ["unexpected `,`"]),
        ("dense [2 4", ["this `[` is never closed"]),
        ("dense 2 4]", ["this `]` closes nothing"]),
        ("dense [] 4", ["expected a size, found `]`"]),
        ("conv [1 5 5] 2 3 pad: ⦶ dense 2 2", ["the label `pad` has no value, found `⦶`"]),
        ("dense 2 4 ⦶ ↺ dense 4 4", ["expected a network after `⦶`, found `↺`"]),
        ("let _ = 3 in dense 2 3", ["expected a name after `let`, found `_`"]),
        ("let x = 3 dense x 2", ["expected `in` before `dense`"]),
        ("let x = 3 let y = 2 in dense x y", ["expected `in` before `let`"]),
        ("let x = (dense 2 4 in x", ["this `(` is never closed"]),
        ("(let x = 3)", ["this `let` has no `in`"]),
        ("let = 3 in dense 3 2", ["expected a name after `let`, found `=`"]),
        ("let x 3 in dense x 2", ["expected `=` after the name, found `3`"]),
        ("let x == 3 in dense x 2", ["expected `=`, found `==`"]),
        ("x = 3", ["expected `let` before `x`"]),
        ("dense 2 4 ⦶ let x = 3 in dense 4 x", [LET]),
        ("(dense 2 4 ⦶ let x = 3 in dense 4 x)", [LET]),
        ("dense 2 4 in dense 4 2", ["this `in` belongs to no `let`"]),
        ("dense 2 4 -> dense 4 2", ["unexpected characters `->`"]),
        ("dense 2\u00a04", ["unexpected character U+00A0 (NO-BREAK SPACE)"]),
        ("dense 1.5 1_000", [
            "a size is a whole number, found `1.5`",
            "a size is written in digits only, found `1_000`",
        ]),
        ("dense 3x ²", [
            "`3x` is neither a size nor a name: a name does not begin with a digit",
            "unexpected character U+00B2 (SUPERSCRIPT TWO)",
        ]),
        ("dense 2 4 /* dense", ["this comment is never closed"]),
        ("dense 2 4 ⦶ /* dense", ["this comment is never closed"]),
        ("((((dense 2 4", ["this `(` is never closed, nor are the 3 around it"]),
        ("dense 2 4)))", ["this `)` closes nothing"]),
        ("⦶ dense 2 4 ⦶ ⦶ dense 4 2 ⊖", [
            "expected a network, found `⦶` with nothing before it",
            "expected a network after `⦶`, found `⦶`",
            "expected a network after `⊖`, found the end of the program",
        ]),
    ],
)  # fmt: skip
def test_each_mistake_is_reported_once(text: str, expected: list[str]) -> None:
    assert messages(text) == expected


def test_a_text_full_of_mistakes_is_given_up() -> None:
    assert len(messages("⦶ " * 1000)) == 1
    apart = " ⦶ dense 1 1" * 4 + " ⦶ ⦶ dense 1 1"
    assert len(messages("dense 1 1" + apart * 100)) == 100
    assert len(messages("dense 1 1" + apart * 200)) == 100


DEEP = 10_000


@pytest.mark.parametrize(
    "text",
    [
        "(" * DEEP + "dense 2 2" + ")" * DEEP,
        "dense 2 2 ⦶ (" * DEEP + "dense 2 2" + ")" * DEEP,
        "dense (" * DEEP + "3" + ") 2" * DEEP,
        "let a = " * DEEP + "dense 2 2" + " in a" * DEEP,
        "let a = 3 in " * DEEP + "dense a a",
        "f (" * DEEP + "3" + ")" * DEEP,
        "[" * DEEP + "3" + "]" * DEEP,
        "f" + " 3" * DEEP,
        "let f" + " n" * DEEP + " = 3 in f",
        "1 + (" * DEEP + "3" + ")" * DEEP,
    ],
    ids=[
        "parentheses",
        "to the right",
        "sizes",
        "values",
        "bodies",
        "calls",
        "shapes",
        "arguments",
        "parameters",
        "sums",
    ],
)
def test_depth_is_no_matter(text: str) -> None:
    assert tree(text) == tree(f"{text} ")


@pytest.mark.parametrize(
    "text", ["(" * DEEP, ")" * DEEP, "let a = (" * DEEP, "-" * DEEP, "'" * DEEP]
)
def test_nor_is_depth_without_an_end(text: str) -> None:
    assert 1 <= len(messages(text)) <= 3
