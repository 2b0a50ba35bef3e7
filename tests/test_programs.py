"""The programs in `programs/` and `rejected/`, each with what is expected of it beside it.

To write an expectation anew after a deliberate change, delete the file and run with
``VOLR_WRITE_EXPECTED=1``; then read what was written.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from volr.errors import ProgramError
from volr.language import check, decode, lower

if TYPE_CHECKING:
    from volr.source import Source

HERE = Path(__file__).parent
PROGRAMS = sorted((HERE / "programs").glob("*.volr"))
REJECTED = sorted((HERE / "rejected").glob("*.volr"))


def described(source: Source) -> str:
    """The type, the populations with the place of their layer, and the projections."""
    checked = check(source)
    network = lower(checked.term)
    rows = [str(checked.type)]
    for population in network.layers:
        assert population.span is not None
        place = source.position(population.span.start)
        layer = source.text[population.span.start : population.span.end]
        rows.append(f"{population.name}: {population.size}, {place.line}:{place.column} {layer}")
    rows += [projection.name for projection in network.projections]
    return "\n".join([*rows, f"outputs: {', '.join(network.outputs)}"])


def expected(program: Path, found: str) -> str:
    path = program.with_suffix(".expected")
    if not path.exists() and os.environ.get("VOLR_WRITE_EXPECTED"):
        path.write_text(found + "\n", encoding="utf-8")
    return path.read_text(encoding="utf-8").removesuffix("\n")


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda path: path.stem)
def test_what_a_program_becomes(program: Path) -> None:
    found = described(decode(program.read_bytes(), program.name))
    assert found == expected(program, found)


@pytest.mark.parametrize("program", REJECTED, ids=lambda path: path.stem)
def test_what_is_said_about_a_rejected_program(program: Path) -> None:
    with pytest.raises(ProgramError) as caught:
        check(decode(program.read_bytes(), program.name))
    found = str(caught.value)
    assert found == expected(program, found)


def test_there_is_an_expectation_for_each_and_a_program_for_each_expectation() -> None:
    for folder in (HERE / "programs", HERE / "rejected"):
        programs = {path.stem for path in folder.glob("*.volr")}
        assert programs == {path.stem for path in folder.glob("*.expected")}
        assert programs
