"""Stimuli with their labels, and a data set as a pair of them.

    Data  ::=  train: Samples, test: Samples, classes

Training and transfer both take samples, and neither knows what a task is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from volr.checks.annotations import settle, shown
from volr.checks.arrays import array_of, same_fields
from volr.checks.batches import as_rows
from volr.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from volr.checks.arrays import Floats, Integers


_HASHED = 64
"""Labels that a hash is made of."""


@dataclass(frozen=True, eq=False)  # with an == of its own
class Samples:
    """``inputs`` float64 ``[batch, unit]`` in [0, 1] and ``labels`` int64 ``[batch]``, from 0 up.

    Any real inputs and integer labels become read-only arrays of these types; a writeable array is
    copied. Samples compare by value. Raises ``DataError`` with everything that is wrong with
    shapes, types and values.
    """

    inputs: Floats
    labels: Integers

    def __post_init__(self) -> None:
        wrong: list[str] = []
        arrays: list[NDArray[Any]] = []
        for name, values in (("inputs", self.inputs), ("labels", self.labels)):
            try:
                arrays.append(array_of(values))
            except ValueError as error:
                wrong.append(f"the {name} are {error}")
        if wrong:
            raise DataError("these are not samples: " + "; ".join(wrong))
        inputs, labels = arrays
        wrong = _input_problems(inputs) + _label_problems(labels)
        if not wrong and len(inputs) != len(labels):
            wrong = [f"there are {len(inputs)} inputs and {len(labels)} labels"]
        if wrong:
            raise DataError("these are not samples: " + "; ".join(wrong))
        object.__setattr__(self, "inputs", _frozen(inputs, np.float64))
        object.__setattr__(self, "labels", _frozen(labels, np.int64))

    # Copies of arrays are writeable, so a copy or a pickle is made anew.
    def __reduce__(self) -> tuple[Any, ...]:
        return Samples, (self.inputs, self.labels)

    def __eq__(self, other: object) -> bool:
        return same_fields(self, other)

    def __hash__(self) -> int:
        return hash((self.inputs.shape, self.labels[:_HASHED].tobytes()))

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

    def parts(self, size: int) -> Iterator[Samples]:
        """The samples in their order, ``size`` at a time, of which the last part may have fewer."""
        for first in range(0, len(self), size):
            yield self.take(np.arange(first, min(first + size, len(self))))

    def first(self, count: int) -> Samples:
        """The first ``count`` samples, or all if there are fewer; ``DataError`` below 0."""
        if not hasattr(count, "__index__"):
            raise DataError(f"{shown(count)} samples were asked for, which is no whole number")
        if count < 0:
            raise DataError(f"{count} samples were asked for; a number of samples is 0 or more")
        return self if count >= len(self) else Samples(self.inputs[:count], self.labels[:count])


@dataclass(frozen=True)
class Data:
    """Training samples, test samples, and the number of classes.

    Raises ``DataError`` if one half is empty, if the stimuli of the two differ in size, or if a
    label is not below ``classes``.
    """

    train: Samples
    test: Samples
    classes: int

    def __post_init__(self) -> None:
        if wrong := settle(self, Samples=Samples):
            raise DataError("this is not a data set: " + "; ".join(wrong))
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
        """The accuracy on the test set of always answering the training set's commonest label.

        Among equally common labels, it is the lowest.
        """
        commonest = np.bincount(self.train.labels).argmax()
        return np.count_nonzero(self.test.labels == commonest) / len(self.test)


def check_labels(samples: Samples, outputs: int) -> None:
    """Raise ``DataError`` if a label has no output."""
    if (wrong := label_problem(samples, outputs)) is not None:
        raise DataError(wrong)


def label_problem(samples: Samples, outputs: int) -> str | None:
    """What is wrong with labels for so many outputs, in words."""
    if not len(samples) or samples.labels.max() < outputs:
        return None
    return (
        f"there is a label {samples.labels.max()}, and the network has {outputs} outputs, for the "
        f"labels 0 to {outputs - 1}"
    )


def _input_problems(inputs: NDArray[Any]) -> list[str]:
    if inputs.dtype.kind not in "biuf":
        return [f"the inputs are of type {inputs.dtype}, not real numbers"]
    if inputs.ndim != 2 or inputs.shape[1] == 0:
        way = as_rows(inputs.shape, "inputs")
        rows = "" if way is None else f"; {way}"
        return [f"the inputs have the shape {inputs.shape}, expected [batch, unit]{rows}"]
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
    if labels.size and labels.max() > np.iinfo(np.int64).max:
        return [f"there is a label {labels.max()}, beyond all that int64 holds"]
    return []


def _frozen(values: NDArray[Any], kind: type[np.generic]) -> NDArray[Any]:
    """The values as a read-only array of this type: themselves if they are one, else a copy."""
    if values.dtype == kind and not values.flags.writeable and values.base is None:
        return values
    kept = values.astype(kind, order="C")
    kept.setflags(write=False)
    return kept
