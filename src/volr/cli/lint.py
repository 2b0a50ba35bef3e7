"""``lint``: what other tools make of a NIR file."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from volr.cli import options
from volr.cli.output import emit, print_json, print_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from volr.backends.nir.lint import Finding

NirFile = Annotated[Path, typer.Argument(readable=False, metavar="FILE.nir", help="A NIR file.")]


def lint(file: NirFile, as_json: options.Json = False) -> None:
    """Tell what each importer makes of a NIR file.

    The importers are Volr, Norse, snnTorch, SpikingJelly and sinabs. The exit code is 1 if one of
    them refuses the file or reads another network.
    """
    from volr.backends.nir.lint import lint as examined

    found = examined(file)
    if as_json:
        print_json({"findings": [asdict(each) for each in found]})
    else:
        _print(found)
    if any(each.severity != "note" for each in found):
        raise typer.Exit(1)


def _print(findings: Sequence[Finding]) -> None:
    if not findings:
        emit("every known importer reads it as it is\n")
        return
    print_table(
        ("importer", "severity", "node", "what becomes of it"),
        [(each.importer, each.severity, each.node, each.message) for each in findings],
        left=4,
    )
