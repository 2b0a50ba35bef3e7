"""What a shell completes: the names that options and arguments take.

The names stand here a second time. The records that have them import NumPy and more, and each press
of a key would wait for that. A test compares them. Where nothing here fits, the shell offers files.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

TASKS = ("nand", "xor", "digits", "mnist", "mnist-parallel", "fashion")
PROGRAMS = ("lenet", "lenet-avgpool", "residual")
ARTIFICIAL = ("torch", "futhark", "onnx", "reference")
SPIKING = ("engine", "nest", "brian2", "pynn.nest", "pynn.brian2", "pynn.neuron")
FORMATS = ("futhark", "onnx", "nir", "pynn", "brian2")
IMPORTERS = ("norse", "snntorch", "spikingjelly", "sinabs")
VERIFIED = (
    *(*ARTIFICIAL, *SPIKING, "nir", *(f"nir.{each}" for each in IMPORTERS)),
    *("futhark.fut", "onnx.onnx", "pynn", "brian2.py"),
)
TRAINING = ("torch", "futhark")
NEURONS = ("if_curr_exp", "if_curr_delta", "if_cond_exp")
RATE_CODINGS = ("current", "poisson")
CODINGS = (*RATE_CODINGS, "first-spike")
ACTIVATIONS = ("relu", "sigmoid", "tanh", "identity")
CONDITIONS = (
    *("ann", "ann:futhark", "ann-quantised", "snn-random", "snn-surrogate", "snn-transferred"),
    *("snn-transferred:futhark", "snn-finetuned", "snn-exact"),
)
SEARCHED = tuple(each for each in CONDITIONS if each not in ("ann-quantised", "snn-exact"))


def among(names: Sequence[str], *, or_file: bool = False) -> Callable[[str], list[str]]:
    """A completion by these names.

    With ``or_file``, the value is a file first of all, and names are offered for their beginning
    alone. An option that takes several names, with commas, completes the last one.
    """

    def completions(incomplete: str) -> list[str]:
        if or_file and not incomplete:
            return []
        before, comma, last = incomplete.rpartition(",")
        return [f"{before}{comma}{each}" for each in names if each.startswith(last)]

    return completions
