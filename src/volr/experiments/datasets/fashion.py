"""Fashion-MNIST: 70,000 pictures of clothes in ten classes, 28 × 28 pixels, with a fixed split.

H. Xiao, K. Rasul and R. Vollgraf, "Fashion-MNIST: a novel image dataset for benchmarking machine
learning algorithms" (2017), arXiv:1708.07747.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from volr.experiments.datasets.archives import FASHION
from volr.experiments.datasets.mnist import load_scaled

if TYPE_CHECKING:
    from pathlib import Path

    from volr.experiments.datasets.archive import Archive
    from volr.models.samples import Data


def load_fashion(data_dir: Path | None, *, archive: Archive = FASHION) -> Data:
    """60,000 training images and 10,000 test images; there is no seed, since the split is fixed.

    Inputs are ``[batch, 784]``, row by row, in [0, 1]. Raises what ``load_scaled`` raises.
    """
    return load_scaled(archive, data_dir)
