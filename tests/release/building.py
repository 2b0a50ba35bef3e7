"""The wheel and the sdist of the checkout, as hatchling builds them."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Distributions:
    wheel: Path
    sdist: Path


def build(folder: Path) -> Distributions:
    """Both, in ``folder``."""
    hatchling(ROOT, folder)
    (wheel,), (sdist,) = folder.glob("*.whl"), folder.glob("*.tar.gz")
    return Distributions(wheel, sdist)


def hatchling(source: Path, folder: Path, *kinds: str) -> None:
    """Build what is in ``source`` into ``folder``: both ``kinds`` of files, if none is given."""
    targets = [argument for kind in kinds for argument in ("--target", kind)]
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--directory", folder, *targets],
        cwd=source,
        check=True,
        capture_output=True,
    )
