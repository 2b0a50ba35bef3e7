"""What the commands have in common on their way out: results, errors, notes.

Results go to stdout, everything else to stderr. Both are in colour on a terminal and plain in a
pipe, unless ``NO_COLOR`` or ``FORCE_COLOR`` says otherwise.

Names and texts of files, and what libraries say, come from outside. A terminal gets escapes for all
characters in them that cannot be seen, since it would obey some of those. Tables, JSON, notes and
errors have these escapes wherever they go. A document, such as a formatted program, has them only
on a terminal, and is otherwise written as it is.
"""

from __future__ import annotations

import json
import logging
import os
import re
import sys
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any

import typer

from volr.checks.json_values import jsonable
from volr.errors import ProgramError, UnsupportedError, VolrError
from volr.source import visible

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from rich.console import Console
    from rich.text import Text

GAP = "  "


def emit(text: str) -> None:
    """Write a part of the result to stdout, now; ``VolrError`` where it cannot be written.

    A terminal gets it with escapes for all that it would obey. Where its reader, ``head`` say, has
    had enough, the command ends without a word.
    """
    shown = shown_text(text) if sys.stdout.isatty() else text
    with writing():
        sys.stdout.write(shown)


def emit_bytes(body: bytes) -> None:
    """The same with what is no text."""
    with writing():
        sys.stdout.buffer.write(body)


@contextmanager
def writing() -> Generator[None]:
    """Write to stdout within: at the end it is flushed, and errors are those of ``emit``.

    An ``OSError`` of any kind is taken for one of writing, so nothing else should happen in here.
    """
    try:
        yield
        sys.stdout.flush()
    except OSError as error:
        silence(sys.stdout)
        if isinstance(error, BrokenPipeError):
            raise typer.Exit(141) from error
        raise VolrError(f"cannot write to standard output: {error.strerror or error}") from error


def print_json(value: Any) -> None:
    """Print a value as JSON, which has no NaN and no infinity: they become null."""
    text = json.dumps(jsonable(value), indent=2, ensure_ascii=False, allow_nan=False)
    emit(_NOT_ASCII.sub(_json_escape, text) + "\n")


# Such a character stands within a string, where it may be escaped. Line breaks are JSON's own.
_NOT_ASCII = re.compile(r"[^\n\x20-\x7e]")


def _json_escape(found: re.Match[str]) -> str:
    character = found[0]
    return character if character.isprintable() else json.dumps(character)[1:-1]


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]], *, left: int = 1) -> None:
    """A table on stdout, the first ``left`` columns to the left and the others to the right."""
    from rich.cells import cell_len
    from rich.text import Text

    rows = [[visible(cell) for cell in row] for row in rows]
    widths = [max(map(cell_len, column)) for column in zip(columns, *rows, strict=True)]

    def line(cells: Sequence[str]) -> str:
        padded: list[str] = []
        for index, (cell, width) in enumerate(zip(cells, widths, strict=True)):
            space = " " * (width - cell_len(cell))
            padded.append(cell + space if index < left else space + cell)
        return GAP.join(padded).rstrip()

    # Capturing flushes the stream, which may fail as writing does.
    with writing():
        console = _console()
        with console.capture() as captured:
            console.print(Text(line(columns), "bold"), soft_wrap=True)
            for row in rows:
                console.print(Text(line(row)), soft_wrap=True)
        sys.stdout.write(captured.get())


def note(message: str) -> None:
    """A line on stderr."""
    from rich.text import Text

    _say(Text(shown_text(message), "dim"))


@contextmanager
def noting_warnings() -> Generator[None]:
    """What the library logs as a warning becomes a note within, the same one only once."""
    handler = _Notes(logging.WARNING)
    logger = logging.getLogger("volr")
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)


class _Notes(logging.Handler):
    def __init__(self, level: int) -> None:
        super().__init__(level)
        self._said: set[str] = set()

    def emit(self, record: logging.LogRecord) -> None:
        message = record.getMessage()
        if message not in self._said:
            self._said.add(message)
            note(message)


def show_error(error: VolrError) -> None:
    """Print an error to stderr: diagnostics as they are, others after ``error:``."""
    from rich.text import Text

    in_program = isinstance(error, UnsupportedError) and error.diagnostic is not None
    if isinstance(error, ProgramError) or in_program:
        text = Text("\n").join(map(_diagnostic_line, str(error).split("\n")))
    else:
        text = Text.assemble(("error:", "bold red"), " ", shown_text(error.message))
        if error.help is not None:
            text.append_text(
                Text.assemble("\n  = ", ("help:", "bold cyan"), " ", shown_text(error.help))
            )
    _say(text)


def _say(text: Text) -> None:
    """Print to stderr, if anybody listens: no work is given up because nobody does."""
    try:
        # Where a pipe is closed, rich would end the process.
        console = _console(stderr=True)
        with console.capture() as captured:
            console.print(text, soft_wrap=True)
        sys.stderr.write(captured.get())
        sys.stderr.flush()
    except OSError:
        silence(sys.stderr)


def silence(stream: IO[str]) -> None:
    """Drop what could not be written to ``stream``: Python would try again when it exits, and
    complain.
    """
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _console(*, stderr: bool = False) -> Console:
    from rich.console import Console

    return Console(stderr=stderr, highlight=False)


def shown_text(text: str) -> str:
    """A text with escapes for all that a terminal would obey but line breaks and tabs.

    A line break in the name of a file that the command was given is escaped as well: it would forge
    a line of the text.
    """
    for argument in sys.argv[1:]:
        for part in re.split(r"[/=]", argument):
            if "\n" in part:
                text = text.replace(part, visible(part))
    return "\n".join("\t".join(map(visible, line.split("\t"))) for line in text.split("\n"))


def _diagnostic_line(line: str) -> Text:
    """A line of a rendered diagnostic, in colour by its form."""
    from rich.text import Text

    text = Text(line)
    if mark := re.match(r" *\| *([\^-].*)", line):
        text.stylize("bold red" if mark[1].startswith("^") else "blue", mark.start(1))
    elif help := re.match(r" *= (help:)", line):
        text.stylize("bold cyan", *help.span(1))
    elif head := re.match(r".*?:\d+:\d+: (error:)", line):
        text.stylize("bold red", *head.span(1))
    return text
