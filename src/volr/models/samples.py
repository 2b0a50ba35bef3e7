"""Stimuli with their right answers, and a data set as a pair of them.

    Data  ::=  train: Samples, test: Samples, classes

Here, below training and transfer, because both take samples and neither knows what a task is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from volr.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from volr.models.arrays import Floats, Integers


@dataclass(frozen=True, eq=False)
class Samples:
    """``inputs`` float64 ``[batch, unit]`` in [0, 1] and ``labels`` int64 ``[batch]``, from 0 up.

    Any real inputs and integer labels are taken and kept as read-only arrays of these types; an
    array that somebody could still write to is copied. Raises ``DataError`` with everything that is
    wrong with shapes, types and values.
    """

    inputs: Floats
    labels: Integers

    def __post_init__(self) -> None:
        inputs, labels = np.asarray(self.inputs), np.asarray(self.labels)
        wrong = _input_problems(inputs) + _label_problems(labels)
        if not wrong and len(inputs) != len(labels):
            wrong = [f"there are {len(inputs)} inputs and {len(labels)} labels"]
        if wrong:
            raise DataError("these are not samples: " + "; ".join(wrong))
        object.__setattr__(self, "inputs", _frozen(inputs.astype(np.float64, copy=False)))
        object.__setattr__(self, "labels", _frozen(labels.astype(np.int64, copy=False)))

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def units(self) -> int:
        """The number of values in one stimulus."""
        return self.inputs.shape[1]

    def take(self, indices: Integers) -> Samples:
        """The samples at ``indices`` (int ``[n]``), in that order; ``IndexError`` outside."""
        inputs, labels = self.inputs[indices], self.labels[indices]
        inputs.setflags(write=False)
        labels.setflags(write=False)
        return Samples(inputs, labels)

    def first(self, count: int) -> Samples:
        """The first ``count`` samples, or all where there are fewer; ``DataError`` below 0."""
        if count < 0:
            raise DataError(f"{count} samples were asked for; a number of samples is 0 or more")
        return self if count >= len(self) else Samples(self.inputs[:count], self.labels[:count])


@dataclass(frozen=True, eq=False)
class Data:
    """What to learn from, what to be measured on, and how many classes the labels stand for.

    Raises ``DataError`` where one half is empty, where the stimuli of the two differ in size, or
    where a label is not below ``classes``.
    """

    train: Samples
    test: Samples
    classes: int

    def __post_init__(self) -> None:
        halves = {"training": self.train, "test": self.test}
        wrong = [f"the {name} set is empty" for name, half in halves.items() if not len(half)]
        wrong += [
            f"the {name} set has the label {half.labels.max()}, and the classes are 0 to "
            f"{self.classes - 1}"
            for name, half in halves.items()
            if len(half) and half.labels.max() >= self.classes
        ]
        if self.train.units != self.test.units:
            wrong.append(
                f"a training stimulus has {self.train.units} values and a test stimulus "
                f"{self.test.units}"
            )
        if wrong:
            raise DataError("this is not a data set: " + "; ".join(wrong))

    @property
    def chance(self) -> float:
        """The accuracy on the test set of always giving the training set's commonest label.

        Of labels that are equally common, the lowest counts.
        """
        commonest = np.bincount(self.train.labels).argmax()
        return np.count_nonzero(self.test.labels == commonest) / len(self.test)


def _input_problems(inputs: NDArray[Any]) -> list[str]:
    if inputs.dtype.kind not in "biuf":
        return [f"the inputs are of type {inputs.dtype}, not real numbers"]
    if inputs.ndim != 2 or inputs.shape[1] == 0:
        return [f"the inputs have the shape {inputs.shape}, expected [batch, unit]"]
    if inputs.size == 0:
        return []
    low, high = inputs.min(), inputs.max()  # NaN where one value is NaN
    if not (low >= 0 and high <= 1):
        return [f"the inputs reach from {low:g} to {high:g}, expected numbers in [0, 1]"]
    return []


def _label_problems(labels: NDArray[Any]) -> list[str]:
    if labels.dtype.kind not in "iu":
        return [f"the labels are of type {labels.dtype}, not whole numbers"]
    if labels.ndim != 1:
        return [f"the labels have the shape {labels.shape}, expected [batch]"]
    if labels.size and labels.min() < 0:
        return [f"there is a label {labels.min()}; labels count from 0"]
    return []


def _frozen(values: NDArray[Any]) -> NDArray[Any]:
    """The values where nobody can change them: themselves if they own their data, else a copy."""
    if values.flags.writeable or values.base is not None:
        values = values.copy()
        values.setflags(write=False)
    return values
