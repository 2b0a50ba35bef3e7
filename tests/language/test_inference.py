"""Types and sizes: what is refused, where, and in which words."""

from __future__ import annotations

import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.language.diagnosed import mistakes, only, type_after
from tests.strategies import Program, programs, sizes

from volr.errors import ProgramError
from volr.language import Net, check, decode, lower
from volr.source import Source


def net(inputs: int, outputs: int) -> Net:
    return Net((inputs,), (outputs,))


def messages(text: str) -> list[str]:
    return [found.message for found in mistakes(text)]


@given(programs())
def test_a_program_has_the_type_it_was_drawn_for(program: Program) -> None:
    assert check(program.source).type == net(program.inputs, program.outputs)


@given(programs(), programs())
def test_what_does_not_fit_is_refused_for_that_reason(first: Program, second: Program) -> None:
    text = f"({first.text}) ⦶ ({second.text})"
    if first.outputs == second.inputs:
        assert check(Source(text)).type == net(first.inputs, second.outputs)
        return
    [found] = mistakes(text)
    noun = "input" if second.inputs == 1 else "inputs"
    assert found.message == (
        f"this network takes {second.inputs} {noun}, but what comes before it gives {first.outputs}"
    )
    before = text[found.others[0].span.start : found.others[0].span.end]
    assert first.text.rstrip(")\n ").endswith(before.rstrip(")\n "))
    assert text[found.span.start : found.span.end] == second.text


@given(programs(), programs())
def test_sides_must_take_the_same_input(first: Program, second: Program) -> None:
    text = f"({first.text}) ⊖ ({second.text})"
    if first.inputs == second.inputs:
        assert check(Source(text)).type == net(first.inputs, first.outputs + second.outputs)
        return
    [found] = mistakes(text)
    assert found.message == (
        f"the sides of `⊖` get the same input, but this one takes {second.inputs} "
        f"and the first takes {first.inputs}"
    )
    assert text[found.span.start : found.span.end] == second.text


@given(sizes(), sizes(), sizes(), sizes())
def test_the_help_is_an_edit_that_mends(a: int, b: int, c: int, d: int) -> None:
    text = f"dense {a} {b} ⦶ dense {c} {d}"
    if b != c:
        [found] = mistakes(text)
        edit = (found.help or "").removeprefix("write `").removesuffix("`")
        mended = text[: found.span.start] + edit + text[found.span.end :]
        assert check(Source(mended)).type == net(a, d)


def refusal(program: Source | bytes) -> ProgramError | None:
    try:
        check(program if isinstance(program, Source) else decode(program, "random"))
    except ProgramError as error:
        return error
    return None


def spans_lie_within(source: Source, error: ProgramError) -> bool:
    labels = [other for found in error.diagnostics for other in found.others]
    spans = [found.span for found in (*error.diagnostics, *labels)]
    return all(0 <= span.start <= span.end <= len(source.text) for span in spans)


@given(programs(), st.data())
def test_a_changed_program_passes_or_is_refused_within_its_text(
    program: Program, data: st.DataObject
) -> None:
    words = program.text.split()
    at = data.draw(st.integers(0, len(words) - 1))
    words[at] = data.draw(
        st.sampled_from(["0", "1", "9", "n", "l1", "⦶", "(", ")", "let", "dense"])
    )
    source = Source(" ".join(words))
    refused = refusal(source)
    if refused is None:
        checked = check(source)
        found = lower(checked.term)
        type_ = checked.type
        ends = (math.prod(type_.inputs), math.prod(type_.outputs))
        assert (found.input_size, found.output_size) == ends
    else:
        assert refused.diagnostics
        assert spans_lie_within(source, refused)


NUMBER = "this program is a number (type int), but a program must be a network"
SOUP = [
    "dense",
    "let",
    "in",
    "=",
    "(",
    ")",
    "⦶",
    "|",
    "x",
    "3",
    "0",
    "-3",
    "3x",
    ",",
    "\n",
    "/*",
    "//",
    "#",
]


@given(
    st.one_of(
        st.binary(),
        st.text().map(str.encode),
        st.lists(st.sampled_from(SOUP)).map(lambda w: " ".join(w).encode()),
    )
)
@example(b"\xef\xbb\xbf")
@example(b"\x00\x1b[2J")
def test_whatever_is_read_gives_a_network_or_a_diagnostic(data: bytes) -> None:
    refused = refusal(data)
    if refused is not None:
        assert refused.diagnostics
        assert spans_lie_within(refused.source, refused)
        assert all(line.isprintable() for line in str(refused).split("\n"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("3", [NUMBER]),
        ("let n = 3 in n", [NUMBER]),
        ("dense 2 4 ⦶ 4", ["this is a number, but `⦶` joins networks"]),
        ("let n = 4 in dense 2 4 ⊖ n", ["`n` is a number, but `⊖` joins networks"]),
        ("let l = dense 2 4 in dense l 3", ["`l` is a network, but a size is a number"]),
        ("dense (dense 2 4) 3", ["this is a network, but a size is a number"]),
        ("dense 0 4 ⦶ dense 4 0", ["a size must be at least 1, found `0`"] * 2),
        ("dense -3 4 ⦶ dense 4 -7", [f"a size must be at least 1, found `{n}`" for n in (-3, -7)]),
        ("let n = 0 in dense n n ⦶ dense n 4", ["a size must be at least 1, found `0`"]),
        ("let a = b in dense a a ⦶ a", ["unknown name `b`"]),
        ("x ⦶ dense 3 4 ⦶ dense 5 y", [
            "unknown name `x`",
            "this network takes 5 inputs, but what comes before it gives 4",
            "unknown name `y`",
        ]),
        ("dense 2 x ⦶ dense 3 4 ⦶ dense 4 5)", ["unknown name `x`", "this `)` closes nothing"]),
        ("let = 3 in dense n m", ["expected a name after `let`, found `=`"]),
        ("(let n = 3 in dense n n) ⦶ dense n 2", ["unknown name `n`"]),
        ("let n = n in dense n n", ["unknown name `n`"]),
    ],
)  # fmt: skip
def test_each_mistake_is_reported_once(text: str, expected: list[str]) -> None:
    assert messages(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "let unused = 3 in dense 2 4",
        "let unused = 9999999999999999999999 in dense 2 4",
        "let n = 2 in let n = dense n 4 in n",
        "let dense' = dense 2 4 in dense'",
    ],
)
def test_what_is_allowed(text: str) -> None:
    assert str(check(Source(text)).type) == "net 2 4"


