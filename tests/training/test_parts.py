"""Minibatches in parts: the same gradients, whatever the number of cores."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from tests.oracles import chain

from volr.language import to_network
from volr.models.samples import Samples
from volr.training import TrainingSettings, parts, train_ann
from volr.training.parts import Workers, part_count

if TYPE_CHECKING:
    from typing import Any

IMAGE = to_network(
    "conv [1 5 6] 4 [2 3] ⦶ ((conv _ 4 3 pad:1) ⊕ id [4 4 4]) ⦶ maxpool _ 2 ⦶ dense _ 5"
)
SAMPLES = Samples(
    np.random.default_rng(7).random((190, 30)), np.random.default_rng(8).integers(0, 5, 190)
)
# The last minibatch has 62 of 64 samples, and its last part fewer than the others.
SETTINGS = TrainingSettings(
    epochs=2, batch_size=64, candidates=1, validation=0.0, seed=3, optimizer="sgd"
)


def trained(count: int, monkeypatch: pytest.MonkeyPatch, **settings: Any) -> Any:
    from dataclasses import replace

    monkeypatch.setattr(parts, "MOST", count)
    monkeypatch.setattr(parts, "FEWEST", 8)
    monkeypatch.setattr(parts, "WORTH", 1.0)
    return train_ann(IMAGE, SAMPLES, replace(SETTINGS, **settings))


def test_parts_add_up_to_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = trained(1, monkeypatch)
    for count in (2, 5):
        found = trained(count, monkeypatch)
        for name, expected in whole.model.parameters.items():
            np.testing.assert_allclose(found.model.parameters[name], expected, rtol=1e-4, atol=1e-5)
        assert [each.loss for each in found.history] == pytest.approx(
            [each.loss for each in whole.history], rel=1e-5
        )


def test_the_number_of_cores_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    more = {"normalise": "batch", "dropout": 0.2, "shift": 1, "optimizer": "adam"}
    found: list[Any] = []
    for cores in (1, 2, 3):
        monkeypatch.setattr(parts, "cores", lambda _cores=cores: _cores)
        found.append(trained(3, monkeypatch, **more))
    assert found[0] == found[1] == found[2]


def test_threads_work_at_the_same_time_and_answer_in_order(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import threading

    monkeypatch.setattr(parts, "cores", lambda: 3)
    meeting = threading.Barrier(3, timeout=30)

    def work(part: int) -> tuple[int, int]:
        meeting.wait()
        return part, torch.get_num_threads()

    assert list(Workers(3).map(work, range(3))) == [(0, 1), (1, 1), (2, 1)]


def test_small_networks_and_dense_ones_are_one_part() -> None:
    lenet = to_network("conv [1 28 28] 6 5 ⦶ conv _ 16 5 ⦶ dense _ 10")
    assert part_count(lenet, 16) == 1
    assert part_count(lenet, 64) == 2
    assert part_count(lenet, 128) == 4
    assert part_count(lenet, 10_000) == 8
    assert part_count(IMAGE, 128) == 1
    assert part_count(chain(4000, 4000, 10), 512) == 1
