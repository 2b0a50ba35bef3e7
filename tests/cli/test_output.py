"""Tables, JSON, notes and errors, in a pipe and in colour."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
from tests.cli.running import piped, terminal

from volr.cli.output import note, print_json, print_table, show_error
from volr.errors import DataError, ProgramError
from volr.language import check, decode

if TYPE_CHECKING:
    from pathlib import Path

ESCAPE = "\x1b["
COLOUR = re.compile(r"\x1b\[(\d+;)*(3[0-7]|9[0-7]|38;[\d;]+)m")


def test_a_table_in_a_pipe_is_text_in_columns(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(
        ("task", "accuracy", "n"),
        [("xor", "1.000 ± 0.000", "10"), ("mnist-parallel", "0.9", "3")],
    )
    print_table(("back end", "status"), [("a", "ready"), ("nest", "[red]no[/]")], left=2)
    out, err = capsys.readouterr()
    assert err == ""
    assert out.split("\n") == [
        "task                 accuracy   n",
        "xor             1.000 ± 0.000  10",
        "mnist-parallel            0.9   3",
        "back end  status",
        "a         ready",
        "nest      [red]no[/]",
        "",
    ]


def test_a_table_is_never_wrapped(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("x" * 150, "y" * 150), [("1", "2")])
    assert [len(line) for line in capsys.readouterr().out.splitlines()] == [302, 302]


def test_a_table_without_rows_is_its_head(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("task", "n"), [])
    assert capsys.readouterr().out == "task  n\n"


def test_json_has_no_nan(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"a": [float("nan"), 1.5, (float("inf"), None)], "⦶": True})
    out = capsys.readouterr().out
    assert "⦶" in out
    assert json.loads(out, parse_constant=pytest.fail) == {
        "a": [None, 1.5, [None, None]],
        "⦶": True,
    }


def test_notes_and_errors_are_shown_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    note("wrote [bold]a\x1b[31mb[/bold] " + "long " * 40)
    show_error(DataError("no \x07bell\nbut lines\n  - two", help="[red]mend[/red] it :smile:"))
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == [
        r"wrote [bold]a\x1b[31mb[/bold] " + ("long " * 40),
        r"error: no \x07bell",
        "but lines",
        "  - two",
        "  = help: [red]mend[/red] it :smile:",
    ]


@pytest.mark.parametrize(
    "program",
    [
        "dense 2 4 ⦶ dense 3 1",
        "let x = dense 2 3 in\n  x ⦶\n\n\n dense 5 (1 : error: | = help: 2)",
        "dense 2 4 ⦶\n" * 60,
        "// error: \t^^^\n | --- = help: no\n",
    ],
)
def test_colours_change_no_character_of_a_diagnostic(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, program: str
) -> None:
    with pytest.raises(ProgramError) as caught:
        check(decode(program.encode(), "a.volr"))
    show_error(caught.value)
    plain = capsys.readouterr().err
    assert plain == f"{caught.value}\n"
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    show_error(caught.value)
    coloured = capsys.readouterr().err
    assert COLOUR.search(coloured)
    assert re.sub(r"\x1b\[[\d;]*m", "", coloured) == plain


def test_each_part_of_a_diagnostic_has_its_colour(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    with pytest.raises(ProgramError) as caught:
        check(decode("dense 2 4 ⦶ dense 3 1".encode(), "a.volr"))
    show_error(caught.value)
    head, source, second, first, help = capsys.readouterr().err.splitlines()
    red, blue, cyan = "\x1b[1;31m", "\x1b[34m", "\x1b[1;36m"
    assert head.startswith(f"a.volr:1:13: {red}error:")
    assert ESCAPE not in source
    assert f"{blue}--------- gives 4" in second
    assert f"{red}^^^^^^^^^ takes 3" in first
    assert f"= {cyan}help:" in help


@pytest.mark.parametrize("arguments", [("check", "bad.volr"), ("evaluate", "bad", "--task", "x")])
def test_errors_are_in_colour_on_a_terminal_unless_told(
    folder: Path, arguments: tuple[str, ...]
) -> None:
    (folder / "bad.volr").write_text("dense 2 (", encoding="utf-8")
    with terminal(*arguments) as shown:
        assert shown.wait() == 1
        assert COLOUR.search(shown.shown)
    with terminal(*arguments, NO_COLOR="1") as shown:
        assert shown.wait() == 1
        assert "error: " in re.sub(r"\x1b\[[\d;]*m", "", shown.shown)
        assert not COLOUR.search(shown.shown)
    assert ESCAPE not in piped(*arguments).err
    assert COLOUR.search(piped(*arguments, FORCE_COLOR="1").err)


def test_a_table_has_a_head_on_a_terminal(model: Path) -> None:
    arguments = ("evaluate", model, "--task", "xor", "--on", "reference")
    with terminal(*arguments, stdout=None) as shown:
        assert shown.wait() == 0
    # `\r\n`: the terminal's doing.
    assert re.search(r"\x1b\[1mtask +backend .* seconds\x1b\[0m\r\nxor +reference ", shown.shown)
    result = piped(*arguments)
    assert ESCAPE not in result.out + result.err
    assert all(line == line.rstrip() and line for line in result.out.splitlines())


HOSTILE = "a\x1b[31mb\x9bc\u202ed\x07\ne"
SHOWN = r"a\x1b[31mb\x9bc\u202ed\x07\ne"


def test_tables_and_json_show_what_comes_from_outside(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("name", "n"), [(HOSTILE, "1")])
    assert capsys.readouterr().out.splitlines() == [
        f"name{' ' * (len(SHOWN) - 4)}  n",
        f"{SHOWN}  1",
    ]
    print_json({HOSTILE: [HOSTILE, "\ud800", "😀"]})
    out = capsys.readouterr().out
    assert json.loads(out) == {HOSTILE: [HOSTILE, "\ud800", "😀"]}
    assert all(each.isprintable() for each in out.replace("\n", ""))
    assert "😀" in out


def test_the_name_of_a_file_forges_no_line(tmp_path: Path) -> None:
    name = "a\nerror: all is lost\x1b[31m"
    for command in (("check", name), ("evaluate", name, "--task", "xor"), ("lint", f"./{name}")):
        result = piped(*command, cwd=tmp_path)
        assert result.code != 0
        assert "\x1b" not in result.err
        assert r"a\nerror: all is lost\x1b[31m" in result.err
        assert not [each for each in result.err.splitlines() if each.startswith("error: all")]


def test_what_click_says_of_arguments_is_visible_too() -> None:
    for arguments in (("check", "--no\x1b[31m"), ("\x1b[31m",), ("check", "a", "b\x1b[31m")):
        result = piped(*arguments)
        assert result.code == 2
        assert "\x1b" not in result.err
        assert r"\x1b[31m" in result.err


def test_a_terminal_gets_a_document_that_it_does_not_obey(tmp_path: Path) -> None:
    program = "// \x1b[31mred\ndense 2 3\n"
    path = tmp_path / "p.volr"
    path.write_text(program)
    assert piped("format", path).out == program
    with terminal("format", path, stdout=None) as shown:
        assert shown.wait() == 0
    assert r"// \x1b[31mred" in shown.shown
    assert "\x1b[31m" not in shown.shown
