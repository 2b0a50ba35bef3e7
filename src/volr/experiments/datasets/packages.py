"""Packages that only some data sets need, imported when such a data set is asked for."""

from __future__ import annotations

import importlib
from typing import Any

from volr.errors import MissingError

EXTRA = "tasks"


def package(module: str, distribution: str, purpose: str) -> Any:
    """The module, untyped, since its package ships no types.

    ``distribution`` is its package's name and ``purpose`` what it is for, in the words of the
    error: ``MissingError``, naming the extra that installs it.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise MissingError(
            f"{purpose} needs the package {distribution}, which cannot be imported: {error}",
            help=f"pip install 'volr[{EXTRA}]'",
        ) from error
