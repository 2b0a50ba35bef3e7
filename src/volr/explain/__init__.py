"""Why is a spiking network worse than its ANN? The gap, split into causes."""

from volr.explain.causes import Cause
from volr.explain.explanation import explain
from volr.explain.result import Explanation, Part, Stage, Trial

__all__ = ["Cause", "Explanation", "Part", "Stage", "Trial", "explain"]
