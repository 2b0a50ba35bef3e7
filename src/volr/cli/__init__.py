"""The command line: arguments in, diagnostics and tables out.

Exit codes: 0, 1 for what is wrong with the user's program, data or model, or a file that cannot be
read or written, 2 for usage, 130 after Ctrl-C, and 141 where the reader of a pipe has had enough.
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
    """Run ``volr`` with these arguments, unless told those of the process, and exit.

    ``commands`` makes other ones to be run: those of a study.
    """
    try:
        # Imported here, so that Ctrl-C during the imports is no traceback either.
        from volr.cli.app import app, run

        run(arguments, app if commands is None else commands())
    except KeyboardInterrupt:
        # Whoever closed the terminal needs no word.
        with suppress(OSError):
            print("interrupted", file=sys.stderr, flush=True)
        sys.exit(130)
