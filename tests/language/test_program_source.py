"""Programs from files, standard input and bytes."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path

import pytest

from volr.errors import ProgramError
from volr.language import read_source
from volr.source import Source

XOR = "dense 2 4 ⦶ dense 4 2"


def shown(path: str | Path) -> str:
    with pytest.raises(ProgramError) as caught:
        read_source(path)
    return str(caught.value)


def test_a_byte_order_mark_is_skipped(tmp_path: Path) -> None:
    path = tmp_path / "xor.volr"
    path.write_bytes(b"\xef\xbb\xbf" + XOR.encode())
    assert read_source(path) == Source(XOR, str(path))


def test_a_minus_is_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(XOR.encode())))
    assert read_source("-") == Source(XOR, "<stdin>")


def test_bytes_that_are_not_utf_8(tmp_path: Path) -> None:
    path = tmp_path / "latin.volr"
    path.write_bytes("dense 2 4\n⦶ größe".encode()[:-3] + b"\xdfe 4")
    assert shown(path) == (
        f"{path}:2:6: error: this is not UTF-8: byte 0xDF\n"
        "2 | ⦶ grö\ufffde 4\n"
        "  |      ^\n"
        "  = help: save the file as UTF-8"
    )


def test_utf_16_is_recognised(tmp_path: Path) -> None:
    path = tmp_path / "wide.volr"
    path.write_bytes(XOR.encode("utf-16"))
    assert "it looks like UTF-16" in shown(path)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    assert shown(tmp_path) == f"{tmp_path}:1:1: error: this is a directory\n  = help: name a file"
    assert shown(tmp_path / "none").endswith("none:1:1: error: there is no such file")
    assert "cannot be read" in shown(tmp_path / "a\0b")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    assert "cannot be read" in shown(tmp_path / "loop")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.touch(0o000)
    assert "Permission denied" in shown(path)


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="needs /dev/zero")
def test_an_endless_file() -> None:
    assert "more than 67,108,864 bytes" in shown("/dev/zero")
