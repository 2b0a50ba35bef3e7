"""Why is a spiking network worse than its ANN? The gap, split into causes."""

from volr.explanation.causes import Cause
from volr.explanation.explain import explain
from volr.explanation.result import Explanation, Part, Stage, Trial

__all__ = ["Cause", "Explanation", "Part", "Stage", "Trial", "explain"]
