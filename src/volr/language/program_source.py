"""A program in any form (text, file, Python operators) as the text that diagnostics show."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from volr.errors import ProgramError
from volr.language.printer import format_expression
from volr.language.syntax import Node
from volr.source import Diagnostic, Source, Span
from volr.system.incoming import MOST_BYTES, Format, format_of, is_model

if TYPE_CHECKING:
    from volr.language.syntax import Expression

Program: TypeAlias = "str | Path | Source | Expression"
"""What the functions of the language take: text, the file that holds it, or Python's operators."""


def as_source(program: Program) -> Source:
    """The text of a program in any form, with its name in diagnostics.

    A ``str`` is the program's text, and a ``Path`` is its file. An expression of Python operators
    is written as text. Raises ``ProgramError`` for a file that cannot be read, and ``TypeError``
    for other types.
    """
    match program:
        case Source():
            return program
        case str():
            return Source(program)
        case Path():
            return read_source(program)
        case Node():
            return Source(format_expression(program), "<python>")
        case _:
            kind = type(program).__name__
            raise TypeError(f"a program is text, a path or an expression of layers, found {kind}")


def read_source(path: str | Path) -> Source:
    """The program in a file; ``-`` is standard input.

    Raises ``ProgramError`` if it is no file, cannot be read, or is not UTF-8.
    """
    name = "<stdin>" if str(path) == "-" else str(path)
    try:
        if str(path) == "-":
            data = sys.stdin.buffer.read(MOST_BYTES + 1)
        else:
            with Path(path).open("rb") as file:
                data = file.read(MOST_BYTES + 1)
    except IsADirectoryError:
        raise _unreadable(name, "this is a directory", "name a file") from None
    except FileNotFoundError:
        raise _unreadable(name, "there is no such file", None) from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise _unreadable(name, f"this file cannot be read: {reason}", None) from None
    if len(data) > MOST_BYTES:
        message = f"this file has more than {MOST_BYTES:,} bytes, too many for a program"
        raise _unreadable(name, message, None)
    return decode(data, name)


def decode(data: bytes, name: str) -> Source:
    """Bytes in UTF-8 as a program's text, without a byte-order mark. Raises ``ProgramError``."""
    if is_model(data) and (found := format_of(data, name)) is not None:
        raise _foreign(name, found)
    mark = b"\xef\xbb\xbf"
    data = data.removeprefix(mark)
    try:
        return Source(data.decode("utf-8"), name)
    except UnicodeDecodeError as error:
        if (found := format_of(data, name)) is not None:
            raise _foreign(name, found) from None
        offset = len(data[: error.start].decode("utf-8"))
        source = Source(data.decode("utf-8", errors="replace"), name)
        message = f"this is not UTF-8: byte 0x{data[error.start]:02X}"
        help = "save the file as UTF-8"
        if data.startswith((b"\xff\xfe", b"\xfe\xff")):
            help += "; it looks like UTF-16"
        diagnostic = Diagnostic(Span(offset, offset + 1), message, help=help)
        raise ProgramError(source, [diagnostic]) from None


def _foreign(name: str, found: Format) -> ProgramError:
    help = found.help or "a program is text, such as dense 2 4 ⦶ dense 4 2"
    return _unreadable(name, f"this is no program: it is {found.name}", help)


def _unreadable(name: str, message: str, help: str | None) -> ProgramError:
    return ProgramError(Source("", name), [Diagnostic(Span(0, 0), message, help=help)])
