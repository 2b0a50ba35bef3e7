"""Arithmetic on one thread.

With several, sums are added up in another order, so their last bits, and the parameters that are
trained with them, depend on how many there are. On networks of this size a second thread saves
nothing (784-512-10 took PyTorch 6.9 s with one and 6.8 with two), and beside other work they wait
for each other, tenfold.
"""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Generator

VARIABLE = "OMP_NUM_THREADS"
"""What numerical libraries read when they are loaded."""


@contextmanager
def one_thread() -> Generator[None]:
    """One thread for BLAS, OpenMP and PyTorch within, as many as before after; what is loaded in
    here keeps it.
    """
    from threadpoolctl import threadpool_limits

    before = os.environ.get(VARIABLE)
    # Once PyTorch has been given a number of threads, no other setting changes it.
    torch: Any = sys.modules.get("torch")
    threads = 1 if torch is None else torch.get_num_threads()
    os.environ[VARIABLE] = "1"
    try:
        with threadpool_limits(limits=1):
            if torch is not None:
                torch.set_num_threads(1)
            yield
    finally:
        if torch is not None:
            torch.set_num_threads(threads)
        if before is None:
            del os.environ[VARIABLE]
        else:
            os.environ[VARIABLE] = before
