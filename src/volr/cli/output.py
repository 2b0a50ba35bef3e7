"""The output of all commands: results, errors and notes.

Results go to stdout, everything else to stderr. By default, both have colours on a terminal and
none in a pipe; ``NO_COLOR`` and ``FORCE_COLOR`` change that.

Names of files, their texts, and messages of libraries come from outside. A terminal would obey some
invisible characters in them, so all of these are escaped. Tables, JSON, notes and errors always
have the escapes. A document, such as a formatted program, has them only on a terminal.
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
from volr.display.errors import error_text, escaped
from volr.display.parts import Markup, Table
from volr.errors import VolrError
from volr.source import visible

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Sequence

    from rich.console import Console
    from rich.text import Text

    from volr.display.parts import Part

GAP = "  "


def emit(text: str) -> None:
    """Write a part of the result to stdout, now; ``VolrError`` if it cannot be written.

    On a terminal, invisible characters are escaped. If a reader such as ``head`` closes the pipe,
    the command ends without a message.
    """
    shown = shown_text(text) if sys.stdout.isatty() else text
    with writing():
        _write(shown)


def emit_bytes(body: bytes) -> None:
    """Write bytes to stdout, as ``emit`` writes text."""
    with writing():
        _write_whole(sys.stdout.buffer, body)


def _write(text: str) -> None:
    """Write text to stdout, whole."""
    stream: Any = sys.stdout
    if not hasattr(stream, "buffer"):  # of text only, such as a notebook's
        stream.write(text)
        return
    stream.flush()
    _write_whole(stream.buffer, text.encode(stream.encoding, stream.errors or "strict"))


def _write_whole(stream: IO[bytes], body: bytes) -> None:
    # With PYTHONUNBUFFERED the stream is the file itself, whose writes may be partial: a full disk
    # or a closed pipe is an error only of the next one.
    left = memoryview(body)
    while left:
        left = left[stream.write(left) :]


@contextmanager
def writing() -> Generator[None]:
    """Write to stdout within. The end flushes it, and errors are those of ``emit``.

    Every ``OSError`` counts as an error of writing, so the block should only write.
    """
    try:
        yield
        sys.stdout.flush()
    except OSError as error:
        silence(sys.stdout)
        if isinstance(error, BrokenPipeError):
            raise typer.Exit(141) from error
        # A file that Typer writes, such as for the completion of a shell, is named.
        where = "standard output" if error.filename is None else error.filename
        raise VolrError(f"cannot write to {where}: {error.strerror or error}") from error


def print_json(value: Any) -> None:
    """Print a value as JSON. NaN and infinities become null, because JSON has none."""
    text = json.dumps(jsonable(value), indent=2, ensure_ascii=False, allow_nan=False)
    emit(_NOT_ASCII.sub(_json_escape, text) + "\n")


# These characters stand only within strings, where they may be escaped.
_NOT_ASCII = re.compile(r"[^\n\x20-\x7e]")


def _json_escape(found: re.Match[str]) -> str:
    character = found[0]
    return character if character.isprintable() else json.dumps(character)[1:-1]


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]], *, left: int = 1) -> None:
    """Print a table: the first ``left`` columns are left-aligned, the others right-aligned."""
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

    # Capturing flushes the stream, and that may fail.
    with writing():
        console = _console()
        with console.capture() as captured:
            console.print(Text(line(columns), "bold"), soft_wrap=True)
            for row in rows:
                console.print(Text(line(row)), soft_wrap=True)
        _write(captured.get())


def print_parts(parts: Iterable[Part]) -> None:
    """Print what a result shows, with a blank line between its parts."""
    for at, part in enumerate(each for each in parts if not isinstance(each, Markup)):
        if at:
            emit("\n")
        if isinstance(part, Table):
            print_table(part.columns, part.rows, left=part.left)
        else:
            emit(f"{part}\n")


def note(message: str) -> None:
    """Print a line to stderr."""
    from rich.text import Text

    _say(Text(shown_text(message), "dim"))


@contextmanager
def noting_warnings() -> Generator[None]:
    """Print warnings that the library logs within as notes, equal ones only once."""
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
    """Print an error to stderr. Diagnostics are printed as they are, others after ``error:``."""
    _say(error_text(error, shown_text))


def _say(text: Text) -> None:
    """Print to stderr. If that fails, the work goes on."""
    try:
        # rich would end the process if a pipe is closed.
        console = _console(stderr=True)
        with console.capture() as captured:
            console.print(text, soft_wrap=True)
        sys.stderr.write(captured.get())
        sys.stderr.flush()
    except OSError:
        silence(sys.stderr)


def silence(stream: IO[str]) -> None:
    """Drop what could not be written to ``stream``, or Python would try again at its exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _console(*, stderr: bool = False) -> Console:
    from rich.console import Console

    return Console(stderr=stderr, highlight=False)


def shown_text(text: str) -> str:
    """A text in which invisible characters are escaped, except line breaks and tabs.

    A line break in an argument of the command is escaped too, because it could forge a line.
    """
    for argument in sys.argv[1:]:
        for part in re.split(r"[/=]", argument):
            if "\n" in part:
                text = text.replace(part, visible(part))
    return escaped(text)
