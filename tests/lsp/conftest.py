"""A server that has been greeted, for all tests of a module."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

pytest.importorskip("pygls")

from tests.lsp.client import Client

if TYPE_CHECKING:
    from collections.abc import Generator


@pytest.fixture(scope="module")
def server() -> Generator[Client]:
    with Client() as client:
        client.initialize(drawings=True)
        yield client
        assert client.end() == 0, client.errors.decode()
        assert b"Traceback" not in client.errors
