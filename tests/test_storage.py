"""Files that are there whole or not at all, and what is left of those that were not finished."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from volr.storage import remove_unfinished, write_whole


def test_a_file_is_on_disk_before_it_has_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "new" / "file"
    synced: list[tuple[str, bool]] = []
    real = os.fsync

    def watch(descriptor: int) -> None:
        synced.append((str(Path(f"/proc/self/fd/{descriptor}").readlink()), path.exists()))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", watch)
    write_whole(path, b"body")
    assert path.read_bytes() == b"body"
    part = str(path.with_name(f".file.{os.getpid()}.part"))
    assert synced == [(part, False), (str(path.parent), True)]
    assert [each.name for each in path.parent.iterdir()] == ["file"]


def test_what_cannot_be_synced_is_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"before")

    def full(descriptor: int) -> None:
        del descriptor
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_whole(path, b"after")
    assert path.read_bytes() == b"before"
    assert [each.name for each in tmp_path.iterdir()] == ["file"]


def test_what_a_killed_process_left_is_removed_and_nothing_else(tmp_path: Path) -> None:
    kept = {"file", ".file", ".part", ".x.part", ".a.b.part", "a.123.part", ".file.123.parts"}
    for name in (*kept, ".file.123.part", ".a.json.4711.part"):
        (tmp_path / name).touch()
    remove_unfinished(tmp_path)
    assert {each.name for each in tmp_path.iterdir()} == kept
    remove_unfinished(tmp_path / "missing")
