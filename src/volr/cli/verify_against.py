"""``verify --proof`` and ``verify --against``: models that tell whole numbers."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import typer

from volr.cli.first_spikes import proof_json
from volr.cli.input_files import read_model
from volr.cli.output import print_json, print_parts
from volr.cli.progress import progress_bar
from volr.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from volr.checks.arrays import Floats, Integers
    from volr.models.model import Model, SpikingModel
    from volr.verification.whole_numbers import Agreement


def show_proof(model: SpikingModel, *, as_json: bool) -> None:
    """Prove a model and print the proof; ``ModelError`` if there is none."""
    from volr.exact.display import proof_parts
    from volr.exact.proof import prove

    proof = prove(model)
    if as_json:
        print_json({"proof": proof_json(proof)})
    else:
        print_parts(proof_parts(proof, model.network))


def compare_whole_numbers(
    model: SpikingModel,
    ann: Path,
    on: Sequence[str],
    stimuli: Floats,
    labels: Integers | None,
    *,
    dask: str | None,
    proved: bool,
    as_json: bool,
) -> None:
    """Compare a spiking model with the artificial one in the file ``ann``, on back ends.

    ``labels`` are those of the stimuli, if they have any, ``dask`` is the address of a cluster's
    scheduler, and ``proved`` is whether the proof is asked for.
    """
    from volr.backends import simulator
    from volr.exact.display import proof_parts
    from volr.exact.proof import prove
    from volr.experiments.run_progress import of_simulation
    from volr.models.model import ArtificialModel
    from volr.verification.display import agreement_parts
    from volr.verification.whole_numbers import same_numbers, verify_against

    other: Model = read_model(ann).model
    if not isinstance(other, ArtificialModel):
        raise ModelError(
            f"{ann} is a spiking model", help="compare with the artificial one it came from"
        )
    proof = prove(model) if proved else None
    differs = same_numbers(model, other)
    found: list[Agreement] = []
    with progress_bar() as progress:
        for name in on:
            told = of_simulation(progress, len(stimuli), f"verifying {name}")
            with nullcontext(name) if dask is None else simulator(name, dask=dask) as on_it:
                found.append(verify_against(model, other, on_it, stimuli, progress=told))
    if as_json:
        head = {} if proof is None else {"proof": proof_json(proof)}
        entries = [_json(each, labels) for each in found]
        print_json({**head, "numbers": differs or "equal", "backends": entries})
    else:
        proved_parts = () if proof is None else proof_parts(proof, model.network)
        alike = "all weights, delays and times are those of the artificial model"
        print_parts(
            (
                *proved_parts,
                *agreement_parts(found, model.network, labels),
                f"numbers: {differs or alike}",
            )
        )
    if differs or not all(each.equal for each in found):
        raise typer.Exit(1)


def _json(found: Agreement, labels: Integers | None) -> dict[str, Any]:
    from volr.verification.display import accuracy_of

    return {
        "name": found.backend,
        "accuracy": None if labels is None else accuracy_of(found, labels),
        "compared": found.compared,
        "different": found.different,
        "populations": [asdict(each) for each in found.populations],
        "error": found.error,
        "first": None if found.first is None else asdict(found.first),
    }
