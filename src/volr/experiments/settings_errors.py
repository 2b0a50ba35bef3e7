"""What is wrong with settings, in words, and under the names that they have in experiments."""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, cast

from volr.checks.annotations import fits, shown
from volr.checks.json_values import out_of_words
from volr.errors import DataError, ModelError, TrainingError

if TYPE_CHECKING:
    from collections.abc import Generator

    from volr.experiments.settings import Settings


def not_by_name(parameters: object) -> list[str]:
    if isinstance(parameters, Mapping):
        entries = cast("Mapping[object, object]", parameters)
        if all(isinstance(each, str) for each in entries):
            return []
    return [f"neuron_parameters is {shown(cast('object', parameters))}, not numbers by name"]


def not_finite(settings: Settings) -> list[str]:
    # An infinite parameter is left to the neuron.
    parameters = {k: each for k, each in settings.neuron_parameters.items() if each != math.inf}
    return [
        f"{name} is {value}, which is no finite number"
        for name, value in (vars(settings) | parameters).items()
        if isinstance(value, float) and not math.isfinite(value)
    ]


@contextmanager
def naming(where: str) -> Generator[None]:
    """Add ``where``, from which the settings come, to an error."""
    try:
        yield
    except (DataError, ModelError, TrainingError) as error:
        raise type(error)(f"{where}: {error.message}", help=error.help) from error


@contextmanager
def called(names: Mapping[str, str]) -> Generator[None]:
    """Replace the names that a stage uses in its errors by the names of the settings here."""
    try:
        yield
    except (ModelError, TrainingError) as error:
        message = error.message
        for own, here in names.items():
            message = message.replace(f"{own} is ", f"{here} is ")
        raise type(error)(message, help=error.help) from error


def as_number(value: object, annotation: str) -> str | None:
    """A hint for a number that was written as a text, perhaps with a comma."""
    if not isinstance(value, str):
        return None
    try:
        number = float(value.replace(",", "."))
    except ValueError:
        return None
    whole = int(number) if number.is_integer() and abs(number) < 2**63 else number
    return f"write {whole}, without quotes" if can_be(whole, annotation) else None


def can_be(value: object, annotation: str) -> bool:
    if annotation.startswith("Mapping"):
        return isinstance(value, dict) and all(
            can_be(out_of_words(each), "float")
            for each in cast("dict[str, object]", value).values()
        )
    # JSON has integers that no float can hold.
    is_too_large = isinstance(value, int) and abs(value) >= 2**63
    return not is_too_large and fits(value, annotation, Reset=str)
