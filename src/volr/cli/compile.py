"""``compile``: a program or a model as a document for another tool."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from volr.cli import completion, options
from volr.cli.options import ARTIFICIAL, MisplacedError, given, option, refuse, with_options
from volr.cli.output import emit_bytes, note
from volr.cli.output_files import check_writable, write_bytes
from volr.cli.progress import patience
from volr.errors import BackendError, ModelError

if TYPE_CHECKING:
    from volr.backends.base import Document, Files


@with_options
def compile_to(
    ctx: typer.Context,
    subject: Annotated[
        str, typer.Argument(metavar="FILE|MODEL", help="A program, or a model file.")
    ],
    to: str = option(
        ..., "futhark, onnx, nir, pynn or brian2.", "FORMAT", names=completion.FORMATS
    ),
    dialect: str | None = option(
        None,
        "The importer that will read it, with --to nir: norse, snntorch, spikingjelly or sinabs.",
        "IMPORTER",
        flags="--for",
        names=completion.IMPORTERS,
    ),
    out: str | None = option(
        None,
        "Where to write: the document; - is standard output.",
        "FILE",
        unless="the name of what is compiled, with the format's suffix",
    ),
    activation: options.Activation = None,
) -> None:
    """Write a program or a model for another tool.

    As Futhark, ONNX or NIR, or as a script for PyNN or Brian2 that needs no Volr.
    """
    from volr.backends import document
    from volr.backends.refusals import check_network, check_supported, require
    from volr.cli.input_files import read_subject
    from volr.model_files.model_file import ModelFile

    chosen = document(to) if dialect is None else _dialect(to, dialect)
    require(chosen)
    path = _path(subject, out, chosen.suffix)
    if path is not None:
        check_writable(path, source=None if subject == "-" else Path(subject))
    read = read_subject(subject)
    with patience(f"writing {chosen.name}"):
        if isinstance(read, ModelFile):
            refuse(given(ctx, ARTIFICIAL).values(), "the model has its own")
            check_supported(chosen, read.model)
            files, how_to = chosen.write(read.model), chosen.how_to
        elif chosen.write_program is not None:
            check_network(chosen, read, "torch")
            files = chosen.write_program(read, options.activation_of(activation))
            how_to = chosen.how_to_program
        else:
            raise ModelError(
                f"{chosen.name} writes numbers too, and a program has none",
                help="name a model file, as `volr train` and `volr transfer` write them",
            )
    _write(files, chosen.suffix, path)
    # On standard output it has no name yet.
    for line in () if path is None else how_to(str(path)):
        note(line)


def _dialect(to: str, importer: str) -> Document:
    from volr.backends import DOCUMENTS
    from volr.checks.names import named

    if to != "nir":
        raise MisplacedError("--for: it goes with --to nir alone")
    prefix = f"{to}."
    known = {d.name.removeprefix(prefix): d for d in DOCUMENTS if d.name.startswith(prefix)}
    return named("importer", importer, known, BackendError)


def _path(subject: str, out: str | None, suffix: str) -> Path | None:
    """The file to write; None is standard output."""
    if out == "-":
        return None
    if out is not None:
        return Path(out)
    return Path(Path("net" if subject == "-" else subject).with_suffix(suffix).name)


def _write(files: Files, suffix: str, path: Path | None) -> None:
    if path is None:
        beside = [each for each in files if each != suffix]
        if beside:
            raise ModelError(
                f"there is a second file, {', '.join(beside)}, and standard output takes one",
                help="name a file with --out",
            )
        emit_bytes(files[suffix])
        return
    if len(files) > 1 and path.suffix != suffix:
        beside = ", ".join(path.with_suffix(each).name for each in files if each != suffix)
        raise ModelError(
            f"{path.name} does not end in {suffix}, and {beside} would be beside other files too",
            help=f"name it {path.name}{suffix}",
        )
    for each, body in files.items():
        target = path if each == suffix else path.with_suffix(each)
        write_bytes(target, body)
        note(f"wrote {target}")
