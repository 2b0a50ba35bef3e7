"""The results of ``volr verify``, printed and as JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from volr.backends import target
from volr.cli.output import note, print_parts, show_error
from volr.errors import UnsupportedError, VolrError
from volr.verification import Unverified, Verification
from volr.verification.display import outcome_parts, said, silence_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from volr.verification.verify import Outcome


def outcome_json(found: Outcome) -> dict[str, Any]:
    """One back end; ``status`` is ``verified``, ``refused`` or ``failed``."""
    head = {"name": found.name, "generation": found.generation}
    if isinstance(found, Unverified):
        return {**head, "status": found.status, "reason": found.reason, "help": found.help}
    return {
        **head,
        "status": "verified",
        "topology": said(equal=found.topology),
        "parameters": said(equal=found.parameters),
        "asked": found.comparison.asked,
        "told": found.comparison.told,
        "fields": {
            name: {
                "asked": each.asked,
                "told": each.told,
                "how": [*each.notes],
                "why_told": [*each.why],
            }
            for name, each in found.comparison.fields.items()
        },
        "differences": [
            {name: getattr(each, name) for name in ("kind", "field", "where", "message", "cause")}
            for each in found.differences
        ],
        "behaviour": None if found.behaviour is None else asdict(found.behaviour),
    }


def print_outcomes(outcomes: Sequence[Outcome]) -> None:
    """Print a table of the comparisons, one of what was asked, and every difference."""
    for each in outcomes:
        if isinstance(each, Verification) and (warning := silence_of(each)) is not None:
            note(warning)
    print_parts(outcome_parts(outcomes))


def show_outcome(found: Unverified) -> None:
    """Print to stderr why a back end could not be compared."""
    if isinstance(found.error, VolrError):
        show_error(found.error)
    else:
        note(f"{found.name} failed: {found.reason}")


def left_out_lines(left_out: Sequence[Unverified]) -> list[str]:
    """A line for each reason: the back ends that it holds for, and its place in the program."""
    names: dict[tuple[str, str, bool], list[str]] = {}
    for each in left_out:
        # A message begins with the name of a document, a table has its title: brian2.py.
        subject = f"{target(each.name).name} "
        said = each.reason.removeprefix(subject) + _place(each.error)
        key = (each.generation, said, each.reason.startswith(subject))
        names.setdefault(key, []).append(each.name)
    return [
        f"left out, {generation}: {', '.join(found)}"
        + (": each " if is_told and len(found) > 1 else " " if is_told else ": ")
        + said
        for (generation, said, is_told), found in names.items()
    ]


def _place(error: Exception) -> str:
    """Where in the program the error is, after its message."""
    if not isinstance(error, UnsupportedError) or error.diagnostic is None or error.source is None:
        return ""
    start = error.source.position(error.diagnostic.span.start)
    return f" ({error.source.name}:{start.line}:{start.column})"
