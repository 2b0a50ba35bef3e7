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
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from volr.backends import backend, document, simulator
    from volr.backends.base import (
        ArtificialBackend,
        Document,
        Record,
        Recordings,
        Simulator,
        SpikingBackend,
    )
    from volr.engine.surrogates import Surrogate
    from volr.errors import ProgramError, VolrError
    from volr.experiments.evaluation import Evaluation, evaluate
    from volr.experiments.tasks import Task, task
    from volr.explanation import Explanation, explain
    from volr.importing import ImportedModel, import_nir
    from volr.language import Checked, check, dense, to_network
    from volr.language.syntax import Dense
    from volr.model_files.model_file import load_model, save_model
    from volr.models.activations import Identity, ReLU, Sigmoid, Tanh
    from volr.models.coding import ConstantCurrent, Poisson
    from volr.models.model import ArtificialModel, SpikingModel
    from volr.models.samples import Data, Samples
    from volr.network import Network
    from volr.neurons import IFCondExp, IFCurrDelta, IFCurrExp
    from volr.training import SpikingSettings, TrainingSettings, train_ann, train_in_loop, train_snn
    from volr.training.result import Training
    from volr.transfer import Transfer, TransferReport, TransferSettings, transfer_ann
    from volr.verification import Verification, verify

__version__ = "0.1.0"

__all__ = [
    "ArtificialBackend",
    "ArtificialModel",
    "Checked",
    "ConstantCurrent",
    "Data",
    "Dense",
    "Document",
    "Evaluation",
    "Explanation",
    "IFCondExp",
    "IFCurrDelta",
    "IFCurrExp",
    "Identity",
    "ImportedModel",
    "Network",
    "Poisson",
    "ProgramError",
    "ReLU",
    "Record",
    "Recordings",
    "Samples",
    "Sigmoid",
    "Simulator",
    "SpikingBackend",
    "SpikingModel",
    "SpikingSettings",
    "Surrogate",
    "Tanh",
    "Task",
    "Training",
    "TrainingSettings",
    "Transfer",
    "TransferReport",
    "TransferSettings",
    "Verification",
    "VolrError",
    "__version__",
    "backend",
    "check",
    "dense",
    "document",
    "evaluate",
    "explain",
    "import_nir",
    "load_model",
    "save_model",
    "simulator",
    "task",
    "to_network",
    "train_ann",
    "train_in_loop",
    "train_snn",
    "transfer_ann",
    "verify",
]

# Where each public name is at home, and what it is called there.
_HOMES = {
    "ArtificialBackend": ("volr.backends.base", "ArtificialBackend"),
    "ArtificialModel": ("volr.models.model", "ArtificialModel"),
    "Checked": ("volr.language", "Checked"),
    "ConstantCurrent": ("volr.models.coding", "ConstantCurrent"),
    "Data": ("volr.models.samples", "Data"),
    "Dense": ("volr.language.syntax", "Dense"),
    "Document": ("volr.backends.base", "Document"),
    "Evaluation": ("volr.experiments.evaluation", "Evaluation"),
    "Explanation": ("volr.explanation", "Explanation"),
    "IFCondExp": ("volr.neurons", "IFCondExp"),
    "IFCurrDelta": ("volr.neurons", "IFCurrDelta"),
    "IFCurrExp": ("volr.neurons", "IFCurrExp"),
    "Identity": ("volr.models.activations", "Identity"),
    "ImportedModel": ("volr.importing", "ImportedModel"),
    "Network": ("volr.network", "Network"),
    "Poisson": ("volr.models.coding", "Poisson"),
    "ProgramError": ("volr.errors", "ProgramError"),
    "ReLU": ("volr.models.activations", "ReLU"),
    "Record": ("volr.backends.base", "Record"),
    "Recordings": ("volr.backends.base", "Recordings"),
    "Samples": ("volr.models.samples", "Samples"),
    "Sigmoid": ("volr.models.activations", "Sigmoid"),
    "Simulator": ("volr.backends.base", "Simulator"),
    "SpikingBackend": ("volr.backends.base", "SpikingBackend"),
    "SpikingModel": ("volr.models.model", "SpikingModel"),
    "SpikingSettings": ("volr.training", "SpikingSettings"),
    "Surrogate": ("volr.engine.surrogates", "Surrogate"),
    "Tanh": ("volr.models.activations", "Tanh"),
    "Task": ("volr.experiments.tasks", "Task"),
    "Training": ("volr.training.result", "Training"),
    "TrainingSettings": ("volr.training", "TrainingSettings"),
    "Transfer": ("volr.transfer", "Transfer"),
    "TransferReport": ("volr.transfer", "TransferReport"),
    "TransferSettings": ("volr.transfer", "TransferSettings"),
    "Verification": ("volr.verification", "Verification"),
    "VolrError": ("volr.errors", "VolrError"),
    "backend": ("volr.backends", "backend"),
    "check": ("volr.language", "check"),
    "dense": ("volr.language", "dense"),
    "document": ("volr.backends", "document"),
    "evaluate": ("volr.experiments.evaluation", "evaluate"),
    "explain": ("volr.explanation", "explain"),
    "import_nir": ("volr.importing", "import_nir"),
    "load_model": ("volr.model_files.model_file", "load_model"),
    "save_model": ("volr.model_files.model_file", "save_model"),
    "simulator": ("volr.backends", "simulator"),
    "task": ("volr.experiments.tasks", "task"),
    "to_network": ("volr.language", "to_network"),
    "train_ann": ("volr.training", "train_ann"),
    "train_in_loop": ("volr.training", "train_in_loop"),
    "train_snn": ("volr.training", "train_snn"),
    "transfer_ann": ("volr.transfer", "transfer_ann"),
    "verify": ("volr.verification", "verify"),
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'volr' has no attribute {name!r}")
    module, attribute = _HOMES[name]
    return getattr(importlib.import_module(module), attribute)


def __dir__() -> list[str]:
    return __all__
