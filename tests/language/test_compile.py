"""Programs from files, standard input and bytes."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from volr.errors import ProgramError
from volr.language import (
    as_source,
    check,
    dense,
    format_source,
    parse,
    read_source,
    to_network,
)
from volr.source import Source

if TYPE_CHECKING:
    from collections.abc import Callable

XOR = "dense 2 4 ⦶ dense 4 2"


def shown(path: str | Path) -> str:
    with pytest.raises(ProgramError) as caught:
        read_source(path)
    return str(caught.value)


def test_every_form_of_a_program_is_the_same_network(tmp_path: Path) -> None:
    path = tmp_path / "xor.volr"
    path.write_text(XOR, encoding="utf-8")
    forms = [XOR, path, Source(XOR), dense(2, 4) >> dense(4, 2)]
    assert len({to_network(form) for form in forms}) == 1
    assert [as_source(form).name for form in forms] == [
        "<program>", str(path), "<program>", "<python>"
    ]  # fmt: skip


@pytest.mark.parametrize("take", [check, parse, format_source, to_network])
def test_every_function_takes_every_form(take: Callable[[Any], object], tmp_path: Path) -> None:
    path = tmp_path / "xor.volr"
    path.write_text(XOR, encoding="utf-8")
    forms: list[Any] = [XOR, path, Source(XOR), dense(2, 4) >> dense(4, 2)]
    for form in forms:
        assert take(form) is not None
    with pytest.raises(ProgramError, match="there is no such file"):
        take(tmp_path / "none.volr")
    with pytest.raises(ProgramError, match="<program>:1:11: error: expected an operator"):
        take("dense 2 4 dense 4 2")
    for other in (None, 3, b"dense 2 4"):
        with pytest.raises(TypeError, match="a program is text, a path or an expression"):
            take(other)


def test_text_is_formatted_and_read() -> None:
    assert format_source("dense  2 4>>dense 4 2") == f"{XOR}\n"
    assert format_source(dense(2, 4) >> dense(4, 2), ascii=True) == "dense 2 4 >> dense 4 2\n"
    assert parse(XOR) == dense(2, 4) >> dense(4, 2)
    assert str(check(XOR).type) == "net 2 2"


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


def test_an_empty_file(tmp_path: Path) -> None:
    path = tmp_path / "empty.volr"
    path.touch()
    with pytest.raises(ProgramError, match="this program is empty"):
        to_network(path)


def test_the_import_of_the_language_leaves_lark_out() -> None:
    code = "import sys, volr.language; sys.exit('lark' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_type_is_printed_as_it_is_written() -> None:
    checked = check(Source(XOR))
    assert (str(checked.type), checked.source.text) == ("net 2 2", XOR)
