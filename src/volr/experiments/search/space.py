"""What a search varies, in the form of the command line.

    --over NAME=VALUES
    VALUES     ::=  a,b,c  |  low..high  |  low..high:log
    Parameter  ::=  Choice | Range

Names are those of ``Settings``, ``neuron_parameters.NAME`` for a parameter of the neuron, and
``width`` for the number of neurons in the widest hidden layer.
"""

from __future__ import annotations

import math
from dataclasses import KW_ONLY, dataclass, fields
from typing import TYPE_CHECKING, TypeAlias, get_type_hints

from volr.checks.names import named
from volr.errors import DataError, VolrError
from volr.experiments.search.variation import OF_NEURON, WIDTH, Value, varied
from volr.experiments.settings import Settings
from volr.neurons import NEURON_MODELS, parameter_names

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from volr.experiments.condition import Condition

LARGEST = 10**9
"""The largest whole number in a search."""


@dataclass(frozen=True)
class Choice:
    """One of ``values``, which have no order."""

    name: str
    values: tuple[Value, ...]


@dataclass(frozen=True)
class Range:
    """A number from ``low`` to ``high``, both included; uniform in its logarithm if ``log``."""

    name: str
    low: float
    high: float
    _: KW_ONLY
    log: bool = False
    whole: bool = False


Parameter: TypeAlias = Choice | Range

VARIED_BY_DEFAULT: dict[str, tuple[str, ...]] = {
    "ann": ("learning_rate=1e-3..2e-2:log", "weight_decay=0.005..0.5:log", "batch_size=32,64,128"),
    "snn-random": ("loop_learning_rate=5e-4..5e-2:log", "rate_max=100..1000", "dt=0.2,0.5,1"),
    "snn-surrogate": (
        *("surrogate_learning_rate=5e-4..2e-2:log", "rate_max=100..1000", "dt=0.2,0.5,1"),
    ),
    "snn-transferred": ("dt=0.1,0.2,0.5,1", "rate_max=100..1000", "percentile=99..100"),
    "snn-finetuned": (
        *("fine_learning_rate=1e-5..2e-3:log", "fine_epochs=1..4", "rate_max=100..1000"),
        "percentile=99..100",
    ),
    **dict.fromkeys(
        ("ann-quantised", "snn-exact"),
        ("levels=8,16,32,64", "quantisation_percentile=99..100", "weight_decay=0.005..0.5:log"),
    ),
}


def parameters(
    given: Sequence[str], condition: Condition, settings: Settings, program: str
) -> tuple[Parameter, ...]:
    """The parameters that are ``given`` on the command line, or the default ones.

    Raises ``DataError`` for an unknown name or one that ``condition`` does not depend on, for
    values that cannot be read, and for ends and choices that are not possible with the other
    ``settings`` and the ``program``.
    """
    usual = VARIED_BY_DEFAULT.get(condition.name, ())
    if not (given or usual):
        raise DataError(f"nothing of {condition.label} is varied by default", help=_FORM)
    space = tuple(_parameter(text, condition) for text in given or usual)
    names = [each.name for each in space]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise DataError(f"{', '.join(twice)} is to be varied in two ways")
    for each in space:
        for value in _extremes(each):
            try:
                varied({each.name: value}, settings, program)
            except VolrError as error:
                raise DataError(
                    f"{each.name} cannot be {value}: {error.message}", help=error.help
                ) from error
    return space


def searchable(condition: Condition) -> tuple[str, ...]:
    """The settings that may be searched.

    These are the settings that the condition depends on, without the parameters of neurons, which
    have names of their own, and the numbers of samples: more are always better, and slower.
    """
    without = ("neuron_parameters", "loop_samples")
    return tuple(name for name in condition.depends_on if name not in without)


def parameter_text(parameter: Parameter) -> str:
    """The parameter in the form of the command line."""
    match parameter:
        case Choice():
            return f"{parameter.name}={','.join(map(str, parameter.values))}"
        case Range():
            log = ":log" if parameter.log else ""
            return f"{parameter.name}={parameter.low}..{parameter.high}{log}"


def _extremes(parameter: Parameter) -> tuple[Value, ...]:
    match parameter:
        case Choice():
            return parameter.values
        case Range():
            ends = parameter.low, parameter.high
            return tuple(map(int, ends)) if parameter.whole else ends


def _parameter(text: str, condition: Condition) -> Parameter:
    name, equals, values = (part.strip() for part in text.partition("="))
    if not equals or not values:
        raise DataError(f"{text!r} does not say what to vary", help=_FORM)
    hint = _hint(name, condition)
    if hint == "word":
        return Choice(name, _choices(name, values, str))
    whole = hint == "whole"
    read = _whole if whole else _number
    if ".." not in values:
        return Choice(name, _choices(name, values, read))
    ends, _, scale = values.partition(":")
    low, high = (read(end) for end in ends.split("..", 1))
    if scale not in {"", "log"}:
        raise DataError(f"{name}: there is no scale {scale!r}", help=_FORM)
    if low >= high:
        raise DataError(f"{name}: the range {ends} is empty", help="begin with the lower end")
    if scale and low <= 0:
        raise DataError(f"{name}: a logarithmic range begins above 0, not at {low:g}")
    return Range(name, low, high, log=bool(scale), whole=whole)


_FORM = "write it as dt=0.1,0.2,0.5 or rate_max=100..1000 or learning_rate=1e-4..1e-2:log"


def _hint(name: str, condition: Condition) -> str:
    """Whether the values of ``name`` are words, whole numbers, or any numbers."""
    known = searchable(condition)
    neurons = [OF_NEURON + each for model in NEURON_MODELS for each in parameter_names(model)]
    every = {each.name for each in fields(Settings)} - {"neuron_parameters"}
    if name in every and name not in known:
        why = (
            "how many samples there are is not to be searched: more are better, and slower"
            if name.endswith("_samples") and name != "calibration_samples"
            else f"{condition.label} does not depend on {name}"
        )
        raise DataError(why, help=f"choose one of {', '.join((*known, WIDTH))}")
    spiking = dict.fromkeys(neurons) if "neuron_parameters" in condition.depends_on else {}
    if name.startswith(OF_NEURON):
        named("setting", name, spiking, DataError)
        return "number"
    named("setting", name, dict.fromkeys((*known, WIDTH, OF_NEURON + "tau_m")), DataError)
    if name == WIDTH:
        return "whole"
    types = str(get_type_hints(Settings, localns={"Mapping": dict, "Reset": str})[name])
    return "word" if "str" in types else "whole" if "int" in types else "number"


def _choices(name: str, values: str, read: Callable[[str], Value]) -> tuple[Value, ...]:
    found = tuple(read(each.strip()) for each in values.split(","))
    if len(set(found)) < len(found):
        raise DataError(f"{name}: a value stands there twice")
    return found


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise DataError(f"{text!r} is not a number", help=_FORM)
    return value


def _whole(text: str) -> int:
    value = _number(text)
    if value != int(value) or abs(value) > LARGEST:
        raise DataError(f"{text!r} is not a whole number up to {LARGEST:,}")
    return int(value)
