"""Figures, and the page that shows an experiment with them.

style       what all figures look like, and how they become SVG
theory      the original's figures, from ``volr.experiments.theory``
results     an experiment's figures: accuracy, training, confusion, rates
stimuli     spike rasters and membranes of a few stimuli
thesis      the numbers that the original reports
groups      the runs of an experiment, by what they have in common
parts       what a page is made of
tables      its tables
contents    what stands on it, from what the experiment left in its folder
page, font  the page as HTML, and the operators' glyphs
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

from volr.errors import BackendError, MissingError
from volr.surroundings import elsewhere

_PACKAGES = ("fontTools", "jinja2", "matplotlib")


def require_drawing() -> None:
    """Raise ``MissingError`` unless the packages are there that draw figures and write pages."""
    missing = [name for name in _PACKAGES if find_spec(name) is None]
    if missing:
        raise MissingError(
            f"figures need packages that are not installed: {', '.join(missing)}",
            help="pip install 'volr[report]'",
        )


if find_spec("matplotlib") is not None:
    # It reads `matplotlibrc` in the current folder: not for figures that are the same everywhere.
    try:
        with elsewhere():
            import_module("matplotlib")
    except ValueError as error:
        # A setting of the user's that it does not know: MPLBACKEND, or a line of their own file.
        raise BackendError(
            f"Matplotlib cannot be imported: {error}",
            help="unset MPLBACKEND, or mend the matplotlibrc in your settings",
        ) from error
