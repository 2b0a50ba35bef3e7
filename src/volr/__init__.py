"""Volr: one program, two generations.

>>> import volr
>>> network = volr.to_network("dense 2 4 ⦶ dense 4 2")
>>> network = volr.to_network(volr.dense(2, 4) >> volr.dense(4, 2))
>>> data = volr.task("xor").load(seed=0)
>>> model = volr.train_ann(network, data.train).model
>>> spiking = volr.transfer_ann(model, data.train).model
>>> volr.verify(spiking, "nest").equal
>>> finer = volr.train_snn(network, data.train, start=spiking).model

The public names are those of ``__all__``. They are imported when they are first used, so that
``import volr`` is quick and imports no framework.

In a notebook, ``%load_ext volr`` gives ``%%volr``.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from volr.backends import backend, document, simulator
    from volr.backends.base import (
        ArtificialBackend,
        Document,
        Simulator,
        SpikingBackend,
    )
    from volr.backends.recordings import Record, Recordings
    from volr.engine.surrogates import Surrogate
    from volr.errors import ProgramError, VolrError
    from volr.exact.first_spikes import from_first_spikes, to_first_spikes
    from volr.exact.proof import PopulationProof, Proof, prove
    from volr.experiments.costs.figures import Figures
    from volr.experiments.costs.measure import operations
    from volr.experiments.costs.result import Operations, PopulationOperations
    from volr.experiments.datasets.python import load_data
    from volr.experiments.evaluation import Evaluation, evaluate
    from volr.experiments.tasks import Task, task
    from volr.explanation import (
        ExactExplanation,
        Explanation,
        PopulationLoss,
        QuantisationLoss,
        explain,
        explain_exact,
        explain_quantisation,
    )
    from volr.explanation.result import CauseCost, Stage, Trial
    from volr.importing import ImportedModel, import_nir, import_onnx, import_torch, load_state
    from volr.language import Checked, Expression, check, to_network
    from volr.language.operators import avgpool, conv, dense, identity, maxpool, repeat
    from volr.model_files.model_file import load_model, save_model
    from volr.models.activations import Identity, ReLU, Sigmoid, Staircase, Tanh
    from volr.models.coding import ConstantCurrent, Poisson
    from volr.models.first_spike import FirstSpike
    from volr.models.model import ArtificialModel, SpikingModel
    from volr.models.samples import Data, Samples
    from volr.models.spike_trains import SpikeTrains
    from volr.network import AllToAll, Connector, Network, OneToOne, Population, Projection
    from volr.neurons import (
        IFCondExp,
        IFCurrDelta,
        IFCurrExp,
        NeuronModel,
        NeuronsByUnit,
        by_unit,
    )
    from volr.quantisation import Quantisation, QuantisationSettings, quantise
    from volr.quantisation.quantise import PopulationCost, QuantisationReport
    from volr.source import Diagnostic, Edit, Label, Source, Span
    from volr.training import SpikingSettings, TrainingSettings, train_ann, train_in_loop, train_snn
    from volr.training.result import Epoch, Training
    from volr.transfer import Transfer, TransferReport, TransferSettings, transfer_ann
    from volr.transfer.summary import PopulationReport
    from volr.verification import Verification, verify
    from volr.verification.behaviour import Behaviour, FirstDifference
    from volr.verification.differences import Comparison, Difference, Tally
    from volr.verification.whole_numbers import (
        Agreement,
        FirstWrong,
        WholeNumbers,
        verify_against,
    )

__version__ = "0.2.0"

__all__ = [
    "Agreement",
    "AllToAll",
    "ArtificialBackend",
    "ArtificialModel",
    "Behaviour",
    "CauseCost",
    "Checked",
    "Comparison",
    "Connector",
    "ConstantCurrent",
    "Data",
    "Diagnostic",
    "Difference",
    "Document",
    "Edit",
    "Epoch",
    "Evaluation",
    "ExactExplanation",
    "Explanation",
    "Expression",
    "Figures",
    "FirstDifference",
    "FirstSpike",
    "FirstWrong",
    "IFCondExp",
    "IFCurrDelta",
    "IFCurrExp",
    "Identity",
    "ImportedModel",
    "Label",
    "Network",
    "NeuronModel",
    "NeuronsByUnit",
    "OneToOne",
    "Operations",
    "Poisson",
    "Population",
    "PopulationCost",
    "PopulationLoss",
    "PopulationOperations",
    "PopulationProof",
    "PopulationReport",
    "ProgramError",
    "Projection",
    "Proof",
    "Quantisation",
    "QuantisationLoss",
    "QuantisationReport",
    "QuantisationSettings",
    "ReLU",
    "Record",
    "Recordings",
    "Samples",
    "Sigmoid",
    "Simulator",
    "Source",
    "Span",
    "SpikeTrains",
    "SpikingBackend",
    "SpikingModel",
    "SpikingSettings",
    "Stage",
    "Staircase",
    "Surrogate",
    "Tally",
    "Tanh",
    "Task",
    "Training",
    "TrainingSettings",
    "Transfer",
    "TransferReport",
    "TransferSettings",
    "Trial",
    "Verification",
    "VolrError",
    "WholeNumbers",
    "__version__",
    "avgpool",
    "backend",
    "by_unit",
    "check",
    "conv",
    "dense",
    "document",
    "evaluate",
    "explain",
    "explain_exact",
    "explain_quantisation",
    "from_first_spikes",
    "identity",
    "import_nir",
    "import_onnx",
    "import_torch",
    "load_data",
    "load_model",
    "load_state",
    "maxpool",
    "operations",
    "prove",
    "quantise",
    "repeat",
    "save_model",
    "simulator",
    "task",
    "to_first_spikes",
    "to_network",
    "train_ann",
    "train_in_loop",
    "train_snn",
    "transfer_ann",
    "verify",
    "verify_against",
]

# The public names that each module has.
_HOMES = {
    "volr.backends": "backend document simulator",
    "volr.backends.base": "ArtificialBackend Document Simulator SpikingBackend",
    "volr.backends.recordings": "Record Recordings",
    "volr.engine.surrogates": "Surrogate",
    "volr.errors": "ProgramError VolrError",
    "volr.exact.first_spikes": "from_first_spikes to_first_spikes",
    "volr.exact.proof": "PopulationProof Proof prove",
    "volr.experiments.costs.figures": "Figures",
    "volr.experiments.costs.measure": "operations",
    "volr.experiments.costs.result": "Operations PopulationOperations",
    "volr.experiments.datasets.python": "load_data",
    "volr.experiments.evaluation": "Evaluation evaluate",
    "volr.experiments.tasks": "Task task",
    "volr.explanation": (
        "ExactExplanation Explanation PopulationLoss QuantisationLoss explain explain_exact "
        "explain_quantisation"
    ),
    "volr.explanation.result": "CauseCost Stage Trial",
    "volr.importing": "ImportedModel import_nir import_onnx import_torch load_state",
    "volr.language": "Checked Expression check to_network",
    "volr.language.operators": "avgpool conv dense identity maxpool repeat",
    "volr.model_files.model_file": "load_model save_model",
    "volr.models.activations": "Identity ReLU Sigmoid Staircase Tanh",
    "volr.models.coding": "ConstantCurrent Poisson",
    "volr.models.first_spike": "FirstSpike",
    "volr.models.model": "ArtificialModel SpikingModel",
    "volr.models.samples": "Data Samples",
    "volr.models.spike_trains": "SpikeTrains",
    "volr.network": "AllToAll Connector Network OneToOne Population Projection",
    "volr.neurons": "IFCondExp IFCurrDelta IFCurrExp NeuronModel NeuronsByUnit by_unit",
    "volr.quantisation": "Quantisation QuantisationSettings quantise",
    "volr.quantisation.quantise": "PopulationCost QuantisationReport",
    "volr.source": "Diagnostic Edit Label Source Span",
    "volr.training": "SpikingSettings TrainingSettings train_ann train_in_loop train_snn",
    "volr.training.result": "Epoch Training",
    "volr.transfer": "Transfer TransferReport TransferSettings transfer_ann",
    "volr.transfer.summary": "PopulationReport",
    "volr.verification": "Verification verify",
    "volr.verification.behaviour": "Behaviour FirstDifference",
    "volr.verification.differences": "Comparison Difference Tally",
    "volr.verification.whole_numbers": "Agreement FirstWrong WholeNumbers verify_against",
}


def load_ipython_extension(shell: Any) -> None:
    """What ``%load_ext volr`` calls in a notebook: then ``%%volr`` begins a cell with a program."""
    from volr.notebook import register

    register(shell)


def __getattr__(name: str) -> Any:
    for module, names in _HOMES.items():
        if name in names.split():
            return getattr(importlib.import_module(module), name)
    raise AttributeError(f"module 'volr' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
