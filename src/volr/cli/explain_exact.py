"""``explain`` for whole numbers: the proof of first spikes, and what quantisation cost."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from volr.cli.first_spikes import proof_json
from volr.cli.input_files import source_of
from volr.cli.options import refuse
from volr.cli.output import note, print_json, print_parts
from volr.cli.progress import progress_bar
from volr.errors import ModelError, ModelFileError

if TYPE_CHECKING:
    from collections.abc import Collection

    from volr.backends.base import SpikingBackend
    from volr.experiments.tasks import Task
    from volr.explanation.exact import ExactExplanation
    from volr.explanation.quantisation import QuantisationLoss
    from volr.model_files.model_file import ModelFile
    from volr.models.model import ArtificialModel, Model


def is_whole(model: Model) -> bool:
    """Whether a model computes with whole numbers, by first spikes or as a staircase network."""
    from volr.models.activations import Staircase
    from volr.models.first_spike import FirstSpike
    from volr.models.model import SpikingModel

    if isinstance(model, SpikingModel):
        return isinstance(model.coding, FirstSpike)
    return isinstance(model.activation, Staircase)


def explain_whole_numbers(
    loaded: ModelFile,
    file: Path,
    ann: Path | None,
    on: SpikingBackend,
    task: Task,
    data: Path | None,
    *,
    split: int,
    samples: int,
    given: Collection[str],
    as_json: bool,
) -> None:
    """Explain a model with whole numbers, of ``file``.

    ``split`` is the seed of the task's data. ``given`` are the options of transfers that were
    given: nothing is transferred here, so they are refused.
    """
    from volr.exact.first_spikes import from_first_spikes
    from volr.explanation.display import exact_parts, loss_parts
    from volr.explanation.exact import explain_exact
    from volr.explanation.mixtures import mixture_of
    from volr.explanation.quantisation import QuantisationLoss, explain_quantisation
    from volr.models.model import SpikingModel

    refuse(given, f"options of a transfer, and {file} has whole numbers, which need none")
    model = loaded.model
    whole = from_first_spikes(model) if isinstance(model, SpikingModel) else model
    is_told = False
    try:
        trained = _trained(loaded, file, ann, whole)
        if trained is not None and ann is None:
            mixture_of(trained, whole)
    except (ModelError, ModelFileError) as error:
        # The proof needs no ANN.
        if ann is not None or not isinstance(model, SpikingModel):
            raise
        trained, is_told = None, True
        note(f"what quantisation cost is not known: {error.message} ({error.help})")
    with progress_bar() as progress:
        progress(f"loading {task.name}", 0, None)
        size = model.network.input_size
        shown = task.load(seed=split, inputs=size, data_dir=data).test.first(samples)
        if isinstance(model, SpikingModel):
            found = explain_exact(model, shown, on, ann=trained, progress=progress)
        elif trained is not None:
            found = explain_quantisation(trained, model, shown, progress=progress)
        else:
            raise ModelError(
                f"{file} does not say which ANN was quantised, so there is nothing to compare it "
                "with",
                help="name it with --ann MODEL; a model that was trained with levels has none",
            )
    if as_json:
        _print_json(found, task.name)
        return
    if isinstance(found, QuantisationLoss):
        print_parts((found.summary, *loss_parts(found)))
        return
    print_parts(exact_parts(found, model.network))
    if found.quantisation is None and not is_told:
        note("--ann MODEL, the ANN before it was quantised, shows what quantisation cost")


def _print_json(found: ExactExplanation | QuantisationLoss, task: str) -> None:
    from volr.explanation.exact import ExactExplanation

    content = {"task": task, "summary": found.summary, **asdict(found)}
    if isinstance(found, ExactExplanation):
        content["proof"] = proof_json(found.proof)
    print_json(content)


def _trained(
    loaded: ModelFile, file: Path, ann: Path | None, whole: ArtificialModel
) -> ArtificialModel | None:
    """The network with ReLU that a model with whole numbers comes from; None if it is not known.

    It is ``ann``, or the one that the file names. Where that is a staircase network, it must be the
    same one, and its own file names the next.
    """
    from volr.exact.first_spikes import first_difference, to_first_spikes
    from volr.models.activations import Staircase

    at, origin, seen = file, loaded.origin, set[Path]()
    while (found := source_of(at, origin, ann)) is not None and found.path.resolve() not in seen:
        seen.add(found.path.resolve())
        if found.model.network != whole.network:
            raise ModelError(
                f"{file} and {found.path} are not of the same network",
                help="name the ANN that was quantised, with --ann MODEL",
            )
        if not isinstance(found.model.activation, Staircase):
            return found.model
        if wrong := first_difference(to_first_spikes(found.model), to_first_spikes(whole)):
            raise ModelError(
                f"{file} does not compute the whole numbers of {found.path}: {wrong}",
                help="name the ANN that it came from, with --ann MODEL",
            )
        at, origin, ann = found.path, found.origin, None
    return None
