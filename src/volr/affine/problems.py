"""What stands in the way of a network: collected, and told at once, with ways out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from volr.errors import UnsupportedError

if TYPE_CHECKING:
    from volr.affine.forms import SizeError
    from volr.affine.values import InexpressibleError

ACTIVATION = "train it with relu, sigmoid or tanh"
NORMALISATION = "it depends on the values that it normalises; use BatchNorm, which becomes weights"
RECURRENCE = "write the recurrence in a program, with ↺"
ENLARGING = "Volr's maps become smaller from layer to layer"
SOFTMAX = "a softmax can stand at the end alone"
ATTENTION = "attention multiplies activations by activations"
EMBEDDING = "give the network the embedded values"
BATCH_AXIS = "keep the first axis of every tensor: [batch, …]"

_MOST = 50


@dataclass
class Problems:
    """The problems of ``what``, in words such as "this module"."""

    what: str
    found: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])

    def add(self, message: str, way: str = "") -> None:
        """One more, with a way out if there is one."""
        self.found.append((message, way))

    def add_error(self, where: str, error: InexpressibleError | SizeError) -> None:
        """What an operation cannot do, and where it is."""
        self.add(f"{where}: {error}", getattr(error, "way", ""))

    def error(self) -> UnsupportedError:
        """The error that lists them all."""
        listed = [
            f"  - {what}" + (f"\n      {way}" if way else "") for what, way in self.found[:_MOST]
        ]
        more = len(self.found) - _MOST
        if more > 0:
            listed.append(f"  … and {more:,} more")
        return UnsupportedError(
            f"{self.what} is no network that Volr can express:\n" + "\n".join(listed)
        )
