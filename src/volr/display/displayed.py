"""What shows itself in a notebook."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from volr.display.parts import Part


class Displayed:
    """A result that shows itself in a notebook."""

    __slots__ = ()

    def _display(self) -> Iterable[Part]:
        """What it shows."""
        raise NotImplementedError

    def _repr_html_(self) -> str:
        from volr.display.html import html

        return html(self._display())
