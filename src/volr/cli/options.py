"""Options: how they are declared, shown in groups, and refused where they do not belong.

They stand one by one in a command's signature, or are the fields of a record:

    def command(task: Task, trials: int = count(45, "How many to make."), *, group: Group)

A record is for options that several commands share, or that are handed on together. Each of its
fields is an option of the command (``with_options``), all under the heading ``panel`` of help.
Only ``with_options`` makes such a record: the defaults of its fields are options, not values.

**Defaults.** A setting has one default, in the library's record of settings. So the option of a
setting is None by default. Help reads the default from the field of the same name in ``source``,
which a record of options names, or from ``of``. Commands pass on only the options that are given
(``given_values``).

**Meaning.** An option means the same in every command. Its help begins with the same words
everywhere; what a command adds stands behind a colon.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterator, Sequence
from copy import copy
from dataclasses import fields, is_dataclass
from functools import partial, wraps
from pathlib import Path
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_type_hints

import typer
from typer.models import OptionInfo

from volr.cli import completion

if TYPE_CHECKING:
    from volr.models import activations

ARTIFICIAL = "Artificial networks"
SPIKING = "Spiking networks"
LEARNING = "Training"
THROUGH_SPIKES = "Training of spiking networks"
CALIBRATION = "Calibration"
QUANTISATION = "Quantisation"
MACHINES = "Who does the work"
"""Headings of help, which options are grouped under."""
REST = "Options"


def option(
    default: Any,
    help: str,
    metavar: str | None = None,
    *,
    flags: str = "",
    least: float | None = None,
    most: float | None = None,
    of: str | None = None,
    unless: str | Callable[[], str] | None = None,
    panel: str | None = None,
    names: Sequence[str] = (),
    or_file: bool = False,
) -> Any:
    """An option.

    Its name is the parameter's, or the first long one of ``flags``; other long ones are former
    names, which help leaves out. Its value is called ``metavar`` in help. ``of`` is where the
    default of a setting stands, as ``"package.module:Record.field"``. ``unless`` says in words what
    happens without the option; a function is called when help is shown. A shell completes
    ``names``, as ``completion.among`` does.
    """
    made = typer.Option(
        default,
        *flags.split(),
        metavar=metavar,
        help=help,
        min=least,
        max=most,
        rich_help_panel=panel,
        autocompletion=completion.among(names, or_file=or_file) if names else None,
        # Typer would report a file that cannot be read as wrong usage. The command opens it, and
        # reports what is wrong.
        readable=False,
    )
    made.show_default = _default_at(of) if of else unless or True
    return made


def _default_at(place: str) -> Any:
    """What finds the default of a setting, when help is shown: its module takes long to import."""
    return partial(resolve_name, place)


def count(default: int | None, help: str, *, least: int = 1, **more: Any) -> Any:
    """An option that is a whole number from ``least`` up; ``more`` are those of ``option``."""
    return option(default, help, "N", least=least, **more)


def given_values(record: Any) -> dict[str, Any]:
    """Those options of a record that are given, by name."""
    values = {each.name: getattr(record, each.name) for each in fields(record)}
    return {name: value for name, value in values.items() if value is not None}


def with_options(command: Callable[..., None]) -> Callable[..., None]:
    """The command with an option for each field of the records that it takes."""
    hints = get_type_hints(command, include_extras=True)
    records: dict[str, Any] = {name: each for name, each in hints.items() if is_dataclass(each)}
    parameters: list[inspect.Parameter] = []
    for name, each in inspect.signature(command).parameters.items():
        if name in records:
            parameters += _parameters(records[name])
        else:
            parameters.append(_parameter(name, hints[name], each.default))

    @wraps(command)
    def run(**values: Any) -> None:
        for name, record in records.items():
            values[name] = record(**{each.name: values.pop(each.name) for each in fields(record)})
        command(**values)

    # Typer reads both.
    run.__annotations__ = {each.name: each.annotation for each in parameters}
    vars(run)["__signature__"] = inspect.Signature(parameters)
    return run


def _parameters(record: Any) -> Iterator[inspect.Parameter]:
    hints = get_type_hints(record, include_extras=True)
    for each in fields(record):
        default: Any = copy(each.default)
        is_open = isinstance(default, OptionInfo) and default.default is None
        if is_open and default.show_default is True and hasattr(record, "source"):
            default.show_default = _default_at(f"{record.source}.{each.name}")
        yield _parameter(each.name, hints[each.name], default, record.panel)


def _parameter(name: str, hint: Any, default: Any, panel: str | None = None) -> inspect.Parameter:
    """The parameter with its option in the annotation, where Typer expects it."""
    if isinstance(default, OptionInfo):
        hint, default = Annotated[hint, copy(default)], default.default
        hint.__metadata__[0].default = ...
    for each in getattr(hint, "__metadata__", ()):
        if panel is not None and each.rich_help_panel is None:
            hint = Annotated[hint.__origin__, copy(each)]
            hint.__metadata__[0].rich_help_panel = panel
    kind = inspect.Parameter.KEYWORD_ONLY
    return inspect.Parameter(name, kind, default=default, annotation=hint)


class MisplacedError(typer.BadParameter):
    """An option that does not go with the others. Its message is shown as it is."""

    def format_message(self) -> str:
        return self.message


def given(ctx: typer.Context, *groups: str) -> dict[str, str]:
    """The options of these groups that are on the command line: parameter and long name."""
    return {
        each.name: next(name for name in each.opts if name.startswith("--"))
        for each in ctx.command.params
        if group(each) in groups and _is_given(ctx, each.name)
    }


def refuse(options: Collection[str], why: str) -> None:
    """Raise ``MisplacedError``, which is wrong usage, if there are any of these options."""
    if options:
        raise MisplacedError(f"{', '.join(options)}: {why}")


def group(parameter: Any) -> str:
    """The heading of help that an option or argument stands under."""
    if parameter.param_type_name == "argument":
        return "Arguments"
    return getattr(parameter, "rich_help_panel", None) or REST


def _is_given(ctx: typer.Context, name: str) -> bool:
    source = ctx.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


# Arguments and options that several commands have.
TASKS = "nand, xor, digits, mnist, mnist-parallel or fashion."
OR_DATA = "or the path of a .npz file, of a folder of IDX files, or of images by class."
PROGRAMS = "or the name of one of Volr's: lenet, lenet-avgpool, residual"
Model = Annotated[Path, typer.Argument(readable=False, metavar="MODEL", help="A model file.")]
Program = Annotated[
    str,
    typer.Argument(
        metavar="FILE",
        help=f"A program, {PROGRAMS}; - is standard input.",
        autocompletion=completion.among(completion.PROGRAMS, or_file=True),
    ),
]
Task = Annotated[str, option(..., f"Task: {TASKS[:-1]}, {OR_DATA}", "TASK", names=completion.TASKS)]
Out = Annotated[Path, option(..., "Where to write: the model file.", "FILE")]
Json = Annotated[bool, option(..., "Print JSON.", flags="--json")]
Activation = Annotated[
    str | None,
    option(
        ...,
        "Hidden activation: relu, sigmoid, tanh or identity.",
        "NAME",
        of="volr.models.model:ArtificialModel.activation.name",
        names=completion.ACTIVATIONS,
        panel=ARTIFICIAL,
    ),
]
DataFolder = Annotated[
    Path | None,
    option(
        ...,
        "Folder with the four files of MNIST or of Fashion-MNIST.",
        "DIR",
        unless="$VOLR_DATA, else a download",
    ),
]
SettingsFile = Annotated[
    Path | None,
    option(
        ...,
        "Settings file, such as `volr search` writes; options on the command line win.",
        "FILE",
        flags="--settings",
    ),
]
KIND = "Kind of network: artificial or spiking."
Kind = Annotated[Literal["ann", "snn"], option(..., KIND, flags="--as")]
Device = Annotated[
    Literal["cpu", "cuda", "auto"],
    option(..., "Processor or GPU that the engine runs on; auto: a GPU if there is one."),
]


def activation_of(name: str | None) -> activations.Activation:
    """The activation of that name; without one, the default."""
    from volr.models.activations import activation
    from volr.models.model import ArtificialModel

    return ArtificialModel.activation if name is None else activation(name)


def on(
    default: str | None,
    what: str,
    names: Sequence[str],
    *,
    unless: str | None = None,
    panel: str | None = None,
) -> Any:
    """The option ``--on``; ``what`` says what runs there, and ``names`` has all that can."""
    said = f"Back end to run on: {what}"
    return option(default, said, "BACKEND", unless=unless, panel=panel, names=names)


def seed(default: int | None, what: str, *, unless: str | None = None) -> Any:
    """The option ``--seed``; ``what`` says what is drawn with it."""
    most = 2**63 - 1  # what a model file keeps
    return count(default, f"Seed of what is random: {what}", least=0, most=most, unless=unless)


def samples(default: int | None, what: str = "", *, unless: str | None = None) -> Any:
    """The option ``--samples``."""
    return count(default, f"Number of test samples{what}.", unless=unless)
