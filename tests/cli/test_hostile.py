"""Names and texts from outside, in every command: a terminal obeys none of them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from volr.cli.app import app
from volr.model_files.model_file import save_model

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.running import Volr

pytest.importorskip("h5py")

from tests.cli.running import made
from tests.importers.files import affine, end, file_of, lif

from volr.backends.nir.graph import Graph

ESCAPES = "\x1b[31m\x9b2J\u202e\x07"
"""Colours, a cleared screen, text from right to left, and the bell."""

COMMANDS = {
    "new": ("new", f"none{ESCAPES}"),
    "check": ("check", "bad.volr"),
    "format": ("format", "bad.volr"),
    "show": ("show", "bad.volr", "--json"),
    "train": ("train", "bad.volr", "--task", f"xor{ESCAPES}", "--out", "m"),
    "quantise": ("quantise", f"none{ESCAPES}", "--task", "xor", "--out", "m"),
    "transfer": ("transfer", f"none{ESCAPES}", "--task", "xor", "--out", "m"),
    "evaluate": ("evaluate", "bad.volr", "--task", f"{ESCAPES}"),
    "simulate": ("simulate", f"none{ESCAPES}", f"none{ESCAPES}.npy"),
    "explain": ("explain", "snn", "--task", "xor", "--ann", f"none{ESCAPES}"),
    "experiment": ("experiment", "nand", "--settings", "bad.json"),
    "search": ("search", "xor", "--settings", "bad.json"),
    "report": ("report", f"none{ESCAPES}"),
    "compile": ("compile", "snn", "--to", f"none{ESCAPES}"),
    "import": ("import", "bad.nir", "--out", "m"),
    "lint": ("lint", "bad.nir"),
    "verify": ("verify", "snn", "--on", f"none{ESCAPES}"),
}
MORE = {
    "lint as JSON": ("lint", "bad.nir", "--json"),
    "a setting": ("experiment", "nand", "--settings", "name.json"),
    "a task": ("experiment", "nand", "--settings", "task.json"),
    "an option": ("check", f"--none{ESCAPES}"),
    "a command": (f"none{ESCAPES}",),
    "a folder of runs": ("report", "runs-of"),
    "a name of a file": ("check", f"none\n{ESCAPES}"),
}


@pytest.fixture
def hostile(folder: Path) -> Path:
    """A folder of files that say what terminals obey, wherever they can."""
    (folder / "bad.volr").write_text(f"dense 2 {ESCAPES} 3 ⦶ densE{ESCAPES} 3", encoding="utf-8")
    a, x, c = (f"{each}\x1b[31m\x07\n" for each in "axc")
    nodes = {"input": end("Input", 3), a: affine(), x: lif(tau=[1.0, 2.0, 3.0, 4.0])}
    nodes["output"] = end("Output", 4)
    edges = (("input", a), (a, x), (x, "output"))
    graph = Graph({**nodes, c: lif()}, (*edges, (x, c)))
    (folder / "bad.nir").write_bytes(file_of(graph))
    for name, content in {
        "bad": {"settings": {"neuron": ESCAPES}},
        "name": {"settings": {ESCAPES: 1}},
        "task": {"settings": {}, "task": ESCAPES, "program": f"// {ESCAPES}"},
    }.items():
        (folder / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")
    runs = folder / "runs-of" / "runs"
    runs.mkdir(parents=True)
    (runs / f"r{ESCAPES}.json").write_text("{}", encoding="utf-8")
    save_model(made("dense 2 3 ⦶ dense 3 2"), folder / "snn", {"task": ESCAPES})
    return folder


def test_every_command_is_tried() -> None:
    names = {each.name for each in app.registered_commands}
    # The one reads nothing, and the other talks to an editor.
    assert set(COMMANDS) == names - {"doctor", "lsp"}


@pytest.mark.parametrize("case", [*COMMANDS, *MORE])
def test_no_command_hands_on_what_a_terminal_obeys(volr: Volr, hostile: Path, case: str) -> None:
    del hostile
    result = volr(*{**COMMANDS, **MORE}[case])
    for text in (result.out, result.err):
        shown = text.replace("\n", "")
        assert [each for each in shown if not each.isprintable()] == []
    assert result.code != 0
    assert r"\x1b" in result.out + result.err or "\\u001b" in result.out


def test_names_in_a_model_that_is_sound_are_visible_too(volr: Volr, hostile: Path) -> None:
    del hostile
    result = volr("verify", "snn", "--on", "engine")
    assert result.code == 0
    assert all(each.isprintable() for each in result.out.replace("\n", ""))
