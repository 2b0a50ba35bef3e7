"""Install packages into a virtual environment: `install_packages.py FOLDER ARGUMENT...`.

The arguments are those of `pip install`, such as `--requirement FILE`. uv installs, since it needs
half the time and half the space: environments share the files of packages that they have in common,
through `build/packages`. It takes packages from where pip is told to take them. Where uv fails, pip
installs.
"""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# pip's settings, and the variables by which uv knows them.
SETTINGS = {
    "cert": "SSL_CERT_FILE",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "index-url": "UV_DEFAULT_INDEX",
    "proxy": "ALL_PROXY",
}
# For pip, those of later sections win; the last ones are variables such as PIP_INDEX_URL.
SECTIONS = ("global", "install", ":env:")


def pip_settings(listed: str) -> dict[str, str]:
    """pip's settings by name, from what `pip config list` prints."""
    found: dict[str, str] = {}
    pairs = [line.partition("=")[::2] for line in listed.splitlines()]
    for section in SECTIONS:
        for key, value in pairs:
            before, _, name = key.rpartition(".")
            if before == section:
                found[name] = str(ast.literal_eval(value))
    return found


def uv_settings(pip: dict[str, str]) -> dict[str, str]:
    """The variables that tell uv what pip was told."""
    told = {SETTINGS[name]: value for name, value in pip.items() if name in SETTINGS}
    if "UV_FIND_LINKS" in told:
        # pip wants blanks or line breaks between several, uv wants commas.
        told["UV_FIND_LINKS"] = ",".join(told["UV_FIND_LINKS"].split())
    if "UV_INDEX" in told:
        told["UV_INDEX"] = " ".join(told["UV_INDEX"].split())
        # For pip all indexes are equal; for uv the first that has a package is the one.
        told["UV_INDEX_STRATEGY"] = "unsafe-best-match"
    return told


def version_of_uv() -> str:
    """The line of the lock file."""
    lines = (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
    return next(line for line in lines if line.startswith("uv=="))


def install(folder: Path, arguments: list[str]) -> int:
    """Install, and give the exit code."""
    python = folder / "bin" / "python"
    pip = [str(python), "-m", "pip"]
    listed = subprocess.run(
        [*pip, "config", "list"], stdout=subprocess.PIPE, text=True, check=False
    ).stdout
    settings = {
        **uv_settings(pip_settings(listed)),
        "UV_CACHE_DIR": str(ROOT / "build" / "packages"),
        "UV_COMPILE_BYTECODE": "1",
        **os.environ,
    }
    has_uv = subprocess.run([*pip, "install", "-qq", version_of_uv()], check=False).returncode == 0
    uv = [str(folder / "bin" / "uv"), "pip", "install", "--quiet", "--python", str(python)]
    if has_uv and subprocess.run([*uv, *arguments], env=settings, check=False).returncode == 0:
        return 0
    print("uv could not install the packages, so pip does.", file=sys.stderr)
    return subprocess.run([*pip, "install", "-qq", *arguments], check=False).returncode


if __name__ == "__main__":
    try:
        sys.exit(install(Path(sys.argv[1]), sys.argv[2:]))
    except KeyboardInterrupt:
        sys.exit(130)
