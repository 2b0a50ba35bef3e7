"""The report of an experiment: its figures, its tables, and the page with both.

style       the look of all figures, and how they become SVG
figures     accuracy, training, accuracy against time
transfers   the rates of a transfer, wanted and measured
confusion   which label got which answer
windows     single spikes in the windows of first spikes
whole_numbers  what quantisation cost, and that nothing else was lost
stimuli     spike rasters and membranes of a few stimuli
groups      the runs of an experiment that differ only in their seeds
parts       the parts of a page
tables      its tables
contents    the whole page, from the folder of the experiment
page, font  the page as HTML, and the glyphs of the operators
"""

from __future__ import annotations

import os
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from volr.errors import BackendError, MissingError
from volr.source import visible
from volr.system.current_folder import elsewhere

if TYPE_CHECKING:
    from collections.abc import Mapping

_PACKAGES = ("fontTools", "jinja2", "matplotlib")


def require_drawing() -> None:
    """Raise ``MissingError`` if the packages that draw figures and write pages are missing."""
    missing = [name for name in _PACKAGES if find_spec(name) is None]
    if missing:
        raise MissingError(
            f"figures need packages that are not installed: {', '.join(missing)}",
            help="pip install 'volr[report]'",
        )


def _check_settings(environment: Mapping[str, str] = os.environ) -> None:
    """Raise ``BackendError`` if ``MATPLOTLIBRC`` names a file that may have no end."""
    configured = environment.get("MATPLOTLIBRC")
    if not configured:
        return
    for path in (Path(configured), Path(configured) / "matplotlibrc"):
        if path.exists() and not path.is_dir() and not path.is_file():
            raise BackendError(
                f"MATPLOTLIBRC: {visible(str(path))} is not an ordinary file",
                help="unset MATPLOTLIBRC, or have it name a file with Matplotlib's settings",
            )


if find_spec("matplotlib") is not None:
    # Matplotlib reads `matplotlibrc` in the current folder, but figures must not depend on it.
    try:
        with elsewhere():
            _check_settings()
            import_module("matplotlib")
    except BackendError:
        raise
    # The user has a setting that it does not know: MPLBACKEND, or a line of their own file.
    except Exception as error:
        raise BackendError(
            f"Matplotlib cannot be imported: {error}",
            help="unset MPLBACKEND, or mend the matplotlibrc in your settings",
        ) from error
