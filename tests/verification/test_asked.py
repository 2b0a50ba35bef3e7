"""The table of what each back end can be asked for: the documentation has what a run gives."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.backends.conformance import TARGETS, Target, need

from volr.backends.base import Document
from volr.verification.asked import BEGIN, END, asking_table

PAGE = Path(__file__).resolve().parents[2] / "docs" / "backends.md"
# They build for many seconds. `python -m volr.verification.asked docs/backends.md` runs them too.
SLOW = ("brian2", "pynn.brian2")


def documented() -> list[str]:
    """The lines of the documentation's table, and of the reasons under it."""
    _, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    table, end, _ = rest.partition(END)
    assert end
    return [line for line in table.splitlines() if line]


def lines_of(target: Target, lines: list[str]) -> list[str]:
    """Those that speak of one back end or document."""
    if isinstance(target, Document):
        title = f"`{target.name}`, a `{target.suffix}` file"
        return [line for line in lines if line.startswith((f"| {title} |", f"- {title}, "))]
    title = f"`{target.name}`"
    found = [line for line in lines if line.startswith((f"| {title} |", f"- {title}, "))]
    # A document may have the name of a back end.
    return [line for line in found if not line.startswith(f"- {title}, a `")]


@pytest.mark.parametrize("name", [name for name in TARGETS if name not in SLOW])
def test_the_documentation_says_what_a_run_gives(name: str) -> None:
    target = TARGETS[name]
    need(target)
    run = asking_table([target]).splitlines()
    assert lines_of(target, documented()) == lines_of(target, run)
    assert documented()[:2] == run[:2]


def test_the_documentation_has_a_row_for_each_back_end_and_document_and_no_other() -> None:
    lines = documented()
    each = [lines_of(target, lines) for target in TARGETS.values()]
    assert all(found[0].startswith("| ") for found in each)
    others = [line for line in lines if not any(line in found for found in each)]
    assert others == [*lines[:2], "What is told, and why:"]
