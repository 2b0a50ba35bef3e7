"""The default settings of an experiment's runs, by task, program and neuron.

Training has its own defaults, which are good for any network. The values here were measured to be
better, or enough, for these tasks (docs/results.md). A quick experiment shows that everything
works, and does less of all that takes long. Small tasks, which are quick anyway, stay whole.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from volr.experiments.programs import name_of
from volr.experiments.settings import settings_json
from volr.neurons import IFCondExp

if TYPE_CHECKING:
    from volr.experiments.settings import Settings

_Changes = dict[str, Any]

_SMALL: _Changes = {"loop_epochs": 50}
_LOOP: _Changes = {"loop_epochs": 2, "loop_batch_size": 16, "loop_learning_rate": 0.006}
_FINE: _Changes = {"fine_epochs": 1, "fine_learning_rate": 3e-4}
_BY_TASK: dict[str, _Changes] = {
    "nand": _SMALL,
    "xor": _SMALL,
    "mnist": {"surrogate_epochs": 5, **_LOOP, **_FINE},
    "mnist-parallel": {
        "warm_up_epochs": 6,
        "warm_up_learning_rate": 0.008,
        "warm_up_weight_decay": 0.02,
        "surrogate_epochs": 2,
        "surrogate_learning_rate": 0.003,
        "surrogate_width": 0.1,
        **_LOOP,
        **_FINE,
    },
}
# Inputs have lower rates with conductances, so their weights have to change more.
_CONDUCTANCES: _Changes = {
    "warm_up_weight_decay": 0.03,
    "surrogate_epochs": 1,
    "surrogate_learning_rate": 0.003,
    "loop_epochs": 3,
    "loop_batch_size": 16,
    "loop_learning_rate": 0.024,
    "fine_epochs": 2,
    "fine_batch_size": 128,
    "fine_learning_rate": 5e-4,
}
_WITH_CONDUCTANCES: dict[str, _Changes] = {
    "nand": _SMALL,
    "xor": _SMALL,
    "mnist": {
        "warm_up_epochs": 3,
        "warm_up_learning_rate": 0.025,
        **_CONDUCTANCES,
    },
    "mnist-parallel": {
        "dt": 0.25,
        "warm_up_epochs": 10,
        "warm_up_learning_rate": 0.04,
        **_CONDUCTANCES,
    },
}
# Found on a tenth of MNIST's training images, and of Fashion-MNIST's.
_LENET: _Changes = {
    "epochs": 15,
    "batch_size": 128,
    "schedule": "one_cycle",
    "learning_rate": 0.005,
    "shift": 2,
}
_RESIDUAL: _Changes = {
    "epochs": 18,
    "batch_size": 128,
    "schedule": "one_cycle",
    "learning_rate": 0.01,
    "shift": 1,
    "normalise": "batch",
}
_BY_PROGRAM: dict[str, _Changes] = {
    "lenet": _LENET,
    "lenet-avgpool": _LENET,
    "residual": _RESIDUAL,
}
_TAKES_LONG = ("mnist", "mnist-parallel", "fashion")
QUICK: _Changes = {
    "epochs": 8,
    "surrogate_epochs": 1,
    "loop_epochs": 1,
    "loop_samples": 2_048,
    "fine_epochs": 1,
    "train_samples": 12_000,
    "test_samples": 1_000,
}


def with_task_defaults(
    settings: Settings, task: str, program: str | None = None, *, quick: bool = False
) -> Settings:
    """``settings``, with defaults for everything that is as in ``Settings()``: those of the task,
    and those of the ``program``, a text, where it is one that comes with Volr.
    """
    by_task = _WITH_CONDUCTANCES if settings.neuron == IFCondExp.name else _BY_TASK
    changes = by_task.get(task, {})
    if program is not None and (name := name_of(program)) is not None:
        changes = changes | _BY_PROGRAM[name]
    if quick and task in _TAKES_LONG:
        changes = changes | QUICK
    given = settings_json(settings)
    return replace(settings, **{name: each for name, each in changes.items() if name not in given})
