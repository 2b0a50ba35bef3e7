"""Files that somebody else wrote."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from volr.system.incoming import check_ordinary, format_of, read_whole


def test_a_file_is_read_up_to_a_limit(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"12345")
    assert read_whole(path) == read_whole(path, 5) == b"12345"
    assert check_ordinary(path) == 5
    with pytest.raises(OSError, match="more than 4 bytes"):
        read_whole(path, 4)


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="needs /dev/zero")
def test_only_ordinary_files_are_read(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    (tmp_path / "link").symlink_to("/dev/zero")
    (tmp_path / "round").symlink_to("round")
    for path, what in (
        (Path("/dev/zero"), "a device or a socket"),
        (tmp_path / "link", "a device or a socket"),
        (tmp_path / "round", "symbolic links"),
        (pipe, "a pipe"),
        (tmp_path, "directory"),
        (tmp_path / "none", "No such file"),
        (Path("a\0b"), "null"),
    ):
        for read in (read_whole, check_ordinary):
            with pytest.raises(OSError, match=what):
                read(path)


def test_a_pipe_is_read_where_it_is_asked_for(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with ThreadPoolExecutor() as writers:
        written = writers.submit(pipe.write_bytes, b"hello")
        assert read_whole(pipe, pipes=True) == b"hello"
        assert written.result() == 5


def test_text_is_of_no_format() -> None:
    for text in ("dense 2 3 ⦶ dense 3 2", "", "{", '{"settings": {}}', "// \x08\x08\x12"):
        assert format_of(text.encode()) is None
