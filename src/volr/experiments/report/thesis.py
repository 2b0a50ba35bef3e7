"""The numbers that the original work (Pedersen 2019) reports, to stand beside ours.

Mean and standard deviation of the test accuracy over ten runs. Its ANNs were trained with Futhark;
its spiking networks ran on NEST, begun with random weights or with those of the ANN, and were then
trained there. Its parallel network crashed in PyNN. It has neither of the other conditions.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Reported:
    """A mean, and a standard deviation where one is given."""

    mean: float
    std: float | None = None

    def __str__(self) -> str:
        return f"{self.mean:.3f}" if self.std is None else f"{self.mean:.3f} ± {self.std:.3f}"


REPORTED: dict[tuple[str, str], Reported] = {
    ("nand", "ann"): Reported(1.0),
    ("nand", "snn-random"): Reported(0.370, 0.040),
    ("nand", "snn-transferred"): Reported(0.69, 0.216),
    ("xor", "ann"): Reported(1.0),
    ("xor", "snn-random"): Reported(0.530, 0.038),
    ("xor", "snn-transferred"): Reported(0.585, 0.033),
    ("mnist", "ann"): Reported(0.710),
    ("mnist", "snn-random"): Reported(0.147, 0.044),
    ("mnist", "snn-transferred"): Reported(0.098, 0.006),
    ("mnist-parallel", "ann"): Reported(0.710),
}
"""By task and condition."""
_CRASHED = {("mnist-parallel", "snn-random"), ("mnist-parallel", "snn-transferred")}
_AGAIN = {
    "ann-original": "ann",
    "original-random": "snn-random",
    "original-transferred": "snn-transferred",
}
"""The conditions that do the same again."""


def in_words(task: str, condition: str) -> str:
    """What the original says of it, in a table's words; empty where it says nothing."""
    if (task, _AGAIN.get(condition, condition)) in _CRASHED:
        return "crashed"
    found = reported(task, condition)
    return "" if found is None else str(found)


def reported(task: str, condition: str) -> Reported | None:
    """What the original reports; None where it has no number."""
    return REPORTED.get((task, _AGAIN.get(condition, condition)))
