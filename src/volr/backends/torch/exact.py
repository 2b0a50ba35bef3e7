"""Sums of whole numbers that are exact, whatever the user of PyTorch has allowed.

Sums of whole numbers below 2^24 are exact in single precision, in any order. They are not where a
library has other numbers on its way: transforms (Winograd's algorithm and FFT, in NNPACK and
cuDNN), or factors in bfloat16 or TF32 (oneDNN, cuDNN and cuBLAS, if they are allowed to). Measured
with PyTorch 2.13: of 480 kernels NNPACK has 128 wrong, and oneDNN, MKL and PyTorch's own none.
"""

from __future__ import annotations

import threading
from contextlib import ExitStack, contextmanager
from operator import attrgetter
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

_SETTINGS: tuple[tuple[str, str, object], ...] = (
    ("mkldnn.matmul", "fp32_precision", "ieee"),
    ("mkldnn.conv", "fp32_precision", "ieee"),
)
_ON_GPUS: tuple[tuple[str, str, object], ...] = (
    ("cuda.matmul", "fp32_precision", "ieee"),
    ("cudnn", "enabled", False),
)
"""Parts of ``torch.backends``, their settings, and the values."""


_lock = threading.Lock()
_before: list[Callable[[], None]] = []
"""What puts the settings back, while anybody is inside; one entry for each of them."""


@contextmanager
def exact_sums() -> Generator[None]:
    """While it is entered, PyTorch adds up products in single precision, as they are.

    The settings are those of the whole process. The last thread that leaves puts them back.
    """
    with _lock:
        _before.append(_before[0] if _before else _switched())
    try:
        yield
    finally:
        with _lock:
            put_back = _before.pop()
            if not _before:
                put_back()


def _switched() -> Callable[[], None]:
    """Switch the settings; a function that puts them back."""
    back = ExitStack()
    back.enter_context(torch.backends.nnpack.flags(enabled=False))
    for part, name, value in (*_SETTINGS, *(_ON_GPUS if torch.cuda.is_available() else ())):
        owner = attrgetter(part)(torch.backends)
        back.callback(setattr, owner, name, getattr(owner, name))
        setattr(owner, name, value)
    return back.close
