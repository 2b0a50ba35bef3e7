"""Packages are installed by uv, which is told what pip was told, or else by pip."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "tools" / "install_packages.py"
# As `pip config list` prints them.
LISTED = r"""
:env:.find-links='/opt/wheels'
global.cert='/etc/ssl/certs/all.crt'
global.extra-index-url='\nhttps://one.example/simple\nhttps://two.example/simple'
global.find-links='/somewhere/else'
global.index-url='https://mirror.example/simple'
install.find-links="/it's/here /and there"
install.index-url='https://nearer.example/simple'
"""


def environment_of_uv(settings: str, folder: Path, uv: int = 0) -> tuple[int, dict[str, str]]:
    """The exit code of the installer, and uv's variables, with stand-ins for pip and uv.

    Both write what they are asked for to ``folder/asked``; uv ends with the exit code ``uv``.
    """
    bin_folder = folder / "bin"
    bin_folder.mkdir()
    (folder / "settings").write_text(settings, encoding="utf-8")
    python = f"""#!/bin/sh
case "$*" in
    *config*) cat '{folder}/settings';;
    *) echo "pip $*" >> '{folder}/asked';;
esac
"""
    stand_in = f"""#!/bin/sh
echo "uv $*" >> '{folder}/asked'
env > '{folder}/environment'
exit {uv}
"""
    for name, text in (("python", python), ("uv", stand_in)):
        (bin_folder / name).write_text(text, encoding="utf-8")
        (bin_folder / name).chmod(0o755)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("UV_")}
    kept.pop("SSL_CERT_FILE", None)
    done = subprocess.run(
        [sys.executable, SCRIPT, folder, "--requirement", "some.lock"], env=kept, check=False
    )
    lines = (folder / "environment").read_text(encoding="utf-8").splitlines()
    return done.returncode, dict(line.split("=", 1) for line in lines if "=" in line)


def asked(folder: Path) -> list[str]:
    return (folder / "asked").read_text(encoding="utf-8").splitlines()


def test_uv_takes_packages_from_where_pip_does(tmp_path: Path) -> None:
    code, told = environment_of_uv(LISTED, tmp_path)
    assert code == 0
    expected = {
        "SSL_CERT_FILE": "/etc/ssl/certs/all.crt",
        "UV_DEFAULT_INDEX": "https://nearer.example/simple",
        "UV_FIND_LINKS": "/opt/wheels",
        "UV_INDEX": "https://one.example/simple https://two.example/simple",
        "UV_INDEX_STRATEGY": "unsafe-best-match",
    }
    assert {name: told.get(name) for name in expected} == expected
    uv = asked(tmp_path)[-1]
    assert uv.startswith("uv pip install ")
    assert uv.endswith("--requirement some.lock")
    assert not any(line.endswith("some.lock") for line in asked(tmp_path)[:-1])


def test_without_settings_uv_has_its_own(tmp_path: Path) -> None:
    _, told = environment_of_uv("", tmp_path)
    assert {name for name in told if name.startswith("UV_")} == {
        "UV_CACHE_DIR",
        "UV_COMPILE_BYTECODE",
    }


def test_where_uv_fails_pip_installs(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    code, _ = environment_of_uv(LISTED, tmp_path, uv=2)
    assert code == 0
    assert asked(tmp_path)[-1] == "pip -m pip install -qq --requirement some.lock"
    assert capfd.readouterr().err == "uv could not install the packages, so pip does.\n"
