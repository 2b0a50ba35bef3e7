"""From which step on the largest value stays the largest."""

from __future__ import annotations

import numpy as np
import pytest
from tests.oracles import chain

from volr.backends.base import Record, Recordings
from volr.experiments.costs.decisions import record_for, shown, steps_until_it_stays
from volr.models.model import Readout, SpikingModel
from volr.models.parameters import parameter_shapes


@pytest.mark.parametrize(
    ("values", "steps"),
    [
        ([[0, 1], [0, 2], [0, 3]], 1),
        ([[0, 0], [0, 2], [0, 3]], 2),
        ([[1, 0], [1, 2], [1, 3]], 2),
        ([[0, 1], [2, 1], [2, 3]], 3),
        # Of several that are the largest, the first counts, as at the end.
        ([[0, 1, 0], [1, 1, 0], [2, 2, 0]], 2),
        # As long as all are equal nothing is decided, and here it never is.
        ([[0, 0], [0, 1], [1, 1]], 3),
        ([[0, 0], [0, 0], [0, 0]], 3),
        # Even if the first would be the answer.
        ([[0, 0], [0, 0], [1, 0]], 3),
        ([[-3.0, -2.0], [-9.0, -4.0], [-1.0, -0.5]], 1),
    ],
)
def test_one_stimulus_by_hand(values: list[list[float]], steps: int) -> None:
    assert steps_until_it_stays(np.array(values)[:, None]).tolist() == [steps]


def test_many_stimuli_against_a_loop() -> None:
    values = np.random.default_rng(0).integers(0, 3, (7, 50, 4)).cumsum(axis=0)
    wanted: list[int] = []
    for stimulus in range(50):
        labels = [
            int(row.argmax()) if row.max() > row.min() else None for row in values[:, stimulus]
        ]
        step = 7
        while labels[-1] is not None and step > 1 and labels[step - 2] == labels[-1]:
            step -= 1
        wanted.append(step)
    assert steps_until_it_stays(values).tolist() == wanted
    assert len(set(wanted)) > 4


@pytest.mark.parametrize("readout", ["count", "membrane", "final"])
def test_what_is_shown_at_the_end_is_what_the_readout_reads(readout: Readout) -> None:
    network, random = chain(2, 3), np.random.default_rng(0)
    values = {name: np.ones(shape) for name, shape in parameter_shapes(network).items()}
    model = SpikingModel(network=network, parameters=values, readout=readout)
    record = record_for(model, ["input"])
    over_time = ("dense_1",)
    if readout == "count":
        assert record == Record(counts=("input",), spikes=over_time)
        spikes = random.random((6, 4, 3)) < 0.4
        recordings = Recordings(counts={"dense_1": spikes.sum(axis=0)}, spikes={"dense_1": spikes})
        wanted = recordings.counts["dense_1"].astype(float)
    else:
        assert record == Record(counts=("input",), membranes=over_time)
        membranes = random.normal(-60.0, 5.0, (6, 4, 3))
        recordings = Recordings(counts={}, membranes={"dense_1": membranes})
        last = membranes.mean(axis=0) if readout == "membrane" else membranes[-1]
        wanted = last - model.neuron.v_rest
    found = shown(model, recordings)
    assert found.shape == (6, 4, 3)
    scale = 6 if readout == "membrane" else 1
    np.testing.assert_allclose(found[-1] / scale, wanted, rtol=1e-12)
