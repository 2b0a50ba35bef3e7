"""Programs in cells of Jupyter: ``%load_ext volr``, then ``%%volr``."""

from __future__ import annotations

import keyword
from typing import TYPE_CHECKING, Any

from IPython.core.error import UsageError
from IPython.core.magic import Magics, cell_magic, magics_class

from volr.language import check, to_network
from volr.source import Source

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from volr.language import Checked


@magics_class
class VolrMagics(Magics):
    """The magic ``%%volr``."""

    @cell_magic
    def volr(self, line: str, cell: str) -> Checked:
        """Check the program in this cell, and show its type and its drawing.

        %%volr
        %%volr NAME        the network is the variable NAME afterwards

        If there are mistakes, they are shown with their places, and the variable is as it was.
        """
        name = line.partition("//")[0].strip()
        if name and (not name.isidentifier() or keyword.iskeyword(name)):
            raise UsageError(f"%%volr {name}: this is no name of a variable, such as `network`")
        source = Source(cell, "<cell>")
        checked = check(source)
        if name:
            shell: Any = self.shell
            shell.user_ns[name] = to_network(source)
        return checked


def register(shell: InteractiveShell) -> None:
    """Give a shell of IPython the magic, as ``%load_ext volr`` does."""
    shell.register_magics(VolrMagics)
