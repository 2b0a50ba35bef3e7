"""Why is a spiking network worse than its ANN? The gap, split into causes."""

from volr.explanation.causes import Cause
from volr.explanation.exact import ExactExplanation, explain_exact
from volr.explanation.explain import explain
from volr.explanation.quantisation import PopulationLoss, QuantisationLoss, explain_quantisation
from volr.explanation.result import CauseCost, Explanation, Stage, Trial

__all__ = [
    "Cause",
    "CauseCost",
    "ExactExplanation",
    "Explanation",
    "PopulationLoss",
    "QuantisationLoss",
    "Stage",
    "Trial",
    "explain",
    "explain_exact",
    "explain_quantisation",
]
