"""The table of what back ends support: in the documentation, up to date, and of all of them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from volr.backends import BACKENDS, DOCUMENTS, ENGINE, REFERENCE
from volr.backends.base import Document, SpikingBackend
from volr.backends.support import BEGIN, END, HEADER, support_table, with_table

DOCUMENTATION = Path(__file__).resolve().parents[2] / "docs" / "backends.md"
FEW = SpikingBackend(
    name="few",
    summary="some",
    extra="some",
    programs={"gcc": "apt install gcc"},
    neurons=("if_curr_delta", "if_cond_exp"),
    exact=("if_curr_delta",),
    codings=("current",),
    start=lambda: pytest.fail("started"),
)
FILE = Document(
    name="paper",
    summary="both",
    suffix=".txt",
    activations=("relu", "tanh"),
    neurons=("if_curr_exp",),
    resets=("subtract",),
    codings=("current", "poisson"),
    readouts=("membrane",),
    write=lambda _: {},
    read_back=lambda _: pytest.fail("read"),
)


def test_the_documentation_has_the_table_of_the_records() -> None:
    text = DOCUMENTATION.read_text(encoding="utf-8")
    assert with_table(text) == text, f"run `python -m volr.backends.support {DOCUMENTATION}`"


def test_a_row_says_what_the_record_says() -> None:
    _, _, *rows = support_table((REFERENCE, FEW, FILE)).splitlines()
    assert rows == [
        (
            "| `reference` | ANN | all | sum, max | relu, sigmoid, tanh, identity, staircase "
            "| – | – | – | – | – |"
        ),
        (
            "| `few` | SNN | all | sum | – | **if_curr_delta**, if_cond_exp | hard | current "
            "| count | `volr[some]`, the program `gcc` |"
        ),
        (
            "| `paper`, a `.txt` file | ANN, SNN | all_to_all | sum | relu, tanh | if_curr_exp "
            "| subtract | current, poisson | membrane | – |"
        ),
    ]


def test_every_back_end_and_document_has_a_row() -> None:
    header, _, *rows = support_table().splitlines()
    assert header == f"| {' | '.join(HEADER)} |"
    assert {line.count("|") for line in (header, *rows)} == {len(HEADER) + 1}
    for row, each in zip(rows, (*BACKENDS, *DOCUMENTS), strict=True):
        assert row.startswith(f"| `{each.name}`")
    assert support_table([ENGINE]).splitlines()[2] in rows


def test_the_program_writes_between_the_lines_and_nowhere_else(tmp_path: Path) -> None:
    file = tmp_path / "page.md"
    file.write_text(f"above | it\n\n{BEGIN}\nold\n{END}\n\nbelow ⦶ it\n", encoding="utf-8")
    command = [sys.executable, "-W", "error", "-m", "volr.backends.support", str(file)]
    for _ in range(2):
        subprocess.run(command, check=True)
        text = file.read_text(encoding="utf-8")
        assert text == f"above | it\n\n{BEGIN}\n{support_table()}\n{END}\n\nbelow ⦶ it\n"


@pytest.mark.parametrize(
    ("text", "line"),
    [("nothing", BEGIN), (f"{BEGIN}\nno end", END), (f"{END}\n{BEGIN}\n", END)],
)
def test_a_text_without_both_lines_is_refused(text: str, line: str) -> None:
    with pytest.raises(ValueError, match="there is no line") as caught:
        with_table(text)
    assert line in str(caught.value)
