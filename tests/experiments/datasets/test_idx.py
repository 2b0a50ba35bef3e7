"""The IDX reader on files as they should be, and on everything else."""

from __future__ import annotations

import gzip
import struct
import tracemalloc
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from volr.errors import DataError
from volr.experiments.datasets.idx import decode, idx_size, unpack

if TYPE_CHECKING:
    from pathlib import Path

SHAPE = (2, 3, 4)
VALUES = np.arange(24, dtype=np.uint8).reshape(SHAPE) * 10


def idx(sizes: tuple[int, ...] = SHAPE, kind: int = 8, body: bytes = VALUES.tobytes()) -> bytes:
    return struct.pack(f">BBBB{len(sizes)}I", 0, 0, kind, len(sizes), *sizes) + body


FILE = idx()


def test_values_come_out_in_their_shape() -> None:
    values = decode(FILE, SHAPE, "it")
    np.testing.assert_array_equal(values, VALUES)
    assert values.dtype == np.uint8
    assert idx_size(SHAPE) == len(FILE) == 40


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "it: ends after 0 bytes, inside its header of 16"),
        (FILE[:1], "it: ends after 1 bytes, inside its header of 16"),
        (FILE[:15], "it: ends after 15 bytes, inside its header of 16"),
        (FILE[:-1], "it: ends after 39 bytes, expected 40"),
        (FILE + b"\0", "it: goes on after its last value; expected 40 bytes"),
        (b"<!" + FILE, "it: not an IDX file: begins with the bytes 3c 21, expected 00 00"),
        (idx(kind=0x0D), "it: holds 32-bit floats (0x0d), expected unsigned bytes (0x08)"),
        (idx(kind=7), "it: holds values of an unknown type (0x07), expected unsigned bytes (0x08)"),
        (idx((24,)), "it: has 1 axes, expected 3: 2 × 3 × 4"),
        (idx((2, 4, 3)), "it: has the shape 2 × 4 × 3, expected 2 × 3 × 4"),
    ],
)
def test_what_is_not_the_file_is_named(content: bytes, message: str) -> None:
    with pytest.raises(DataError) as caught:
        decode(content, SHAPE, "it")
    assert caught.value.message == message
    assert caught.value.help == "put the original file in its place"


def test_a_header_that_claims_four_billion_images_allocates_nothing() -> None:
    content = idx((2**32 - 1, 3, 4))
    tracemalloc.start()
    try:
        with pytest.raises(DataError, match="4294967295 × 3 × 4, expected 2 × 3 × 4"):
            decode(content, SHAPE, "it")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 100_000


@given(st.binary(max_size=60))
def test_random_bytes_are_refused_as_data(content: bytes) -> None:
    with pytest.raises(DataError):
        decode(content, SHAPE, "it")


@given(st.integers(0, len(FILE) - 1), st.integers(1, 255))
def test_a_changed_header_byte_is_refused_and_a_changed_value_is_read(at: int, by: int) -> None:
    changed = bytearray(FILE)
    changed[at] ^= by
    if at < 16:
        with pytest.raises(DataError):
            decode(bytes(changed), SHAPE, "it")
    else:
        assert (decode(bytes(changed), SHAPE, "it") != VALUES).sum() == 1


@pytest.mark.parametrize("name", ["file", "file.gz"])
def test_packing_is_recognised_by_content_and_not_by_name(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    for content in (FILE, gzip.compress(FILE)):
        path.write_bytes(content)
        assert unpack(path, 40) == FILE


def test_one_byte_too_many_is_unpacked_and_so_found_out(tmp_path: Path) -> None:
    path = tmp_path / "file"
    for content in (FILE + b"!?", gzip.compress(FILE + b"!?")):
        path.write_bytes(content)
        assert unpack(path, 40) == FILE + b"!"


def test_no_more_is_unpacked_than_can_be_right(tmp_path: Path) -> None:
    path = tmp_path / "bomb.gz"
    path.write_bytes(gzip.compress(bytes(50_000_000)))
    tracemalloc.start()
    try:
        assert unpack(path, 40) == bytes(41)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 5_000_000


def test_a_truncated_gzip_file_is_refused_wherever_it_ends(tmp_path: Path) -> None:
    packed = gzip.compress(FILE)
    path = tmp_path / "cut.gz"
    for length in range(2, len(packed)):
        path.write_bytes(packed[:length])
        with pytest.raises(DataError, match=r"cut\.gz: the gzip file ends too early"):
            unpack(path, 40)


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x1f\x8bnot gzip at all, whatever the first two bytes say",
        gzip.compress(FILE) + b"trailing",
        gzip.compress(FILE)[:-8] + bytes(8),
    ],
    ids=["no deflate stream", "trailing bytes", "wrong checksum"],
)
def test_a_damaged_gzip_file_is_refused(tmp_path: Path, garbage: bytes) -> None:
    path = tmp_path / "bad.gz"
    path.write_bytes(garbage)
    with pytest.raises(DataError, match=r"bad\.gz: the gzip file is damaged"):
        unpack(path, 40)


@given(st.binary(max_size=80), st.integers(0, 60))
def test_random_gzip_bytes_are_refused_as_data_or_unpack(
    tmp_path_factory: pytest.TempPathFactory, tail: bytes, keep: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "random.gz"
    path.write_bytes(gzip.compress(FILE, mtime=0)[:keep] + tail)
    try:
        content = unpack(path, 40)
    except DataError:
        return
    assert len(content) <= 41


def test_a_file_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=f"{tmp_path}: cannot be read: Is a directory"):
        unpack(tmp_path, 40)
    with pytest.raises(DataError, match="nowhere: cannot be read: No such file"):
        unpack(tmp_path / "nowhere", 40)
