"""``lsp``: the language server, which an editor starts."""

from __future__ import annotations

import sys
from importlib.util import find_spec

import typer

from volr import __version__
from volr.cli.options import option
from volr.cli.output import note
from volr.errors import MissingError


def lsp(
    stdio: bool = option(
        default=False, help="Use standard input and output, as it always does.", flags="--stdio"
    ),
) -> None:
    """Run the language server, which an editor starts and talks to.

    It shows mistakes while you type, types and drawings, and it completes, formats and renames.
    The exit code is 0 after the editor has ended it, and 1 if the editor left without a word.
    """
    del stdio
    if find_spec("pygls") is None:
        raise MissingError(
            "the language server needs pygls, which is not installed",
            help="pip install 'volr[lsp]'",
        )
    from volr.lsp.log import log_problems
    from volr.lsp.server import server
    from volr.lsp.transport import serve

    if sys.stdin.isatty():
        note("this waits for an editor, which starts `volr lsp` by itself; Ctrl-C ends it")
    log_problems(note)
    outgoing = sys.stdout.buffer
    # Whatever is printed on the way must not come between the messages.
    sys.stdout = sys.stderr
    raise typer.Exit(serve(server(__version__), sys.stdin.buffer, outgoing))
