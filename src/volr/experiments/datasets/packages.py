"""Packages that only some data sets need, imported when such a data set is loaded."""

from __future__ import annotations

import importlib
from typing import Any

from volr.errors import MissingError

EXTRA = "tasks"


def package(module: str, distribution: str, purpose: str) -> Any:
    """The module, untyped, since its package has no types.

    If it cannot be imported, ``MissingError`` names the ``distribution``, its ``purpose``, and the
    extra that installs it.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise MissingError(
            f"{purpose} needs the package {distribution}, which cannot be imported: {error}",
            help=f"pip install 'volr[{EXTRA}]'",
        ) from error
