"""What a notebook shows of an error: the user's lines, its message, and its help."""

from __future__ import annotations

import io
import linecache
import re
import sys
from typing import TYPE_CHECKING

import pytest

from volr.display.errors import MOST_LINES, error_text, notebook_lines
from volr.errors import ModelError, ProgramError, UnsupportedError, VolrError
from volr.language import check
from volr.source import Source, Span

if TYPE_CHECKING:
    from collections.abc import Callable

COLOUR = re.compile(r"\x1b\[[\d;]*m")
CELL = "<ipython-input-7>"


def raised(action: Callable[[], object]) -> VolrError:
    with pytest.raises(VolrError) as caught:
        action()
    return caught.value


def plain(lines: list[str]) -> list[str]:
    return [COLOUR.sub("", line) for line in lines]


def in_cell(code: str) -> VolrError:
    """The error of code that IPython runs as a cell."""
    linecache.cache[CELL] = (len(code), None, code.splitlines(keepends=True), CELL)
    return raised(lambda: exec(compile(code, CELL, "exec"), {"__name__": "__main__"}))


def test_the_lines_that_led_to_it_are_the_users() -> None:
    error = in_cell(
        "import volr\n\ndef made(n):\n    return volr.check(f'dense 2 {n}')\nmade('x')\n"
    )
    lines = [each for each in plain(notebook_lines(error)) if "of the cell" in each]
    assert lines == [
        "line 5 of the cell: made('x')",
        "line 4 of the cell: return volr.check(f'dense 2 {n}')",
    ]


def test_the_rest_is_the_message_as_on_the_command_line() -> None:
    error = in_cell("import volr\nvolr.check('dense 2 4 ⦶ dense 3 2')\n")
    lines = plain(notebook_lines(error))
    assert lines[-5:] == str(error).split("\n")
    assert "<program>:1:13: error: this network takes 3 inputs" in lines[-5]
    assert lines[-1] == "  = help: write `dense 4 2`"
    assert len(lines) < 10


def test_only_the_last_lines_are_shown() -> None:
    code = "import volr\ndef f(n):\n    return f(n - 1) if n else volr.check('')\nf(20)\n"
    lines = plain(notebook_lines(in_cell(code)))
    assert sum("of the cell" in line for line in lines) == MOST_LINES


def test_a_magic_is_no_line_of_the_users() -> None:
    code = "import volr\nget_ipython = lambda: volr\nget_ipython().check('dense')\n"
    assert not [each for each in notebook_lines(in_cell(code)) if "of the cell" in each]


def test_it_is_in_colour_where_somebody_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    error = ModelError("a message", help="a way out")
    monkeypatch.setattr(sys, "stdout", io.StringIO())  # as a notebook has it
    assert "\x1b[1;31merror:" in error._render_traceback_()[0]
    monkeypatch.setattr(sys, "__stdout__", sys.stdout)  # as a pipe
    assert error._render_traceback_() == ["error: a message", "  = help: a way out"]


def test_invisible_characters_are_escaped() -> None:
    lines = plain(notebook_lines(ModelError("\x1b[2J\u202e bad")))
    assert lines == ["error: \\x1b[2J\\u202e bad"]


@pytest.mark.parametrize(
    ("error", "in_program"),
    [
        (raised(lambda: check("dense")), True),
        (UnsupportedError("no", source=Source("dense 2 2"), span=Span(0, 5)), True),
        (UnsupportedError("no"), False),
        (VolrError("no"), False),
    ],
)
def test_errors_with_a_place_in_a_program_are_shown_as_they_are(
    error: VolrError, in_program: bool
) -> None:
    assert error.in_program == in_program
    assert error_text(error).plain == (str(error) if in_program else "error: no")


def test_every_mistake_is_shown() -> None:
    error = raised(lambda: check("dense 2 4 ⦶ dense 3 2 ⦶ dense 5 1"))
    assert isinstance(error, ProgramError)
    assert len(error.diagnostics) == 2
    assert sum(": error: " in line for line in plain(notebook_lines(error))) == 2
