"""The adaptive kernel against the reference, which steps as it does."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("numba")
from tests.engine.examples import SKIP, spiking_model

from volr.engine.reference import simulate as reference
from volr.engine.simulation import ready, simulate


@pytest.mark.parametrize("reset", ["hard", "subtract"])
@pytest.mark.parametrize("dt", [0.1, 0.5, 1.0])
@pytest.mark.parametrize("refractory", [0.0, 2.0])
def test_every_spike_is_the_references_and_membranes_but_for_rounding(
    reset: str, dt: float, refractory: float
) -> None:
    model = spiking_model("cond", SKIP, reset=reset, tau_refrac=refractory)
    model = replace(model, dt=dt, duration=30.0, delay=dt)
    stimuli = np.random.default_rng(0).random((6, 15))
    names = ("first", "second", "last")
    found = simulate(ready(model), stimuli, seed=1, spikes=names, membranes=names)
    expected = reference(model, stimuli, seed=1)
    for name in names:
        assert expected.spikes[name].sum() > 20
        np.testing.assert_array_equal(found.spikes[name], expected.spikes[name])
        # A step that is just good enough for one may be undone by the other.
        apart = abs(found.membranes[name] - expected.membranes[name])
        assert (apart > 1e-9).mean() < 1e-3
        assert apart.max() < 1e-3
