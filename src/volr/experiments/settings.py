"""Every number that an experiment, a search or a transfer may be told, as one flat record.

One vocabulary for the options of `volr experiment`, the spaces of `volr search`, the files that a
search writes, and what the journal of an experiment compares. None stands for what the stage in
question does unless told.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any, cast, get_type_hints

from volr.engine.surrogates import Surrogate
from volr.errors import DataError
from volr.models.neurons import RESETS, neuron_model
from volr.naming import named
from volr.training import SpikingSettings, TrainingSettings
from volr.transfer import TransferSettings
from volr.transfer.settings import coding_told, suited_coding

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from volr.models.neurons import NeuronModel, Reset


FOR_ARTIFICIAL = ("epochs", "batch_size", "learning_rate", "weight_decay")
FOR_SPIKING = (
    *("neuron", "neuron_parameters", "reset", "coding", "rate_max", "duration", "dt", "delay"),
)
FOR_TRANSFER = ("population_rate", "percentile", "rounds", "calibration_samples")
FOR_SURROGATE = (
    *("warm_up_epochs", "warm_up_learning_rate", "warm_up_weight_decay"),
    *("surrogate_epochs", "surrogate_learning_rate", "surrogate_weight_decay", "surrogate_width"),
)
FOR_LOOP = ("loop_epochs", "loop_batch_size", "loop_learning_rate", "loop_samples")
FOR_FINE = ("fine_epochs", "fine_batch_size", "fine_learning_rate")
FOR_DATA = ("train_samples", "test_samples")
"""The settings by what they are for; together, all of them."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How networks are trained, transferred and run; seeds are each run's own.

    ``neuron``, ``neuron_parameters``, ``reset``, ``coding``, ``rate_max`` (Hz), ``duration``,
    ``dt``, ``delay`` (ms)             the spiking side
    ``population_rate`` (Hz), ``percentile``, ``rounds``, ``calibration_samples``    of the transfer
    ``epochs``, ``batch_size``, ``learning_rate``, ``weight_decay``     of the artificial network
    ``warm_up_…``      of a spiking network's first epochs in the engine, with gradients through
                       rates as in the loop; unless told, or with 0, there are none
    ``surrogate_…``    of a spiking network trained in the engine, from random weights or those
    ``loop_…``         of one trained with its forward pass in a simulator, on ``loop_samples``
    ``fine_…``         of one that goes on from a transferred model
    ``train_samples``, ``test_samples``     how many of the task's samples are used; None: all

    Raises as the records do that it is turned into.
    """

    neuron: str = "if_curr_exp"
    neuron_parameters: Mapping[str, float] = field(default_factory=dict[str, float])
    reset: Reset = "hard"
    coding: str = "current"
    rate_max: float | None = None
    population_rate: float | None = None
    duration: float = 50.0
    dt: float = 0.5
    delay: float | None = None
    percentile: float | None = None
    rounds: int | None = None
    calibration_samples: int | None = None
    epochs: int | None = None
    batch_size: int | None = None
    learning_rate: float | None = None
    weight_decay: float | None = None
    warm_up_epochs: int | None = None
    warm_up_learning_rate: float | None = None
    warm_up_weight_decay: float | None = None
    surrogate_epochs: int | None = None
    surrogate_learning_rate: float | None = None
    surrogate_weight_decay: float | None = None
    surrogate_width: float | None = None
    loop_epochs: int | None = None
    loop_batch_size: int | None = None
    loop_learning_rate: float | None = None
    loop_samples: int | None = 8192
    fine_epochs: int | None = None
    fine_batch_size: int | None = None
    fine_learning_rate: float | None = None
    train_samples: int | None = None
    test_samples: int | None = None

    def __post_init__(self) -> None:
        for make in (self.training, self.surrogate, self.in_loop, self.fine, self.transfer):
            make(0)
        if self.warms_up:
            self.warm_up(0)
        self.spiking()
        for name in ("loop_samples", "train_samples", "test_samples"):
            value = getattr(self, name)
            if value is not None and value < 2:
                raise DataError(f"{name} is {value}, below 2")

    def training(self, seed: int) -> TrainingSettings:
        """For an artificial network."""
        return self._stage("", seed)

    @property
    def warms_up(self) -> bool:
        """Whether training in the engine begins with gradients through rates."""
        return bool(self.warm_up_epochs)

    def warm_up(self, seed: int) -> TrainingSettings:
        """For a spiking network's first epochs in the engine."""
        return self._stage("warm_up_", seed)

    def surrogate(self, seed: int) -> TrainingSettings:
        """For a spiking network in the engine."""
        return self._stage("surrogate_", seed)

    def in_loop(self, seed: int) -> TrainingSettings:
        """For a spiking network with its forward pass in a simulator."""
        return self._stage("loop_", seed)

    def fine(self, seed: int) -> TrainingSettings:
        """For a transferred network that is trained further."""
        return self._stage("fine_", seed)

    def spiking(self) -> SpikingSettings:
        """What kind of spiking network is trained."""
        neuron = self._neuron()
        return SpikingSettings(
            neuron=neuron,
            coding=coding_told(self.coding, self.rate_max) or suited_coding(neuron, self.dt),
            dt=self.dt,
            duration=self.duration,
            delay=self.delay,
            surrogate=Surrogate(**_given({"width": self.surrogate_width})),
        )

    def transfer(self, seed: int) -> TransferSettings:
        """How an artificial network becomes a spiking one."""
        told = {
            "population_rate": self.population_rate,
            "percentile": self.percentile,
            "rounds": self.rounds,
            "samples": self.calibration_samples,
        }
        return TransferSettings(
            neuron=self._neuron(),
            coding=coding_told(self.coding, self.rate_max),
            dt=self.dt,
            duration=self.duration,
            delay=self.delay,
            seed=seed,
            **_given(told),
        )

    def only(self, names: Collection[str]) -> Settings:
        """What of it these settings and the data say; all else as it is unless told."""
        return Settings(**{name: getattr(self, name) for name in (*names, *FOR_DATA)})

    def _stage(self, prefix: str, seed: int) -> TrainingSettings:
        """Of the settings that begin so, those that training knows; a stage need not have all."""
        told = {name: getattr(self, prefix + name, None) for name in FOR_ARTIFICIAL}
        return TrainingSettings(seed=seed, **_given(told))

    def _neuron(self) -> NeuronModel:
        known: dict[str, Reset] = {each: each for each in RESETS}
        reset = named("reset", self.reset, known, DataError)
        return neuron_model(self.neuron, self.neuron_parameters, reset)


