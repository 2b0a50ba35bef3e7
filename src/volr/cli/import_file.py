"""``import``: NIR and ONNX files as models."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import typer

from volr.cli import options
from volr.cli.options import KIND, MisplacedError, given, option, refuse, with_options
from volr.cli.output import emit, note
from volr.cli.output_files import check_writable, save_made
from volr.cli.progress import patience
from volr.cli.spiking_options import RESET, STEP, TIME

if TYPE_CHECKING:
    from volr.importing import ImportedModel
    from volr.models.model import ArtificialModel, Model

File = Annotated[
    Path, typer.Argument(readable=False, metavar="FILE", help="A NIR or an ONNX file.")
]
OF_NIR, OF_ONNX = "NIR files", "ONNX files"


def _step() -> str:
    from volr.backends.nir.time_unit import DEFAULT_DT

    return f"the file's own, or {DEFAULT_DT:g}"


def _steps() -> str:
    from volr.backends.nir.read import DEFAULT_STEPS

    return f"{DEFAULT_STEPS} steps"


@dataclass(frozen=True)
class OfNir:
    """What a NIR file leaves open."""

    panel: ClassVar[str] = OF_NIR

    generation: Literal["ann", "snn"] | None = option(
        None, KIND, flags="--as", unless="snn where it has neurons"
    )
    time_unit: Literal["s", "ms"] | None = option(
        None, "Unit of the file's time constants.", unless="inferred from them"
    )
    dt: float | None = option(None, STEP, "MS", unless=_step)
    duration: float | None = option(None, TIME, "MS", unless=_steps)
    signal: Literal["euler", "jump", "step", "impulse"] | None = option(
        None,
        "How an input acts in a step: by Euler's method, as a jump of the membrane, held for the "
        "step, or as an impulse of area 1.",
        unless="euler",
    )
    reset: Literal["hard", "subtract"] | None = option(None, RESET, unless="hard")


@dataclass(frozen=True)
class OfOnnx:
    """What an ONNX file leaves open: its stimuli."""

    panel: ClassVar[str] = OF_ONNX

    shape: str | None = option(
        None, "Shape of one stimulus, such as 3,32,32.", "N,…", unless="the file's own"
    )
    inputs: str | None = option(
        None,
        "Least and largest number that the network was trained on, before it is normalised.",
        "LOW,HIGH",
        unless="0,1",
    )
    mean: str | None = option(
        None, "What normalisation subtracts, one number or one by channel.", "X,…", unless="0"
    )
    deviation: str | None = option(
        None, "What normalisation divides by, one number or one by channel.", "X,…", unless="1"
    )


@with_options
def import_file(
    ctx: typer.Context, file: File, out: options.Out, *, of_nir: OfNir, of_onnx: OfOnnx
) -> None:
    """Make a model of a NIR or an ONNX file.

    The model can then be trained, transferred, verified and run on any back end. A file that Volr
    wrote has all settings of its model, and takes no options but `--out`.
    """
    from volr.backends.foreign_files import SAYS_ALL, SettingInFileError
    from volr.importing import is_onnx

    check_writable(out, source=file)
    try:
        with patience("reading"):
            if is_onnx(file):
                refuse(
                    given(ctx, OF_NIR).values(),
                    f"{file} is an ONNX file, which leaves no such thing open",
                )
                found = _of_onnx(file, of_onnx)
            else:
                refuse(given(ctx, OF_ONNX).values(), f"{file} is no ONNX file")
                found = _of_nir(file, of_nir)
    except SettingInFileError as error:
        named = [_OPTIONS.get(each, f"--{each}") for each in error.settings]
        raise MisplacedError(f"{file} {SAYS_ALL}; leave out {', '.join(named)}") from error
    save_made(found.model, out)
    for each in found.notes:
        note(each)
    emit(_described(found.model))
    note(f"wrote {out}")


_OPTIONS = {"generation": "--as", "time_unit": "--time-unit"}
"""Settings that have another name on the command line."""


def _of_nir(file: Path, of_nir: OfNir) -> ImportedModel[Model]:
    from volr.importing import import_nir

    settings: dict[str, Any] = {each.name: getattr(of_nir, each.name) for each in fields(of_nir)}
    if of_nir.generation is not None:
        settings["generation"] = of_nir.generation.upper()
    return import_nir(file, **settings)


def _of_onnx(file: Path, of_onnx: OfOnnx) -> ImportedModel[ArtificialModel]:
    from volr.importing import import_onnx

    settings: dict[str, Any] = {
        each.name: _numbers(text, each.name)
        for each in fields(of_onnx)
        if (text := getattr(of_onnx, each.name)) is not None
    }
    if (shape := settings.get("shape")) is not None:
        settings["shape"] = _whole(shape)
    if len(settings.get("inputs", (0, 1))) != 2:
        raise typer.BadParameter("give two numbers, such as 0,255", param_hint="--inputs")
    return import_onnx(
        file,
        **{
            name: each[0] if len(each) == 1 and name in _ONE else each
            for name, each in settings.items()
        },
    )


_ONE = ("mean", "deviation")


def _numbers(text: str, name: str) -> list[float]:
    try:
        return [float(each) for each in text.split(",")]
    except ValueError as error:
        raise typer.BadParameter(
            f"{text!r} is no list of numbers, such as 1,2", param_hint=f"--{name}"
        ) from error


def _whole(sizes: list[float]) -> tuple[int, ...]:
    if not all(each.is_integer() for each in sizes):
        raise typer.BadParameter("sizes are whole numbers", param_hint="--shape")
    return tuple(int(each) for each in sizes)


def _described(model: Model) -> str:
    from volr.models.display import artificial_kind, spiking_kind
    from volr.models.model import ArtificialModel

    source = model.network.source
    program = "" if source is None else source.text.strip()
    if isinstance(model, ArtificialModel):
        return f"{program}\n{artificial_kind(model)}\n"
    own = {name: model.neuron_of(name).name for name in model.neurons}
    by_unit = {name: len(model.units_of(name).kinds) > 1 for name in own}
    others = "".join(
        f"{name} has {neuron} neurons of its own{', which differ by unit' * by_unit[name]}\n"
        for name, neuron in own.items()
    )
    return f"{program}\n{spiking_kind(model)}\n{others}"
