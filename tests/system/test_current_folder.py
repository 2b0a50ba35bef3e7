"""The current folder has no say while libraries are imported."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from volr.system.current_folder import absolute_path_list, elsewhere, keep_absolute_paths

if TYPE_CHECKING:
    from collections.abc import Callable


def removed(folder: Path) -> None:
    folder.rmdir()


def unreadable(folder: Path) -> None:
    folder.chmod(0o100)


def moved(folder: Path) -> None:
    folder.rename(folder.with_name("moved"))


def nothing(_: Path) -> None:
    pass


@pytest.mark.parametrize("meanwhile", [nothing, moved, unreadable, removed])
def test_there_and_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, meanwhile: Callable[[Path], None]
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    here = os.stat(os.curdir)  # noqa: PTH116 (of a folder that has no path in the end)
    meanwhile(tmp_path / "here")
    with elsewhere():
        assert Path.cwd() == Path("/")
        with elsewhere():
            pass
        assert Path.cwd() == Path("/")
    assert os.path.samestat(here, os.stat(os.curdir))  # noqa: PTH116


def test_back_after_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ImportError), elsewhere():
        raise ImportError
    assert Path.cwd() == tmp_path


def test_two_threads_come_back_to_where_they_were(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    inside, second = threading.Event(), threading.Event()

    def another() -> None:
        inside.wait(60)
        second.set()
        with elsewhere():
            pass

    thread = threading.Thread(target=another)
    thread.start()
    with elsewhere():
        inside.set()
        second.wait(60)
        # Were it not kept waiting, it would take the neutral folder for the one to return to.
        thread.join(0.05)
    thread.join()
    assert Path.cwd() == tmp_path


@pytest.mark.parametrize(
    ("said", "found"),
    [
        (None, []),
        ("", []),
        ("src", ["HERE/src"]),
        ("/a:src:", ["/a", "HERE/src", "HERE"]),
    ],
)
def test_folders_of_a_variable_are_those_that_they_were(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str | None, found: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    environment = {} if said is None else {"PYTHONPATH": said}
    wanted = [each.replace("HERE", str(tmp_path)) for each in found]
    assert absolute_path_list("PYTHONPATH", environment) == wanted


def test_programs_are_not_looked_for_in_the_current_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", os.pathsep.join((".", "/usr/bin", "", "bin", "/bin", "")))
    keep_absolute_paths()
    assert os.environ["PATH"] == os.pathsep.join(("/usr/bin", "/bin"))
    # Where nothing is left: an empty one would be the current folder again.
    for said in ("", ".", "bin:"):
        monkeypatch.setenv("PATH", said)
        keep_absolute_paths()
        assert os.environ["PATH"] == os.defpath
    monkeypatch.delenv("PATH")
    keep_absolute_paths()
    assert "PATH" not in os.environ
