"""Data of somebody's own: arrays, IDX files and images, scaled by one rule, and what is wrong."""

from __future__ import annotations

import gzip
import io
import struct
import zipfile
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from volr.errors import DataError, VolrError
from volr.experiments.datasets.scale import Scale, scale_in
from volr.experiments.evaluation import data_entries
from volr.experiments.tasks import known_task, task

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from volr.experiments.tasks import Task

RNG = np.random.default_rng(0)
FLOATS = RNG.random((20, 3))
LABELS = np.arange(20) % 2
WITH_NAN = np.where(np.arange(60).reshape(20, 3) == 31, np.nan, FLOATS)


def saved(folder: Path, **arrays: Any) -> str:
    path = folder / "mine.npz"
    np.savez(path, **arrays)
    return str(path)


def scale_kept(found: Task) -> Scale:
    """The scale of a task's data, as a model keeps it."""
    return scale_in(data_entries(found, 0)["data_scale"])


def test_arrays_that_are_split(tmp_path: Path) -> None:
    path = saved(
        tmp_path, x_train=FLOATS, y_train=LABELS, x_test=FLOATS[:4] * 0.5, y_test=LABELS[:4]
    )
    found = task(path)
    data = found.load(seed=3)
    assert np.array_equal(data.train.inputs, FLOATS)
    assert np.array_equal(data.test.inputs, FLOATS[:4] * 0.5)
    assert (data.classes, found.forms[0].units) == (2, 3)
    assert found.program == "dense 3 64 ⦶ dense 64 2"
    assert found.notes == (f"x_train of {path} is in [0, 1], and taken as it is",)
    assert scale_kept(found) == Scale()


def test_arrays_that_the_seed_splits(tmp_path: Path) -> None:
    found = task(saved(tmp_path, x=FLOATS, y=LABELS))
    first, again, other = found.load(seed=1), found.load(seed=1), found.load(seed=2)
    assert first == again
    assert first != other
    assert (len(first.train), len(first.test)) == (16, 4)
    rows = np.concatenate([first.train.inputs, first.test.inputs])
    assert np.array_equal(np.unique(rows, axis=0), np.unique(FLOATS, axis=0))
    assert "by the seed" in found.notes[0]


def test_values_are_scaled_by_the_training_samples(tmp_path: Path) -> None:
    train, test = np.array([[-2.0, 6.0], [0.0, 2.0]]), np.array([[-4.0, 10.0], [2.0, 4.0]])
    path = saved(tmp_path, x_train=train, y_train=[0, 1], x_test=test, y_test=[1, 0])
    found = task(path)
    data = found.load()
    assert np.array_equal(data.train.inputs, [[0.0, 1.0], [0.25, 0.5]])
    assert np.array_equal(data.test.inputs, [[0.0, 1.0], [0.5, 0.75]])
    assert scale_kept(found) == Scale((-2.0,), (6.0,))
    assert "reaches from -2 to 6" in found.notes[0]
    assert found.notes[1].startswith("50.0% of the values of x_test")


def test_columns_of_a_table_have_scales_of_their_own(tmp_path: Path) -> None:
    train = np.array([[0.5, 100.0, 3.0], [1.5, 300.0, 3.0]])
    test = np.array([[1.0, 400.0, 3.0], [0.0, 150.0, 9.0]])
    found = task(saved(tmp_path, x_train=train, y_train=[0, 1], x_test=test, y_test=[1, 0]))
    data = found.load()
    assert np.array_equal(data.train.inputs, [[0, 0, 0], [1, 1, 0]])
    assert np.array_equal(data.test.inputs, [[0.5, 1, 0], [0, 0.25, 1]])
    assert "of each column in training" in found.notes[0]
    scale = scale_kept(found)
    assert scale_in(scale.text) == scale == Scale((0.5, 100.0, 3.0), (1.5, 300.0, 6.0))


@pytest.mark.parametrize(
    "text",
    ["", "[1, 2]", "[[1], [1]]", "[[], []]", "[[1, 2], [3]]", "[[0], [1e999]]", '["a", "b"]'],
)
def test_a_scale_that_is_none(text: str) -> None:
    with pytest.raises(DataError, match="no scale that Volr knows"):
        scale_in(text)


