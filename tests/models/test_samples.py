"""Samples and data sets: what they take, what they refuse, and chance."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest

from volr.errors import DataError
from volr.models.samples import Data, Samples, check_labels

INPUTS = np.array([[0.0, 0.25, 1.0], [0.5, 0.75, 0.125]])


def with_labels(*labels: int) -> Samples:
    return Samples(np.zeros((len(labels), 2)), np.array(labels, dtype=np.int64))


def test_samples_hold_float64_inputs_and_int64_labels() -> None:
    samples = Samples(INPUTS.astype(np.float32), np.array([3, 0], dtype=np.uint8))  # type: ignore[arg-type]
    assert samples.inputs.dtype == np.float64
    assert samples.labels.dtype == np.int64
    assert len(samples) == 2
    assert samples.units == 3
    np.testing.assert_array_equal(samples.inputs, INPUTS)


def test_samples_cannot_be_changed_through_them_or_through_what_made_them() -> None:
    inputs, labels = INPUTS.copy(), np.array([1, 0])
    frozen_view = inputs.view()
    frozen_view.setflags(write=False)
    samples = Samples(frozen_view, labels)
    inputs[0, 0], labels[0] = 0.9, 7
    assert samples.inputs[0, 0] == 0.0
    assert samples.labels[0] == 1
    for part in (samples, samples.take(np.array([1])), samples.first(1)):
        with pytest.raises(ValueError, match="read-only"):
            part.inputs[0, 0] = 1.0
        with pytest.raises(ValueError, match="read-only"):
            part.labels[0] = 1


def test_an_array_that_nobody_can_write_to_is_not_copied() -> None:
    inputs = INPUTS.copy()
    inputs.setflags(write=False)
    assert Samples(inputs, np.array([0, 1])).inputs is inputs


def test_take_keeps_the_order_of_its_indices() -> None:
    samples = Samples(np.arange(8.0).reshape(4, 2) / 8, np.array([4, 5, 6, 7]))
    taken = samples.take(np.array([2, 0, 2]))
    assert taken.labels.tolist() == [6, 4, 6]
    assert taken.inputs.tolist() == [[0.5, 0.625], [0.0, 0.125], [0.5, 0.625]]
    with pytest.raises(IndexError):
        samples.take(np.array([4]))


def test_first_takes_at_most_all() -> None:
    samples = with_labels(2, 1, 0)
    assert samples.first(2).labels.tolist() == [2, 1]
    assert samples.first(99).labels.tolist() == [2, 1, 0]
    assert len(samples.first(0)) == 0
    with pytest.raises(DataError, match="-1 samples"):
        samples.first(-1)


@pytest.mark.parametrize(
    ("inputs", "labels", "message"),
    [
        (np.zeros(3), [0, 0, 0], r"inputs have the shape \(3,\)"),
        (np.zeros((2, 0)), [0, 0], r"inputs have the shape \(2, 0\)"),
        (np.zeros((2, 3, 4)), [0, 0], r"inputs have the shape \(2, 3, 4\)"),
        (np.zeros((2, 1, 3, 4)), [0, 0], r"each image becomes a row: inputs.reshape\(2, 12\)"),
        (np.array([[0.0], [1.5]]), [0, 0], r"reach from 0 to 1\.5"),
        (np.array([[-0.5], [1.0]]), [0, 0], r"reach from -0\.5 to 1"),
        (np.array([[0.5], [np.nan]]), [0, 0], "reach from nan to nan"),
        (np.array([[0.5], [np.inf]]), [0, 0], r"reach from 0\.5 to inf"),
        (np.array([["0"], ["1"]]), [0, 0], "inputs are of type <U1"),
        (np.array([[0j], [1j]]), [0, 0], "inputs are of type complex128"),
        (np.zeros((2, 1)), [0, 0, 0], "2 inputs and 3 labels"),
        (np.zeros((2, 1)), [[0], [0]], r"labels have the shape \(2, 1\)"),
        (np.zeros((2, 1)), [0.0, 1.0], "labels are of type float64"),
        (np.zeros((2, 1)), [0, -1], "there is a label -1"),
    ],
)
def test_what_is_not_samples_is_refused(inputs: Any, labels: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        Samples(inputs, np.array(labels))


def test_everything_wrong_with_samples_is_reported_at_once() -> None:
    with pytest.raises(DataError, match=r"inputs reach from 2 to 2.*there is a label -3"):
        Samples(np.full((1, 1), 2.0), np.array([-3]))


def test_chance_is_the_share_in_the_test_set_of_the_training_sets_commonest_label() -> None:
    train, test = with_labels(2, 2, 0, 1), with_labels(0, 0, 0, 2, 1)
    assert Data(train, test, classes=3).chance == 1 / 5


def test_chance_takes_the_lowest_of_equally_common_labels() -> None:
    assert Data(with_labels(1, 0, 1, 0), with_labels(0, 1, 1, 1), classes=2).chance == 1 / 4


def test_a_data_set_names_everything_that_is_wrong_with_it() -> None:
    wide = Samples(np.zeros((1, 3)), np.array([5]))
    with pytest.raises(DataError) as caught:
        Data(with_labels(), wide, classes=5)
    assert caught.value.message == (
        "this is not a data set: the training set is empty; the test set has the label 5, and the "
        "classes are 0 to 4; a training stimulus has 2 values and a test stimulus 3"
    )


def test_labels_are_those_of_some_outputs() -> None:
    check_labels(with_labels(0, 2, 1), 3)
    check_labels(with_labels(), 1)
    with pytest.raises(DataError, match="there is a label 2, and the network has 2 outputs, for"):
        check_labels(with_labels(0, 2, 1), 2)


def test_a_label_beyond_all_whole_numbers_is_none() -> None:
    labels: Any = np.array([0, 2**64 - 1], dtype=np.uint64)
    with pytest.raises(DataError, match=f"there is a label {2**64 - 1}, beyond"):
        Samples(np.zeros((2, 1)), labels)
    labels = np.array([0, 2**63 - 1], dtype=np.uint64)
    assert Samples(np.zeros((2, 1)), labels).labels.tolist() == [0, 2**63 - 1]


def test_lists_and_tensors_are_samples() -> None:
    import torch

    given: list[Any] = [
        (INPUTS.tolist(), [1, 0]),
        (torch.tensor(INPUTS, requires_grad=True), torch.tensor([1, 0])),
    ]
    for inputs, labels in given:
        samples = Samples(inputs, labels)
        np.testing.assert_array_equal(samples.inputs, INPUTS)
        assert samples.labels.tolist() == [1, 0]


def test_what_is_no_array_is_refused_by_name() -> None:
    ragged: Any = [[1.0], [1.0, 0.0]]
    with pytest.raises(DataError, match="the inputs are a list that is no array"):
        Samples(ragged, ragged)
    with pytest.raises(DataError, match="labels are of type object"):
        Samples(np.zeros((1, 1)), [None])  # type: ignore[arg-type]


def test_copies_and_pickles_are_read_only_too() -> None:
    samples = with_labels(1, 0)
    for again in (copy.deepcopy(samples), pickle.loads(pickle.dumps(samples))):
        assert again.labels.tolist() == [1, 0]
        assert not again.labels.flags.writeable
        assert not again.inputs.flags.writeable


def test_samples_and_data_compare_by_value() -> None:
    def made_of(inputs: Any, labels: Any) -> Samples:
        return Samples(inputs, labels)

    samples = made_of([[0.0, 1.0], [0.5, 0.25]], [1, 0])
    data = Data(samples, samples.first(1), 2)
    for made in (samples, data):
        for again in (copy.deepcopy(made), pickle.loads(pickle.dumps(made))):
            assert again == made
            assert hash(again) == hash(made)
            assert again is not made
    others = [
        made_of([[0.0, 1.0], [0.5, 0.5]], [1, 0]),
        made_of([[0.0, 1.0], [0.5, 0.25]], [1, 1]),
    ]
    assert all(each != samples for each in (*others, samples.first(1), data, None))
    assert Data(samples, samples.first(1), 3) != data
    assert Data(others[0], samples.first(1), 2) != data


def test_data_and_counts_of_other_types_are_refused() -> None:
    half = with_labels(0, 1)
    with pytest.raises(DataError, match=r"classes is 2\.5, not a whole number"):
        Data(half, half, classes=2.5)  # type: ignore[arg-type]
    with pytest.raises(DataError, match="test is 3, not a Samples"):
        Data(half, 3, classes=2)  # type: ignore[arg-type]
    with pytest.raises(DataError, match=r"1\.5 samples were asked for"):
        half.first(1.5)  # type: ignore[arg-type]
