"""What each library makes of the files that are meant for each of them: a table in Markdown.

`python -m tests.importers.matrix` prints it: the outputs' steps, each a spike or none, against the
engine's.
"""

from __future__ import annotations

import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from tests.importers.harness import LIBRARIES, Job, run
from tests.oracles import chain, random_parameters

from volr import to_network
from volr.backends import document
from volr.backends.base import Record
from volr.backends.engine import ENGINE
from volr.backends.nir.dialects import DIALECTS
from volr.models.coding import Poisson
from volr.models.model import SpikingModel
from volr.network import Network, Population, Projection
from volr.neurons import IFCurrDelta, IFCurrExp

if TYPE_CHECKING:
    from collections.abc import Mapping

    from volr.checks.arrays import Booleans, Floats
    from volr.neurons import NeuronModel, Reset

CANONICAL = "nir"

# `dense 3 5 ⦶ (dense 5 4 ⊖ dense 5 2) ⦶ dense 6 3`
PARALLEL = Network(
    populations=tuple(
        Population(name, (size,))
        for name, size in {"input": 3, "first": 5, "left": 4, "right": 2, "last": 3}.items()
    ),
    projections=(
        Projection("input", "first"),
        Projection("first", "left"),
        Projection("first", "right"),
        Projection("left", "last"),
        Projection("right", "last"),
    ),
    inputs=("input",),
    outputs=("last",),
)
# Maps that are not square. The windows are: nir refuses others.
MAPS = to_network(
    "conv [1 9 8] 3 3 stride:[2 1] pad:1 ⦶ avgpool _ 2 ⦶ (conv _ 3 3 pad:1 ⊕ id _) ⦶ dense _ 4"
)
NETWORKS = {"one layer": chain(7, 5), "parallel": PARALLEL, "maps": MAPS}
GAINS = {"maps": 0.3}
"""What the weights of a network are multiplied by, so that its outputs spike in some steps only."""


@dataclass(frozen=True)
class Run:
    """A model under Poisson spikes: those of its inputs, and the engine's of its outputs."""

    model: SpikingModel
    frames: Floats
    spikes: Booleans


def engine_run(model: SpikingModel, *, batch: int = 8, seed: int = 1) -> Run:
    """What the engine makes of random stimuli; arrays are ``[time, batch, unit]``."""
    network = model.network
    stimuli = np.random.default_rng(seed).random((batch, network.input_size))
    names = (*network.inputs, *network.outputs)
    with ENGINE.start() as engine:
        spikes = engine.run(model, stimuli, record=Record(spikes=names), seed=seed).spikes
    frames = np.concatenate([spikes[name] for name in network.inputs], axis=2)
    outputs = np.concatenate([spikes[name] for name in network.outputs], axis=2)
    return Run(model, frames.astype(np.float64), outputs)


def model_of(
    network: Network, neuron: NeuronModel, *, delay: int = 1, seed: int = 0, gain: float = 1.0
) -> SpikingModel:
    """Signed random weights and biases, 100 steps of 0.5 ms."""
    rng = np.random.default_rng(seed)
    weight = gain * (6.0 if isinstance(neuron, IFCurrDelta) else 2.0)
    return SpikingModel(
        network=network,
        parameters=random_parameters(network, rng, weight=weight, bias=0.3),
        neuron=neuron,
        coding=Poisson(300.0),
        dt=0.5,
        duration=50.0,
        delay=0.5 * delay,
    )


def neuron_of(kind: str, reset: Reset) -> NeuronModel:
    """A neuron whose v_rest, v_reset and i_offset all matter."""
    if kind == "delta":
        return IFCurrDelta(v_rest=-64.0, v_reset=-62.0, i_offset=0.1, reset=reset)
    return IFCurrExp(
        v_rest=-64.0, v_reset=-66.0, i_offset=0.1, tau_syn_E=3.0, tau_syn_I=3.0, reset=reset
    )


def job_of(made: Run, dialect: str) -> Job:
    """The model's file in a dialect, or in NIR as it is meant, and its frames."""
    model = made.model
    files = document(dialect if dialect == CANONICAL else f"nir.{dialect}").write(model)
    return Job(files[".nir"], made.frames, model.dt / 1000.0, model.neuron.reset)


def judged(made: Run, answer: Floats | str) -> str:
    """A cell of the table."""
    if isinstance(answer, str):
        return "refused"
    if answer.shape != made.spikes.shape:
        return f"differs: {answer.shape[2]} outputs for {made.spikes.shape[2]}"
    differing = int((answer != made.spikes).sum())
    if differing == 0:
        return f"identical: {int(made.spikes.sum()):,} spikes"
    return f"differs: {differing:,} of {answer.size:,}"


def rows(name: str, kind: str, folder: Path) -> Mapping[str, Mapping[str, str]]:
    """By dialect and library."""
    made: dict[str, Run] = {}
    for dialect in (CANONICAL, *DIALECTS):
        reset = DIALECTS[dialect].resets[0] if dialect in DIALECTS else "hard"
        neuron = neuron_of(kind, "subtract" if reset == "subtract" else "hard")
        model = model_of(NETWORKS[name], neuron, gain=GAINS.get(name, 1.0))
        made[dialect] = engine_run(model)
    jobs = {dialect: job_of(each, dialect) for dialect, each in made.items()}
    answers = {library: run(library, jobs, folder) for library in LIBRARIES}
    return {
        dialect: {
            library: judged(made[dialect], answers[library][dialect]) for library in LIBRARIES
        }
        for dialect in made
    }


def main() -> None:
    write = sys.stdout.write
    for name in NETWORKS:
        for kind in ("delta", "exp"):
            with tempfile.TemporaryDirectory() as folder:
                table = rows(name, kind, Path(folder))
            lines = [
                f"\n{name}, if_curr_{kind}\n",
                "| written for | " + " | ".join(LIBRARIES) + " |",
            ]
            lines.append("| --- " * (len(LIBRARIES) + 1) + "|")
            lines += [
                f"| {row} | " + " | ".join(cells.values()) + " |" for row, cells in table.items()
            ]
            write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