def test_bytes_and_channels_last(tmp_path: Path) -> None:
    images = RNG.integers(0, 256, (6, 7, 5, 3), dtype=np.uint8)
    found = task(saved(tmp_path, x=images, y=[0, 1, 0, 1, 0, 1]))
    assert found.forms[0].description == "3 × 7 × 5 values"
    assert "channels last: they are put first" in found.notes[0]
    inputs = np.concatenate([found.load().train.inputs, found.load().test.inputs])
    wanted = images.transpose(0, 3, 1, 2).reshape(6, -1) / 255
    assert np.array_equal(np.unique(inputs, axis=0), np.unique(wanted, axis=0))


@pytest.mark.parametrize(
    ("labels", "classes", "found"),
    [
        (["dog", "cat", "dog", "eel"], 3, [1, 0, 1, 2]),
        ([b"b", b"a", b"b", b"c"], 3, [1, 0, 1, 2]),
        ([3, 1, 3, 7], 3, [1, 0, 1, 2]),
        ([-1, 1, -1, 1], 2, [0, 1, 0, 1]),
        ([0, 3, 0, 3], 4, [0, 3, 0, 3]),
        ([0.0, 1.0, 2.0, 1.0], 3, [0, 1, 2, 1]),
        ([[0], [1], [2], [1]], 3, [0, 1, 2, 1]),
        ([[1, 0], [0, 1], [0, 1], [1, 0]], 2, [0, 1, 1, 0]),
        ([True, False, True, False], 2, [1, 0, 1, 0]),
    ],
)
def test_labels(labels: list[Any], classes: int, found: list[int], tmp_path: Path) -> None:
    path = saved(tmp_path, x_train=FLOATS[:4], y_train=labels, x_test=FLOATS[:4], y_test=labels)
    data = task(path).load()
    assert data.classes == classes
    assert data.train.labels.tolist() == data.test.labels.tolist() == found


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"y_train": LABELS[:5]}, "x_train of .* has 20 rows, and y_train of .* 5"),
        (
            {"x_train": np.where(FLOATS < 0.01, np.nan, FLOATS)},
            "x_train of .*, row [0-9]+: .*finit",
        ),
        ({"x_train": FLOATS.astype(str)}, "not real numbers"),
        ({"x_train": FLOATS[:0]}, "is empty"),
        ({"x_test": FLOATS[:, :2]}, "stimuli of one size"),
        ({"y_train": LABELS + 0.5}, "row 0: the label 0.5 is no whole number"),
        ({"y_train": np.ones((20, 3))}, "has rows with no 1, or several"),
        ({"y_train": FLOATS}, "a stimulus has one label"),
        ({"y_test": np.array(["x"] * 20), "y_train": np.array(["y"] * 20)}, "row 0: the label 'x'"),
        ({"y_train": LABELS * 1j}, "whole numbers or words"),
    ],
)
def test_what_is_wrong_with_arrays(change: dict[str, Any], said: str, tmp_path: Path) -> None:
    arrays = {"x_train": FLOATS, "y_train": LABELS, "x_test": FLOATS, "y_test": LABELS}
    with pytest.raises(DataError, match=said):
        task(saved(tmp_path, **(arrays | change)))


def test_arrays_that_are_missing(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"has the arrays a, x, and lacks x_train, y_train"):
        task(saved(tmp_path, x=FLOATS, a=LABELS))
    with pytest.raises(DataError, match="cannot read the data"):
        task(str(tmp_path / "other.npz"))
    (tmp_path / "text.npz").write_text("no archive")
    with pytest.raises(DataError, match="no file of data"):
        task(str(tmp_path / "text.npz"))


