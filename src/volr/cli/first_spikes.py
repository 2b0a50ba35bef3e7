"""``transfer --coding first-spike``: the transfer that loses nothing, and its proof."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from volr.cli.input_files import read_model
from volr.cli.options import refuse
from volr.cli.output import note, print_json, print_parts
from volr.cli.output_files import check_writable, path_from, save_made
from volr.cli.progress import progress_bar
from volr.cli.quantise import quantised_of
from volr.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from typing import Any

    from volr.exact.proof import Proof

TIMES = ("dt", "delay")
"""What a user can choose of a spiking network that computes whole numbers."""
QUANTISED = ("levels", "percentile", "calibration_samples", "seed")
"""What a user can choose of the whole numbers."""
_DATA = ("task", "data")
_ALWAYS = ("coding", "out", "as_json")


def transfer_first_spikes(
    model: Path,
    out: Path,
    task: str | None,
    data: Path | None,
    given: Mapping[str, Any],
    flags: Mapping[str, str],
    *,
    as_json: bool,
) -> None:
    """Transfer a staircase network, or a network with ReLU that is quantised on the way.

    ``given`` are the values of options by name, ``task`` and ``data`` aside. ``flags`` are all
    options that are on the command line, by name.
    """
    from volr.exact.display import proof_parts
    from volr.exact.first_spikes import to_first_spikes
    from volr.exact.proof import prove
    from volr.models.activations import Staircase
    from volr.models.model import ArtificialModel
    from volr.quantisation.display import quantisation_parts

    chosen = (*TIMES, *QUANTISED, *_DATA, *_ALWAYS)
    others = [flag for name, flag in flags.items() if name not in chosen]
    refuse(others, "with --coding first-spike the network decides it")
    loaded = read_model(model)
    if not isinstance(loaded.model, ArtificialModel):
        raise ModelError(
            f"{model} is a spiking model already", help="transfer the artificial one it came from"
        )
    check_writable(out, source=model)
    origin, staircase, report = loaded.origin, loaded.model, None
    if isinstance(staircase.activation, Staircase):
        needless = [flag for name, flag in flags.items() if name in (*QUANTISED, *_DATA)]
        refuse(needless, f"{model} is quantised already, and nothing is measured")
    else:
        if task is None:
            raise ModelError(
                f"{model} has the activation {staircase.activation.name}, and its whole numbers "
                "come from training stimuli",
                help="name their --task, or quantise the model first with `volr quantise`",
            )
        settings = {name: given[name] for name in QUANTISED if name in given}
        with progress_bar() as progress:
            done, origin = quantised_of(loaded, model, task, data, settings, progress)
        staircase, report = done.model, done.report
    spiking = to_first_spikes(staircase, **{name: given[name] for name in TIMES if name in given})
    proof = prove(spiking)
    ann = path_from(out, model)
    save_made(spiking, out, {**origin, "condition": "snn-exact", "ann": ann})
    if as_json:
        costs = None if report is None else asdict(report)
        print_json({"quantisation": costs, "proof": proof_json(proof)})
    else:
        costs = () if report is None else quantisation_parts(report)
        print_parts((*costs, *proof_parts(proof, spiking.network)))
    note(f"wrote {out}")


def proof_json(proof: Proof) -> dict[str, Any]:
    """The proof as plain numbers."""
    populations = [{**asdict(each), "margin": each.margin} for each in proof.populations]
    return {**asdict(proof), "populations": populations}
