"""How two trainings differ, in the words of the command line."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

WAY = "way"
"""What trains which kind of network."""
# Of the texts that `volr.training.checkpoint.described` makes.
_OPTIONS = {
    "ann on ": "--as ann --on ",
    "snn in the loop on ": "--as snn --in-loop ",
    "snn in the engine on ": "--as snn --device ",
}
_THINGS = {
    "network": "the program is another one",
    "samples": "the training samples are others",
    "spiking": "the options of the spiking network are others",
    "initial": "the model that training starts from is another one",
    "start": "--start is another model",
    "teacher": "--teacher is another model",
}
_LONGEST = 40


def differences(found: Mapping[str, str], wanted: Mapping[str, str]) -> list[str]:
    """What of the training ``found`` differs from the one that is ``wanted``; both by name."""
    words: list[str] = []
    for name in dict.fromkeys([*wanted, *found]):
        one, other = found.get(name), wanted.get(name)
        if one == other:
            continue
        if name == WAY:
            words.append(f"the options were {_typed(one)}, and are {_typed(other)}")
        elif name in _THINGS and one is not None and other is not None:
            words.append(_THINGS[name])
        elif name != "spiking":  # told by the way of training
            words.append(_changed(name, one, other))
    return words


def _changed(name: str, one: str | None, other: str | None) -> str:
    option = name if name == "initial" else f"--{name.replace('_', '-')}"
    if name in _THINGS:
        # Its text is a hash.
        return f"{option} was {'not ' * (one is None)}given, and is {'not ' * (other is None)}now"
    if max(len(one or ""), len(other or "")) > _LONGEST:
        return f"{option} is another one"
    return f"{option} was {_value(one)}, and is {_value(other)}"


def _typed(way: str | None) -> str:
    """The options of a way of training."""
    text = way or ""
    return next((text.replace(each, _OPTIONS[each]) for each in _OPTIONS if each in text), text)


def _value(text: str | None) -> str:
    """The value of an option, from the ``repr`` of a setting."""
    if text is None or text == "None":
        return "not given"
    # An activation has its name as the name of its class.
    named = re.fullmatch(r"(\w+)\(\)", text)
    return named[1].lower() if named else text.strip("'")
