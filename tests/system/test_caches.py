"""Code is kept where nobody else can put any."""

from __future__ import annotations

import logging
import os
import tempfile
from pathlib import Path

import pytest

from volr.system import caches
from volr.system.caches import cache_for, cache_path, close_to_others, foreign_hands


@pytest.fixture
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    caches._temporary.cache_clear()
    caches._tell.cache_clear()
    return tmp_path / "cache"


def test_a_folder_of_ones_own(base: Path) -> None:
    folder = cache_for("futhark")
    assert folder == cache_path("futhark") == base / "volr" / "futhark"
    for each in (folder, folder.parent):
        assert each.stat().st_mode & 0o777 == 0o700
    assert list(folder.iterdir()) == []
    assert cache_for("futhark") == folder


@pytest.mark.parametrize("said", ["", "nc", "./nc"])
def test_a_relative_cache_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", said)
    monkeypatch.setenv("HOME", "/home/somebody")
    assert cache_path("pynn") == Path("/home/somebody/.cache/volr/pynn")


@pytest.mark.parametrize("open_to_all", ["volr", "volr/futhark"])
@pytest.mark.parametrize("mode", [0o777, 0o757, 0o1777])
def test_others_may_not_write_there(
    base: Path, caplog: pytest.LogCaptureFixture, open_to_all: str, mode: int
) -> None:
    (base / "volr" / "futhark").mkdir(parents=True)
    (base / open_to_all).chmod(mode)
    with caplog.at_level(logging.WARNING, logger="volr"):
        folder = cache_for("futhark")
        cache_for("futhark")
    assert base not in folder.parents
    assert folder.stat().st_mode & 0o777 == 0o700
    (told,) = caplog.messages
    assert f"{base / open_to_all} can be written by others" in told
    # To close it would leave in it what others have put there.
    assert f"move {base / open_to_all} away or remove it" in told
    assert "chmod" not in told


