"""One mistake gives one error, in words that help, with an edit that mends it."""

from __future__ import annotations

import pytest
from tests.language.diagnosed import mistakes, only, type_after

from volr.language import check
from volr.language.foreign import COMMENTS
from volr.language.grammar import tables
from volr.language.layers import LAYERS
from volr.language.tokens import HOLE, SPELLED

COMMENT = "a comment is written `// …` to the end of the line, or `/* … */`"
ACTIVATION = "is an activation, and activations are no part of a program"


@pytest.mark.parametrize(
    ("text", "message", "after"),
    [
        ("(((q = dense 2 2 in q)))", "expected `let` before `q`", "net 2 2"),
        ("dnse (4) 9", "unknown layer `dnse`", "net 4 9"),
        ("let x = 3 dense x 2", "expected `in` before `dense`", "net 3 2"),
        ("let x = 3; dense x 2", "unexpected character `;`", "net 3 2"),
        ("let x = 3, dense x 2", "unexpected character `,`", "net 3 2"),
        ("let x := 3 in dense x 2", "expected `=`, found `:=`", "net 3 2"),
        ("let x <- 3 in dense x 2", "unexpected characters `<-`", "net 3 2"),
        ("var x = 3 in dense x 2", "expected `let`, found `var`", "net 3 2"),
        ("def x = 3 in dense x 2", "expected `let`, found `def`", "net 3 2"),
        ("let x = 3 then dense x 2", "expected `in`, found `then`", "net 3 2"),
        ("let x = 3 inn dense x 2", "expected `in`, found `inn`", "net 3 2"),
        ("lte x = 3 in dense x 2", "expected `let`, found `lte`", "net 3 2"),
        ("letx = 3 in dense x 2", "expected `let x`, found `letx`", "net 3 2"),
        ("let x = 3in dense x 2", "`3in` is neither a size nor a name", "net 3 2"),
        ("let x = 3 i ndense x 2", "expected `in dense`, found `i ndense`", "net 3 2"),
        ("let = x 3 in dense x 2", "`=` and `x` stand the wrong way round", "net 3 2"),
        ("dense 2 4 -> dense 4 3", "unexpected characters `->`", "net 2 3"),
        ("dense 2 4 => dense 4 3", "unexpected characters `=>`", "net 2 3"),
        ("dense 2 4 |> dense 4 3", "unexpected characters `|>`", "net 2 3"),
        ("dense 2 4 || dense 2 3", "expected `⊖`, found `||`", "net 2 7"),
        ("dense 2 4 && dense 2 3", "unexpected characters `&&`", "net 2 7"),
        ("dense 2 4, dense 4 3", "unexpected character `,`", "net 2 3"),
        ("dense(2, 4)", "the arguments of `dense` stand without brackets and commas", "net 2 4"),
        ("dense 2, 4", "unexpected `,`", "net 2 4"),
        ("2 4 ⦶ dense 4 3", "expected `dense` before `2`", "net 2 3"),
        ("dense24 3", "expected `dense 24`, found `dense24`", "net 24 3"),
        ("dense 2 4 5 ⦶ dense 4 3", "unexpected `5`", "net 2 3"),
        ("dense 2 4 dense 4 3", "expected an operator before `dense`", "net 2 3"),
        ("dense 2 4 dense 2 3", "expected an operator before `dense`", "net 2 7"),
        ("(dense 2 2 ⊖ dense 2 2 ⦶ dense 4 3", "this `(` is never closed", "net 2 3"),
        ("dense 2 2 ⊖ dense 2 2) ⦶ dense 4 3", "this `)` closes nothing", "net 2 3"),
        ("dense 2 3 ⦶ ((dense 3 2 ⊖ dense 3 2 ⦶ dense 4 3)", "this `(` is never closed", "net 2 3"),
    ],
)  # fmt: skip
def test_one_mistake_one_error_and_its_edit(text: str, message: str, after: str) -> None:
    found = mistakes(text)
    assert len(found) == 1, [each.message for each in found]
    assert found[0].message.startswith(message)
    assert type_after(text) == after


