"""Commands with their options in groups: a help that reads well, and refusals of what belongs
elsewhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperCommand

from volr.cli.output import writing

if TYPE_CHECKING:
    from collections.abc import Collection

_REST = "Options"
_OF_NEURONS = ("-p", "--neuron-parameter")


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
