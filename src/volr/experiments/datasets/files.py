"""Data sets in files of somebody's own: arrays of NumPy, IDX files, images by class.

Nothing is unpickled, and nothing of a size that a file claims is made before there is room for it.
"""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING, Any

import numpy as np

from volr.errors import DataError, ModelError
from volr.experiments.datasets.arrays import Arrays, Part
from volr.experiments.datasets.idx import decode, header_of, idx_size, unpack
from volr.experiments.datasets.numpy_files import arrays_in, members_of
from volr.experiments.datasets.packages import package
from volr.system.incoming import check_ordinary, nearest
from volr.system.memory import check_room

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

ARCHIVE = ".npz"
_IMAGES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".ppm", ".pgm")
_SPLIT = ("x_train", "y_train", "x_test", "y_test")
_WHOLE = ("x", "y")
_MOST_IMAGES = 1_000_000


def read_files(path: Path) -> Arrays:
    """The arrays in a ``.npz`` file, a folder of IDX files or a folder of images by class.

    Raises ``DataError`` that names the file, the array and the row, and ``MissingError`` for images
    without Pillow.
    """
    try:
        if path.is_dir():
            return _folder(path)
        check_ordinary(path)
    except OSError as error:
        raise DataError(
            f"cannot read the data {path}: {error.strerror or error}",
            help=nearest(path, ARCHIVE),
        ) from error
    if not zipfile.is_zipfile(path):
        raise DataError(
            f"{path} is no file of data that Volr reads",
            help=f"it reads {ARCHIVE} files, folders of IDX files, and folders of images by class",
        )
    return _archive(path)


def arrays_of(named: Mapping[str, NDArray[Any]], source: str) -> Arrays:
    """The arrays of a data set by their names: x_train, y_train, x_test, y_test, or x and y."""
    for names in (_SPLIT, _WHOLE):
        if all(each in named for each in names):
            parts = [
                Part(named[x], named[y], (f"{x} of {source}", f"{y} of {source}"))
                for x, y in zip(names[::2], names[1::2], strict=True)
            ]
            return Arrays(source, *parts)
    lacks = [each for each in _SPLIT if each not in named]
    raise DataError(
        f"{source} has the arrays {', '.join(sorted(named)) or 'none'}, and lacks "
        f"{', '.join(lacks)}",
        help="numpy.savez('data.npz', x_train=…, y_train=…, x_test=…, y_test=…) writes such a "
        "file; x and y alone are split by the seed",
    )


def _archive(path: Path) -> Arrays:
    """A ``.npz`` file of a data set."""
    names = members_of(path)
    found = arrays_in(path, [each for each in (*_SPLIT, *_WHOLE) if each in names])
    others = {each: np.zeros(0) for each in names if each not in found}
    return arrays_of({**others, **found} if found else others, str(path))


def _folder(path: Path) -> Arrays:
    inside = sorted(each for each in path.iterdir() if not each.name.startswith("."))
    idx = [each for each in inside if each.is_file() and "idx" in each.name]
    if idx:
        return _idx_files(path, idx)
    folders = [each for each in inside if each.is_dir()]
    names = {each.name.lower(): each for each in folders}
    test = next((names[each] for each in ("test", "val", "valid") if each in names), None)
    if "train" in names and test is not None:
        train = _images(names["train"])
        return Arrays(str(path), train, _images(test))
    if folders:
        return Arrays(str(path), _images(path))
    raise DataError(
        f"the folder {path} has no data that Volr reads",
        help="it reads folders of IDX files, and folders with a folder of images for each class, "
        "also within `train` and `test`",
    )


