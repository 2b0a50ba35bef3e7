"""The bytes of a model file: every one of them counts."""

from __future__ import annotations

import hashlib
import json
import os
import struct
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import safetensors
import safetensors.numpy

from volr.errors import ModelFileError
from volr.model_files.container import packed, unpack

if TYPE_CHECKING:
    from volr.checks.arrays import Floats

_FIRST: Floats = np.array([[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]])
_SECOND: Floats = np.array([0.1])
ARRAYS = {"b": _FIRST, "a": _SECOND}
BODY = packed(ARRAYS, '{"some": "text"}')


def header(body: bytes) -> dict[str, str]:
    (length,) = struct.unpack("<Q", body[:8])
    return json.loads(body[8 : 8 + length])["__metadata__"]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "m.safetensors"
    path.write_bytes(BODY)
    return path


def test_the_hash_is_that_of_the_file_with_zeros_in_its_place() -> None:
    digits = header(BODY)["volr.sha256"].encode()
    assert BODY.count(digits) == 1
    assert hashlib.sha256(BODY.replace(digits, b"0" * 64)).hexdigest().encode() == digits


def test_a_file_is_read_as_it_was_packed_by_us_and_by_safetensors(path: Path) -> None:
    found = unpack(path)
    assert found.description == '{"some": "text"}'
    assert found.checked
    others = safetensors.numpy.load_file(path)
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(found.arrays[name], array)
        np.testing.assert_array_equal(others[name], array)


def test_every_flipped_bit_is_found(path: Path) -> None:
    for place in range(len(BODY)):
        damaged = bytearray(BODY)
        damaged[place] ^= 1 << place % 8
        path.write_bytes(bytes(damaged))
        with pytest.raises(ModelFileError, match=r"m\.safetensors"):
            unpack(path)


def test_every_cut_and_every_addition_is_found(path: Path) -> None:
    for length in range(len(BODY)):
        path.write_bytes(BODY[:length])
        with pytest.raises(ModelFileError, match="is cut short"):
            unpack(path)
    path.write_bytes(BODY + b"\0")
    with pytest.raises(ModelFileError, match="is damaged"):
        unpack(path)


def test_a_file_that_says_it_is_old_has_no_hash_and_a_new_one_has(path: Path) -> None:
    told = header(BODY)
    for metadata in (
        {**told, "volr.version": "1"},
        {key: value for key, value in told.items() if key != "volr.sha256"},
    ):
        safetensors.numpy.save_file(ARRAYS, path, metadata)
        with pytest.raises(ModelFileError, match=r"is damaged: it has (a|no) hash"):
            unpack(path)


@pytest.mark.parametrize("kind", ["int64", "complex64", "float32", "bool"])
def test_other_numbers_than_float64_are_refused(path: Path, kind: str) -> None:
    arrays = {"weight": np.ones((2, 3), dtype=kind)}
    for metadata in (header(BODY), {"volr.version": "1", "volr.model": "{}"}):
        safetensors.numpy.save_file(arrays, path, metadata)
        with pytest.raises(ModelFileError, match="a type that Volr does not write: weight is"):
            unpack(path)


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="needs /dev/zero")
def test_what_has_no_end_or_no_writer_is_not_read(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path, what in ((Path("/dev/zero"), "a device"), (pipe, "a pipe"), (tmp_path, "direct")):
        with pytest.raises(ModelFileError, match=f"cannot read .*{what}"):
            unpack(path)


@pytest.mark.parametrize(
    ("head", "name", "said", "help"),
    [
        (b"\x89HDF\r\n\x1a\n", "x.nir", "an HDF5 file", "volr import {} --out MODEL"),
        (b"\x08\x08\x12\x04volr", "x", "an ONNX file", "volr import {}"),
        (b"anything", "x.onnx", "an ONNX file", "volr import {}"),
        (b"PK\x03\x04" + bytes(26) + b"weight.npy", "x.npz", "a NumPy archive", "numpy.load"),
        (b"PK\x03\x04" + bytes(26) + b"notes.txt", "x.zip", "a zip archive", "unpack"),
        (b"PK\x03\x04" + bytes(26) + b"m/data.pkl", "x.pt", "a PyTorch checkpoint", "weights_only"),
        (b"\x93NUMPY\x01\x00", "x.npy", "a NumPy array", "numpy.load"),
        (b"\x1f\x8b\x08\x00", "x.gz", "compressed by gzip", "gzip -d {}"),
        (b"%PDF-1.7\n", "x.pdf", "a PDF document", "volr train"),
        (b"\x89PNG\r\n\x1a\n", "x.png", "an image", "volr train"),
    ],
)
def test_what_a_file_is_instead_is_told(
    tmp_path: Path, head: bytes, name: str, said: str, help: str
) -> None:
    path = tmp_path / name
    path.write_bytes(head + bytes(500))
    with pytest.raises(ModelFileError) as caught:
        unpack(path)
    assert caught.value.message == f"{path} is no model of Volr's: it is {said}" or (
        f"it is {said}, which" in caught.value.message
        or f"it is {said}, as" in caught.value.message
    )
    assert caught.value.help is not None
    assert help.format(path) in caught.value.help