def test_the_inner_of_two_bindings_counts_and_the_outer_returns() -> None:
    text = "let n = 2 in (let n = 3 in dense 5 n) ⦶ dense 3 n"
    assert str(check(Source(text)).type) == "net 5 2"


@pytest.mark.parametrize(
    ("unknown", "help"),
    [
        ("hiden", "write `hidden`"),
        ("desne", "write `dense`"),
        ("zzz", "bind it: `let zzz = … in …`"),
    ],
)
def test_the_nearest_name_is_suggested(unknown: str, help: str) -> None:
    [found] = mistakes(f"let hidden = dense 2 3 in let visible = 3 in {unknown}")
    assert (found.message, found.help) == (f"unknown name `{unknown}`", help)


def test_where_the_other_operator_fits_what_follows_is_not_compared() -> None:
    assert len(mistakes("dense 2 4 ⊖ dense 4 3 ⦶ dense 3 2")) == 1
    assert len(mistakes("(dense 2 4 ⦶ dense 2 3) ⦶ dense 7 1")) == 1


@pytest.mark.parametrize(
    "text",
    [
        "let m = 3 in dense n n ⦶ dense n n",
        "let n = 4 in n ⦶ n ⦶ n",
        "let l = dense 2 4 in dense l l",
    ],
)
def test_a_name_that_is_wrong_at_many_places_is_one_mistake(text: str) -> None:
    assert len(mistakes(text)) == 1


def test_an_unknown_name_is_shown_and_mended_at_all_its_places() -> None:
    text = "let hidden = 3 in dense hiden 2 ⦶ dense 2 hiden"
    found = only(text)
    assert [text[other.span.start : other.span.end] for other in found.others] == ["hiden"]
    assert type_after(text) == "net 3 3"


def test_names_out_of_scope_are_not_suggested() -> None:
    [found] = mistakes("(let hidden = 3 in dense 2 hidden) ⦶ dense 3 hiden")
    assert found.help == "bind it: `let hiden = … in …`"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("dense 1000000 1000000", "8,000,000,000,000 bytes (7.276 TiB)"),
        ("dense 137438953473 1", "1,099,511,627,784 bytes (1 TiB)"),
        (f"dense {'9' * 1_000_000} 3", "more than 10^999,999 bytes"),
        (f"let n = {'1' * 30} in dense n n", "more than 10^58 bytes"),
    ],
)
def test_a_layer_that_cannot_be_built(text: str, wanted: str) -> None:
    assert messages(text) == [f"this layer is too large to build: its weights would take {wanted}"]


def test_the_largest_layer_passes() -> None:
    assert str(check(Source("dense 137438953472 1")).type) == "net 137438953472 1"


@pytest.mark.parametrize("operator", ["⦶", "⊖"])
def test_a_program_that_doubles_is_refused_at_once(operator: str) -> None:
    doubled = "".join(f"let a{i + 1} = a{i} {operator} a{i} in " for i in range(60))
    text = f"let a0 = dense 1 1 in {doubled}a60"
    [found] = mistakes(text)
    assert found.message == (
        "this is too large to build: it would have 1,048,576 populations; the most is 1,000,000"
    )
    assert text[found.span.start : found.span.end] == f"a19 {operator} a19"


def test_what_is_not_used_is_not_built() -> None:
    doubled = "".join(f"let a{i + 1} = a{i} ⊖ a{i} in " for i in range(60))
    assert str(check(Source(f"let a0 = dense 1 1 in {doubled}a0")).type) == "net 1 1"


def test_projections_are_counted_too() -> None:
    side = " ⊖ ".join(["dense 2 1"] * 1001)
    next_ = " ⊖ ".join(["dense 1001 1"] * 1001)
    [message] = messages(f"({side}) ⦶ ({next_})")
    assert "1,003,002 projections" in message


def test_weights_are_counted_together() -> None:
    [message] = messages("let n = 300000 in dense n n ⦶ dense n n")
    assert message.startswith(
        "this is too large to build: it would have weights of 1,440,000,000,000 bytes (1.31 TiB)"
    )


@pytest.mark.parametrize(("operator", "count"), [("⦶", 30_000), ("⊖", 10_000)])
def test_tens_of_thousands_of_layers(operator: str, count: int) -> None:
    checked = check(Source(f" {operator} ".join(["dense 2 2"] * count)))
    assert str(checked.type) == ("net 2 2" if operator == "⦶" else f"net 2 {2 * count}")
    assert len(lower(checked.term).populations) == count + 1


def test_ten_thousand_mistakes() -> None:
    assert len(mistakes(" ⦶ ".join(f"unknown_{i}" for i in range(10_000)))) == 10_000
