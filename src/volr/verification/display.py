"""What verifications show: comparisons in tables, every difference, and whole numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from volr.backends.readback import METADATA
from volr.display.parts import Table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from volr.checks.arrays import Integers
    from volr.display.parts import Part
    from volr.network import Network
    from volr.verification.verify import Outcome, Verification
    from volr.verification.whole_numbers import Agreement

NOTHING = "–"


def outcome_parts(outcomes: Sequence[Outcome]) -> Iterator[Part]:
    """A table of the comparisons, one of what was asked, and every difference."""
    yield Table(
        ("back end", "generation", "topology", "parameters", "behaviour"),
        [_row(each) for each in outcomes],
        left=5,
    )
    verified = [each for each in outcomes if each.status == "verified"]
    if verified:
        yield Table(
            ("back end", "generation", "asked", "told", "what was told"),
            [_asked(each) for each in verified],
            left=5,
        )
    for each in verified:
        if lines := [*_differences(each)]:
            yield "\n".join(lines)


def silence_of(found: Verification) -> str | None:
    """A warning where equal behaviour says nothing."""
    behaviour = found.behaviour
    if behaviour is None or not 0 < behaviour.compared == behaviour.silent:
        return None
    return f"{found.name}: no neuron spiked, so equal spikes prove nothing"


def agreement_parts(
    found: Sequence[Agreement],
    network: Network | None = None,
    labels: Integers | None = None,
) -> Iterator[Part]:
    """Whole numbers in a table, with a line for each back end and its first difference.

    Sizes are those of the ``network``, and accuracies those for ``labels``.
    """
    rows = [
        [
            each[0].population,
            *([] if network is None else [f"{network[each[0].population].size:,}"]),
            *(f"{one.different:,} of {one.compared:,}" for one in each),
        ]
        for each in zip(*(one.populations for one in found), strict=True)
    ]
    size = [] if network is None else ["size"]
    yield Table(["population", *size, *(f"different on {each.backend}" for each in found)], rows)
    yield "\n".join(_agreed(each, labels) for each in found)
    for each in found:
        if (first := each.first) is None:
            continue
        told = "no single spike in its window" if first.found is None else f"{first.found:,}"
        yield (
            f"{each.backend}: first difference: stimulus {first.stimulus}, {first.population}"
            f"[{first.neuron}]: {told}, expected {first.expected:,}\n  {first.cause}"
        )


def accuracy_of(found: Agreement, labels: Integers) -> float:
    """The share of stimuli that get these labels."""
    hits = sum(int(a == b) for a, b in zip(found.labels, labels.tolist(), strict=True))
    return hits / len(labels)


def _agreed(found: Agreement, labels: Integers | None) -> str:
    line = f"{found.backend}: {found.different:,} of {found.compared:,} whole numbers differ"
    line += f" on {len(found.labels):,} stimuli"
    if found.equal:
        line += f"; membranes are within {found.error:.2g} steps of the logits"
    if labels is not None:
        line += f"; accuracy {accuracy_of(found, labels):.4f}"
    return line


def _row(found: Outcome) -> tuple[str, ...]:
    if found.status != "verified":
        return (found.name, found.generation, NOTHING, NOTHING, found.status)
    equal = said(equal=found.topology), said(equal=found.parameters)
    return (found.name, found.generation, *equal, _behaviour(found))


def _asked(found: Verification) -> tuple[str, ...]:
    """The numbers asked and told, and the fields that were told or come from our metadata."""
    comparison = found.comparison
    fields = {name.rpartition(".")[2]: each for name, each in comparison.fields.items()}
    told = ", ".join(name for name, each in fields.items() if each.told)
    ours = ", ".join(name for name, each in fields.items() if METADATA in each.notes)
    both = (told, f"metadata: {ours}" if ours else "")
    counts = f"{comparison.asked:,}", f"{comparison.told:,}"
    return (found.name, found.generation, *counts, "; ".join(filter(None, both)) or NOTHING)


def said(*, equal: bool) -> str:
    """Whether something is equal, in a word."""
    return "equal" if equal else "different"


def _behaviour(found: Verification) -> str:
    if found.behaviour is None:
        return "what the others are held to" if found.name == "reference" else "a document"
    what = "outputs" if found.generation == "ANN" else "spike trains"
    what += " and membranes" if found.behaviour.membranes else ""
    told = f"{found.behaviour.equal:,} of {found.behaviour.compared:,} {what} equal"
    return told + (f", {found.behaviour.silent:,} silent" if found.behaviour.silent else "")


def _differences(found: Verification) -> Iterator[str]:
    for difference in found.differences:
        yield f"{found.name}: {difference.kind}: {difference}"
    behaviour = found.behaviour
    if behaviour is not None and (first := behaviour.first_difference) is not None:
        place = f"stimulus {first.stimulus}, {first.population}[{first.neuron}]"
        if first.step is None:
            what = f"{first.found:.7g}, expected {first.expected:.7g}"
        else:
            place += f", step {first.step}"
            what = "a spike" if first.found else "no spike"
            what += f" at {first.membrane:.6f} mV, expected {'one' if first.expected else 'none'}"
        yield f"{found.name}: first difference: {place}: {what}\n  {first.cause}"
