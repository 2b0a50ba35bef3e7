"""One set of values, and how far it came."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from volr.experiments.search.variation import Value

State: TypeAlias = Literal["finished", "pruned", "failed"]


@dataclass(frozen=True, kw_only=True)
class Trial:
    """``scores`` are the mean accuracies on validation samples, rung by rung, as far as it came.

    ``pruned`` is one that others were better than on the last of them; ``failed`` one that could
    not be made, and ``why`` says what kept it.
    """

    number: int
    values: Mapping[str, Value]
    state: State
    scores: tuple[float, ...] = ()
    why: str = ""


def best(trials: Sequence[Trial]) -> Trial | None:
    """The one that ended highest on the last rung, the first of equals; None without any."""
    finished = [each for each in trials if each.state == "finished"]
    return max(finished, key=lambda each: each.scores[-1], default=None)
