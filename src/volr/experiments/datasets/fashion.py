"""Fashion-MNIST: 70,000 pictures of clothes in ten classes, 28 × 28 pixels, with a fixed split.

H. Xiao, K. Rasul and R. Vollgraf, "Fashion-MNIST: a novel image dataset for benchmarking machine
learning algorithms" (2017), arXiv:1708.07747.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from volr.experiments.datasets.archive import Archive, IdxFile
from volr.experiments.datasets.mnist import load_scaled

if TYPE_CHECKING:
    from volr.models.samples import Data

FASHION = Archive(
    name="fashion-mnist",
    files=(
        IdxFile(
            name="train-images-idx3-ubyte",
            shape=(60_000, 28, 28),
            content="c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
            packed="3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
        ),
        IdxFile(
            name="train-labels-idx1-ubyte",
            shape=(60_000,),
            content="bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
            packed="a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
        ),
        IdxFile(
            name="t10k-images-idx3-ubyte",
            shape=(10_000, 28, 28),
            content="5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
            packed="346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
        ),
        IdxFile(
            name="t10k-labels-idx1-ubyte",
            shape=(10_000,),
            content="0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
            packed="67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
        ),
    ),
    mirrors=(
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/",
    ),
    # of Debian's package dataset-fashion-mnist
    installed=Path("/usr/share/datasets/fashion-mnist"),
    apart=True,
)


def load_fashion(data_dir: Path | None, *, archive: Archive = FASHION) -> Data:
    """60,000 training images and 10,000 test images; there is no seed, since the split is fixed.

    Inputs are ``[batch, 784]``, row by row, in [0, 1]. Raises what ``load_scaled`` raises.
    """
    return load_scaled(archive, data_dir)
