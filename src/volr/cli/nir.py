"""``import`` and ``lint``: NIR files as models, and what other tools make of them."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from volr.cli import options
from volr.cli.options import KIND, MisplacedError, option, with_options
from volr.cli.output import emit, note, print_json, print_table
from volr.cli.output_files import check_writable, save_made
from volr.cli.spiking_options import RESET, STEP, TIME

if TYPE_CHECKING:
    from collections.abc import Sequence

    from volr.backends.nir.lint import Finding
    from volr.backends.nir.read import Generation
    from volr.models.model import Model

NirFile = Annotated[Path, typer.Argument(readable=False, metavar="FILE.nir", help="A NIR file.")]


def _step() -> str:
    from volr.backends.nir.time_unit import DEFAULT_DT

    return f"the file's own, or {DEFAULT_DT:g}"


def _steps() -> str:
    from volr.backends.nir.read import DEFAULT_STEPS

    return f"{DEFAULT_STEPS} steps"


@with_options
def import_nir(
    file: NirFile,
    out: options.Out,
    generation: Literal["ann", "snn"] | None = option(
        None, KIND, flags="--as", unless="snn where it has neurons"
    ),
    time_unit: Literal["s", "ms"] | None = option(
        None, "Unit of the file's time constants.", unless="inferred from them"
    ),
    dt: float | None = option(None, STEP, "MS", unless=_step),
    duration: float | None = option(None, TIME, "MS", unless=_steps),
    signal: Literal["euler", "jump", "step", "impulse"] | None = option(
        None,
        "How an input acts in a step: by Euler's method, as a jump of the membrane, held for the "
        "step, or as an impulse of area 1.",
        unless="euler",
    ),
    reset: Literal["hard", "subtract"] | None = option(None, RESET, unless="hard"),
) -> None:
    """Make a model of a NIR file.

    The model can then be trained, verified and run on any back end. A file that Volr wrote has all
    settings of its model, and takes no options but `--out`.
    """
    from volr.backends.nir.read import SAYS_ALL, SettingInFileError
    from volr.importing import import_nir as imported

    check_writable(out, source=file)
    kinds: dict[str, Generation] = {"ann": "ANN", "snn": "SNN"}
    try:
        found = imported(
            file,
            generation=None if generation is None else kinds[generation],
            time_unit=time_unit,
            dt=dt,
            duration=duration,
            signal=signal,
            reset=reset,
        )
    except SettingInFileError as error:
        options = [_OPTIONS.get(each, f"--{each}") for each in error.settings]
        raise MisplacedError(f"{file} {SAYS_ALL}; leave out {', '.join(options)}") from error
    save_made(found.model, out)
    for each in found.notes:
        note(each)
    emit(_described(found.model))
    note(f"wrote {out}")


_OPTIONS = {"generation": "--as", "time_unit": "--time-unit"}
"""Settings that have another name on the command line."""


def _described(model: Model) -> str:
    from volr.models.model import ArtificialModel

    source = model.network.source
    program = "" if source is None else source.text.strip()
    if isinstance(model, ArtificialModel):
        return f"{program}\nan ANN with the activation {model.activation.name}\n"
    return (
        f"{program}\n"
        f"an SNN of {model.neuron.name} neurons, {model.steps} steps of {model.dt:g} ms\n"
    )


def lint(file: NirFile, as_json: options.Json = False) -> None:
    """Tell what each importer makes of a NIR file.

    The importers are Volr, Norse, snnTorch, SpikingJelly and sinabs. The exit code is 1 if one of
    them refuses the file or reads another network.
    """
    from volr.backends.nir.lint import lint as examined

    found = examined(file)
    if as_json:
        print_json({"findings": [asdict(each) for each in found]})
    else:
        _print(found)
    if any(each.severity != "note" for each in found):
        raise typer.Exit(1)


def _print(findings: Sequence[Finding]) -> None:
    if not findings:
        emit("every known importer reads it as it is\n")
        return
    print_table(
        ("importer", "severity", "node", "what becomes of it"),
        [(each.importer, each.severity, each.node, each.message) for each in findings],
        left=4,
    )
