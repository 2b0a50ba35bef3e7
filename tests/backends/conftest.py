"""What several test modules of back ends take."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.backends.conformance import SPIKING, Started, need

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def started(request: pytest.FixtureRequest) -> Iterator[Started]:
    """One of the simulators, for all tests of a module; see ``every_simulator``."""
    record = SPIKING[request.param]
    need(record)
    with record.start() as simulator:
        yield record, simulator
