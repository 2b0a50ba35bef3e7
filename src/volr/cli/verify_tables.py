"""The results of ``volr verify`` as tables and as JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from volr.backends import target
from volr.backends.readback import METADATA
from volr.cli.output import emit, note, print_table, show_error
from volr.errors import UnsupportedError, VolrError
from volr.verification import Unverified, Verification

if TYPE_CHECKING:
    from collections.abc import Sequence

    from volr.verification.verify import Outcome

NOTHING = "–"


def outcome_json(found: Outcome) -> dict[str, Any]:
    """One back end; ``status`` is ``verified``, ``refused`` or ``failed``."""
    head = {"name": found.name, "generation": found.generation}
    if isinstance(found, Unverified):
        return {**head, "status": found.status, "reason": found.reason, "help": found.help}
    return {
        **head,
        "status": "verified",
        "topology": _said(equal=found.topology),
        "parameters": _said(equal=found.parameters),
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
    print_table(
        ("back end", "generation", "topology", "parameters", "behaviour"),
        [_row(each) for each in outcomes],
        left=5,
    )
    verified = [each for each in outcomes if isinstance(each, Verification)]
    if verified:
        emit("\n")
        print_table(
            ("back end", "generation", "asked", "told", "what was told"),
            [_asked(each) for each in verified],
            left=5,
        )
    for each in verified:
        _print_differences(each)


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


def _row(found: Outcome) -> tuple[str, ...]:
    if isinstance(found, Unverified):
        return (found.name, found.generation, NOTHING, NOTHING, found.status)
    equal = _said(equal=found.topology), _said(equal=found.parameters)
    return (found.name, found.generation, *equal, _behaviour(found))


def _asked(found: Verification) -> tuple[str, ...]:
    """The numbers asked and told, and the fields that were told or come from our metadata."""
    comparison = found.comparison
    fields = {name.rpartition(".")[2]: each for name, each in comparison.fields.items()}
    told = ", ".join(name for name, each in fields.items() if each.told)
    ours = ", ".join(name for name, each in fields.items() if METADATA in each.notes)
    said = (told, f"metadata: {ours}" if ours else "")
    counts = f"{comparison.asked:,}", f"{comparison.told:,}"
    return (found.name, found.generation, *counts, "; ".join(filter(None, said)) or NOTHING)


def _said(*, equal: bool) -> str:
    return "equal" if equal else "different"


def _behaviour(found: Verification) -> str:
    if found.behaviour is None:
        return "what the others are held to" if found.name == "reference" else "a document"
    what = "outputs" if found.generation == "ANN" else "spike trains"
    what += " and membranes" if found.behaviour.membranes else ""
    said = f"{found.behaviour.equal:,} of {found.behaviour.compared:,} {what} equal"
    return said + (f", {found.behaviour.silent:,} silent" if found.behaviour.silent else "")


def _print_differences(found: Verification) -> None:
    behaviour = found.behaviour
    if behaviour is not None and 0 < behaviour.compared == behaviour.silent:
        note(f"{found.name}: no neuron spiked, so equal spikes prove nothing")
    for difference in found.differences:
        emit(f"\n{found.name}: {difference.kind}: {difference}")
    if behaviour is not None and (first := behaviour.first_difference) is not None:
        place = f"stimulus {first.stimulus}, {first.population}[{first.neuron}]"
        if first.step is None:
            what = f"{first.found:.7g}, expected {first.expected:.7g}"
        else:
            place += f", step {first.step}"
            what = "a spike" if first.found else "no spike"
            what += f" at {first.membrane:.6f} mV, expected {'one' if first.expected else 'none'}"
        emit(f"\n{found.name}: first difference: {place}: {what}\n  {first.cause}")
    if not found.equal:
        emit("\n")
