"""A command: its help in groups, and help for a frequent slip."""

from __future__ import annotations

from functools import partial
from typing import Any

from typer.core import TyperCommand

from volr.cli.options import REST, MisplacedError, group
from volr.cli.output import writing

_OF_NEURONS = ("-p", "--neuron-parameter")


class Command(TyperCommand):
    """A command whose help groups its options by Typer's ``rich_help_panel``."""

    def make_context(self, *args: Any, **kwargs: Any) -> Any:
        # This reads the options, and `--help` prints. No file is opened.
        with writing():
            return super().make_context(*args, **kwargs)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        has_parameters = any("-p" in each.opts for each in self.get_params(ctx))
        for option, name, value in zip(args, args[1:], args[2:], strict=False):
            if has_parameters and option in _OF_NEURONS and "=" not in name and _is_number(value):
                raise MisplacedError(f"{option} {name} {value}: write {name}={value}", ctx=ctx)
        return super().parse_args(ctx, args)

    def format_options(self, ctx: Any, formatter: Any) -> None:
        groups: dict[str, list[tuple[str, str]]] = {"Arguments": [], REST: []}
        for each in self.get_params(ctx):
            _prepare_help(each)
            if (record := each.get_help_record(ctx)) is not None:
                groups.setdefault(group(each), []).append(record)
        for title, records in groups.items():
            if records:
                with formatter.section(title):
                    formatter.write_dl(records)


def _prepare_help(parameter: Any) -> None:
    """Find what help is to show as the default, and leave out former names."""
    shown = getattr(parameter, "show_default", None)
    if isinstance(shown, partial):
        parameter.default, parameter.show_default = shown(), True
    elif callable(shown):
        parameter.show_default = shown()
    names = [each for each in parameter.opts if each.startswith("--")]
    parameter.opts = [each for each in parameter.opts if each not in names[1:]]


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