class Trap:
    """An object that would write a file if it were unpickled."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return open, (self.path, "w")


def test_nothing_is_unpickled(tmp_path: Path) -> None:
    trap = np.array([Trap(str(tmp_path / "sprung"))] * 20, dtype=object)
    with pytest.raises(DataError, match="objects of Python, which may run code"):
        task(saved(tmp_path, x=FLOATS, y=trap))
    assert not (tmp_path / "sprung").exists()


def test_damaged_archives(tmp_path: Path) -> None:
    whole = (tmp_path / "x").with_suffix(".npz")
    np.savez(whole, x=FLOATS, y=LABELS)
    data = whole.read_bytes()
    for number in range(0, len(data), 7):
        changed = bytearray(data)
        changed[number] ^= 0x55
        whole.write_bytes(changed)
        try:
            task(str(whole))
        except VolrError:
            continue
    # An array that says it is far larger than it is.
    buffer = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        buffer, {"descr": "<f8", "fortran_order": False, "shape": (1 << 40,)}
    )
    with zipfile.ZipFile(whole, "w") as archive:
        archive.writestr("x.npy", buffer.getvalue())
        archive.writestr("y.npy", buffer.getvalue())
    with pytest.raises(DataError, match=r"x of .* is damaged"):
        task(str(whole))


def idx(values: Any) -> bytes:
    array = np.asarray(values, np.uint8)
    head = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape)
    return head + array.tobytes()


def test_idx_files(tmp_path: Path) -> None:
    images = RNG.integers(0, 256, (5, 3, 2))
    (tmp_path / "train-images-idx3-ubyte").write_bytes(idx(images))
    (tmp_path / "train-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx([0, 1, 2, 1, 0])))
    (tmp_path / "t10k-images-idx3-ubyte").write_bytes(idx(images[:2]))
    with pytest.raises(DataError, match="one IDX file of labels"):
        task(str(tmp_path))
    (tmp_path / "t10k-labels-idx1-ubyte").write_bytes(idx([2, 0]))
    data = task(str(tmp_path)).load()
    assert np.array_equal(data.train.inputs, images.reshape(5, -1) / 255)
    assert data.test.labels.tolist() == [2, 0]
    (tmp_path / "t10k-labels-idx1-ubyte").write_bytes(idx([2, 0])[:-1])
    with pytest.raises(DataError, match="ends after 9 bytes"):
        task(str(tmp_path))
    (tmp_path / "t10k-labels-idx1-ubyte").write_bytes(struct.pack(">HBBI", 0, 8, 1, 2**32 - 1))
    with pytest.raises(DataError, match=r"ends after 8 bytes|memory"):
        task(str(tmp_path))


def test_images_by_class(tmp_path: Path) -> None:
    image = pytest.importorskip("PIL.Image")
    pixels = RNG.integers(0, 256, (6, 4, 5), dtype=np.uint8)
    for number, each in enumerate(pixels):
        folder = tmp_path / "mine" / ("cat", "dog")[number % 2]
        folder.mkdir(parents=True, exist_ok=True)
        image.fromarray(each).save(folder / f"{number}.png")
    found = task(str(tmp_path / "mine"))
    assert found.forms[0].description == "1 × 4 × 5 values"
    assert "in this order: cat, dog" in found.notes[0]
    data = found.load()
    for half in (data.train, data.test):
        for inputs, label in zip(half.inputs, half.labels, strict=True):
            (number,) = np.flatnonzero((pixels.reshape(6, -1) / 255 == inputs).all(axis=1))
            assert number % 2 == label
    image.fromarray(np.zeros((4, 4), np.uint8)).save(tmp_path / "mine" / "dog" / "small.png")
    with pytest.raises(DataError, match=r"small\.png has 4 × 4 pixels, and .* has 5 × 4"):
        task(str(tmp_path / "mine"))
    (tmp_path / "mine" / "dog" / "small.png").write_bytes(b"no image")
    with pytest.raises(DataError, match=r"small\.png is no image"):
        task(str(tmp_path / "mine"))


def test_images_in_colour_that_are_split(tmp_path: Path) -> None:
    image = pytest.importorskip("PIL.Image")
    pixels = RNG.integers(0, 256, (4, 3, 2, 3), dtype=np.uint8)
    for number, each in enumerate(pixels):
        folder = tmp_path / ("train", "test")[number // 2] / ("a", "b")[number % 2]
        folder.mkdir(parents=True)
        image.fromarray(each).save(folder / "x.png")
    data = task(str(tmp_path)).load()
    assert np.array_equal(data.train.inputs, pixels[:2].transpose(0, 3, 1, 2).reshape(2, -1) / 255)
    assert np.array_equal(data.test.inputs, pixels[2:].transpose(0, 3, 1, 2).reshape(2, -1) / 255)


def test_experiments_take_names(tmp_path: Path) -> None:
    path = saved(tmp_path, x=FLOATS, y=LABELS)
    with pytest.raises(DataError, match="experiments take tasks by their names"):
        known_task(path)
    with pytest.raises(DataError, match="nand"):
        task("nant")


def test_a_header_that_nests_too_deep(tmp_path: Path) -> None:
    header = b"\x93NUMPY\x02\x00" + (2000).to_bytes(4, "little") + b"(" * 2000
    with zipfile.ZipFile(tmp_path / "mine.npz", "w") as archive:
        archive.writestr("x.npy", header)
        archive.writestr("y.npy", header)
    with pytest.raises(DataError, match=r"x of .* is damaged"):
        task(str(tmp_path / "mine.npz"))
