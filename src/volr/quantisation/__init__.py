"""From a trained network with ReLU to a staircase network of whole numbers."""

from volr.quantisation.quantise import (
    PopulationCost,
    Quantisation,
    QuantisationReport,
    QuantisationSettings,
    quantise,
)

__all__ = [
    "PopulationCost",
    "Quantisation",
    "QuantisationReport",
    "QuantisationSettings",
    "quantise",
]
