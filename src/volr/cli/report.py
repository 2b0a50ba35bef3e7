"""``report``: an experiment as one page with figures."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from volr.cli import options
from volr.cli.options import option, with_options
from volr.cli.output import note
from volr.cli.output_files import check_apart, check_folder, check_writable, write_text
from volr.cli.progress import progress_bar
from volr.errors import VolrError
from volr.source import visible
from volr.system.storage import check_no_link


@with_options
def report(
    context: typer.Context,
    folder: Annotated[
        Path,
        typer.Argument(
            readable=False, metavar="DIR", help="Folder that `volr experiment` wrote to."
        ),
    ],
    out: Path | None = option(None, "Where to write: the page.", "FILE", unless="DIR/report.html"),
    data: options.DataFolder = None,
) -> None:
    """Write an experiment's report: one HTML page and its figures."""
    from volr.experiments.report import require_drawing
    from volr.experiments.results import RESULTS
    from volr.experiments.search.store import BEST, SEARCH, TRIALS
    from volr.experiments.store.folder import FIGURES, MODELS, PAGE, PLAN, RUNS

    if folder.is_file():
        raise VolrError(
            f"{folder} is a file, and a report is made of an experiment's folder",
            help=f"name the folder: volr report {shlex.quote(str(folder.parent))}",
        )
    require_drawing()
    page_file = folder / PAGE if out is None else out
    figures = folder / FIGURES
    for each in (folder, figures):
        check_folder(each)
    check_no_link(figures)
    own = (RESULTS, PLAN, RUNS, MODELS, SEARCH, TRIALS, BEST)
    check_apart(page_file, [folder / name for name in own])
    check_writable(page_file)
    check_writable(figures / "figure.svg")
    from volr.experiments.report.contents import page_of
    from volr.experiments.report.page import html
    from volr.experiments.study import VOLR

    with progress_bar() as progress:
        page = page_of(folder, data, progress, context.obj or VOLR)
    for each in page.drawings:
        write_text(figures / f"{each.name}.svg", each.svg)
    write_text(page_file, html(page))
    note(f"wrote {page_file} and {len(page.drawings)} figures in {figures}")
    # Other figures may be of another report, or changed by hand, so they stay.
    written = {f"{each.name}.svg" for each in page.drawings}
    if others := sorted({path.name for path in figures.glob("*.svg")} - written):
        note(f"not of this report, and left there: {', '.join(map(visible, others))}")
