"""The commands under one name, and how errors are shown."""

from __future__ import annotations

import io
import os
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup
from typer.exceptions import TyperException

from volr import __version__
from volr.cli.command import Command
from volr.cli.compile import compile_to
from volr.cli.doctor import doctor
from volr.cli.evaluate import evaluate
from volr.cli.experiment import experiment
from volr.cli.explain import explain
from volr.cli.import_file import import_file
from volr.cli.interrupt import interruptions
from volr.cli.libraries import failed_import
from volr.cli.lint import lint
from volr.cli.lsp import lsp
from volr.cli.new import new
from volr.cli.options import MisplacedError
from volr.cli.output import emit, noting_warnings, show_error, shown_text, silence, writing
from volr.cli.programs import check, format_program, show
from volr.cli.quantise import quantise
from volr.cli.report import report
from volr.cli.search import search
from volr.cli.simulate import simulate
from volr.cli.train import train
from volr.cli.transfer import transfer
from volr.cli.verify import verify
from volr.errors import VolrError
from volr.system.cores import cores
from volr.system.current_folder import keep_absolute_paths

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

HELP = """One program, two generations: networks as text, trained as ANNs, run as spiking ones.

\b
  volr check xor.volr
  volr train xor.volr --task xor --out ann.safetensors
  volr transfer ann.safetensors --task xor --out snn.safetensors
  volr train xor.volr --task xor --as snn --out trained.safetensors
  volr evaluate snn.safetensors --task xor --on nest
  volr verify snn.safetensors
"""


class _Interrupted(BaseException):
    """Ctrl-C, as a class that Typer does not know; Typer would exit without a message."""


@contextmanager
def _visible_complaints() -> Generator[None]:
    """Escape invisible characters in Click's messages, which quote arguments as they are."""
    try:
        yield
    except TyperException as error:
        text = error.format_message()
        # A library that Typer reads choices with adds these words.
        reason = text.replace("Value error, ", "")
        if shown_text(reason) == text:
            raise
        # Errors of the Click within Typer have the context; their class has no public name.
        raise MisplacedError(shown_text(reason), ctx=getattr(error, "ctx", None)) from error


class _Commands(TyperGroup):
    def make_context(self, *args: Any, **kwargs: Any) -> Any:
        with writing(), _visible_complaints():
            return super().make_context(*args, **kwargs)

    def invoke(self, ctx: Any) -> Any:
        with interruptions() as interrupted:
            try:
                with _visible_complaints():
                    return super().invoke(ctx)
            except KeyboardInterrupt as error:
                raise _Interrupted from error
            except Exception as error:
                if interrupted():
                    raise _Interrupted from error
                raise


def command_line(name: str, text: str, *, completion: bool = False) -> typer.Typer:
    """An empty group of commands called ``name``, with ``text`` as its help; ``run`` runs it.

    With ``completion``, it has options that let the shell complete its commands.
    """
    # Plain help reads the same in a pipe, and saves the import of rich.
    return typer.Typer(
        cls=_Commands,
        name=name,
        help=text,
        no_args_is_help=True,
        add_completion=completion,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )


app = command_line("volr", HELP, completion=True)
app.command("new", cls=Command)(new)
app.command("check", cls=Command)(check)
app.command("format", cls=Command)(format_program)
app.command("show", cls=Command)(show)
app.command("train", cls=Command)(train)
app.command("quantise", cls=Command)(quantise)
app.command("transfer", cls=Command)(transfer)
app.command("evaluate", cls=Command)(evaluate)
app.command("simulate", cls=Command)(simulate)
app.command("explain", cls=Command)(explain)
app.command("experiment", cls=Command)(experiment)
app.command("search", cls=Command)(search)
app.command("report", cls=Command)(report)
app.command("compile", cls=Command)(compile_to)
app.command("import", cls=Command)(import_file)
app.command("lint", cls=Command)(lint)
app.command("verify", cls=Command)(verify)
app.command("lsp", cls=Command)(lsp)
app.command("doctor", cls=Command)(doctor)


def _version(wanted: bool) -> None:
    if wanted:
        emit(f"volr {__version__}\n")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    del version
    cores()  # A wrong limit is an error at once, and not after some of the work.


def run(arguments: Sequence[str] | None = None, commands: typer.Typer = app) -> None:
    """Run one of the commands and exit. Raises ``KeyboardInterrupt`` after Ctrl-C."""
    _prepare_streams()
    keep_absolute_paths()
    try:
        with noting_warnings():
            commands(arguments, prog_name=commands.info.name)
    except _Interrupted:
        raise KeyboardInterrupt from None
    except Exception as error:
        code = getattr(error.__context__, "exit_code", None)
        if isinstance(error, OSError) and code is not None:
            # Typer could not print its message about wrong usage.
            silence(sys.stderr)
            sys.exit(code)
        shown = error if isinstance(error, VolrError) else failed_import(error)
        if shown is None:
            raise
        show_error(shown)
        sys.exit(1)


def _prepare_streams() -> None:
    # A stream that the caller closed is None.
    nowhere = Path(os.devnull)
    sys.stdin = sys.stdin or nowhere.open(encoding="utf-8")
    sys.stdout = sys.stdout or nowhere.open("w", encoding="utf-8")
    sys.stderr = sys.stderr or nowhere.open("w", encoding="utf-8")
    for stream in (sys.stdout, sys.stderr):
        # Programs are UTF-8 in every locale.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