@pytest.mark.parametrize("opener", COMMENTS)
@pytest.mark.parametrize(
    "program", ["{}dense 2 4", "dense {}2 4", "dense 2 4 {}", "dense 2 3 ⦶ {}dense 3 4"]
)
def test_comments_of_other_languages(program: str, opener: str) -> None:
    closer = COMMENTS[opener]
    text = program.format(f"{opener} a note of 3 words {closer}")
    found = only(text)
    assert found.help == COMMENT
    assert f"`{opener}`" in found.message or len(opener) == 1
    assert type_after(text) == "net 2 4"


@pytest.mark.parametrize(
    "name", ["relu", "ReLU()", "softmax", "sigmoid", "nn.ReLU()", "LeakyReLU(0)", "tanh", "gelu"]
)
def test_activations_are_an_option(name: str) -> None:
    found = only(f"dense 2 4 ⦶ {name} ⦶ dense 4 3")
    assert found.message.endswith(ACTIVATION)
    assert "`volr train --activation NAME`" in (found.help or "")


def test_a_name_that_is_bound_may_be_an_activations() -> None:
    assert str(check("let relu = dense 2 4 in relu").type) == "net 2 4"


@pytest.mark.parametrize(
    ("layer", "help"),
    [
        ("Linear 2 4", "write `dense`"),
        ("Linear(2, 4)", "write `dense 2 4`"),
        ("nn.Linear(2, 4)", "write `dense 2 4`"),
        ("Dense 2 4", "write `dense`"),
        ("Conv2d(1, 6, 5)", f"write `{LAYERS['conv']}`"),
        ("nn.MaxPool2d(2)", f"write `{LAYERS['maxpool']}`"),
        ("nn.LSTM(2)", "the layers are `dense`, `conv`, `avgpool`, `maxpool`, `id`"),
    ],
)
def test_layers_of_other_frameworks(layer: str, help: str) -> None:
    found = only(f"dense 2 2 ⦶ {layer} ⦶ dense 4 3")
    assert found.message.startswith("unknown layer `")
    assert found.help == help


@pytest.mark.parametrize(
    ("text", "help", "after"),
    [
        ("dense(4, 2)", "write `dense 4 2`", "net 4 2"),
        ("dense (4,2,)", "write `dense 4 2`", "net 4 2"),
        ("dense(2*2, 4)", "write `dense (2*2) 4`", "net 4 4"),
        ("dense 2 [1 4 4] >> avgpool(_, 2)", "write `avgpool _ 2`", "net 2 [1 2 2]"),
        (
            "conv([1, 8, 7], 4, 3, stride=1, pad=[1, 2])",
            "write `conv [1 8 7] 4 3 stride:1 pad:[1 2]`",
            "net [1 8 7] [4 8 9]",
        ),
        (
            "conv((1, 8, 7), 4, (3, 2), stride=2*1)",
            "write `conv [1 8 7] 4 [3 2] stride:(2*1)`",
            "net [1 8 7] [4 3 3]",
        ),
        ("repeat(3, dense(4, 4))", "write `repeat 3 (dense 4 4)`", "net 4 4"),
        ("let f n e = dense n 2 >> e in f(3, dense(2, 5))", "write `f 3 (dense 2 5)`", "net 3 5"),
    ],
)
def test_arguments_between_brackets_with_commas(text: str, help: str, after: str) -> None:
    found = only(text)
    assert found.message.endswith("stand without brackets and commas")
    assert found.help == help
    assert type_after(text) == after


@pytest.mark.parametrize(
    ("text", "help", "other"),
    [
        ("conv(1, 8, 3)", "write `conv 1 8 3`", "`conv` needs a shape of channels"),
        ("conv(1,8)", "write `conv 1 8`", "`conv` takes 3 arguments, found 2"),
        ("dense(-1, 4)", "write `dense -1 4`", "a size must be at least 1, found `-1`"),
        ("conv([1, 8, 8], 4, 3, pad=-1)", "write `conv [1 8 8] 4 3 pad:-1`", "a padding must be"),
        ("conv((1, -8, 8), 4, 3)", "write `conv [1 -8 8] 4 3`", "a size must be at least 1"),
    ],
)
def test_arguments_between_brackets_may_be_wrong_themselves(
    text: str, help: str, other: str
) -> None:
    helps = {each.message: each.help for each in mistakes(text)}
    [in_brackets] = [each for each in helps if each.endswith("without brackets and commas")]
    [rest] = [each for each in helps if each != in_brackets]
    assert helps[in_brackets] == help
    assert rest.startswith(other)


