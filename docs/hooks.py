"""What MkDocs makes of the repository: pages from files beside `docs/`, and the command line.

    README.md, CONTRIBUTING.md, CHANGELOG.md    index, contributing, changelog
    volr.experiments.report.font                assets/volr.ttf
    <!-- commands -->                           every command of `volr`, of its Typer application

Comments in the source that tell the tests what to do with a snippet (``tests/docs/snippets.py``)
are left out: they are no business of a reader's.

It is imported by MkDocs alone, which `mkdocs.yml` tells to.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mkdocs.structure.files import File
from typer.main import get_command

from volr.cli.app import app
from volr.experiments.report.font import font

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files

ROOT = Path(__file__).resolve().parents[1]
BESIDE = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
}
COMMANDS = "<!-- commands -->"
_LINK = re.compile(r"\]\(((?:\.\./)*)([\w./-]+)")
_NOTE = re.compile(r"^<!-- (?:not run|in the tests|needs): .+ -->\n", re.MULTILINE)


def on_files(files: Files, config: MkDocsConfig, **_: Any) -> Files:
    """Add the pages whose text lies beside `docs/`, and the font."""
    for name, page in BESIDE.items():
        text = (ROOT / name).read_text(encoding="utf-8")
        files.append(File.generated(config, page, content=_LINK.sub(_from_root, text)))
    files.append(File.generated(config, "assets/volr.ttf", content=font()))
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Put in what is generated, and take out the notes for the tests."""
    if COMMANDS in markdown:
        markdown = markdown.replace(COMMANDS, command_line())
    return _NOTE.sub("", _LINK.sub(_from_docs, markdown))


def command_line() -> str:
    """Every command with its arguments and options, as Markdown."""
    commands: dict[str, Any] = vars(get_command(app))["commands"]
    return "\n\n".join(_command(name, command) for name, command in commands.items())


def _command(name: str, command: Any) -> str:
    context = command.make_context(name, [], resilient_parsing=True)
    usage = " ".join(["volr", name, *command.collect_usage_pieces(context)])
    groups: dict[str, list[str]] = {}
    for parameter in command.get_params(context):
        if (record := parameter.get_help_record(context)) is not None:
            groups.setdefault(_group(parameter), []).append(_row(*record))
    parts = [f"## volr {name}", f"```\n{usage}\n```", command.help.replace("\b\n", "")]
    parts += [
        "\n".join([f"| {title} | meaning | default and limits |", "| --- | --- | --- |", *rows])
        for title, rows in groups.items()
    ]
    return "\n\n".join(parts)


def _row(names: str, text: str) -> str:
    meaning, bracket, limits = text.partition("  [")
    cells = (f"`{names}`", meaning, limits.removesuffix("]") if bracket else "")
    # A bar inside backticks is none of the table's.
    return f"| {' | '.join(' '.join(each.split()) for each in cells)} |"


def _group(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        return "arguments"
    return (getattr(parameter, "rich_help_panel", None) or "options").lower()


def _from_root(link: re.Match[str]) -> str:
    """A link of the README's: to a page in `docs/`, or to one of those beside it."""
    return f"]({BESIDE.get(link[2], link[2].removeprefix('docs/'))}"


def _from_docs(link: re.Match[str]) -> str:
    """A link of a page's: up and out of `docs/` leads to a page that was taken in."""
    if link[2] not in BESIDE or not link[1]:
        return link[0]
    return f"]({link[1].removeprefix('../')}{BESIDE[link[2]]}"
