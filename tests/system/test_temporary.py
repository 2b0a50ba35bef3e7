"""Temporary folders, and those of processes that were killed."""

from __future__ import annotations

import errno
import fcntl
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from volr.system.temporary import Workplace, remove_abandoned

if TYPE_CHECKING:
    import pytest

WORK = """
import sys, time
from pathlib import Path
from volr.system.temporary import Workplace
place = Workplace("unfinished", Path(sys.argv[1]))
(place.path / "half").write_text("of it")
print(place.path, flush=True)
time.sleep(600)
"""


def test_it_is_gone_in_the_end(tmp_path: Path) -> None:
    with Workplace("unfinished", tmp_path) as place:
        assert place.parent == tmp_path
        assert place.name.startswith("unfinished.")
        assert place.stat().st_mode & 0o777 == 0o700
        (place / "folder").mkdir()
    assert list(tmp_path.iterdir()) == []
    forgotten = Workplace("unfinished", tmp_path)
    assert forgotten.path.exists()
    del forgotten
    assert list(tmp_path.iterdir()) == []


def test_what_is_renamed_away_stays(tmp_path: Path) -> None:
    with Workplace("unfinished", tmp_path) as place:
        place.rename(tmp_path / "done")
    assert [each.name for each in tmp_path.iterdir()] == ["done"]


def test_that_of_a_killed_process_is_removed_and_no_other(tmp_path: Path) -> None:
    processes = [
        subprocess.Popen([sys.executable, "-c", WORK, tmp_path], stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    try:
        said = [Path(each.stdout.readline().strip()) for each in processes if each.stdout]
        kept = tmp_path / "unfinished.txt"
        kept.write_text("mine")
        processes[0].kill()
        processes[0].wait()
        assert (said[0] / "half").exists()
        with Workplace("unfinished", tmp_path) as ours:
            assert {*tmp_path.iterdir()} == {said[1], ours, kept}
            remove_abandoned("unfinished", tmp_path)
            assert {*tmp_path.iterdir()} == {said[1], ours, kept}
    finally:
        for each in processes:
            each.kill()
            each.wait()
            if each.stdout:
                each.stdout.close()


def test_one_that_is_about_to_be_locked_is_left_alone_until_it_is_old(tmp_path: Path) -> None:
    new = tmp_path / ".new-unfinished.abc"
    new.mkdir()
    remove_abandoned("unfinished", tmp_path)
    assert new.exists()
    long_ago = time.time() - 100_000
    os.utime(new, (long_ago, long_ago))
    remove_abandoned("unfinished", tmp_path)
    assert not new.exists()


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "unfinished.x").symlink_to(tmp_path / "mine")
    remove_abandoned("unfinished", tmp_path)
    assert (tmp_path / "mine").exists()
    assert (tmp_path / "unfinished.x").is_symlink()


def test_without_locks_age_decides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    other = Workplace("unfinished", tmp_path)
    with Workplace("unfinished", tmp_path) as place:
        assert place.exists()
        assert other.path.exists()
        long_ago = time.time() - 100_000
        os.utime(other.path, (long_ago, long_ago))
        remove_abandoned("unfinished", tmp_path)
        assert not other.path.exists()
