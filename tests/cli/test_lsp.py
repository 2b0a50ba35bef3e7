"""`volr lsp` where its package is missing; how it works is in tests/lsp."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest
    from tests.cli.running import Volr


def test_it_says_what_installs_pygls(volr: Volr, monkeypatch: pytest.MonkeyPatch) -> None:
    def find_spec(name: str) -> None:
        assert name == "pygls"

    monkeypatch.setattr("volr.cli.lsp.find_spec", find_spec)
    result = volr("lsp")
    assert result.code == 1
    assert result.out == ""
    assert "needs pygls, which is not installed" in result.err
    assert "pip install 'volr[lsp]'" in result.err
