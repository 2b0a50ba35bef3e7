"""``check``, ``format`` and ``show``: the commands that need only a program."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from volr.cli import options
from volr.cli.options import option, with_options
from volr.cli.output import emit, note, print_json, show_error
from volr.cli.output_files import check_writable, write_text
from volr.cli.progress import patience
from volr.errors import ProgramError

if TYPE_CHECKING:
    from volr.network import Network
    from volr.source import Diagnostic, Source


def check(file: options.Program, as_json: options.Json = False) -> None:
    """Check a program and print its type."""
    from volr.experiments.programs import program_source
    from volr.language import check as checked

    try:
        with patience("checking"):
            type_ = str(checked(program_source(file)).type)
    except ProgramError as error:
        if as_json:
            found = [diagnostic_json(each, error.source) for each in error.diagnostics]
            print_json({"type": None, "diagnostics": found})
        else:
            show_error(error)
        raise typer.Exit(1) from error
    if as_json:
        print_json({"type": type_, "diagnostics": []})
    else:
        emit(f"{type_}\n")


def diagnostic_json(diagnostic: Diagnostic, source: Source) -> dict[str, Any]:
    """One mistake. Lines and columns count from 1; the end is the column after the last one."""
    start, end = source.position(diagnostic.span.start), source.position(diagnostic.span.end)
    return {
        "line": start.line,
        "column": start.column,
        "end_line": end.line,
        "end_column": end.column,
        "message": diagnostic.message,
        "help": diagnostic.help,
    }


@with_options
def format_program(
    file: options.Program,
    ascii: bool = option(
        default=False, help="Write >>, |, + and << for ⦶, ⊖, ⊕ and ↺.", flags="--ascii"
    ),
    fill: bool = option(
        default=False, help="Write the shape that each _ stands for.", flags="--fill"
    ),
    write: bool = option(
        default=False, help="Write the file instead of printing.", flags="--write -w"
    ),
) -> None:
    """Print a program in its standard layout. Comments stay."""
    from volr.experiments.programs import is_name, program_source
    from volr.language import format_source

    if write and file == "-":
        raise typer.BadParameter("standard input is no file to write", param_hint="--write")
    if write and is_name(file):
        raise typer.BadParameter(
            f"{file} is one of Volr's programs, and no file; `volr format {file} > {file}.volr` "
            "makes a file of it",
            param_hint="--write",
        )
    source = program_source(file)
    with patience("formatting"):
        formatted = format_source(source, ascii=ascii, fill=fill)
    if not write:
        emit(formatted)
    elif formatted != source.text:
        # If it is a link, its target is written.
        write_text(Path(file).resolve(), formatted)


@with_options
def show(
    file: Annotated[
        str,
        typer.Argument(
            metavar="FILE|MODEL",
            help=f"A program, {options.PROGRAMS}; - is standard input. Or a model file.",
        ),
    ],
    svg: str | None = option(None, "Draw the network into this file; - is standard output.", "OUT"),
    as_json: options.Json = False,
) -> None:
    """Print or draw the network of a program or of a model."""
    from volr.cli.input_files import is_model_file
    from volr.experiments.programs import program_source
    from volr.language import to_network
    from volr.network import network_json, network_svg, network_text

    if svg == "-" and as_json:
        raise typer.BadParameter("standard output is the drawing's already", param_hint="--json")
    if svg is not None and svg != "-":
        check_writable(Path(svg), source=Path(file))
    with patience("lowering"):
        lowered = _of_model(file) if is_model_file(file) else to_network(program_source(file))
    if svg == "-":
        emit(network_svg(lowered))
    elif svg is not None:
        write_text(Path(svg), network_svg(lowered))
        note(f"wrote {svg}")
    if as_json:
        print_json(network_json(lowered))
    elif svg is None:
        emit(network_text(lowered) + "\n")


def _of_model(file: str) -> Network:
    """The network of a model. Of commands that show programs, this alone needs NumPy."""
    from volr.cli.input_files import read_model

    return read_model(Path(file)).model.network
