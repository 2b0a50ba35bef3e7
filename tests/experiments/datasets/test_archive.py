"""Files in a folder and files from a mirror, which is a server on this machine."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import struct
import sys
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import numpy as np
import pytest

from volr.errors import DataError, MissingError
from volr.experiments.datasets.archive import (
    Archive,
    IdxFile,
    cache_folder,
    download,
    find,
    folder_of,
    read,
    read_archive,
)

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

pytest.importorskip("pooch")

IMAGES = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
LABELS = np.array([7, 5], dtype=np.uint8)


def idx(values: np.ndarray) -> bytes:
    header = struct.pack(f">BBBB{values.ndim}I", 0, 0, 8, values.ndim, *values.shape)
    return header + values.tobytes()


def describe(name: str, values: np.ndarray) -> IdxFile:
    content = idx(values)
    packed = gzip.compress(content, mtime=0)
    return IdxFile(
        name,
        values.shape,
        content=hashlib.sha256(content).hexdigest(),
        packed=hashlib.sha256(packed).hexdigest(),
    )


UNPACKED = {"small-idx3-ubyte": idx(IMAGES), "small-idx1-ubyte": idx(LABELS)}
PACKED = {f"{name}.gz": gzip.compress(content, mtime=0) for name, content in UNPACKED.items()}
FILES = (describe("small-idx3-ubyte", IMAGES), describe("small-idx1-ubyte", LABELS))


class Mirror:
    """A web server for ``files``; ``cut`` makes it stop each answer halfway; counts requests."""

    def __init__(self, files: dict[str, bytes], *, cut: bool = False) -> None:
        self.requests: list[str] = []
        mirror = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                name = self.path.removeprefix("/")
                mirror.requests.append(name)
                if name not in files:
                    self.send_error(404)
                    return
                body = files[name]
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body[: len(body) // 2] if cut else body)

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/"


@contextlib.contextmanager
def serve(files: dict[str, bytes], *, cut: bool = False) -> Generator[Mirror]:
    mirror = Mirror(files, cut=cut)
    thread = threading.Thread(target=mirror.server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield mirror
    finally:
        mirror.server.shutdown()
        mirror.server.server_close()
        thread.join()


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No proxy, no data folder, and a cache of this test's own."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("VOLR_DATA", raising=False)


def small(*mirrors: str) -> Archive:
    return Archive("small", FILES, mirrors or ("http://127.0.0.1:9/",))


def fill(folder: Path, files: dict[str, bytes]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


def check_values(values: tuple[np.ndarray, ...]) -> None:
    np.testing.assert_array_equal(values[0], IMAGES)
    np.testing.assert_array_equal(values[1], LABELS)


@pytest.mark.parametrize(
    "files",
    [
        PACKED,
        UNPACKED,
        {name.replace("-idx", ".idx"): content for name, content in UNPACKED.items()},
        {f"{name}.gz": gzip.compress(content, 1) for name, content in UNPACKED.items()},
    ],
    ids=["gzipped", "unpacked", "dotted", "packed otherwise"],
)
def test_a_folder_may_hold_the_files_in_any_spelling(
    tmp_path: Path, files: dict[str, bytes]
) -> None:
    check_values(read_archive(small(), fill(tmp_path / "data", files)))


def test_the_environment_names_the_folder_and_an_argument_overrules_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = fill(tmp_path / "data", PACKED)
    monkeypatch.setenv("VOLR_DATA", str(folder))
    check_values(read_archive(small(), None))
    with pytest.raises(DataError, match="elsewhere is not there"):
        read_archive(small(), tmp_path / "elsewhere")
    monkeypatch.setenv("VOLR_DATA", str(tmp_path / "elsewhere"))
    check_values(read_archive(small(), folder))


def test_a_folder_of_several_data_sets_has_one_for_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(tmp_path / "data" / "small", PACKED)
    check_values(read_archive(small(), tmp_path / "data"))
    monkeypatch.setenv("VOLR_DATA", str(tmp_path / "data"))
    check_values(read_archive(small(), None))


def test_a_package_of_the_system_comes_before_a_download(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = replace(small(), apart=True, installed=tmp_path / "share")
    assert folder_of(archive, None) is None
    fill(tmp_path / "share", PACKED)
    check_values(read_archive(archive, None))
    # The files of another data set may be there.
    monkeypatch.setenv("VOLR_DATA", str(fill(tmp_path / "data", UNPACKED)))
    assert folder_of(archive, None) == tmp_path / "share"
    fill(tmp_path / "data" / "small", PACKED)
    assert folder_of(archive, None) == tmp_path / "data" / "small"
    assert folder_of(archive, tmp_path / "share") == tmp_path / "share"


def test_every_missing_file_is_named_and_none_is_downloaded(tmp_path: Path) -> None:
    with serve(PACKED) as mirror:
        with pytest.raises(DataError, match="lacks small-idx3-ubyte, small-idx1-ubyte") as caught:
            find(small(mirror.url), fill(tmp_path / "empty", {}))
        assert mirror.requests == []
    assert caught.value.help is not None
    assert "--data DIR" in caught.value.help
    assert "$VOLR_DATA" in caught.value.help


def test_another_file_of_the_right_shape_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "small-idx1-ubyte"
    path.write_bytes(idx(LABELS[::-1].copy()))
    with pytest.raises(DataError, match=f"{path}: not the original small-idx1-ubyte"):
        read(FILES[1], path)


def test_the_files_of_another_data_set_are_told_by_its_name(tmp_path: Path) -> None:
    content = idx(IMAGES[::-1].copy())
    first = replace(FILES[0], content=hashlib.sha256(content).hexdigest())
    other = replace(small(), name="other", files=(first, FILES[1]))
    folder = fill(tmp_path / "data", {**UNPACKED, "small-idx3-ubyte": content})
    both = (small(), other)
    with pytest.raises(DataError) as caught:
        read_archive(small(), folder, both)
    path = folder / "small-idx3-ubyte"
    assert caught.value.message == f"{path} is the small-idx3-ubyte of other, another data set"
    assert str(caught.value.help).startswith("name the folder with the 2 files of small by --data")
    check_values((IMAGES, read_archive(other, folder, both)[1]))
    # What is of neither is told as before.
    fill(folder, {"small-idx3-ubyte": idx(IMAGES + np.uint8(1))})
    with pytest.raises(DataError, match="not the original small-idx3-ubyte"):
        read_archive(small(), folder, both)


def test_a_data_folder_that_is_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "data").touch()
    with pytest.raises(DataError, match="data is a file"):
        read_archive(small(), tmp_path / "data")


def test_files_that_were_swapped_are_refused_by_name(tmp_path: Path) -> None:
    first, second = UNPACKED.values()
    swapped = dict(zip(UNPACKED, (second, first), strict=True))
    with pytest.raises(DataError, match="small-idx3-ubyte: has 1 axes, expected 3"):
        read_archive(small(), fill(tmp_path / "data", swapped))


def test_a_download_goes_to_the_users_cache_once(tmp_path: Path) -> None:
    with serve(PACKED) as mirror:
        archive = small(mirror.url)
        check_values(read_archive(archive, None))
        assert mirror.requests == list(PACKED)
    check_values(read_archive(archive, None))  # and now the server is gone
    assert cache_folder(archive) == tmp_path / "cache" / "volr" / "small"
    assert {each.name for each in cache_folder(archive).iterdir()} == set(PACKED)


def test_the_next_mirror_serves_what_the_first_does_not(tmp_path: Path) -> None:
    first, second = PACKED
    damaged = {second: b"damaged"}
    with serve(damaged) as bad, serve(PACKED) as good:
        paths = download(small(bad.url, good.url), tmp_path)
        assert bad.requests == [first, second]
        assert good.requests == [first, second]
    assert [path.read_bytes() for path in paths] == list(PACKED.values())


def test_a_download_with_the_wrong_hash_is_refused_and_not_kept(tmp_path: Path) -> None:
    wrong = {name: gzip.compress(b"not it") for name in PACKED}
    refused = pytest.raises(DataError, match=r"small-idx3-ubyte\.gz could not be downloaded")
    with serve(wrong) as mirror, refused as caught:
        download(small(mirror.url), tmp_path / "cache")
    assert FILES[0].packed in caught.value.message
    assert list((tmp_path / "cache").iterdir()) == []


def test_an_interrupted_download_leaves_nothing_and_can_be_taken_up_again(tmp_path: Path) -> None:
    refused = pytest.raises(DataError, match="could not be downloaded")
    with serve(PACKED, cut=True) as mirror, refused:
        download(small(mirror.url), tmp_path)
    assert list(tmp_path.iterdir()) == []
    with serve(PACKED) as mirror:
        assert [p.read_bytes() for p in download(small(mirror.url), tmp_path)] == [*PACKED.values()]


def test_a_damaged_file_in_the_cache_is_fetched_again() -> None:
    with serve(PACKED) as mirror:
        archive = small(mirror.url)
        first, second = PACKED
        fill(cache_folder(archive), {first: PACKED[first][:9], second: PACKED[second]})
        check_values(read_archive(archive, None))
        assert mirror.requests == [first]


def test_without_a_network_the_help_names_the_folder_options(tmp_path: Path) -> None:
    with serve({}) as mirror:
        url = mirror.url
    with pytest.raises(DataError) as caught:
        download(small(url, url + "other/"), tmp_path)
    assert f"{url}small-idx3-ubyte.gz: " in caught.value.message
    assert f"{url}other/small-idx3-ubyte.gz: " in caught.value.message
    assert caught.value.help is not None
    assert "--data DIR or $VOLR_DATA" in caught.value.help


def test_without_pooch_the_extra_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "pooch", None)
    with pytest.raises(MissingError, match="downloading small needs the package pooch") as caught:
        read_archive(small(), None)
    assert caught.value.help == "pip install 'volr[tasks]'"
    check_values(read_archive(small(), fill(tmp_path / "data", PACKED)))
