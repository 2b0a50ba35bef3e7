"""One set of values, and its scores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from volr.experiments.search.variation import Value

State: TypeAlias = Literal["finished", "pruned", "failed"]


@dataclass(frozen=True, kw_only=True)
class Trial:
    """``scores`` are the mean accuracies on validation samples, on each rung that it reached.

    A trial is ``pruned`` if others were better on the last of them. It ``failed`` if it could not
    be made, and ``why`` is the reason.
    """

    number: int
    values: Mapping[str, Value]
    state: State
    scores: tuple[float, ...] = ()
    why: str = ""


def best(trials: Sequence[Trial]) -> Trial | None:
    """The trial with the best score on the last rung, the first of equals; None without any."""
    finished = [each for each in trials if each.state == "finished"]
    return max(finished, key=lambda each: each.scores[-1], default=None)
