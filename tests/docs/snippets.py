"""The snippets of a page: what is found in its Markdown, and how it is run.

    Snippet  ::=  File | Shell | Python

A fenced block with a title is a file of that name; `sh` is lines of commands; `python` goes on
where the page's last one stopped. A `text` block is what the snippet before it prints, where `…`
stands for anything, within a line or as lines of their own. Comments say more:

    <!-- not run: WHY -->                       above a snippet that is left out
    <!-- needs: PROGRAM, … -->                  above a snippet that is left out without these
    <!-- in the tests: COMMAND OPTIONS; … -->   further options for `volr COMMAND`, or for COMMAND
                                                of a study, from here on
    volr … # exit code N                        in a line of shell

The shell is this file's own: `volr` in this process, `python`, `cat FILE` and `echo TEXT > FILE`. A
shell of the system would take most of the time to start `volr` anew.
"""

from __future__ import annotations

import io
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from tests.cli.running import PATIENCE

from volr.cli import main
from volr.system.current_folder import absolute_path_list

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

ROOT = Path(__file__).resolve().parents[2]
# A page's folder is empty, and a study is found from the root of the checkout alone.
PATHS = absolute_path_list("PYTHONPATH")
FENCE = re.compile(r"^```(\w*)(?: title=\"([^\"]+)\")?$")
NOT_RUN = re.compile(r"^<!-- not run: (.*) -->$")
NEEDS = re.compile(r"^<!-- needs: (.*) -->$")
SHORTER = re.compile(r"^<!-- in the tests: (.*) -->$")
EXIT_CODE = re.compile(r"\s+# exit code (\d+)$")

Options: TypeAlias = Mapping[str, tuple[str, ...]]
"""Further options by command of `volr`."""


@dataclass(frozen=True)
class File:
    """A file that the reader is to have."""

    line: int
    name: str
    text: str


@dataclass(frozen=True)
class Shell:
    """Lines of commands; ``expected`` is what they print together, on stdout and stderr."""

    line: int
    commands: tuple[str, ...]
    options: Options
    expected: str | None = None
    skipped: str | None = None
    needs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Python:
    """Statements that share a namespace with the page's others."""

    line: int
    code: str
    expected: str | None = None
    skipped: str | None = None
    needs: tuple[str, ...] = ()


Snippet: TypeAlias = File | Shell | Python


@dataclass(frozen=True)
class Block:
    """A fenced block: the line of its fence (from 1), its language, title and text."""

    line: int
    language: str
    title: str | None
    text: str


def blocks(markdown: str) -> Iterator[Block | str]:
    """The fenced blocks, and between them the comments; ``ValueError`` where one never ends."""
    lines = iter(enumerate(markdown.split("\n"), 1))
    for number, line in lines:
        if not line.lstrip().startswith("```"):
            if line.startswith("<!--"):
                yield line
            continue
        opening = FENCE.match(line)
        if opening is None:
            raise ValueError(f"line {number}: not a fence that is understood: {line}")
        text: list[str] = []
        for _, each in lines:
            if each == "```":
                break
            text.append(each)
        else:
            raise ValueError(f"line {number}: this block never ends")
        yield Block(number, opening[1], opening[2], "\n".join(text) + "\n")


def snippets(markdown: str) -> list[Snippet]:
    """What can be run of a page, in its order; ``ValueError`` for comments that do nothing."""
    found: list[Snippet] = []
    options: Options = {}
    reason: str | None = None
    programs: tuple[str, ...] = ()
    for each in blocks(markdown):
        match each:
            case str() if said := SHORTER.match(each):
                options = {**options, **_further(said[1])}
            case str() if said := NOT_RUN.match(each):
                reason = said[1]
            case str() if said := NEEDS.match(each):
                programs = tuple(said[1].split(", "))
            case str():
                continue
            case Block(title=str(name)):
                found.append(File(each.line, name, each.text))
            case Block(language="sh"):
                commands = _commands(each.text)
                found.append(Shell(each.line, commands, options, None, reason, programs))
                reason, programs = None, ()
            case Block(language="python"):
                found.append(Python(each.line, each.text, None, reason, programs))
                reason, programs = None, ()
            case Block(language="text"):
                found.append(_printing(found.pop() if found else None, each))
            case Block():
                continue
    if reason is not None:
        raise ValueError(f"nothing is left out by <!-- not run: {reason} -->")
    if programs:
        raise ValueError(f"nothing is below <!-- needs: {', '.join(programs)} -->")
    return found


