"""The numbers that a measurement of costs returns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from volr.display.displayed import Displayed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from volr.display.parts import Part
    from volr.experiments.costs.figures import Figures
    from volr.experiments.evaluation import Evaluation


@dataclass(frozen=True, kw_only=True)
class PopulationOperations:
    """What a population sends and what that sets off, for one stimulus, as a mean.

    ``active`` counts its spikes, or its values other than 0. Each of them times an outgoing synapse
    is one of the ``synaptic`` operations. Of these, the effective ones have a weight other than 0:
    ``macs`` multiply and accumulate, ``acs`` accumulate only, because the values are spikes, or
    nothing but 0, 1 and −1. ``dense`` counts all operations where no 0 is left out.
    """

    population: str
    size: int
    active: float
    synaptic: float
    macs: float
    acs: float
    dense: int


@dataclass(frozen=True, kw_only=True)
class Operations(Displayed):
    """What a model costs for one stimulus, as the mean of the stimuli of ``evaluation``.

    The first are the ``populations``, the ``clock`` of first spikes among them, and their sums.

    Of a spiking model: ``steps`` is how long a stimulus takes, ``decided`` the mean number of steps
    after which the decision stays, and ``updates`` the number of neurons times that of steps. They
    are None for an artificial model.

    ``activation_sparsity`` is the share of activations that are 0: of hidden populations, or of all
    neurons that can spike, in all steps, without inputs and clock. ``connection_sparsity`` is the
    share of weights that are 0, and ``footprint`` the bytes of all parameters. Energies are
    *estimates*, pJ, from published ``figures`` for one operation.
    """

    evaluation: Evaluation
    populations: tuple[PopulationOperations, ...]
    clock: str | None
    steps: int | None
    decided: float | None
    updates: int | None
    activation_sparsity: float
    connection_sparsity: float
    footprint: int
    figures: Figures

    @property
    def active(self) -> float:
        """Spikes, or values other than 0, of all populations."""
        return sum(each.active for each in self.populations)

    @property
    def synaptic(self) -> float:
        """Synaptic operations of all populations."""
        return sum(each.synaptic for each in self.populations)

    @property
    def macs(self) -> float:
        """Effective operations that multiply and accumulate."""
        return sum(each.macs for each in self.populations)

    @property
    def acs(self) -> float:
        """Effective operations that accumulate only."""
        return sum(each.acs for each in self.populations)

    @property
    def dense(self) -> int:
        """Operations where no 0 is left out."""
        return sum(each.dense for each in self.populations)

    @property
    def energy(self) -> float:
        """An estimate for the effective operations, pJ. Nothing else is in it: no access to
        memory, no update of neurons, no leakage.
        """
        return self.macs * self.figures.mac + self.acs * self.figures.ac

    @property
    def dense_energy(self) -> float:
        """The same estimate where no 0 is left out."""
        return self.dense * (self.figures.mac if self.updates is None else self.figures.ac)

    @property
    def update_energy(self) -> float:
        """An estimate for the updates of neurons, pJ: one addition each, which is the least."""
        return (self.updates or 0) * self.figures.ac

    def _display(self) -> Iterable[Part]:
        from volr.experiments.costs.display import operations_parts

        return operations_parts(self)