def test_a_link_is_as_good_as_where_it_leads(base: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "disk"
    elsewhere.mkdir(mode=0o755)
    base.mkdir()
    (base / "volr").symlink_to(elsewhere)
    assert cache_for("futhark").resolve() == elsewhere / "futhark"
    elsewhere.chmod(0o777)
    assert elsewhere not in cache_for("futhark").resolve().parents


@pytest.fixture
def stranger() -> int:
    if os.geteuid() != 0:
        pytest.skip("only root can give files to another user")
    return 12345


def what(folder: Path, part: str = "") -> str | None:
    found = foreign_hands(folder, part)
    return None if found is None else found.what


def test_another_users_folder(tmp_path: Path, stranger: int) -> None:
    tmp_path.chmod(0o700)
    os.chown(tmp_path, stranger, stranger)
    assert what(tmp_path) == f"{tmp_path} belongs to another user"


def test_a_group_of_one_is_nobody_else(tmp_path: Path, stranger: int) -> None:
    tmp_path.chmod(0o770)
    os.chown(tmp_path, 0, 0)
    assert foreign_hands(tmp_path) is None
    os.chown(tmp_path, 0, stranger)
    assert what(tmp_path) == f"{tmp_path} can be written by others"


def test_a_folder_that_others_could_exchange(tmp_path: Path) -> None:
    inner = tmp_path / "open" / "closed"
    inner.mkdir(parents=True, mode=0o700)
    inner.parent.chmod(0o777)
    found = foreign_hands(inner)
    assert found is not None
    assert found.what == f"{inner} is in {inner.parent}, which can be written by others"
    # To remove the inner one would help nothing.
    assert found.way_out("IT") == "set IT to a folder that only you can write to"
    inner.parent.chmod(0o1777)
    assert foreign_hands(inner) is None


@pytest.mark.parametrize(
    ("mode", "user", "group", "why"),
    [
        (0o775, True, True, "belongs to another user"),
        (0o755, True, True, "belongs to another user"),
        # Whoever owns a folder may rename what is in it, sticky or not.
        (0o1777, True, True, "belongs to another user"),
        (0o770, False, True, "can be written by others"),
        (0o1770, False, True, None),
        (0o750, False, True, None),
    ],
)
def test_a_folder_above_that_is_not_only_ours(
    tmp_path: Path, stranger: int, mode: int, user: bool, group: bool, why: str | None
) -> None:
    inner = tmp_path / "theirs" / "between" / "ours"
    inner.mkdir(parents=True, mode=0o700)
    above = tmp_path / "theirs"
    above.chmod(mode)
    os.chown(above, stranger if user else 0, stranger if group else 0)
    assert what(inner) == (why and f"{inner} is in {above}, which {why}")


def test_whatever_is_in_the_folder_counts(tmp_path: Path, stranger: int) -> None:
    deep = tmp_path / "part" / "deep"
    deep.mkdir(parents=True)
    (deep / "file").touch()
    (tmp_path / "another").mkdir()
    assert foreign_hands(tmp_path, "part") is None
    assert foreign_hands(tmp_path, "missing") is None
    for each in (tmp_path / "part", deep, deep / "file"):
        os.chown(each, stranger, stranger)
        found = foreign_hands(tmp_path, "part")
        assert found is not None
        assert found.what == f"{each} belongs to another user"
        assert found.remove == tmp_path / "part"
        assert what(tmp_path) == found.what
        assert foreign_hands(tmp_path, "another") is None
        os.chown(each, 0, 0)
        before = each.stat().st_mode
        each.chmod(before | 0o002)
        assert what(tmp_path, "part") == f"{each} can be written by others"
        each.chmod(before)
    assert foreign_hands(tmp_path, "part") is None


def test_links_in_the_folder_count_with_where_they_lead(tmp_path: Path, stranger: int) -> None:
    folder, theirs, ours = (tmp_path / name for name in ("cache", "theirs", "ours"))
    for each in (folder, theirs, ours):
        each.mkdir()
    (ours / "library.so").touch()
    os.chown(theirs, stranger, stranger)
    link = folder / "part"

    link.symlink_to(ours)
    assert foreign_hands(folder, "part") is None
    # A file where it leads.
    os.chown(ours / "library.so", stranger, stranger)
    assert what(folder, "part") == f"{link / 'library.so'} belongs to another user"
    os.chown(ours / "library.so", 0, 0)
    # A link on the way that they can exchange: where it leads now means nothing.
    (theirs / "through").symlink_to(ours)
    link.unlink()
    link.symlink_to(theirs / "through")
    assert what(folder, "part") == f"{link} is in {theirs}, which belongs to another user"
    # Their own link, put there when it was possible.
    link.unlink()
    link.symlink_to("../ours")
    os.lchown(link, stranger, stranger)
    assert what(folder, "part") == f"{link} is in {link}, which belongs to another user"
    os.lchown(link, 0, 0)
    assert foreign_hands(folder, "part") is None
    # One that leads to itself ends.
    link.unlink()
    link.symlink_to(folder)
    assert foreign_hands(folder, "part") is None
    link.unlink()
    link.symlink_to(link)
    with pytest.raises(OSError, match="symbolic links"):
        foreign_hands(folder, "part")


def test_only_what_would_be_loaded_keeps_a_cache_from_being_used(
    base: Path, stranger: int, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("mine", "theirs"):
        (cache_for("futhark") / name).mkdir()
    theirs = base / "volr" / "futhark" / "theirs"
    os.chown(theirs, stranger, stranger)
    assert cache_for("futhark", "mine") == theirs.parent
    with caplog.at_level(logging.WARNING, logger="volr"):
        own = cache_for("futhark", "theirs")
        assert cache_for("futhark", "theirs") == own
    assert base not in own.parents
    (told,) = caplog.messages
    assert told.startswith(f"{theirs} belongs to another user: ")
    assert f"move {theirs} away or remove it" in told


def test_folders_are_private_whatever_the_umask(base: Path) -> None:
    before = os.umask(0)
    try:
        folder = cache_for("futhark")
        (folder / "made").mkdir()
        (folder / "made" / "file").touch()
        (folder / "made" / "program").touch(0o777)
    finally:
        os.umask(before)
    for each in (folder, folder.parent, base):
        assert each.stat().st_mode & 0o777 == 0o700
    assert what(folder) is not None
    close_to_others(folder)
    assert foreign_hands(folder) is None
    assert (folder / "made" / "program").stat().st_mode & 0o777 == 0o755


def test_where_nothing_can_be_kept(base: Path) -> None:
    base.write_text("a file")
    folder = cache_for("futhark")
    assert folder.parent == Path(tempfile.gettempdir())
    # The same one for the whole process, since a library that is loaded must stay.
    assert cache_for("futhark") == folder
    assert cache_for("pynn") != folder
