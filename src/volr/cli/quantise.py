"""``quantise``: a trained network becomes one of whole numbers, with a report of what it cost."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from volr.cli import options
from volr.cli.input_files import data_for, read_model
from volr.cli.options import count, given_values, option, with_options
from volr.cli.output import note, print_json, print_parts
from volr.cli.output_files import check_writable, path_from, save_made
from volr.cli.progress import progress_bar
from volr.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from volr.experiments.run_progress import RunProgress
    from volr.model_files.model_file import ModelFile, Origin
    from volr.quantisation import Quantisation


@dataclass(frozen=True, kw_only=True)
class Levels:
    """The options of ``QuantisationSettings``."""

    panel: ClassVar = options.QUANTISATION
    source: ClassVar = "volr.quantisation:QuantisationSettings"
    levels: int | None = count(None, "Levels of an activation, 0 aside.", least=2)


@dataclass(frozen=True, kw_only=True)
class Quantised(Levels):
    """The same where nothing else is measured."""

    percentile: float | None = option(
        None,
        "Percentile of a population's activations that counts as full.",
        "X",
        unless="the best of 99, 99.9, 99.99 and 100",
    )
    calibration_samples: int | None = count(
        None,
        "Training stimuli to calibrate on.",
        flags="--calibration-samples --samples",
        of="volr.quantisation:QuantisationSettings.samples",
    )
    seed: int | None = options.seed(
        None, "the stimuli that are looked at.", unless="the model's own"
    )


@with_options
def quantise(
    model: options.Model,
    task: options.Task,
    out: options.Out,
    data: options.DataFolder = None,
    *,
    quantised: Quantised,
    as_json: options.Json = False,
) -> None:
    """Make a trained model one of whole numbers.

    Such a model can be transferred without any loss (`volr transfer --coding first-spike`). Nothing
    is trained. Activations become stairs of some levels, whose heights come from training stimuli,
    and weights become whole numbers. The report says what that cost.
    """
    from volr.quantisation.display import quantisation_parts

    loaded = read_model(model)
    check_writable(out, source=model)
    with progress_bar() as progress:
        done, origin = quantised_of(loaded, model, task, data, given_values(quantised), progress)
    save_made(done.model, out, {**origin, "ann": path_from(out, model)})
    if as_json:
        print_json(asdict(done.report))
    else:
        print_parts(quantisation_parts(done.report))
    note(f"wrote {out}")


def quantised_of(
    loaded: ModelFile,
    path: Path,
    task: str,
    data: Path | None,
    given: Mapping[str, Any],
    progress: RunProgress,
) -> tuple[Quantisation, Origin]:
    """The quantised model of a file, and its origin.

    ``given`` are options by name. Raises as the command does.
    """
    from volr.experiments.evaluation import data_entries, data_seed
    from volr.experiments.run_progress import of_quantisation
    from volr.experiments.tasks import task as find_task
    from volr.models.activations import Staircase
    from volr.models.model import ArtificialModel
    from volr.quantisation import QuantisationSettings
    from volr.quantisation import quantise as quantise_model
    from volr.quantisation.quantise import check_quantisable

    chosen = find_task(task)
    if not isinstance(loaded.model, ArtificialModel):
        raise ModelError(
            f"{path} is a spiking model", help="quantise the artificial one it came from"
        )
    if isinstance(loaded.model.activation, Staircase):
        raise ModelError(
            f"{path} is quantised already, to {loaded.model.activation.levels} levels",
            help="`volr transfer --coding first-spike` makes it a spiking model",
        )
    check_quantisable(loaded.model)
    split = data_seed(loaded.origin, task, given.get("seed"))
    taken = {name.removeprefix("calibration_"): each for name, each in given.items()}
    settings = QuantisationSettings(**{"seed": split, **taken})
    network = loaded.model.network
    chosen = data_for(chosen, network, loaded.origin, data)
    progress(f"loading {task}", 0, None)
    stimuli = chosen.load(seed=split, inputs=network.input_size, data_dir=data).train
    done = quantise_model(loaded.model, stimuli, settings, progress=of_quantisation(progress))
    origin = {
        **data_entries(chosen, split),
        **loaded.origin,
        "task": task,
        "seed": split,
        "condition": "ann-quantised",
    }
    return done, origin
