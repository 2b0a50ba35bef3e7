"""``simulate``: what a spiking model does with stimuli from a file."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from volr.cli import completion, options
from volr.cli.executors import Dask
from volr.cli.input_files import read_model
from volr.cli.options import option, with_options
from volr.cli.output import note, print_json, print_table
from volr.cli.output_files import check_apart, check_writable, write_bytes
from volr.cli.progress import progress_bar
from volr.errors import UnsupportedError

if TYPE_CHECKING:
    from volr.backends.base import Recordings
    from volr.models.model import SpikingModel

Stimuli = Annotated[
    Path,
    typer.Argument(
        readable=False,
        metavar="STIMULI",
        help="A .npy or .npz file: values [batch, unit] in 0 to 1, or spike trains "
        "[time, batch, unit] of 0 and 1.",
    ),
]


@with_options
def simulate(
    model: options.Model,
    stimuli: Stimuli,
    on: str = options.on(
        "engine", "nest, brian2, pynn.nest, pynn.brian2 or pynn.neuron.", completion.SPIKING
    ),
    seed: int = options.seed(0, "input spikes, where values are coded at random."),
    out: Path | None = option(
        None,
        "Where to write: a .npz file with the spikes of all populations, POPULATION.spikes "
        "[time, batch, unit], and dt, ms.",
        "FILE",
    ),
    dask: Dask = None,
    as_json: options.Json = False,
) -> None:
    """Run a spiking model on stimuli from a file; count its spikes.

    The model may be a NIR file. Spike trains are shown to it as they are, step by step.
    """
    from volr.backends import simulator, spiking_backend
    from volr.backends.base import Record
    from volr.backends.refusals import check_supported, require
    from volr.experiments.datasets.numpy_files import read_stimuli
    from volr.experiments.run_progress import of_simulation
    from volr.models.model import SpikingModel
    from volr.models.stimuli import given_stimuli

    if out is not None:
        check_writable(out, source=model)
        check_apart(out, [stimuli])
    runner = spiking_backend(on)
    loaded = read_model(model).model
    if not isinstance(loaded, SpikingModel):
        raise UnsupportedError(
            f"{model} is an artificial network, which has no spikes",
            help="make it a spiking one with `volr transfer`",
        )
    require(runner)
    check_supported(runner, loaded)
    shown = read_stimuli(stimuli)
    if shown.ndim == 3 and len(shown) > loaded.steps:
        loaded = replace(loaded, duration=len(shown) * loaded.dt)
        note(f"simulated for as long as the spike trains: {loaded.duration:g} ms")
    given = given_stimuli(loaded, shown)
    names = tuple(each.name for each in loaded.network.populations)
    with simulator(runner.name, dask=dask) as running, progress_bar() as progress:
        told = of_simulation(progress, len(given), f"simulating on {runner.name}")
        found = running.run(
            loaded, given, record=Record(counts=names, spikes=names), seed=seed, progress=told
        )
    if out is not None:
        write_bytes(out, _archive(loaded, found))
    spikes = {name: int(found.counts[name].sum()) for name in names}
    if as_json:
        outputs = {name: found.counts[name].tolist() for name in loaded.network.outputs}
        print_json({"backend": runner.name, "spikes": spikes, "outputs": outputs})
    else:
        seconds = len(given) * loaded.duration / 1000.0
        sizes = {name: loaded.network[name].size for name in names}
        # Without stimuli there is no time, and no rate.
        rates = {n: spikes[n] / (seconds * sizes[n]) if seconds else 0.0 for n in names}
        print_table(
            ["population", "neurons", "spikes", "Hz"],
            [
                [name, f"{sizes[name]:,}", f"{spikes[name]:,}", f"{rates[name]:.1f}"]
                for name in names
            ],
            left=1,
        )
    if out is not None:
        note(f"wrote {out}")


def _archive(model: SpikingModel, found: Recordings) -> bytes:
    """The spikes of all populations, as the bytes of a ``.npz`` file."""
    import numpy as np

    body = io.BytesIO()
    spikes: dict[str, Any] = {f"{name}.spikes": each for name, each in found.spikes.items()}
    np.savez_compressed(body, dt=np.float64(model.dt), **spikes)
    return body.getvalue()
