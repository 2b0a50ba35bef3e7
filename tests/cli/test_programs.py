"""`check`, `format` and `show`: what they print, and to whom."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from volr.language import to_network
from volr.network import network_text

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.running import Volr

MISMATCH = "dense 2 4 ⦶ dense 3 1\n"


def test_check_prints_the_type(volr: Volr) -> None:
    result = volr("check", "xor.volr")
    assert (result.code, result.out, result.err) == (0, "net 2 2\n", "")


def test_check_reads_standard_input(volr: Volr) -> None:
    assert volr("check", "-", stdin=b"dense 5 3").out == "net 5 3\n"
    result = volr("check", "-", stdin=MISMATCH.encode())
    assert result.code == 1
    assert result.err.startswith("<stdin>:1:13: error: this network takes 3 inputs")


def test_check_shows_diagnostics_on_stderr(volr: Volr, folder: Path) -> None:
    (folder / "bad.volr").write_text(MISMATCH, encoding="utf-8")
    result = volr("check", "bad.volr")
    assert (result.code, result.out) == (1, "")
    assert result.err == (
        "bad.volr:1:13: error: this network takes 3 inputs, but what comes before it gives 4\n"
        "1 | dense 2 4 ⦶ dense 3 1\n"
        "  | --------- gives 4\n"
        "  |             ^^^^^^^^^ takes 3\n"
        "  = help: write `dense 4 1`\n"
    )


def test_check_json_has_exactly_the_fields_of_the_issue(volr: Volr, folder: Path) -> None:
    assert json.loads(volr("check", "xor.volr", "--json").out) == {
        "type": "net 2 2",
        "diagnostics": [],
    }
    (folder / "bad.volr").write_text("// ⦶\n" + MISMATCH, encoding="utf-8")
    result = volr("check", "bad.volr", "--json")
    assert (result.code, result.err) == (1, "")
    assert json.loads(result.out) == {
        "type": None,
        "diagnostics": [
            {
                "line": 2,
                "column": 13,
                "end_line": 2,
                "end_column": 22,
                "message": "this network takes 3 inputs, but what comes before it gives 4",
                "help": "write `dense 4 1`",
            }
        ],
    }


@pytest.mark.parametrize(
    ("name", "said"),
    [("nowhere.volr", "no such file"), (".", "this is a directory"), ("binary", "not UTF-8")],
)
@pytest.mark.parametrize("command", ["check", "format", "show"])
def test_what_is_no_program_is_said_in_one_diagnostic(
    volr: Volr, folder: Path, command: str, name: str, said: str
) -> None:
    (folder / "binary").write_bytes(bytes(range(128, 256)))
    result = volr(command, name)
    assert (result.code, result.out) == (1, "")
    assert result.err.startswith(f"{name}:1:1: error: ")
    assert said in result.err
    if command == "check":
        (found,) = json.loads(volr(command, name, "--json").out)["diagnostics"]
        assert said in found["message"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_file_is_an_error_message(volr: Volr, folder: Path) -> None:
    (folder / "xor.volr").chmod(0)
    result = volr("check", "xor.volr")
    assert (result.code, result.out) == (1, "")
    assert "Permission denied" in result.err


def test_format_prints_either_spelling(volr: Volr, folder: Path) -> None:
    (folder / "loose.volr").write_text("// two layers\ndense 2   4>>dense 4 2", encoding="utf-8")
    assert volr("format", "loose.volr").out == "// two layers\ndense 2 4 ⦶ dense 4 2\n"
    assert volr("format", "loose.volr", "--ascii").out == (
        "// two layers\ndense 2 4 >> dense 4 2\n"
    )


def test_format_fills_in_the_shapes(volr: Volr, folder: Path) -> None:
    path = folder / "blanks.volr"
    path.write_text("conv [1 9 9] 2 3 ⦶ dense _ 5", encoding="utf-8")
    assert volr("format", "blanks.volr", "--fill").out == ("conv [1 9 9] 2 3 ⦶ dense [2 7 7] 5\n")
    path.write_text("dense _ 5", encoding="utf-8")
    assert "nothing comes before this" in volr("format", "blanks.volr", "--fill").err


def test_format_writes_in_place_what_is_not_yet_so(volr: Volr, folder: Path) -> None:
    path = folder / "loose.volr"
    path.write_text("dense 2   4>>dense 4 2", encoding="utf-8")
    (folder / "link.volr").symlink_to(path)
    result = volr("format", "link.volr", "--write")
    assert (result.code, result.out) == (0, "")
    assert (folder / "link.volr").is_symlink()
    assert path.read_text(encoding="utf-8") == "dense 2 4 ⦶ dense 4 2\n"
    before = path.stat()
    assert volr("format", "loose.volr", "-w").code == 0
    assert path.stat() == before


def test_format_leaves_a_wrong_program_alone(volr: Volr, folder: Path) -> None:
    (folder / "bad.volr").write_text("dense 2 (", encoding="utf-8")
    assert volr("format", "bad.volr", "--write").code == 1
    assert (folder / "bad.volr").read_text(encoding="utf-8") == "dense 2 ("


def test_show_prints_the_network(volr: Volr) -> None:
    result = volr("show", "xor.volr")
    assert result.out == network_text(to_network("dense 2 4 ⦶ dense 4 2")) + "\n"
    assert (result.code, result.err) == (0, "")


def test_show_json_has_exactly_the_fields_of_the_issue(volr: Volr) -> None:
    assert json.loads(volr("show", "-", "--json", stdin=b"dense 2 4 >> dense 4 1").out) == {
        "populations": [
            {"name": "input", "shape": [2]},
            {"name": "dense_1", "shape": [4]},
            {"name": "dense_2", "shape": [1]},
        ],
        "projections": [
            {"source": "input", "target": "dense_1", "connector": "all_to_all"},
            {"source": "dense_1", "target": "dense_2", "connector": "all_to_all"},
        ],
        "inputs": ["input"],
        "outputs": ["dense_2"],
    }


def test_show_draws_into_a_file_or_to_standard_output(volr: Volr, folder: Path) -> None:
    result = volr("show", "xor.volr", "--svg", "drawings/xor.svg")
    assert (result.code, result.out, result.err) == (0, "", "wrote drawings/xor.svg\n")
    drawn = (folder / "drawings" / "xor.svg").read_text(encoding="utf-8")
    assert ET.fromstring(drawn).tag == "{http://www.w3.org/2000/svg}svg"
    assert volr("show", "xor.volr", "--svg", "-").out == drawn
    both = volr("show", "xor.volr", "--svg", "again.svg", "--json")
    assert len(json.loads(both.out)["populations"]) == 3
    assert (folder / "again.svg").read_text(encoding="utf-8") == drawn


def test_show_does_not_draw_over_the_program(volr: Volr, folder: Path) -> None:
    (folder / "link.svg").symlink_to(folder / "xor.volr")
    for target in ("xor.volr", "link.svg"):
        result = volr("show", "xor.volr", "--svg", target)
        assert result.code == 1
        assert "would be lost" in result.err
    assert (folder / "xor.volr").read_text(encoding="utf-8") == "dense 2 4 ⦶ dense 4 2\n"


def test_programs_of_volrs_are_named_like_files(volr: Volr, folder: Path) -> None:
    assert volr("check", "lenet").out == "net [1 28 28] 10\n"
    assert "conv_1   16x14x14\n" in volr("show", "residual").out
    refused = volr("train", "lenet", "--task", "digits", "--out", "m")
    assert refused.code == 1
    assert "the program takes 784 inputs" in refused.err
    (folder / "lenet").write_text("dense 2 3", encoding="utf-8")
    assert volr("check", "lenet").out == "net 2 3\n"


@pytest.mark.parametrize(
    "command",
    [
        ("check",),
        ("format",),
        ("show",),
        ("train", "--task", "mnist", "--out", "m"),
        ("compile", "--to", "futhark"),
        ("verify", "--on", "reference"),
        ("experiment", "mnist", "--program"),
        ("search", "mnist", "--program"),
    ],
)
def test_a_missing_program_is_told_the_names_that_there_are(
    volr: Volr, command: tuple[str, ...]
) -> None:
    if command[0] == "search":
        pytest.importorskip("optuna")
    names = "Volr has the programs lenet, lenet-avgpool, residual; `volr format lenet` prints one"
    for name, help in {
        "lenat": f"did you mean 'lenet'? {names}",
        "xor": f"did you mean 'xor.volr'? {names}",
        "quite-another": names,
        "xr.volr": "did you mean 'xor.volr'?",
        "none/xor.volr": "the folder 'none' is not there",
    }.items():
        result = volr(*command, name)
        assert (result.code, result.out) == (1, "")
        assert result.err == f"{name}:1:1: error: there is no such file\n  = help: {help}\n"
    assert "= help" not in volr(*command, "unlike.anything").err


def test_a_program_of_volrs_can_be_had_as_text(volr: Volr, folder: Path) -> None:
    text = volr("format", "residual").out
    refused = volr("format", "residual", "--write")
    assert refused.code == 2
    assert "`volr format residual > residual.volr` makes a file of it" in refused.err
    (folder / "mine.volr").write_text(text, encoding="utf-8")
    assert volr("show", "mine.volr").out == volr("show", "residual").out
    assert volr("compile", "residual", "--to", "futhark").code == 0
    assert (folder / "residual.fut").exists()


def test_programs_are_not_written_over_and_no_name_is_hidden(volr: Volr, folder: Path) -> None:
    (folder / "mine.volr").write_text("dense 2 3", encoding="utf-8")
    refused = volr("show", "xor.volr", "--svg", "mine.volr")
    assert "cannot write mine.volr: that is a program, which would be lost" in refused.err
    assert (folder / "mine.volr").read_text(encoding="utf-8") == "dense 2 3"
    refused = volr("train", "lenet", "--task", "mnist", "--out", "lenet")
    assert "a file of this name would stand for Volr's program lenet" in refused.err
