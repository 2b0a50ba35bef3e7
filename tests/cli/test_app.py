"""All commands under one name: help, options, exit codes, and files that cannot be read."""

from __future__ import annotations

import errno
import io
import json
import os
import subprocess
import sys
import typing
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import Mock

import pytest
from tests.cli.running import piped

from volr import __version__
from volr.backends import BACKENDS
from volr.cli.app import app
from volr.cli.train import train
from volr.cli.transfer import transfer
from volr.engine.surrogates import SHAPES
from volr.experiments.tasks import TASKS
from volr.models.activations import ACTIVATIONS
from volr.models.coding import RATE_CODINGS
from volr.neurons import NEURON_MODELS, RESETS
from volr.training.spiking import TRAINED_READOUTS

if TYPE_CHECKING:
    from tests.cli.running import Volr

COMMANDS = (
    *("new", "check", "format", "show", "train", "quantise", "transfer", "evaluate"),
    *("simulate", "explain", "experiment", "search", "report", "compile", "import", "lint"),
    *("verify", "lsp", "doctor"),
)


def test_the_commands_are_those_of_the_issue(volr: Volr) -> None:
    assert tuple(each.name for each in app.registered_commands) == COMMANDS
    shown = volr("--help")
    assert shown.code == 0
    for command in COMMANDS:
        assert f"\n  {command} " in shown.out
    # No summary is cut off, on 80 columns.
    assert "..." not in shown.out.partition("Commands:")[2]


@pytest.mark.parametrize("command", COMMANDS)
def test_help_is_plain_text_that_fits(volr: Volr, command: str) -> None:
    shown = volr(command, "--help")
    assert (shown.code, shown.err) == (0, "")
    lines = shown.out.splitlines()
    assert lines[0].startswith(f"Usage: volr {command} [OPTIONS]")
    assert all(line == line.rstrip() and len(line) <= 80 for line in lines)
    assert "\x1b" not in shown.out


def test_help_names_what_there_is(volr: Volr) -> None:
    shown = {command: " ".join(volr(command, "--help").out.split()) for command in COMMANDS}
    for command in ("train", "transfer", "evaluate", "experiment"):
        for task in TASKS:
            # A hyphen is a place to break a line at.
            assert task.name in shown[command].replace("mnist- parallel", "mnist-parallel")
    for activation in ACTIVATIONS:
        assert activation.name in shown["train"]
    for name in [each.name for each in (*NEURON_MODELS, *RATE_CODINGS)]:
        assert name in shown["transfer"]
        assert name in shown["train"]
    for backend in BACKENDS:
        assert backend.name in shown["evaluate"]


def test_the_words_of_options_are_those_there_are() -> None:
    hints = typing.get_type_hints(train)
    for option, words in {
        "reset": RESETS,
        "readout": TRAINED_READOUTS,
        "surrogate": SHAPES,
    }.items():
        (choices, _) = typing.get_args(hints[option])
        assert typing.get_args(choices) == words
    assert typing.get_type_hints(transfer)["reset"] == hints["reset"]


