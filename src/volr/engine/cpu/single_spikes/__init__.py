"""Networks of whole numbers in which no neuron spikes twice, in a shorter way than step by step.

Nothing is rounded in them, so sums need no order: a spike adds its weights to its targets' currents
at once, and between two spikes nothing is stored. What comes out is what all other kernels compute,
to the last bit. See ``program`` for when this holds.
"""

from volr.engine.cpu.single_spikes.program import Program, programs_of
from volr.engine.cpu.single_spikes.simulation import Times, run

__all__ = ["Program", "Times", "programs_of", "run"]
