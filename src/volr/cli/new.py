"""``new``: a folder with a small project that trains, transfers and verifies."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path
from typing import Annotated

import typer

from volr.cli.options import with_options
from volr.cli.output import emit
from volr.errors import VolrError
from volr.system.storage import failing_as
from volr.system.temporary import Workplace

FILES = {
    "README.md": "README.md",
    "network.volr": "network.volr",
    "Makefile": "Makefile",
    "run.py": "run.txt",
    ".gitignore": "gitignore",
}
"""The files of a project, and the templates in ``new_project`` that they are made from."""
_NAME = re.compile(r"\w[\w.-]*")


@with_options
def new(
    folder: Annotated[
        Path,
        typer.Argument(
            readable=False, metavar="NAME", help="The folder to make, which is not there yet."
        ),
    ],
) -> None:
    """Make a folder with a small project.

    It has a program, a Makefile and a Python script that train, transfer and verify it, and a
    README that says how.
    """
    # A path such as `.` has no name of its own.
    name = folder.name
    if not _NAME.fullmatch(name):
        raise VolrError(
            f"{str(folder)!r} is no name of a project",
            help="take letters, digits, `-`, `_` and `.`, such as `volr new digits-on-nest`",
        )
    if folder.exists() or folder.is_symlink():
        raise VolrError(
            f"{folder} is there already, and nothing in it was changed", help="take another name"
        )
    templates = files("volr.cli").joinpath("new_project")
    with failing_as(VolrError, f"cannot make {folder}"):
        folder.parent.mkdir(parents=True, exist_ok=True)
        # It gets its name when all is there.
        with Workplace(".volr-new", folder.parent) as place:
            made = place / name
            made.mkdir()
            for file, template in FILES.items():
                text = templates.joinpath(template).read_text(encoding="utf-8")
                (made / file).write_text(text.replace("{name}", name), encoding="utf-8")
            made.rename(folder)
    emit("".join(f"{folder / file}\n" for file in FILES))
    emit(f"\ncd {folder}\nmake\n")