def test_the_version(volr: Volr) -> None:
    assert volr("--version").out == f"volr {__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "Usage: volr"),
        (("trian",), "Did you mean 'train'"),
        (("check",), "FILE"),
        (("check", "xor.volr", "--jsn"), "--json"),
        (("train", "xor.volr", "--out", "m"), "--task"),
        (("train", "xor.volr", "--task", "xor", "--out", "m", "--epochs", "0"), "--epochs"),
        (("train", "xor.volr", "--task", "xor", "--out", "m", "--epochs", "many"), "--epochs"),
        (("train", "xor.volr", "--task", "xor", "--out", "m", "--loss", "l1"), "cross_entropy"),
        (("train", "xor.volr", "--task", "xor", "--out", "m", "--seed", "-1"), "--seed"),
        (("train", "xor.volr", "--task", "xor", "--out", "m", "--as", "rnn"), "--as"),
        (("transfer", "m", "--task", "xor", "--out", "s", "--samples", "0"), "--samples"),
        (("transfer", "m", "--task", "xor", "--out", "s", "--reset", "soft"), "--reset"),
        (("transfer", "m", "--task", "xor", "--out", "s", "--rounds", "-1"), "--rounds"),
        (("transfer", "m", "--task", "xor", "--out", "s", "--dt", "x"), "--dt"),
        (("evaluate", "m", "--task", "xor", "--samples", "0"), "--samples"),
        (("experiment", "xor", "--repeats", "0"), "--repeats"),
        (("format", "-", "--write"), "standard input"),
        (("show", "xor.volr", "--svg", "-", "--json"), "standard output"),
    ],
)
def test_usage_is_2_and_says_what_is_wrong(
    volr: Volr, arguments: tuple[str, ...], said: str
) -> None:
    result = volr(*arguments)
    assert result.code == 2
    assert result.out == ""
    assert said in result.err
    assert "Traceback" not in result.err


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("check", "xor.volr"), 0),
        (("check", "nowhere.volr"), 1),
        (("train", "xor.volr", "--task", "xro", "--out", "m"), 1),
        (("check",), 2),
    ],
)
def test_the_exit_codes_are_those_of_the_process(
    folder: Path, arguments: tuple[str, ...], code: int
) -> None:
    result = piped(*arguments, cwd=folder)
    assert result.code == code
    assert bool(result.out) == (code == 0)
    assert bool(result.err) == (code != 0)
    assert "\x1b" not in result.out + result.err


def test_checking_loads_no_framework_and_no_numpy(folder: Path) -> None:
    program = (
        "import atexit, json, sys; from volr.cli import main; "
        "atexit.register(lambda: print(json.dumps([*sys.modules]), file=sys.stderr)); main()"
    )
    for arguments in (["check"], ["check", "--json"], ["format"], ["show"], ["show", "--json"]):
        ran = subprocess.run(
            [sys.executable, "-c", program, *arguments, str(folder / "xor.volr")],
            capture_output=True,
            check=True,
        )
        loaded = {name.partition(".")[0] for name in json.loads(ran.stderr)}
        assert "volr" in loaded
        assert not loaded & {"numpy", "rich", "safetensors", "sklearn", "torch"}


def test_no_path_is_tried_before_the_command_opens_it() -> None:
    tried: list[str] = []
    for command in app.registered_commands:
        assert command.callback is not None
        hints = typing.get_type_hints(command.callback, include_extras=True)
        for name, hint in hints.items():
            if typing.get_origin(hint) is not typing.Annotated:
                continue
            kind, told, *_ = typing.get_args(hint)
            if Path in {kind, *typing.get_args(kind)} and told.readable:
                tried.append(f"{command.name} {name}")
    assert tried == []


@pytest.mark.parametrize(
    "arguments",
    [
        "check F",
        "show F",
        "evaluate F --task xor",
        "transfer F --task xor --out new",
        "lint F",
        "import F --out new",
        "explain F --task xor",
        "train xor.volr --task xor --as snn --out new --start F",
        "experiment xor --settings F",
    ],
)
@pytest.mark.parametrize("what", ["missing", "a folder", "forbidden"])
def test_a_file_that_cannot_be_read_ends_every_command_alike(
    volr: Volr, folder: Path, monkeypatch: pytest.MonkeyPatch, arguments: str, what: str
) -> None:
    pytest.importorskip("h5py")
    if what == "a folder":
        (folder / "F").mkdir()
    elif what == "forbidden":
        (folder / "F").touch()
        real = io.open

        def refuse(file: Any, *rest: Any, **named: Any) -> Any:
            if Path(str(file)).name == "F":
                raise PermissionError(errno.EACCES, "Permission denied", str(file))
            return real(file, *rest, **named)

        # Root may read anything. Typer asks before anybody opens.
        monkeypatch.setattr(os, "access", Mock(return_value=False))
        monkeypatch.setattr(io, "open", refuse)
        monkeypatch.setattr("builtins.open", refuse)
    result = volr(*arguments.split())
    assert (result.code, result.out) == (1, "")
    assert "error: " in result.err
    assert "F" in result.err
    assert not (folder / "new").exists()
