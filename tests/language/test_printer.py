"""Formatting: the inverse of parsing, in one layout, with every comment."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.strategies import Program, programs

from volr.errors import ProgramError
from volr.language import dense, format_expression, format_source, parse
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
from volr.source import Source

COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)


# What is written, and what becomes of it.
LAYOUTS = [
    """\
dense 2 4>>dense 4 2
---
dense 2 4 ⦶ dense 4 2
""",
    """\
((dense (2) 4))|(dense 2 4>>dense 4 2)
---
dense 2 4 ⊖ dense 2 4 ⦶ dense 4 2
""",
    """\
let n=3 in
  dense n n
---
let n = 3 in dense n n
""",
    """\
let l1 = dense 2 4 in let l2 = dense 2 4 in
  let o = dense 8 100 in let p = o in (l1 | l2) >> o
---
let l1 = dense 2 4 in
let l2 = dense 2 4 in
let o = dense 8 100 in
let p = o in
(l1 ⊖ l2) ⦶ o
""",
    """\
dense 100 20 >> (dense 20 10 | dense 20 10 | dense 20 10) >>
dense 30 10 >> dense 10 100000000
---
dense 100 20
⦶ (dense 20 10 ⊖ dense 20 10 ⊖ dense 20 10)
⦶ dense 30 10
⦶ dense 10 100000000
""",
    """\
(dense 100 20 >> dense 20 10 | dense 100 200 >> dense 200 20 >> (dense 20 2 >> dense 2 3000))
>> dense 3010 10
---
(
  dense 100 20 ⦶ dense 20 10
  ⊖ dense 100 200 ⦶ dense 200 20 ⦶ (dense 20 2 ⦶ dense 2 3000)
)
⦶ dense 3010 10
""",
    """\
dense 1 2 // a
>> dense 2 3 | dense 1 4
---
dense 1 2 // a
  ⦶ dense 2 3
⊖ dense 1 4
""",
    """\
let a = let b = dense 20000 3 in
b ⦶ dense 3000000000 300000 ⦶ dense 3000 4 ⦶ dense 4000 444444 in a
---
let a =
  let b = dense 20000 3 in
  b ⦶ dense 3000000000 300000 ⦶ dense 3000 4 ⦶ dense 4000 444444
in
a
""",
    """\
// what
let l1 = dense 2 4 in // why
// next
let l2 = // where
dense 2 4 in l1 /* x */ | l2 // end
// last
---
// what
let l1 = dense 2 4 in // why
// next
let l2 = // where
  dense 2 4
