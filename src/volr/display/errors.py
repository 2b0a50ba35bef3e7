"""Errors in colour, on a terminal and in a notebook.

A notebook would show a traceback through all of Volr. It asks an exception how it wants to be shown
(``_render_traceback_``), and an error of Volr's shows the lines of the user that led to it, and its
own message.
"""

from __future__ import annotations

import linecache
import re
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

from volr.source import visible

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType

    from rich.text import Text

    from volr.errors import VolrError

MOST_LINES = 3
"""Of the lines that led to an error, a notebook shows the last ones."""
_NOT_THE_USERS = {"IPython", "ipykernel", "volr"}


def escaped(text: str) -> str:
    """A text in which invisible characters are escaped, except line breaks and tabs."""
    return "\n".join("\t".join(map(visible, line.split("\t"))) for line in text.split("\n"))


def error_text(error: VolrError, clean: Callable[[str], str] = escaped) -> Text:
    """An error in colour. One with a place in a program is shown as it is, others after ``error:``.

    ``clean`` escapes what is invisible in messages. Diagnostics have it escaped already.
    """
    from rich.text import Text

    if error.in_program:
        return Text("\n").join(map(_diagnostic_line, str(error).split("\n")))
    text = Text.assemble(("error:", "bold red"), " ", clean(error.message))
    if error.help is not None:
        text.append_text(Text.assemble("\n  = ", ("help:", "bold cyan"), " ", clean(error.help)))
    return text


def notebook_lines(error: VolrError) -> list[str]:
    """What IPython shows of an error, in the colours of a terminal, which notebooks understand."""
    from io import StringIO

    from rich.console import Console
    from rich.text import Text

    # On a terminal of IPython, the stream is the process's own, and may be a pipe.
    in_colour = sys.stdout is not sys.__stdout__ or sys.stdout.isatty()
    console = Console(
        file=StringIO(),
        force_terminal=in_colour,
        color_system="standard" if in_colour else None,
        force_jupyter=False,
        highlight=False,
    )
    text = Text()
    for place, code in _led_to(error.__traceback__):
        text.append_text(Text.assemble((f"{escaped(place)}: ", "dim"), escaped(code), "\n"))
    text.append_text(error_text(error))
    with console.capture() as captured:
        console.print(text, soft_wrap=True)
    return captured.get().rstrip("\n").split("\n")


def _diagnostic_line(line: str) -> Text:
    """A line of a diagnostic, coloured by its form."""
    from rich.text import Text

    text = Text(line)
    if mark := re.match(r" *\| *([\^-].*)", line):
        text.stylize("bold red" if mark[1].startswith("^") else "blue", mark.start(1))
    elif help := re.match(r" *= (help:)", line):
        text.stylize("bold cyan", *help.span(1))
    elif head := re.match(r".*?:\d+:\d+: (error:)", line):
        text.stylize("bold red", *head.span(1))
    return text


def _led_to(found: TracebackType | None) -> list[tuple[str, str]]:
    """The last lines of the user's that led to an error: where each is, and its text."""
    return [*_users_lines(found)][-MOST_LINES:]


def _users_lines(found: TracebackType | None) -> Iterator[tuple[str, str]]:
    users = False
    for frame, line in traceback.walk_tb(found):
        module = str(frame.f_globals.get("__name__", "")).partition(".")[0]
        if module in _NOT_THE_USERS:
            if users:  # from here on it is Volr that was at work
                return
            continue
        users = True
        name = frame.f_code.co_filename
        code = linecache.getline(name, line).strip()
        if code.startswith("get_ipython()"):  # what IPython makes of a magic
            continue
        # A cell has a file name of IPython's making, where there is no file.
        yield f"{name}:{line}" if Path(name).is_file() else f"line {line} of the cell", code
