"""Code is kept where nobody else can put any."""

from __future__ import annotations

import logging
import os
import tempfile
from pathlib import Path

import pytest

from volr import caches
from volr.caches import cache_for, cache_path, foreign_hands


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
    assert "chmod go-w" in told


def test_a_link_is_as_good_as_where_it_leads(base: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "disk"
    elsewhere.mkdir(mode=0o755)
    base.mkdir()
    (base / "volr").symlink_to(elsewhere)
    assert cache_for("futhark").resolve() == elsewhere / "futhark"
    elsewhere.chmod(0o777)
    assert elsewhere not in cache_for("futhark").resolve().parents


def test_another_users_folder(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give a folder to another user")
    tmp_path.chmod(0o700)
    os.chown(tmp_path, 12345, 12345)
    assert foreign_hands(tmp_path) == f"{tmp_path} belongs to another user"


def test_a_group_of_one_is_nobody_else(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give a folder to another group")
    tmp_path.chmod(0o770)
    os.chown(tmp_path, 0, 0)
    assert foreign_hands(tmp_path) is None
    os.chown(tmp_path, 0, 12345)
    assert foreign_hands(tmp_path) == f"{tmp_path} can be written by others"


def test_a_folder_that_others_could_exchange(tmp_path: Path) -> None:
    inner = tmp_path / "open" / "closed"
    inner.mkdir(parents=True, mode=0o700)
    inner.parent.chmod(0o777)
    assert foreign_hands(inner) == f"{inner} is in {inner.parent}, which can be written by others"
    inner.parent.chmod(0o1777)
    assert foreign_hands(inner) is None


def test_where_nothing_can_be_kept(base: Path) -> None:
    base.write_text("a file")
    folder = cache_for("futhark")
    assert folder.parent == Path(tempfile.gettempdir())
    # The same one for the whole process, since a library that is loaded must stay.
    assert cache_for("futhark") == folder
    assert cache_for("pynn") != folder
