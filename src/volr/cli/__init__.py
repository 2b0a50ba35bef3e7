"""The command line: arguments in, diagnostics and tables out.

Exit codes: 0; 1 if the program, the data or the model is wrong, or a file cannot be read or
written; 2 for wrong usage; 130 after Ctrl-C; and 141 if the reader of a pipe closes it.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from typer import Typer


def main(
    arguments: Sequence[str] | None = None, commands: Callable[[], Typer] | None = None
) -> None:
    """Run ``volr`` with these arguments, by default those of the process, and exit.

    ``commands`` makes other commands to run, such as those of a study.
    """
    try:
        # Imported here, so that Ctrl-C during the imports gives no traceback either.
        from volr.cli.app import app, run

        run(arguments, app if commands is None else commands())
    except KeyboardInterrupt:
        # The terminal may be closed.
        with suppress(OSError):
            print("interrupted", file=sys.stderr, flush=True)
        sys.exit(130)