in
l1 ⊖ /* x */ l2 // end
// last
""",
]


NUMBERS = st.integers(1, 99).map(lambda number: Integer(str(number)))
NAMES = st.sampled_from(["n", "f'", "dense", "conv"])


def trees() -> st.SearchStrategy[Expression]:
    """Trees of every production, of right types or wrong ones."""
    leaves = st.one_of(NUMBERS, NAMES.map(Name), st.just(Blank()))

    def larger(below: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
        sides = [st.builds(kind, below, below) for kind in (Parallel, Sequence, Loop, Sum)]
        labels = st.sampled_from(["", "pad"])
        arguments = st.lists(st.builds(Argument, below, labels), min_size=1, max_size=3)
        parameters = st.lists(NAMES.map(Name), max_size=2)
        return st.one_of(
            *sides,
            st.builds(Arithmetic, st.sampled_from("-*/"), below, below),
            st.builds(Call, below, arguments.map(tuple)),
            st.builds(Shape, st.lists(below, min_size=1, max_size=3).map(tuple)),
            st.builds(Let, NAMES, below, below, parameters.map(tuple)),
        )

    return st.recursive(leaves, larger, max_leaves=12)


@given(trees(), st.booleans())
def test_every_tree_is_printed_and_parsed_back(tree: Expression, ascii: bool) -> None:
    text = format_expression(tree, ascii=ascii)
    found = parse(Source(text))
    assert found == tree
    assert formatted(text, ascii=ascii) == text + "\n"
    assert text.isascii() or not ascii


@pytest.mark.parametrize(
    ("text", "expected", "ascii"),
    [
        ("dense 2 3+dense 2 3", "dense 2 3 ⊕ dense 2 3", "dense 2 3 + dense 2 3"),
        ("dense (n+1) 3", "dense (n + 1) 3", "dense (n + 1) 3"),
        ("let a=dense 2 2 in a+a", "let a = dense 2 2 in a ⊕ a", "let a = dense 2 2 in a + a"),
        ("let f n k=n⊕k in f", "let f n k = n ⊕ k in f", "let f n k = n + k in f"),
        ("let f n k=n+k in f", "let f n k = n + k in f", "let f n k = n + k in f"),
        ("dense 1 2<<dense 2 2", "dense 1 2 ↺ dense 2 2", "dense 1 2 << dense 2 2"),
        ("conv [1  9 9] 2 3 pad : 1", "conv [1 9 9] 2 3 pad:1", "conv [1 9 9] 2 3 pad:1"),
        ("(a-b)-(c-d)*2", "a - b - (c - d) * 2", "a - b - (c - d) * 2"),
    ],
)
def test_spellings(text: str, expected: str, ascii: str) -> None:
    assert formatted(text) == expected + "\n"
    assert formatted(text, ascii=True) == ascii + "\n"


def test_blanks_are_filled_in_where_they_have_one_shape() -> None:
    text = "let b = dense _ 4 in // twice\nconv [1 9 9] 2 3 ⦶ dense _ 3 ⦶ b ⦶ b"
    assert format_source(text, fill=True) == (
        "let b = dense _ 4 in // twice\nconv [1 9 9] 2 3 ⦶ dense [2 7 7] 3 ⦶ b ⦶ b\n"
    )


def formatted(text: str, *, ascii: bool = False) -> str:
    return format_source(Source(text), ascii=ascii)


@given(programs(), st.booleans())
def test_parsing_a_printed_tree_gives_the_tree(program: Program, ascii: bool) -> None:
    text = format_expression(program.expression, ascii=ascii)
    assert parse(Source(text)) == program.expression
    assert formatted(text, ascii=ascii) == text + "\n"
    assert not (ascii and ("⦶" in text or "⊖" in text))


@given(programs(), st.booleans())
def test_the_two_spellings_are_one_program(program: Program, ascii: bool) -> None:
    text = format_expression(program.expression, ascii=ascii)
    assert formatted(formatted(text, ascii=not ascii), ascii=ascii) == text + "\n"


comments = st.sampled_from(
    ["// a comment\n", "//\n", "\n// alone\n", "/* within */", "\n/* begins */", "/* ends */\n",
     "/* of two\n   lines */", "\n\n/**/\n", "\n", " ", "/* a */ /* b */ // c\r\n", "/* ⦶ ( */"]
)  # fmt: skip


@given(programs(), st.data())
def test_comments_stay_between_the_same_words(program: Program, data: st.DataObject) -> None:
    words = program.text.replace("(", "( ").replace(")", " )").split()
    notes = data.draw(st.lists(comments, min_size=len(words) + 1, max_size=len(words) + 1))
    text = notes[0] + "".join(
        f" {word} {note}" for word, note in zip(words, notes[1:], strict=True)
    )
    once = formatted(text)
    assert parse(Source(once)) == program.expression
    assert [note.rstrip() for note in COMMENT.findall(text)] == COMMENT.findall(once)
    assert formatted(once) == once
    assert not re.search(r"[ \t]$", once, re.MULTILINE)
    assert by_atom(text) == by_atom(once)


def by_atom(text: str) -> list[list[str]]:
    """The comments before each `let`, `dense`, number and use of a name, and those at the end."""
    found: list[list[str]] = [[]]
    previous = ""
    for word in re.findall(rf"{COMMENT.pattern}|[\w']+", text, re.DOTALL):
        if word.startswith("/"):
            found[-1].append(word.rstrip())
            continue
        if word != "in" and previous != "let":
            found.append([])
        previous = word
    return found


@pytest.mark.parametrize("example", LAYOUTS)
def test_the_layout(example: str) -> None:
    text, expected = example.split("---\n")
    assert formatted(text) == expected


@given(programs())
def test_lines_are_no_wider_than_they_must_be(program: Program) -> None:
    wide = format_expression(program.expression >> (program.expression | program.expression))
    assert all(len(line) <= 88 for line in wide.split("\n"))


def test_a_program_of_wrong_types_is_formatted_all_the_same() -> None:
    assert formatted("dense 2 4>>dense 3 1") == "dense 2 4 ⦶ dense 3 1\n"


def test_a_text_that_is_no_program_is_not_formatted() -> None:
    with pytest.raises(ProgramError, match="this `\\(` is never closed"):
        formatted("(dense 2 4")


@pytest.mark.parametrize(
    "text",
    [
        "dense 2 2 ⦶ (" * 10_000 + "dense 2 2" + ")" * 10_000,
        "let a = " * 10_000 + "dense 2 2" + " in a" * 10_000,
    ],
    ids=["parentheses", "values"],
)
def test_depth_is_no_matter(text: str) -> None:
    once = formatted(text)
    assert parse(Source(once)) == parse(Source(text))
    assert max(map(len, once.split("\n"))) < 100


def test_trees_of_python_are_printed_with_the_parentheses_they_need() -> None:
    a, b, c = dense(1, 2), dense(2, 3), dense(3, 4)
    assert format_expression((a | b) >> (b >> c), ascii=True) == (
        "(dense 1 2 | dense 2 3) >> (dense 2 3 >> dense 3 4)"
    )
