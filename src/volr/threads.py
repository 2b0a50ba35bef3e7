"""Arithmetic on one thread.

With several, a matrix product is added up in another order, so its last bits depend on how many
there are. Between runs that are made side by side there is nothing to be gained by them anyway.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator

VARIABLE = "OMP_NUM_THREADS"
"""What numerical libraries read when they are loaded."""


@contextmanager
def one_thread() -> Generator[None]:
    """One thread for BLAS and OpenMP within: those that are loaded, and those loaded in here, which
    keep it.
    """
    from threadpoolctl import threadpool_limits

    before = os.environ.get(VARIABLE)
    os.environ[VARIABLE] = "1"
    try:
        with threadpool_limits(limits=1):
            yield
    finally:
        if before is None:
            del os.environ[VARIABLE]
        else:
            os.environ[VARIABLE] = before
