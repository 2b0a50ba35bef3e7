"""ANN parameters to SNN parameters, with calibration and its report."""

from volr.transfer.ann_to_snn import Transfer, transfer_ann
from volr.transfer.calibration import CalibrationProgress
from volr.transfer.settings import TransferSettings
from volr.transfer.summary import PopulationReport, TransferReport

__all__ = [
    "CalibrationProgress",
    "PopulationReport",
    "Transfer",
    "TransferReport",
    "TransferSettings",
    "transfer_ann",
]
