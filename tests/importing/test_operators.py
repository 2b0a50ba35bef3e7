"""The table of layers and exporters in the documentation: what it says is what is found."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

pytest.importorskip("torch")
pytest.importorskip("onnxruntime")
pytest.importorskip("onnxscript")
pytest.importorskip("keras")

from tests.backends.onnx_exports import Quiet
from tests.importing.operators import CASES, EXACT, NONE, PAGE, WAYS, row, rows_of_page, table

if TYPE_CHECKING:
    from pathlib import Path

ROWS = rows_of_page(PAGE.read_text())


@pytest.mark.parametrize("name", CASES)
def test_a_row_says_what_is_found(name: str, tmp_path: Path) -> None:
    with Quiet():
        found = row(name, tmp_path)
    assert dict(zip(WAYS, found, strict=True)) == dict(zip(WAYS, ROWS[name], strict=True))


def test_the_table_is_of_all_cases_and_most_are_exact() -> None:
    assert [*ROWS] == [*CASES]
    assert table(ROWS) in PAGE.read_text()
    cells = [each for cells in ROWS.values() for each in cells if each != NONE]
    assert cells.count(EXACT) > len(cells) / 2
    assert not [each for each in cells if each.startswith("differs")]