def settings_json(settings: Settings) -> dict[str, Any]:
    """What was told, by name: what differs from a ``Settings()``."""
    unless = asdict(Settings())
    return {name: value for name, value in asdict(settings).items() if value != unless[name]}


def settings_from(told: Mapping[str, Any], where: str) -> Settings:
    """The settings with what ``where`` says, a mapping by name; ``DataError`` for what none has."""
    hints = get_type_hints(Settings, localns={"Mapping": dict, "Reset": str})
    known = {each.name: hints[each.name] for each in fields(Settings)}
    for name, value in told.items():
        named("setting", name, known, DataError)
        if not _is_a(value, str(known[name])):
            raise DataError(f"{where}: the setting {name!r} cannot be {value!r}")
    return replace(Settings(), **told)


def settings_told(path: Path | None, *told: Mapping[str, Any]) -> Settings:
    """Those in a file, if one is named, with what is ``told`` beside it: the last has the say, and
    None says nothing.
    """
    changes: dict[str, Any] = {}
    for each in told:
        changes |= _given(each)
    return replace(Settings() if path is None else read_settings(path), **changes)


def read_settings(path: Path) -> Settings:
    """The settings in a JSON file, such as `volr search` writes: those under ``"settings"``.

    Raises ``DataError`` where the file cannot be read or says what no setting can be.
    """
    return settings_from(_told(path), str(path))


def tells(path: Path, name: str) -> bool:
    """Whether such a file says what the setting ``name`` is. Raises as ``read_settings`` does."""
    return name in _told(path)


def read_program(path: Path, task: str) -> str | None:
    """The program in such a file, if it has one and is about this task.

    Raises ``DataError`` as ``read_settings`` does.
    """
    content = _read_object(path)
    program = content.get("program")
    return program if isinstance(program, str) and content.get("task") == task else None


def _told(path: Path) -> dict[str, Any]:
    told = _read_object(path).get("settings")
    if not isinstance(told, dict):
        raise DataError(
            f"{path} has no settings", help='it should be JSON such as {"settings": {"dt": 0.25}}'
        )
    return cast("dict[str, Any]", told)


def _read_object(path: Path) -> dict[str, Any]:
    """A file's JSON object; an empty one where it is JSON of another kind."""
    try:
        content: Any = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path} is not JSON: {error}") from error
    return cast("dict[str, Any]", content) if isinstance(content, dict) else {}


def _is_a(value: object, hint: str) -> bool:
    """Whether a value that was read from JSON is of a field's type, given in words."""
    if value is None:
        return "None" in hint
    if isinstance(value, bool):
        return False
    if "dict" in hint:
        return isinstance(value, dict) and all(
            _is_a(each, "float") for each in cast("dict[object, object]", value).values()
        )
    if isinstance(value, int):
        # JSON has integers that no float can hold.
        return abs(value) < 2**63 and ("int" in hint or "float" in hint)
    return (isinstance(value, float) and "float" in hint) or (
        isinstance(value, str) and "str" in hint
    )


def _given(told: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in told.items() if value is not None}
