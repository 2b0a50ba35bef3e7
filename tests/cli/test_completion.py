"""What shells are offered, by the protocol that their scripts use."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, get_args

import pytest
from tests.cli.running import PATIENCE, VOLR
from typer.main import get_command

from volr.backends import BACKENDS, DOCUMENTS, title
from volr.backends.base import ArtificialBackend, SpikingBackend
from volr.cli import completion
from volr.cli.app import app
from volr.experiments.conditions import CONDITIONS
from volr.experiments.programs import PROGRAMS
from volr.experiments.tasks import TASKS
from volr.models.activations import ACTIVATIONS
from volr.models.coding import InputCoding
from volr.neurons import NEURON_MODELS
from volr.training.artificial import TRAINING_BACKENDS

if TYPE_CHECKING:
    from pathlib import Path


def completed(line: str, shell: str = "bash", cwd: Path | None = None) -> list[str]:
    """What is offered at the end of a line, as the script of the shell asks for it."""
    asked = {"_VOLR_COMPLETE": f"complete_{shell}", "_TYPER_COMPLETE_ARGS": line}
    if shell == "bash":
        asked |= {"COMP_WORDS": "\n".join(line.split(" ")), "COMP_CWORD": f"{line.count(' ')}"}
    if shell == "fish":
        asked["_TYPER_COMPLETE_FISH_ACTION"] = "get-args"
    done = subprocess.run(
        [*VOLR],
        env={**os.environ, **asked},
        cwd=cwd,
        capture_output=True,
        text=True,
        check=True,
        timeout=PATIENCE,
    )
    assert done.stderr == ""
    return done.stdout.split()


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("volr tr", ["train", "transfer"]),
        ("volr train a.volr --task m", ["mnist", "mnist-parallel"]),
        ("volr train a.volr --as ", ["ann", "snn"]),
        ("volr evaluate m --on pynn", ["pynn.nest", "pynn.brian2", "pynn.neuron"]),
        ("volr verify m --on nir.s", ["nir.snntorch", "nir.spikingjelly", "nir.sinabs"]),
        ("volr transfer m --coding ", ["current", "poisson", "first-spike"]),
        ("volr compile m --to nir --for s", ["snntorch", "spikingjelly", "sinabs"]),
        ("volr experiment xor --conditions ann,snn-e", ["ann,snn-exact"]),
        ("volr search x", ["xor"]),
        ("volr check len", ["lenet", "lenet-avgpool"]),
        # What is a file is left to the shell.
        *((f"volr {each}", []) for each in ("check ", "evaluate m", "train a.volr --out s")),
        ("volr train ./a", []),
        ("volr train a.volr --opt", ["--optimizer"]),
    ],
)
def test_names_are_offered(line: str, offered: list[str]) -> None:
    assert completed(line) == offered


def test_other_shells_are_offered_the_same(tmp_path: Path) -> None:
    line = "volr train a.volr --task mn"
    assert completed(line, "fish") == ["mnist", "mnist-parallel"]
    assert " ".join(completed(line, "zsh")) == """_arguments '*: :(("mnist" "mnist-parallel"))'"""
    assert completed("volr evaluate m", "zsh", tmp_path) == ["_files"]
    assert "checks" not in completed("volr ch", "fish")


@pytest.mark.parametrize(
    ("shell", "begins"), [("bash", "_volr_completion()"), ("zsh", "#compdef"), ("fish", "complete")]
)
def test_each_shell_has_a_script(shell: str, begins: str) -> None:
    done = subprocess.run(
        [*VOLR],
        env={**os.environ, "_VOLR_COMPLETE": f"source_{shell}"},
        capture_output=True,
        text=True,
        check=True,
        timeout=PATIENCE,
    )
    assert done.stdout.strip().startswith(begins)
    assert f"_VOLR_COMPLETE=complete_{shell}" in done.stdout


def test_bash_itself_completes(tmp_path: Path) -> None:
    """The installed script, sourced by a bash that completes a line."""
    program = tmp_path / "bin" / "volr"
    program.parent.mkdir()
    program.write_text(
        f"#!{sys.executable} -P\nfrom volr.cli import main\nmain()\n", encoding="utf-8"
    )
    program.chmod(0o755)
    path = {"PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}", "HOME": str(tmp_path)}
    script = (
        "volr --install-completion >/dev/null && source ~/.bashrc && "
        "COMP_WORDS=(volr evaluate m --on ne) COMP_CWORD=4 && _volr_completion volr && "
        'echo "${COMPREPLY[@]}" && complete -p volr'
    )
    done = subprocess.run(
        ["bash", "--norc", "-c", script],
        env={**os.environ, **path},
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stderr
    # Where it knows nothing, bash offers files.
    assert done.stdout == "nest\ncomplete -o default -F _volr_completion volr\n"


def test_a_home_that_cannot_be_written_is_told() -> None:
    done = subprocess.run(
        ["bash", "--norc", "-c", '"$@"; exit $?', "bash", *VOLR, "--install-completion"],
        env={**os.environ, "HOME": "/proc"},
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("error: cannot write to /proc/.bashrc")


def test_nothing_heavy_is_imported() -> None:
    """A press of a key waits for it."""
    program = (
        "import atexit, sys\n"
        "atexit.register(lambda: print(*sorted(sys.modules), file=sys.stderr))\n"
        "from volr.cli import main; main()"
    )
    asked = {"COMP_WORDS": "volr\nevaluate\nm\n--on\n", "COMP_CWORD": "4"}
    done = subprocess.run(
        [sys.executable, "-P", "-c", program],
        env={**os.environ, **asked, "_VOLR_COMPLETE": "complete_bash"},
        capture_output=True,
        text=True,
        check=True,
        timeout=PATIENCE,
    )
    loaded = {each.partition(".")[0] for each in done.stderr.split()}
    assert "typer" in loaded
    assert not loaded & {"torch", "numpy", "numba", "lark", "rich", "IPython", "pandas"}


def test_the_names_are_those_that_there_are() -> None:
    artificial = [each.name for each in BACKENDS if isinstance(each, ArtificialBackend)]
    spiking = [each.name for each in BACKENDS if isinstance(each, SpikingBackend)]
    assert sorted(completion.ARTIFICIAL) == sorted(artificial)
    assert sorted(completion.SPIKING) == sorted(spiking)
    assert sorted(completion.VERIFIED) == sorted(map(title, (*BACKENDS, *DOCUMENTS)))
    plain = [each.name for each in DOCUMENTS if "." not in each.name]
    assert sorted(completion.FORMATS) == sorted(plain)
    readers = [each.name for each in DOCUMENTS if each.name.startswith("nir.")]
    assert [f"nir.{each}" for each in completion.IMPORTERS] == readers
    assert set(completion.TASKS) == {each.name for each in TASKS}
    assert set(completion.PROGRAMS) == set(PROGRAMS)
    assert set(completion.NEURONS) == {each.name for each in NEURON_MODELS}
    assert set(completion.CODINGS) == {each.name for each in get_args(InputCoding)}
    assert set(completion.ACTIVATIONS) == {each.name for each in ACTIVATIONS}
    assert set(completion.CONDITIONS) == {each.label.replace("−", "-") for each in CONDITIONS}
    assert set(completion.TRAINING) == set(TRAINING_BACKENDS)


def test_every_option_that_takes_a_name_completes_it() -> None:
    """Files, folders, numbers and lists of something else aside."""
    others = {"FILE", "DIR", "MODEL", "OUT", "N", "X", "MS", "HZ", "N,…", "X,…", "LOW,HIGH"}
    others |= {"ADDRESS", "NAME=X", "NAME=VALUES", "FILE|MODEL"}
    commands = vars(get_command(app))["commands"]
    lacking = [
        f"volr {name} {each.opts[0]}"
        for name, command in commands.items()
        for each in command.params
        if each.metavar is not None
        and each.metavar not in others
        and each._custom_shell_complete is None
    ]
    # The one makes a new folder, and the others read files.
    assert lacking == ["volr new folder", "volr simulate stimuli", "volr lint file"]
