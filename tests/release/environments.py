"""Empty environments with the wheel in them, and what is asked of Volr there.

uv installs. It takes packages from the cache that `make setup` has filled, which takes half a
second and no network; what is not there it gets from where pip is told to get it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.cli.running import PATIENCE
from tools.install_packages import pip_settings, uv_settings

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.prefix) / "bin"
# Beside the virtual environment, which in a work tree may be a link.
CACHE = Path(sys.prefix).resolve().parent / "build" / "packages"
DRIVER = Path(__file__).with_name("in_environment.py")


@dataclass(frozen=True)
class Outcome:
    """What a command or a program printed, on both streams, and its exit code."""

    code: int
    printed: str


@dataclass(frozen=True)
class Environment:
    """A virtual environment in ``folder`` with Volr's wheel."""

    folder: Path

    def call(self, program: str, *arguments: str, cwd: Path, text: str = "") -> str:
        """What a program of the environment prints, on stdout; it has to end well."""
        done = subprocess.run(
            [self.folder / "bin" / program, *arguments],
            cwd=cwd,
            env=_bare(),
            input=text,
            capture_output=True,
            text=True,
            check=False,
            timeout=5 * PATIENCE,
        )
        assert done.returncode == 0, f"{program} {' '.join(arguments)}\n{done.stdout}{done.stderr}"
        return done.stdout

    def run(self, what: Sequence[Sequence[str] | str], cwd: Path) -> list[Outcome]:
        """Arguments of `volr`, or statements of Python, one after the other in one process."""
        printed = self.call("python", "-P", str(DRIVER), cwd=cwd, text=json.dumps(what))
        return [Outcome(**each) for each in json.loads(printed)]

    def doctor(self, cwd: Path) -> dict[str, Any]:
        """What the installed command `volr doctor` finds."""
        return json.loads(self.call("volr", "doctor", "--json", cwd=cwd))


def environment(folder: Path, wheel: Path, extras: Collection[str]) -> Environment:
    """A new one with the wheel, and with what these extras ask for, in the lock file's versions."""
    _uv("venv", "--python", sys.executable, str(folder))
    wanted = f"{wheel}[{','.join(extras)}]" if extras else str(wheel)
    into = ("--python", str(folder / "bin" / "python"))
    install = ("pip", "install", *into, wanted, "--constraint", str(ROOT / "requirements.lock"))
    try:
        _uv(*install, "--offline")
    except subprocess.CalledProcessError:
        _uv(*install)
    return Environment(folder)


def _uv(*arguments: str) -> None:
    settings = {**_uv_settings(), "UV_CACHE_DIR": str(CACHE)}
    try:
        subprocess.run(
            [BIN / "uv", *arguments, "--quiet"],
            env={**_bare(), **settings},
            capture_output=True,
            text=True,
            check=True,
        )
    except subprocess.CalledProcessError as error:
        error.add_note(error.stderr)
        raise


@cache
def _uv_settings() -> dict[str, str]:
    listed = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout
    return uv_settings(pip_settings(listed))


def _bare() -> dict[str, str]:
    """The variables of this process, but for what leads to the checkout and to its environment."""
    leading = ("PYTHON", "VIRTUAL_ENV", "UV_", "COV_", "COLUMNS", "FORCE_COLOR")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(leading)}
    return {**kept, "PYTHONWARNINGS": "ignore"}