@pytest.mark.parametrize(
    ("part", "help"),
    [
        ("nn.Flatten()", "leave it out: `dense` takes any shape"),
        ("flatten", "leave it out: `dense` takes any shape"),
        ("nn.Dropout(2)", "leave it out; it is an option of training: `volr train --dropout`"),
        ("BatchNorm2d(6)", "leave it out; it is an option of training: `volr train --normalise b"),
        ("Sequential(Linear(2, 3), Linear(3, 4))", "write `⦶` between networks, one after the "),
        ("torch.cat(dense(2, 3), dense(2, 4))", "write `⊖` between networks, side by side"),
    ],
)
def test_parts_of_other_frameworks_that_are_no_layers(part: str, help: str) -> None:
    found = only(f"dense 2 2 ⦶ {part} ⦶ dense _ 3")
    assert found.message == f"`{part.split('(', maxsplit=1)[0]}` is no layer"
    assert (found.help or "").startswith(help)


def test_labels_with_an_equals_sign_are_one_mistake() -> None:
    text = "conv [1 8 7] 4 3 stride=2 pad=[0 1] ⦶ dense _ 3"
    assert only(text).message == "expected `:`, found `=`"
    assert type_after(text) == "net [1 8 7] 3"
    messages = [each.message for each in mistakes("dense in_features=2 out_features=3")]
    assert messages == [
        "`in_features` is no label: `dense` takes it by its place",
        "expected `:`, found `=`",
    ]


@pytest.mark.parametrize("wrong", ["6", "in", "'", "2x", "⦶", "_"])
def test_what_is_no_name_may_stand_for_any(wrong: str) -> None:
    found = only(f"let {wrong} = 5 in dense 4 width")
    assert found.message.startswith("expected a name after `let`") or wrong in found.message
    assert only("dense 2 4 ⦶").message.startswith("expected a network after `⦶`")


@pytest.mark.parametrize("sign", ["`", '"', "'", "“", "[", "]", ",", ";", "#", ".", "-", "²"])
@pytest.mark.parametrize("program", ["{}dense 2 4", "dense {}2 4", "dense 2 {}4", "dense 2 4{}"])
def test_a_sign_at_any_place_the_last_among_them(program: str, sign: str) -> None:
    assert len(mistakes(program.format(sign))) >= 1
    assert len(mistakes(f"({program.format(sign)})")) >= 1


@pytest.mark.parametrize("sign", ["⦶", "⊖", "⊕", "↺"])
def test_an_operator_without_its_second_side_is_marked_and_shown(sign: str) -> None:
    text = f"dense 4 4 {sign} ⦶ dense 4 3"
    found = only(text)
    assert text[found.span.start : found.span.end] == sign
    assert found.message == f"expected a network after `{sign}`, found `⦶`"
    example = (found.help or "").split("`")[1]
    assert f" {sign} " in example
    check(example)
    assert only("dense (4 *) 3").message == "expected a number after `*`, found `)`"


def test_two_mistakes_far_apart_are_two_errors() -> None:
    text = "(dense 2 2 ⊖ dnse 2 2) ⦶ dense 4 3 ⦶ dense 3 3 ⦶ dense 3 3 ⦶ dense 3 # 4"
    assert len(mistakes(text)) == 2


def test_a_program_that_is_cut_short_is_not_said_to_be_a_number_too() -> None:
    assert only("let x = 3 x").message == "expected `in` before `x`"
    assert only("let x = 3").message == "this `let` has no `in`"


@pytest.mark.parametrize("count", [100, 4_000])
def test_one_mistake_among_many_layers(count: int) -> None:
    many = " ⦶ ".join(["dense 2 2"] * count)
    assert only(f"{many} ⦶ dense 2 ⦶ {many}").message == "`dense` takes 2 arguments, found 1"
    assert only(f"({many}").message == "this `(` is never closed"
    assert only(f"{many} ⦶ let n = 2 in {many}").message.startswith("a `let` within")


def test_every_token_of_the_grammar_can_be_written_or_is_none() -> None:
    grammar = tables()
    kinds = {kind for actions in grammar.states.values() for kind in actions if kind.isupper()}
    none = {HOLE, "DASHES", "MALFORMED", "STRAY", "UNFINISHED", "NAME", "INTEGER", "$END"}
    assert kinds - none == set(SPELLED)
    for kind, word in SPELLED.items():
        assert [token.kind for token in grammar.tokens(word)] == [kind]
