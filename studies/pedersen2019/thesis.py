"""The accuracies that the original reports, to stand beside ours.

Mean and standard deviation of the test accuracy over ten runs. Its ANNs were trained with Futhark;
its spiking networks ran on NEST, begun with random weights or with those of the ANN, and were then
trained there. Its parallel network crashed in PyNN. It has neither of the other conditions.
"""

from __future__ import annotations

from volr.experiments.study import Others, Reported

_CRASHED = Reported(words="crashed")
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
    ("mnist-parallel", "snn-random"): _CRASHED,
    ("mnist-parallel", "snn-transferred"): _CRASHED,
}
"""By task and condition."""
_AGAIN = {
    "ann-original": "ann",
    "original-random": "snn-random",
    "original-transferred": "snn-transferred",
}
"""The conditions that do the same again."""


def reported(task: str, condition: str) -> Reported | None:
    """What the original reports; None where it says nothing."""
    return REPORTED.get((task, _AGAIN.get(condition, condition)))


THESIS = Others(
    title="original",
    about="“Original” is what the work that Volr re-implements reports (Pedersen 2019: ten runs, "
    "ANN on Futhark, spiking networks on NEST)",
    reported=reported,
)
