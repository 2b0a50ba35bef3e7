"""The result of training, and its progress function."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from volr.display.displayed import Displayed
from volr.display.parts import Markup

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from volr.display.parts import Part
    from volr.models.model import Model


ModelT_co = TypeVar("ModelT_co", bound="Model", covariant=True)


class TrainingProgress(Protocol):
    """Called after every epoch, counted from 1."""

    def __call__(self, epoch: int, of: int, loss: float, accuracy: float | None) -> None:
        """``loss`` on the training split, ``accuracy`` on the validation split if there is one."""
        ...


@dataclass(frozen=True)
class Epoch:
    """One epoch: the mean loss of its updates, and the validation split after it."""

    loss: float
    validation_loss: float | None
    validation_accuracy: float | None


@dataclass(frozen=True)
class Training(Displayed, Generic[ModelT_co]):
    """A trained model, and the course of its training.

    ``history`` is that of the candidate that was kept, number ``candidate`` of ``candidates``
    (from 0); they were trained together for ``probation`` updates. The model has the parameters of
    the end of epoch ``kept_epoch`` (from 1; 0 is the model that training started from). ``dead`` is
    the number of neurons of each hidden population that never spike, or whose activation is always
    0, over all samples, including those set aside. ``rates`` is the mean rate, Hz, over these
    samples of each hidden population that spikes. ``went_on_after`` is the number of epochs that a
    checkpoint had already.
    """

    model: ModelT_co
    history: tuple[Epoch, ...]
    kept_epoch: int
    candidate: int
    candidates: int
    probation: int
    dead: Mapping[str, int]
    rates: Mapping[str, float] = field(default_factory=dict[str, float])
    went_on_after: int = field(default=0, compare=False)

    def _display(self) -> Iterable[Part]:
        from volr.training.display import training_lines

        yield Markup(self.model._repr_html_())
        yield "\n".join(training_lines(self))
