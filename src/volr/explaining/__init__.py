"""Why is a spiking network worse than its ANN? The gap, split into causes."""

from volr.explaining.causes import Cause
from volr.explaining.explanation import explain
from volr.explaining.result import Explanation, Part, Stage, Trial

__all__ = ["Cause", "Explanation", "Part", "Stage", "Trial", "explain"]
