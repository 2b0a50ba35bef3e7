"""Python's garbage collector, paused while trees and graphs are built.

A long program makes millions of objects that all stay. The collector visits them again and again,
which takes as much time as all the rest, and finds nothing: there are no cycles.
"""

from __future__ import annotations

import gc
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator


@contextmanager
def collector_paused() -> Generator[None]:
    """Pause the collector, unless somebody else has paused it already."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
