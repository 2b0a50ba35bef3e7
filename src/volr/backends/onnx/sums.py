"""Weighted sums, as the nodes of an ONNX graph say them."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from volr.network.connectors import OneToOne, Windows

if TYPE_CHECKING:
    from volr.backends.terms import Reading, Term
    from volr.checks.arrays import Floats
    from volr.network.connectors import Shape


@dataclass(frozen=True, eq=False)
class Sum:
    """Weighted sums of this ``shape``: terms, how they are merged, and biases ``[unit]``."""

    terms: tuple[Term[str], ...]
    shape: Shape
    merge: str = "sum"
    bias: Floats | None = None

    @property
    def is_plain(self) -> bool:
        """Whether it is what one weight for all has made of one source."""
        return (
            len(self.terms) == 1
            and isinstance(self.terms[0].connector, OneToOne)
            and self.merge == "sum"
            and self.bias is None
        )

    @property
    def is_untrained(self) -> bool:
        """Whether all of its weights are such as training leaves alone."""
        return all(isinstance(each.connector, (OneToOne, Windows)) for each in self.terms)

    @property
    def counted(self) -> Reading[str] | None:
        """The sums of windows of whole numbers, where these are means times the windows' size.

        Only these are what they were after they are rounded.
        """
        if not self.is_plain:
            return None
        (term,) = self.terms
        read, factor = term.read, float(term.weights.reshape(-1)[0])
        sizes = [math.prod(each.window) for each in read.pools]
        if not sizes or read.largest or read.factor * factor != math.prod(sizes):
            return None
        return replace(read, factor=read.factor * factor)
