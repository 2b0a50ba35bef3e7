"""From a program in any form to its tree, its type and its network."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from volr.errors import ProgramError
from volr.language import (
    as_source,
    check,
    dense,
    format_source,
    parse,
    to_network,
)
from volr.source import Source

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

XOR = "dense 2 4 ⦶ dense 4 2"


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
    with pytest.raises(ProgramError, match="<program>:1:11: error: expected a network after"):
        take("dense 2 4 ⦶ ⦶ dense 4 2")
    for other in (None, 3, b"dense 2 4"):
        with pytest.raises(TypeError, match="a program is text, a path or an expression"):
            take(other)


def test_text_is_formatted_and_read() -> None:
    assert format_source("dense  2 4>>dense 4 2") == f"{XOR}\n"
    assert format_source(dense(2, 4) >> dense(4, 2), ascii=True) == "dense 2 4 >> dense 4 2\n"
    assert parse(XOR) == dense(2, 4) >> dense(4, 2)
    assert str(check(XOR).type) == "net 2 2"


def test_an_empty_file(tmp_path: Path) -> None:
    path = tmp_path / "empty.volr"
    path.touch()
    with pytest.raises(ProgramError, match="this program is empty"):
        to_network(path)


def test_the_import_of_the_language_leaves_lark_out() -> None:
    code = "import sys, volr.language; sys.exit('lark' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("program", ["dense 2", "dense 2 3 ⦶ dense 4 1 | x", "("])
def test_an_error_is_copied_and_sent_to_another_process(program: str) -> None:
    with pytest.raises(ProgramError) as caught:
        to_network(program)
    error = caught.value
    for again in (copy.copy(error), copy.deepcopy(error), pickle.loads(pickle.dumps(error))):
        assert type(again) is ProgramError
        assert str(again) == str(error)
        assert again.diagnostics == error.diagnostics
        assert again.source == error.source


def test_checked_programs_compare_by_value() -> None:
    checked = check("dense 2 3 ⦶ dense 3 1")
    again = (check("dense 2 3 ⦶ dense 3 1"), copy.deepcopy(checked))
    for each in (*again, pickle.loads(pickle.dumps(checked))):
        assert each == checked
        assert hash(each) == hash(checked)
        assert each.type == checked.type
    assert check("dense 2 3 ⦶ dense 3 2") != checked


def test_the_type_is_printed_as_it_is_written() -> None:
    checked = check(Source(XOR))
    assert (str(checked.type), checked.source.text) == ("net 2 2", XOR)
