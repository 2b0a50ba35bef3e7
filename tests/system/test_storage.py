"""Files that are there whole or not at all, and what is left of those that were not finished."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from volr.errors import DataError
from volr.system.storage import open_lock, remove_unfinished, write_whole


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


def test_nothing_is_written_through_a_link(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.write_text("kept")
    mine.chmod(0o777)
    part = tmp_path / f".file.{os.getpid()}.part"
    for link in (part, tmp_path / "file"):
        link.symlink_to(mine)
    write_whole(tmp_path / "file", b"body")
    assert mine.read_text() == "kept"
    assert not (tmp_path / "file").is_symlink()
    assert (tmp_path / "file").read_bytes() == b"body"
    # Nor are its permissions those of what it led to.
    assert (tmp_path / "file").stat().st_mode & 0o111 == 0


def test_a_lock_leaves_what_is_in_its_file(tmp_path: Path) -> None:
    (tmp_path / "lock").write_text("kept")
    with open_lock(tmp_path / "lock"):
        pass
    assert (tmp_path / "lock").read_text() == "kept"
    (tmp_path / "link").symlink_to(tmp_path / "new")
    with pytest.raises(DataError, match="is a link"):
        open_lock(tmp_path / "link")
    assert not (tmp_path / "new").exists()
