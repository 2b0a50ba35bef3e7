"""What docs/reference/stability.md promises is what there is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.main import get_command

import volr
from volr.cli.app import app as commands

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "reference" / "stability.md").read_text(encoding="utf-8")
API = (ROOT / "docs" / "reference" / "api.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    return PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def test_the_commands_are_all_that_there_are() -> None:
    found = re.findall(r"`([a-z-]+)`", section("Commands"))
    assert found == sorted(vars(get_command(commands))["commands"])


def test_the_exit_codes_are_those_of_the_command_line() -> None:
    codes = re.findall(r"^\| (\d+) \|", section("Exit codes"), re.MULTILINE)
    reference = (ROOT / "docs" / "reference" / "commands.md").read_text(encoding="utf-8")
    said = reference.partition("Exit codes: ")[2].partition("\n")[0]
    assert codes == re.findall(r"(?:^|; )(\d+)\b", said)


def test_the_public_names_are_listed_once_each() -> None:
    found = re.findall(r"^::: volr\.(\w+)$", API, re.MULTILINE)
    assert len(found) == len(set(found))
    assert {*found, "__version__"} == set(volr.__all__)


def test_a_former_name_warns_at_the_line_that_uses_it() -> None:
    pytest.importorskip("torch")
    network, data = volr.to_network("dense 2 2"), volr.task("xor").load(seed=0)
    settings = volr.TrainingSettings(epochs=1, candidates=1)
    with pytest.warns(DeprecationWarning, match=r"former name of on, and will go in") as caught:
        volr.train_ann(network, data.train, settings, backend="torch")
    assert caught[0].filename == __file__
