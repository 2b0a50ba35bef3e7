"""Settings files with mistakes, by the thousand: `python -m tests.fuzz.settings --count 1000`.

Each is refused with its name, or taken: then all that is made of settings is made of it, it is
written down and read again as the same, and nothing in it was passed over in silence.
"""

from __future__ import annotations

import json
import sys
from dataclasses import fields
from random import Random
from typing import TYPE_CHECKING, Any

from tests.fuzz.damage import DAMAGES, Found, damaged, link, main

from volr.experiments.settings import Settings, settings_from, settings_json
from volr.experiments.settings_file import ENTRIES, read_settings, settings_with
from volr.experiments.tasks import TASKS

if TYPE_CHECKING:
    from pathlib import Path

NAMES = [each.name for each in fields(Settings)]
ODD: tuple[Any, ...] = (
    *(None, True, False, 0, 1, 2, -1, 1.5, 0.1, 100, 10**18, 10**30, 10**400, 1e308, -1e308),
    *(1e-320, 1e-9, float("nan"), float("inf"), float("-inf"), "", "x", "inf", "if_curr_exp"),
    *("hard", "poisson", [], [1.0], {}, {"tau_m": 5}, {"tau_m": "5"}, {"x": 1}, "\x1b[31m\n"),
)
WHOLE: dict[str, Any] = {
    "settings": {
        "dt": 0.25,
        "neuron": "if_cond_exp",
        "epochs": 3,
        "neuron_parameters": {"cm": 2.0},
    },
    "task": "xor",
    "program": "dense 2 4 ⦶ dense 4 2",
    "trial": 3,
}


def fuzz(count: int, seed: int, folder: Path) -> Found:
    """Make ``count`` files with mistakes, and read them."""
    random, found = Random(seed), Found()
    for number in range(count):
        path = folder / f"{number}.json"
        kind = random.choice((*DAMAGES, "link", "another value", "another name", "a key twice"))
        wrong = False
        if kind in DAMAGES:
            path.write_bytes(damaged(json.dumps(WHOLE).encode(), kind, random))
        elif kind == "link":
            while (kind := link(path, random)) == "pipe":  # a pipe is taken, and nobody writes
                path.unlink()
        elif kind == "a key twice":
            path.write_text(_twice(random))
            wrong = True
        else:
            told, wrong = _other(kind, random)
            path.write_text(json.dumps(told))
        found.attempt(kind, path.name, lambda path=path, wrong=wrong: _taken(path) and not wrong)
    return found


def _taken(path: Path) -> bool:
    """Whether all that a file says is heeded."""
    file = read_settings(path)
    made = settings_with(file)
    for make in (made.training, made.surrogate, made.in_loop, made.fine, made.transfer):
        make(0)
    made.spiking()
    text = json.dumps(settings_json(made), allow_nan=False)
    content = json.loads(path.read_text(encoding="utf-8"))
    programs = {file.program_for(task.name) for task in TASKS} - {None}
    heeded = programs == ({content["program"]} if content.get("program") is not None else set())
    return heeded and settings_from(json.loads(text), "again") == made


def _twice(random: Random) -> str:
    """A file in which an object has a key twice."""
    text = json.dumps(WHOLE)
    key = random.choice(('"dt": 0.25', '"epochs": 3', '"cm": 2.0', '"task": "xor"', '"trial": 3'))
    name = key.split(":", maxsplit=1)[0]
    return text.replace(key, f"{key}, {name}: {random.choice(('1', '0.5', 'null', key[-3:]))}")


def _other(kind: str, random: Random) -> tuple[dict[str, Any], bool]:
    """A file with another value or name, and whether it must be refused."""
    told = json.loads(json.dumps(WHOLE))
    if kind == "another value":
        if random.random() < 0.2:
            entry = random.choice(ENTRIES)
            told[entry] = random.choice(ODD)
        else:
            for _ in range(random.randint(1, 3)):
                told["settings"][random.choice(NAMES)] = random.choice(ODD)
        return told, False
    inner = told if random.random() < 0.5 else told["settings"]
    key = random.choice(list(inner))
    name = "".join(random.sample(key, len(key))) + random.choice(("", "s", "_"))
    inner[name] = inner.pop(key)
    if random.random() < 0.3:
        told["task"] = random.choice(("xorr", "nand ", "XOR", "mnist_parallel"))
        return told, True
    return told, name != key


if __name__ == "__main__":
    sys.exit(main(fuzz, 1000, sys.argv[1:]))
