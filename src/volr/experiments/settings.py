"""The settings of experiments, searches and transfers, as one flat record.

The options of `volr experiment`, the spaces of `volr search`, the files of a search and the journal
of an experiment all use these names. None stands for the default of the stage that uses the
setting, which may depend on task and neuron (``volr.experiments.defaults``).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any

from volr.checks.annotations import settle, shown
from volr.checks.json_values import in_words, out_of_words
from volr.checks.names import named
from volr.engine.surrogates import Surrogate
from volr.errors import DataError
from volr.experiments.settings_errors import (
    as_number,
    called,
    can_be,
    naming,
    not_by_name,
    not_finite,
)
from volr.models.coding import ConstantCurrent, coding_by_name
from volr.models.model import SpikingModel
from volr.models.simulation_settings import SimulationSettings
from volr.neurons import RESETS, neuron_model
from volr.quantisation import QuantisationSettings
from volr.training import SpikingSettings, TrainingSettings
from volr.transfer import TransferSettings

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from volr.models.coding import InputCoding
    from volr.neurons import NeuronModel, Reset

LOOP_SAMPLES = 8192
"""The default number of samples for training in the loop."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How networks are trained, transferred and run. Each run has its own seed.

    ``neuron``, ``neuron_parameters``, ``reset``, ``coding``, ``rate_max`` (Hz), ``duration``,
    ``dt``, ``delay`` (ms)    of spiking networks
    ``population_rate`` (Hz), ``percentile``, ``rounds``, ``calibration_samples``    of the transfer
    ``levels``, ``quantisation_percentile``, ``quantisation_samples``    of the network of whole
                       numbers
    ``epochs``, ``batch_size``, ``learning_rate``, ``weight_decay``, ``schedule``, ``normalise``,
    ``dropout``, ``shift``     of the artificial network
    ``warm_up_…``      of the first epochs of a spiking network in the engine, with gradients
                       through rates as in the loop; by default, or with 0, there are none
    ``surrogate_…``    of training in the engine, from random weights or after the warm-up
    ``loop_…``         of training with the forward pass in a simulator, on ``loop_samples``, or on
                       all samples if there are fewer
    ``fine_…``         of training that goes on from a transferred model
    ``train_samples``, ``test_samples``     how many of the task's samples are used; None: all

    Raises as ``TrainingSettings``, ``SpikingSettings``, ``TransferSettings`` and
    ``QuantisationSettings`` do, with the names of the settings here.
    """

    neuron: str = SpikingModel.neuron.name
    neuron_parameters: Mapping[str, float] = field(default_factory=dict[str, float])
    reset: Reset = SpikingModel.neuron.reset
    coding: str = ConstantCurrent.name
    rate_max: float | None = None
    population_rate: float | None = None
    duration: float = SpikingModel.duration
    dt: float | None = None
    delay: float | None = None
    percentile: float | None = None
    rounds: int | None = None
    calibration_samples: int | None = None
    levels: int | None = None
    quantisation_percentile: float | None = None
    quantisation_samples: int | None = None
    epochs: int | None = None
    batch_size: int | None = None
    learning_rate: float | None = None
    weight_decay: float | None = None
    schedule: str | None = None
    normalise: str | None = None
    dropout: float | None = None
    shift: int | None = None
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
    loop_samples: int | None = None
    fine_epochs: int | None = None
    fine_batch_size: int | None = None
    fine_learning_rate: float | None = None
    train_samples: int | None = None
    test_samples: int | None = None

    def __post_init__(self) -> None:
        if isinstance(self.neuron_parameters, dict):
            # JSON has no infinity, and a membrane without leak has an infinite time constant.
            values = {key: out_of_words(each) for key, each in self.neuron_parameters.items()}
            object.__setattr__(self, "neuron_parameters", values)
        wrong = settle(self, Reset=str) or not_by_name(self.neuron_parameters)
        if wrong:
            raise DataError("these are no settings: " + "; ".join(wrong))
        # What all stages share is checked first, so that no single stage is named in the error.
        SimulationSettings(**self._shared())
        if wrong := not_finite(self):
            raise DataError("these are no settings: " + "; ".join(wrong))
        for make in (self.training, self.surrogate, self.in_loop, self.fine):
            make(0)
        self.transfer(0)
        self.quantisation(0)
        # Rates and decays must be valid even if no epochs use them.
        self._stage("warm_up_", 0, epochs=self.warm_up_epochs or None)
        self.spiking()
        for name in ("loop_samples", "train_samples", "test_samples"):
            value = getattr(self, name)
            if value is not None and value < 2:
                raise DataError(f"{name} is {value}, below 2")

    @property
    def step(self) -> float:
        """The time step, ms."""
        return SpikingModel.dt if self.dt is None else self.dt

    @property
    def in_loop_samples(self) -> int:
        """The most samples for training in the loop."""
        return LOOP_SAMPLES if self.loop_samples is None else self.loop_samples

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
        with called({"its width": "surrogate_width"}):
            surrogate = Surrogate(**given({"width": self.surrogate_width}))
        return SpikingSettings(**self._shared(), surrogate=surrogate)

    def transfer(self, seed: int) -> TransferSettings:
        """How an artificial network becomes a spiking one."""
        own = {name.removeprefix("calibration_"): getattr(self, name) for name in FOR_TRANSFER}
        with called({"samples": "calibration_samples"}):
            return TransferSettings(**self._shared(), seed=seed, **given(own))

    def quantisation(self, seed: int) -> QuantisationSettings:
        """How an artificial network becomes one of whole numbers."""
        own = {name.removeprefix(_QUANTISATION): getattr(self, name) for name in FOR_QUANTISATION}
        with called({name: _QUANTISATION + name for name in ("percentile", "samples")}):
            return QuantisationSettings(seed=seed, **given(own))

    def only(self, names: Collection[str]) -> Settings:
        """These settings and those of the data, with defaults for all others."""
        return Settings(**{name: getattr(self, name) for name in (*names, *FOR_DATA)})

    def _stage(self, prefix: str, seed: int, **instead: Any) -> TrainingSettings:
        """The training settings among those with this prefix; a stage need not have all."""
        own = {name: getattr(self, prefix + name, None) for name in FOR_ARTIFICIAL} | instead
        with called({name: prefix + name for name in own}):
            return TrainingSettings(seed=seed, **given(own))

    def _shared(self) -> dict[str, Any]:
        """What training with spikes and a transfer have in common."""
        return {
            "neuron": self._neuron(),
            "coding": self._coding(),
            "dt": self.step,
            "duration": self.duration,
            "delay": self.delay,
        }

    def _coding(self) -> InputCoding:
        return coding_by_name(self.coding, self.rate_max, self._neuron(), self.step)

    def _neuron(self) -> NeuronModel:
        named("reset", self.reset, dict.fromkeys(RESETS), DataError)
        return neuron_model(self.neuron, self.neuron_parameters, self.reset)


def _beginning(*prefixes: str) -> tuple[str, ...]:
    return tuple(each.name for each in fields(Settings) if each.name.startswith(prefixes))


_QUANTISATION = "quantisation_"
# The settings by their purpose. Together these are all settings.
FOR_FUTHARK = ("epochs", "batch_size", "learning_rate", "weight_decay", "schedule")
FOR_ARTIFICIAL = (*FOR_FUTHARK, "normalise", "dropout", "shift")
FOR_SPIKING = (
    *("neuron", "neuron_parameters", "reset", "coding", "rate_max", "duration", "dt", "delay"),
)
FOR_TRANSFER = ("population_rate", "percentile", "rounds", "calibration_samples")
FOR_QUANTISATION = ("levels", *_beginning(_QUANTISATION))
FOR_SURROGATE = _beginning("warm_up_", "surrogate_")
FOR_LOOP = _beginning("loop_")
FOR_FINE = _beginning("fine_")
FOR_DATA = ("train_samples", "test_samples")


def settings_json(settings: Settings) -> dict[str, Any]:
    """What differs from ``Settings()``, by name. Equal settings have equal JSON."""
    defaults = asdict(Settings())
    changed = {name: each for name, each in asdict(settings).items() if each != defaults[name]}
    if parameters := changed.get("neuron_parameters"):
        # Always a float: 1.0 instead of 1.
        changed["neuron_parameters"] = in_words({k: float(each) for k, each in parameters.items()})
    return changed


def settings_from(entries: Mapping[str, Any], where: str) -> Settings:
    """The settings with these ``entries``; ``DataError`` for a name or value that none has."""
    known = {each.name: str(each.type) for each in fields(Settings)}
    for name, value in entries.items():
        with naming(where):
            annotation = named("setting", name, known, DataError)
        if not can_be(value, annotation):
            raise DataError(
                f"{where}: the setting {name!r} cannot be {shown(value)}",
                help=as_number(value, annotation),
            )
    with naming(where):
        return replace(Settings(), **entries)


def given(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that are not None."""
    return {name: value for name, value in settings.items() if value is not None}
