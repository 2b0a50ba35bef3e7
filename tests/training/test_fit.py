"""The training loop: which epoch of a candidate is its best."""

from __future__ import annotations

from volr.training.fit import CandidateRecord
from volr.training.result import Epoch


def test_the_best_epoch_has_the_highest_accuracy_and_then_the_lowest_loss() -> None:
    record = CandidateRecord(0)
    assert record.add(Epoch(1.0, 1.0, 0.5), sound=True)
    assert record.add(Epoch(1.0, 2.0, 0.6), sound=True)
    assert not record.add(Epoch(1.0, 2.0, 0.6), sound=True)
    assert record.add(Epoch(1.0, 0.9, 0.6), sound=True)
    assert not record.add(Epoch(0.1, 0.1, 0.5), sound=True)
    assert not record.add(Epoch(1.0, float("nan"), 0.6), sound=True)
    assert (record.best, record.accuracy, record.loss) == (4, 0.6, 0.9)
    assert len(record.history) == 6


def test_an_epoch_that_has_diverged_is_never_the_best() -> None:
    record = CandidateRecord(0)
    assert record.add(Epoch(1.0, 1.0, 0.5), sound=True)
    assert not record.add(Epoch(float("nan"), 0.5, 0.9), sound=False)
    assert record.best == 1


def test_without_a_validation_split_the_last_epoch_is_the_best() -> None:
    record = CandidateRecord(0)
    assert record.add(Epoch(1.0, None, None), sound=True)
    assert record.add(Epoch(2.0, None, None), sound=True)
    assert not record.add(Epoch(0.5, None, None), sound=False)
    assert record.best == 2