def _idx_files(path: Path, files: Sequence[Path]) -> Arrays:
    """Files as MNIST has them: their names say which is which."""

    def found(split: Callable[[str], bool], what: str) -> Path:
        fit = [each for each in files if split(each.name.lower()) and what in each.name.lower()]
        if len(fit) != 1:
            listed = ", ".join(each.name for each in fit) or "none"
            raise DataError(
                f"the folder {path} needs one IDX file of {what} for training, and one for tests; "
                f"for one of the two it has {listed}",
                help="names are as MNIST's: train-images-idx3-ubyte, train-labels-idx1-ubyte, "
                "t10k-images-idx3-ubyte, t10k-labels-idx1-ubyte, with or without .gz",
            )
        return fit[0]

    def is_train(name: str) -> bool:
        return "train" in name

    def is_test(name: str) -> bool:
        return "train" not in name

    parts: list[Part] = []
    for split in (is_train, is_test):
        images, labels = found(split, "images"), found(split, "labels")
        parts.append(Part(_idx(images), _idx(labels), (str(images), str(labels))))
    return Arrays(str(path), *parts)


def _idx(path: Path) -> NDArray[Any]:
    shape = header_of(unpack(path, 64), path)
    try:
        check_room({"its values": idx_size(shape)}, f"to read {path}")
    except ModelError as error:
        raise DataError(f"cannot read the data {path}: {error.message}") from error
    return decode(unpack(path, idx_size(shape)), shape, path)


def _images(path: Path) -> Part:
    """Images in a folder for each class: as grey values where all are grey, else in colour."""
    image: Any = package("PIL.Image", "pillow", "reading images")
    files = [
        (file, folder.name)
        for folder in sorted(path.iterdir())
        if folder.is_dir() and not folder.name.startswith(".")
        for file in sorted(folder.iterdir())
        if file.suffix.lower() in _IMAGES and not file.name.startswith(".")
    ]
    if not files:
        raise DataError(
            f"the folder {path} has no images in folders by class",
            help=f"images end with {', '.join(_IMAGES)}",
        )
    if len(files) > _MOST_IMAGES:
        raise DataError(f"the folder {path} has {len(files):,} images, too many to hold at once")
    opened = [_opened(image, file) for file, _ in files]
    first = opened[0][0]
    for (size, _), (file, _) in zip(opened, files, strict=True):
        if size != first:
            raise DataError(
                f"{file} has {size[0]} × {size[1]} pixels, and {files[0][0]} has "
                f"{first[0]} × {first[1]}",
                help="bring all images to one size first",
            )
    mode = "L" if all(grey for _, grey in opened) else "RGB"
    channels = 1 if mode == "L" else 3
    shape = (len(files), channels, first[1], first[0])
    try:
        check_room({"their pixels": int(np.prod(shape))}, f"for the images of {path}")
    except ModelError as error:
        raise DataError(error.message) from error
    pixels = np.empty(shape, np.uint8)
    for row, (file, _) in enumerate(files):
        pixels[row] = _pixels(image, file, mode).reshape(first[1], first[0], -1).transpose(2, 0, 1)
    return Part(pixels, np.array([label for _, label in files]), (str(path), f"classes of {path}"))


def _opened(image: Any, file: Path) -> tuple[tuple[int, int], bool]:
    """The size of an image, and whether it is grey; its pixels are not read yet."""
    try:
        check_ordinary(file)  # a pipe may have no writer
        with image.open(file) as found:
            size, mode = found.size, str(found.mode)
    # Pillow has errors of many kinds for what a file may hold.
    except Exception as error:
        raise DataError(f"{file} is no image that Pillow reads: {error}") from error
    if mode in _WIDE:
        raise DataError(
            f"{file} has pixels of 32 bits, and images have 8 or 16",
            help="save the numbers themselves as arrays, in a .npz file",
        )
    return size, mode in _GREY or mode.startswith(_16_BITS)


_GREY, _WIDE, _16_BITS = {"1", "L", "LA"}, {"I", "F"}, "I;16"
"""Pillow's names for kinds of pixels."""


def _pixels(image: Any, file: Path, mode: str) -> NDArray[np.uint8]:
    try:
        with image.open(file) as found:
            if found.mode.startswith(_16_BITS):
                # Pillow would cut off what is above 255.
                found = image.fromarray(np.rint(np.asarray(found) / 257).astype(np.uint8))
            return np.asarray(found.convert(mode), np.uint8)
    except Exception as error:
        raise DataError(f"{file} is damaged: {error}") from error
