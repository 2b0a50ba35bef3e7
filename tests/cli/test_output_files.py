"""Files that cannot be written are refused early, and the check leaves nothing behind."""

from __future__ import annotations

import errno
import io
import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.cli.running import snapshot, solved_xor

from volr.cli.output_files import check_apart, check_folder, check_writable, save_made, write_text
from volr.errors import VolrError
from volr.model_files.model_file import read_model_file

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.mark.parametrize("name", ["new", "old", "missing/folder/new"])
def test_what_can_be_written_passes_and_stays_as_it_is(tmp_path: Path, name: str) -> None:
    (tmp_path / "old").write_text("kept", encoding="utf-8")
    before = snapshot(tmp_path)
    check_writable(tmp_path / name, source=tmp_path / "another")
    assert snapshot(tmp_path) == before
    assert not (tmp_path / "missing").exists()
    write_text(tmp_path / name, "⦶")
    assert (tmp_path / name).read_text(encoding="utf-8") == "⦶"


@pytest.mark.parametrize(
    ("path", "said"),
    [
        (".", "it is a folder"),
        ("file/new", "Not a directory"),
        ("/proc/new/model", "cannot write /proc/new/model: "),
        ("/dev/null", "not an ordinary file"),
        ("-", "standard output"),
        ("n" * 300, "File name too long"),
        ("link", "would be lost"),
    ],
)
def test_what_cannot_be_written_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("file").write_text("kept", encoding="utf-8")
    Path("link").symlink_to("file")
    with pytest.raises(VolrError) as caught:
        check_writable(Path(path), source=Path("file"))
    assert said in caught.value.message
    assert path in caught.value.message or path == "-"
    assert snapshot(tmp_path) == {"file": b"kept", "link": b"kept"}


@pytest.fixture
def sealed(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "sealed"
    folder.mkdir()
    folder.chmod(0o500)
    yield folder
    folder.chmod(0o700)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
@pytest.mark.parametrize("name", ["model", "folder/model"])
def test_a_folder_without_permission_is_refused(sealed: Path, name: str) -> None:
    with pytest.raises(VolrError, match="Permission denied"):
        check_writable(sealed / name)


@pytest.mark.parametrize("name", ["here", "missing", "missing/folder"])
def test_a_folder_that_can_be_written_in(tmp_path: Path, name: str) -> None:
    (tmp_path / "here").mkdir()
    before = sorted(tmp_path.rglob("*"))
    check_folder(tmp_path / name)
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("file", "cannot write in file: Not a directory"),
        ("file/in", "cannot write in file/in: Not a directory"),
        ("/proc/volr", "cannot write in /proc/volr: "),
        ("n" * 300, "File name too long"),
    ],
)
def test_what_cannot_be_a_folder_is_named_as_it_was_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("file").touch()
    with pytest.raises(VolrError) as caught:
        check_folder(Path(name))
    assert said in caught.value.message


def test_what_is_read_from_is_not_written_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("in").mkdir()
    Path("in", "old").touch()
    Path("link").symlink_to("in")
    Path("loop").symlink_to("loop")
    sources = [Path("in"), Path("file")]
    for path in ("file", "in", "in/old", "in/new", "link/new", tmp_path / "in" / "x" / "y"):
        with pytest.raises(VolrError, match="is read from"):
            check_apart(Path(path), sources)
    for path in ("files", "inner/new", "loop", "in/../new"):
        check_apart(Path(path), sources)


def test_what_fails_after_all_is_an_error_message(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(VolrError, match=r"cannot write .*file/new: "):
        write_text(tmp_path / "file" / "new", "text")


class FullDisk:
    """Lets nothing be written in some folders, as a disk does that is full, until it is emptied."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *folders: Path) -> None:
        self.folders = folders
        self._sync = os.fsync
        monkeypatch.setattr(os, "fsync", self.sync)

    def sync(self, descriptor: int) -> None:
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        if any(path.is_relative_to(folder) for folder in self.folders):
            raise OSError(errno.ENOSPC, "No space left on device")
        self._sync(descriptor)


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path, Path]:
    """Where a model is to be written, the cache and the temporary files."""
    here, cache, temporary = (tmp_path / name for name in ("here", "cache", "tmp"))
    for each in (here, cache, temporary):
        each.mkdir()
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    return here, cache, temporary


@pytest.mark.parametrize("full", [1, 2])
def test_a_full_disk_loses_no_model(
    places: tuple[Path, Path, Path], monkeypatch: pytest.MonkeyPatch, full: int
) -> None:
    here, _, _ = places
    FullDisk(monkeypatch, *places[:full])
    with pytest.raises(VolrError, match="No space left on device; the model is kept in") as caught:
        save_made(solved_xor(), here / "my ann", {"task": "xor"})
    assert [*here.iterdir()] == []
    assert caught.value.help is not None
    told = shlex.split(caught.value.help.partition(": ")[2])
    assert told[0] == "mv"
    assert Path(told[1]).is_relative_to(places[full])
    assert told[2] == str(here / "my ann")
    monkeypatch.undo()
    # The advice, done.
    subprocess.run(told, check=True)
    assert read_model_file(here / "my ann").origin == {"task": "xor"}
    assert read_model_file(here / "my ann").model == solved_xor()


def test_where_nothing_can_be_kept(
    places: tuple[Path, Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    FullDisk(monkeypatch, *places)
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    with pytest.raises(VolrError, match=r"ann: No space left on device$"):
        save_made(solved_xor(), places[0] / "ann")
    assert [each for each in places[0].parent.rglob("*") if each.is_file()] == []


def test_a_user_at_a_terminal_can_make_room(
    places: tuple[Path, Path, Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    disk = FullDisk(monkeypatch, *places)

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

        def readline(self, size: int = -1, /) -> str:
            del size
            disk.folders = ()
            return "\n"

    monkeypatch.setattr(sys, "stdin", Terminal())
    monkeypatch.setattr(sys, "stderr", Terminal())
    save_made(solved_xor(), places[0] / "ann")
    assert read_model_file(places[0] / "ann").model == solved_xor()
    assert isinstance(sys.stderr, Terminal)
    assert "make room, and press Enter to try again" in sys.stderr.getvalue()
