"""Volr: one program, two generations.

>>> import volr
>>> network = volr.to_network("dense 2 4 ⦶ dense 4 2")
>>> network = volr.to_network(volr.dense(2, 4) >> volr.dense(4, 2))
>>> data = volr.task("xor").load(seed=0)
>>> model = volr.train_ann(network, data.train).model
>>> with volr.simulator("engine") as engine:
...     spiking = volr.transfer_ann(model, data.train, engine).model
>>> finer = volr.train_snn(network, data.train, start=spiking).model

The public names are those of ``__all__``. They are imported when they are first used, so that
``import volr`` is quick and imports no framework.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from volr.backends import backend, document, simulator
    from volr.backends.base import Record
    from volr.engine.surrogates import Surrogate
    from volr.errors import ProgramError, VolrError
    from volr.experiments.evaluation import evaluate
    from volr.experiments.tasks import task
    from volr.explanation import explain
    from volr.importing import import_nir
    from volr.language import check, dense, to_network
    from volr.models.activations import Identity, ReLU, Sigmoid, Tanh
    from volr.models.coding import ConstantCurrent, Poisson
    from volr.models.files import load_model, save_model
    from volr.models.model import ArtificialModel, SpikingModel
    from volr.models.samples import Data, Samples
    from volr.network import Network
    from volr.neurons import IFCondExp, IFCurrDelta, IFCurrExp
    from volr.training import SpikingSettings, TrainingSettings, train_ann, train_in_loop, train_snn
    from volr.transfer import TransferSettings, transfer_ann

__version__ = "0.1.0"

__all__ = [
    "ArtificialModel",
    "ConstantCurrent",
    "Data",
    "IFCondExp",
    "IFCurrDelta",
    "IFCurrExp",
    "Identity",
    "Network",
    "Poisson",
    "ProgramError",
    "ReLU",
    "Record",
    "Samples",
    "Sigmoid",
    "SpikingModel",
    "SpikingSettings",
    "Surrogate",
    "Tanh",
    "TrainingSettings",
    "TransferSettings",
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
]

# Where each public name is at home, and what it is called there.
_HOMES = {
    "ArtificialModel": ("volr.models.model", "ArtificialModel"),
    "ConstantCurrent": ("volr.models.coding", "ConstantCurrent"),
    "Data": ("volr.models.samples", "Data"),
    "IFCondExp": ("volr.neurons", "IFCondExp"),
    "IFCurrDelta": ("volr.neurons", "IFCurrDelta"),
    "IFCurrExp": ("volr.neurons", "IFCurrExp"),
    "Identity": ("volr.models.activations", "Identity"),
    "Network": ("volr.network", "Network"),
    "Poisson": ("volr.models.coding", "Poisson"),
    "ProgramError": ("volr.errors", "ProgramError"),
    "ReLU": ("volr.models.activations", "ReLU"),
    "Record": ("volr.backends.base", "Record"),
    "Samples": ("volr.models.samples", "Samples"),
    "Sigmoid": ("volr.models.activations", "Sigmoid"),
    "SpikingModel": ("volr.models.model", "SpikingModel"),
    "SpikingSettings": ("volr.training", "SpikingSettings"),
    "Surrogate": ("volr.engine.surrogates", "Surrogate"),
    "Tanh": ("volr.models.activations", "Tanh"),
    "TrainingSettings": ("volr.training", "TrainingSettings"),
    "TransferSettings": ("volr.transfer", "TransferSettings"),
    "VolrError": ("volr.errors", "VolrError"),
    "backend": ("volr.backends", "backend"),
    "check": ("volr.language", "check"),
    "dense": ("volr.language", "dense"),
    "document": ("volr.backends", "document"),
    "explain": ("volr.explanation", "explain"),
    "evaluate": ("volr.experiments.evaluation", "evaluate"),
    "import_nir": ("volr.importing", "import_nir"),
    "load_model": ("volr.models.files", "load_model"),
    "save_model": ("volr.models.files", "save_model"),
    "simulator": ("volr.backends", "simulator"),
    "task": ("volr.experiments.tasks", "task"),
    "to_network": ("volr.language", "to_network"),
    "train_ann": ("volr.training", "train_ann"),
    "train_in_loop": ("volr.training", "train_in_loop"),
    "train_snn": ("volr.training", "train_snn"),
    "transfer_ann": ("volr.transfer", "transfer_ann"),
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'volr' has no attribute {name!r}")
    module, attribute = _HOMES[name]
    return getattr(importlib.import_module(module), attribute)


def __dir__() -> list[str]:
    return __all__