def _printing(snippet: Snippet | None, output: Block) -> Snippet:
    match snippet:
        case Shell(expected=None) | Python(expected=None):
            return replace(snippet, expected=output.text)
        case _:
            raise ValueError(f"line {output.line}: no snippet prints this text")


def _further(said: str) -> dict[str, tuple[str, ...]]:
    parts = (shlex.split(each) for each in said.split(";"))
    return {command: tuple(options) for command, *options in parts}


def _commands(text: str) -> tuple[str, ...]:
    joined = text.replace("\\\n", " ")
    return tuple(each for line in joined.split("\n") if (each := line.strip()) and each[0] != "#")


def run(snippet: Snippet, names: dict[str, Any]) -> None:
    """Do what it says, in the current folder; ``AssertionError`` where it goes otherwise.

    ``names`` are those that the page has defined in Python so far.
    """
    match snippet:
        case File():
            Path(snippet.name).write_text(snippet.text, encoding="utf-8")
        case Shell(skipped=None):
            printed = "".join(_run_line(each, snippet.options) for each in snippet.commands)
            compare(printed, snippet.expected)
        case Python(skipped=None):
            with printing() as stream:
                code = compile(snippet.code, f"<line {snippet.line}>", "exec")
                exec(code, names)
            compare(written(stream), snippet.expected)
        case Shell() | Python():
            pass


def _run_line(line: str, options: Options) -> str:
    """What a line prints; what `echo` is told to write into a file is not printed."""
    ended = EXIT_CODE.search(line)
    command, *arguments = shlex.split(line, comments=True)
    match command, arguments:
        case "echo", [text, ">", name]:
            Path(name).write_text(f"{text}\n", encoding="utf-8")
            code, printed = 0, ""
        case "cat", [name]:
            code, printed = 0, Path(name).read_text(encoding="utf-8")
        case "volr", [name, *_]:
            code, printed = _volr([*arguments, *options.get(name, ())])
        case "python", _:
            # Those of a study: python -m studies.NAME COMMAND.
            further = options.get(arguments[2], ()) if arguments[:1] == ["-m"] else ()
            done = subprocess.run(
                [sys.executable, "-W", "ignore", *arguments, *further],
                env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *PATHS])},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
                timeout=PATIENCE,
            )
            code, printed = done.returncode, done.stdout
        case _:
            raise AssertionError(f"the tests have no such command: {line}")
    expected = int(ended[1]) if ended else 0
    assert code == expected, f"{line}\nexit code {code}, expected {expected}\n{printed}"
    return printed


def _volr(arguments: list[str]) -> tuple[int, str]:
    with printing() as stream:
        try:
            main(arguments)
        except SystemExit as ended:
            code = ended.code
        else:
            code = 0
    return code if isinstance(code, int) else 0, written(stream)


@contextmanager
def printing() -> Generator[io.TextIOWrapper]:
    """Both streams of this process, in one, as on a terminal."""
    stream = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)
    with redirect_stdout(stream), redirect_stderr(stream):
        yield stream


def written(stream: io.TextIOWrapper) -> str:
    buffer = stream.buffer
    assert isinstance(buffer, io.BytesIO)
    return buffer.getvalue().decode()


def compare(printed: str, expected: str | None) -> None:
    """Raise ``AssertionError`` unless ``printed`` is what the page shows, if it shows any.

    That something is compiled is said once on a machine, and only if it takes its time.
    """
    if expected is None:
        return
    printed = re.sub(r"(?m)^compiling .*, once: .*\n", "", printed)
    wanted = "".join(map(_pattern, _lines(expected)))
    if re.fullmatch(wanted, "".join(_lines(printed))) is None:
        raise AssertionError(f"the page shows\n{expected}\nbut this is printed\n{printed}")


def _lines(text: str) -> list[str]:
    return [f"{line.rstrip()}\n" for line in text.strip("\n").split("\n")]


def _pattern(line: str) -> str:
    return "(?:.*\n)*?" if line == "…\n" else ".*".join(map(re.escape, line.split("…")))
