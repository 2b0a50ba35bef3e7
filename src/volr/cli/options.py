"""Options: how they are declared, shown in groups, and refused where they do not belong.

They stand one by one in a command's signature, or are the fields of a record:

    def command(task: Task, seed: int = option(0, "First seed.", "N", least=0), *, group: Group)

A record is for options that several commands share, or that are handed on together. Each of its
fields is an option of the command (``with_options``), all under the heading ``panel`` of help.
Nobody else makes such a record: the defaults of its fields are options, and not values.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Collection, Iterator
from copy import copy
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer
from typer.core import TyperCommand
from typer.models import OptionInfo

from volr.cli.output import writing

ARTIFICIAL = "Artificial networks"
SPIKING = "Spiking networks"
LEARNING = "Training"
THROUGH_SPIKES = "Training of spiking networks"
CALIBRATION = "Calibration"
MACHINES = "Who does the work"
"""Headings of help, which options are grouped under."""
_REST = "Options"
_OF_NEURONS = ("-p", "--neuron-parameter")


def option(
    default: Any,
    help: str,
    metavar: str | None = None,
    *,
    flags: str = "",
    least: float | None = None,
    most: float | None = None,
    unless: str | None = None,
    panel: str | None = None,
) -> Any:
    """An option. Its name is the parameter's, unless ``flags`` are given, and its value is called
    ``metavar`` in help. ``unless`` says in words what happens without the option.
    """
    return typer.Option(
        default,
        *flags.split(),
        metavar=metavar,
        help=help,
        min=least,
        max=most,
        show_default=True if unless is None else unless,
        rich_help_panel=panel,
        # Typer does not try a path, and so does not take a file that cannot be read for wrong
        # usage. The command opens it, and says what is wrong with it.
        readable=False,
    )


def count(default: int | None, help: str, *, least: int = 1, **more: Any) -> Any:
    """An option that is a whole number from ``least`` up; ``more`` are those of ``option``."""
    return option(default, help, "N", least=least, **more)


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

    @functools.wraps(command)
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
        yield _parameter(each.name, hints[each.name], each.default, record.panel)


def _parameter(name: str, hint: Any, default: Any, panel: str | None = None) -> inspect.Parameter:
    """With an option that is its default in the annotation, as Typer has it."""
    if isinstance(default, OptionInfo):
        info = copy(default)
        default, info.default = info.default, ...
        info.rich_help_panel = info.rich_help_panel or panel
        hint = Annotated[hint, info]
    kind = inspect.Parameter.KEYWORD_ONLY
    return inspect.Parameter(name, kind, default=default, annotation=hint)


class Command(TyperCommand):
    """A command whose help is a result, is written as one, and has its options by group (Typer's
    ``rich_help_panel``).
    """

    def make_context(self, *args: Any, **kwargs: Any) -> Any:
        # The options are read here, and `--help` prints and ends the command; no file is opened.
        with writing():
            return super().make_context(*args, **kwargs)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        has_parameters = any("-p" in each.opts for each in self.get_params(ctx))
        for option, name, value in zip(args, args[1:], args[2:], strict=False):
            if has_parameters and option in _OF_NEURONS and "=" not in name and _is_number(value):
                raise MisplacedError(f"{option} {name} {value}: write {name}={value}", ctx=ctx)
        return super().parse_args(ctx, args)

    def format_options(self, ctx: Any, formatter: Any) -> None:
        groups: dict[str, list[tuple[str, str]]] = {"Arguments": [], _REST: []}
        for each in self.get_params(ctx):
            if (record := each.get_help_record(ctx)) is not None:
                groups.setdefault(_group(each), []).append(record)
        for title, records in groups.items():
            if records:
                with formatter.section(title):
                    formatter.write_dl(records)


class MisplacedError(typer.BadParameter):
    """An option that does not go with the others: its message is the whole of it."""

    def format_message(self) -> str:
        return self.message


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def given(ctx: typer.Context, *groups: str) -> dict[str, str]:
    """The options of these groups that are on the command line: long names by parameters."""
    return {
        each.name: max(each.opts, key=len)
        for each in ctx.command.params
        if _group(each) in groups and _is_given(ctx, each.name)
    }


def refuse(options: Collection[str], why: str) -> None:
    """Raise ``MisplacedError``, a matter of usage, where there are any."""
    if options:
        raise MisplacedError(f"{', '.join(options)}: {why}")


def _group(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        return "Arguments"
    return getattr(parameter, "rich_help_panel", None) or _REST


def _is_given(ctx: typer.Context, name: str) -> bool:
    source = ctx.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


# Arguments and options that several commands have.
Program = Annotated[str, typer.Argument(metavar="FILE", help="A program; - is standard input.")]
Model = Annotated[Path, typer.Argument(readable=False, metavar="MODEL", help="A model file.")]
Task = Annotated[str, option(..., "nand, xor, digits, mnist or mnist-parallel.", "TASK")]
Out = Annotated[Path, option(..., "Model file to write.", "FILE")]
Json = Annotated[bool, option(..., "Print JSON.", flags="--json")]
Activation = Annotated[
    str,
    option(..., "Hidden activation: relu, sigmoid, tanh or identity.", "NAME", panel=ARTIFICIAL),
]
DataFolder = Annotated[
    Path | None,
    option(..., "Folder with MNIST's four files.", "DIR", unless="$VOLR_DATA, else a download"),
]
SettingsFile = Annotated[
    Path | None,
    option(
        ...,
        "Settings, such as `volr search` writes; options given beside it come first.",
        "FILE",
        flags="--settings",
    ),
]
