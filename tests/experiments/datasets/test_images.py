"""Images of kinds that a folder may hold, and files that are none."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np
import pytest

from volr.errors import DataError
from volr.experiments.tasks import task

if TYPE_CHECKING:
    from pathlib import Path

image = pytest.importorskip("PIL.Image")
GREY = np.arange(12, dtype=np.uint16).reshape(3, 4)


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """Two classes of images of 16 bits, as microscopes write them, for training and for tests."""
    for part in ("train", "test"):
        for number, name in enumerate(("cat", "dog")):
            folder = tmp_path / "mine" / part / name
            folder.mkdir(parents=True)
            image.fromarray((GREY + 12 * number) * 2500).save(folder / "x.png")
    return tmp_path / "mine"


def test_sixteen_bits_become_eight(images: Path) -> None:
    found = task(str(images))
    assert found.forms[0].description == "1 × 3 × 4 values"
    wanted = np.stack([GREY.ravel(), GREY.ravel() + 12]) * 2500 / 65535
    assert np.abs(found.load().train.inputs - wanted).max() <= 0.5 / 255
    image.new("RGB", (4, 3)).save(images / "train" / "dog" / "y.png")
    image.new("RGB", (4, 3)).save(images / "test" / "dog" / "y.png")
    colours = task(str(images)).load().train.inputs.reshape(3, 3, 12)
    assert np.abs(colours[:2] - wanted[:, None]).max() <= 0.5 / 255


@pytest.mark.parametrize("kind", [np.float32, np.int32])
def test_pixels_of_no_bytes(images: Path, kind: type) -> None:
    image.fromarray(GREY.astype(kind)).save(images / "train" / "cat" / "y.tif")
    with pytest.raises(DataError, match=r"y\.tif has pixels of 32 bits"):
        task(str(images))


def test_hidden_files_are_left_alone(images: Path) -> None:
    (images / "train" / "cat" / "._x.png").write_bytes(b"of a Mac")
    assert len(task(str(images)).load().train) == 2


def test_a_pipe_is_not_waited_for(images: Path) -> None:
    os.mkfifo(images / "train" / "cat" / "y.png")
    with pytest.raises(DataError, match=r"y\.png is no image .* it is a pipe"):
        task(str(images))
