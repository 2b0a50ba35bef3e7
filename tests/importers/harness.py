"""NIR files imported and run by the real libraries, each in a process of its own.

norse, snnTorch and SpikingJelly import with the newest nir and nirtorch, as they do for whoever
installs them now; sinabs asks for nir 1.0.4, and SpikingJelly for a nirtorch that does not go with
it. So the former get the two from ``newer``, a folder in the peers' virtual environment.
"""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from volr.checks.arrays import Floats

ROOT = Path(__file__).parents[2]
PEERS = Path(os.environ.get("VOLR_PEERS", ROOT / ".venv-peers"))
LIBRARIES = ("norse", "snntorch", "spikingjelly", "sinabs")
READERS = ("nir 1.0.4", "nir 1.0.8")
"""The two versions of nir alone: whether they read a file at all."""
ASKS_FOR_OLD_NIR = frozenset({"sinabs", "nir 1.0.4"})

Answer: TypeAlias = "Floats | str"
"""What an imported network gives, ``[time, batch, unit]``, or why there is none."""


@dataclass(frozen=True)
class Job:
    """A NIR file to import with ``dt``, s, and ``reset``, and to run on ``frames``."""

    file: bytes
    frames: Floats
    dt: float
    reset: str = "hard"


def missing() -> str | None:
    """What of the peers' environment is not there; None where all of it is."""
    needed = (PEERS / "bin" / "python", PEERS / "newer" / "nirtorch")
    return next(
        (f"{path} is missing: `make test` sets it up" for path in needed if not path.exists()), None
    )


def run(library: str, jobs: Mapping[str, Job], folder: Path) -> dict[str, Answer]:
    """What ``library``, or a reader, makes of each job. Files go to ``folder``."""
    listed: list[dict[str, object]] = []
    for number, job in enumerate(jobs.values()):
        paths = {key: folder / f"{library}-{number}.{key}" for key in ("nir", "in.npz", "npz")}
        paths["nir"].write_bytes(job.file)
        np.savez(paths["in.npz"], frames=job.frames.astype(np.float32))
        listed.append(
            {
                "file": str(paths["nir"]),
                "frames": str(paths["in.npz"]),
                "out": str(paths["npz"]),
                "dt": job.dt,
                "reset": job.reset,
            }
        )
    work = folder / f"{library}.json"
    work.write_text(json.dumps(listed), encoding="utf-8")
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    environment.pop("PYTHONPATH", None)
    if library not in ASKS_FOR_OLD_NIR:
        environment["PYTHONPATH"] = str(PEERS / "newer")
    script = Path(__file__).with_name("importing.py")
    done = subprocess.run(
        [PEERS / "bin" / "python", script, library, work],
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{library} does not run: {done.stderr[-2000:]}")
    answers: dict[str, Answer] = {}
    for name, each in zip(jobs, listed, strict=True):
        with np.load(str(each["out"]), allow_pickle=False) as arrays:
            answers[name] = arrays["output"] if "output" in arrays else str(arrays["error"])
    return answers
