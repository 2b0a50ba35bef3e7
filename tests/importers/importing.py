"""Import NIR files with a library and run them: `python importing.py LIBRARY JOBS.json`.

Runs in the virtual environment of the peers, which has no Volr. ``JOBS.json`` is a list of objects:
``file``, the NIR file; ``frames``, an .npz with ``frames`` ``[time, batch, unit]``; ``out``, the
.npz to write; ``dt`` in s and ``reset`` (``hard`` or ``subtract``) for libraries that take them as
arguments. What is written is ``output`` ``[time, batch, unit]``, or ``error``, a text. Some files
make a library run without end: each file but the first, for which the library still imports parts
of itself, gets ``LIMIT`` seconds of the processor.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.metadata
import io
import json
import signal
import sys
import warnings
from pathlib import Path
from typing import Any

import nir
import numpy as np

LIMIT = 3.0

# Where each has its importer. By name, since the type checker does not see the peers' environment.
MODULES = {
    "norse": "norse.torch",
    "snntorch": "snntorch.import_nir",
    "spikingjelly": "spikingjelly.activation_based.nir_exchange",
    "sinabs": "sinabs.nir",
}


def load(library: str, graph: Any, dt: float, reset: str, batch: int) -> Any:
    """The graph as a network of the library."""
    module: Any = importlib.import_module(MODULES[library])
    match library:
        case "norse":
            resets: Any = importlib.import_module("norse.torch.functional.reset")
            method = resets.reset_subtract if reset == "subtract" else resets.reset_value
            return module.from_nir(graph, reset_method=method, dt=dt)
        case "spikingjelly":
            return module.import_from_nir(graph, dt=dt)
        case "sinabs":
            return module.from_nir(graph, batch_size=batch, num_timesteps=1)
        case _:
            return module.import_from_nir(graph)


def run(library: str, job: dict[str, Any]) -> Any:
    """What the network gives, ``[time, batch, unit]``."""
    graph = nir.read(job["file"])
    if library not in MODULES:
        return np.zeros(0)
    # The readers take a second less without it.
    import torch

    with np.load(job["frames"], allow_pickle=False) as arrays:
        frames = torch.as_tensor(arrays["frames"], dtype=torch.float32)
    network = load(library, graph, job["dt"], job["reset"], frames.shape[1])
    state, given = None, []
    with torch.no_grad():
        for frame in frames:
            out, *states = network(frame, state)
            (state,) = states
            given.append(out.numpy())
    return np.stack(given)


class Endless(BaseException):
    """The limit is reached. No library catches this for an error of its own."""


def give_up(number: int, frame: object) -> None:
    del number, frame
    raise Endless


def answer_of(library: str, job: dict[str, Any], limit: float) -> dict[str, Any]:
    """What the library makes of a file, in ``limit`` seconds at most; 0 is no limit."""
    signal.setitimer(signal.ITIMER_VIRTUAL, limit)
    try:
        # Some of them print what they think.
        with contextlib.redirect_stdout(io.StringIO()):
            return {"output": run(library, job)}
    except Endless:
        return {"error": np.array("TimeoutError: it goes on forever")}
    except Exception as error:  # noqa: BLE001 - whatever a library makes of a file
        return {"error": np.array(f"{type(error).__name__}: {error}")}
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0.0)


def main() -> None:
    library, jobs = sys.argv[1:]
    warnings.simplefilter("ignore")
    signal.signal(signal.SIGVTALRM, give_up)
    if library in MODULES:
        importlib.import_module(MODULES[library])
    elif library != f"nir {importlib.metadata.version('nir')}":
        raise ValueError(f"this is not {library}")
    for number, job in enumerate(json.loads(Path(jobs).read_text(encoding="utf-8"))):
        answer = answer_of(library, job, LIMIT if number else 0.0)
        np.savez(job["out"], allow_pickle=False, **answer)


if __name__ == "__main__":
    main()
