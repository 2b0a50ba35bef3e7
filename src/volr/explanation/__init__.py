"""Why is a spiking network worse than its ANN? The gap, split into causes."""

from volr.explanation.causes import Cause
from volr.explanation.explain import explain
from volr.explanation.result import CauseCost, Explanation, Stage, Trial

__all__ = ["Cause", "CauseCost", "Explanation", "Stage", "Trial", "explain"]
