"""Networks that are looked at late: how long that may take."""

from __future__ import annotations

import pytest
from tests.explanation.planted import explained, transferred
from tests.needs import needs_numba

from volr.neurons import IFCurrDelta
from volr.transfer import TransferSettings

pytestmark = needs_numba


@pytest.mark.parametrize("tau_m", [1e4, 1e6])
def test_neurons_that_hardly_leak_are_not_waited_for(tau_m: float) -> None:
    settings = TransferSettings(neuron=IFCurrDelta(tau_m=tau_m), dt=1.0, rounds=1)
    # A million steps is what a simulation may have at the most.
    found = explained(transferred(settings))
    assert sum(part.points for part in found.parts) == pytest.approx(found.gap)
