"""Model files that were damaged, by the thousand: `python -m tests.fuzz.models --count 1000`.

Each is read as the model that was written, or refused with its name. Descriptions that say
something else, under a hash that is right, are models of their own or refused.
"""

from __future__ import annotations

import json
import sys
from functools import partial
from random import Random
from typing import TYPE_CHECKING, Any

import numpy as np
import safetensors.numpy
from tests.fuzz.damage import DAMAGES, Found, damaged, link, main
from tests.oracles import random_parameters

from volr.language import to_network
from volr.model_files.container import packed, unpack
from volr.model_files.model_file import model_bytes, read_model_file
from volr.models.activations import Tanh
from volr.models.coding import Poisson
from volr.models.model import ArtificialModel, Model, SpikingModel
from volr.neurons import IFCondExp, IFCurrExp

if TYPE_CHECKING:
    from pathlib import Path

PROGRAM = "// a comment\nlet n = 3 in dense 2 n ⦶ (dense n 4 | dense n 2) >> dense 6 2"
ORIGIN: dict[str, str | int | float] = {"task": "xor", "seed": 3, "rate": 0.25}
ODD: tuple[Any, ...] = (
    *(None, True, 0, -1, 1.5, 10**30, 10**400, 1e308, -1e308, 1e-320, float("nan"), float("inf")),
    *("", "x", "inf", "\x1b[31m\n", [], [1], {}, {"a": 1}, "dense 2 3", "dense 1000000 1000000"),
)


def models() -> list[Model]:
    network = to_network(PROGRAM)
    values = random_parameters(network, np.random.default_rng(0), weight=1.0, bias=0.3)
    return [
        ArtificialModel(network, values, Tanh()),
        SpikingModel(
            network=network,
            parameters=values,
            neuron=IFCurrExp(tau_m=11.0, reset="subtract"),
            coding=Poisson(123.0),
            dt=0.1,
            duration=33.3,
            delay=0.7,
        ),
        SpikingModel(network=network, parameters=values, neuron=IFCondExp(), readout="membrane"),
    ]


def fuzz(count: int, seed: int, folder: Path) -> Found:
    """Damage ``count`` files, and read them."""
    random, found = Random(seed), Found()
    written = [(each, model_bytes(each, ORIGIN)) for each in models()]
    for number in range(count):
        model, body = random.choice(written)
        path = folder / f"{number}.safetensors"
        kind = random.choice((*DAMAGES, "link", "description", "numbers"))
        read = partial(_is, path, model)
        if kind in DAMAGES:
            path.write_bytes(damaged(body, kind, random))
        elif kind == "link":
            kind = link(path, random)
        else:
            path.write_bytes(body)
            contents = unpack(path)
            if kind == "description":
                told = _changed(json.loads(contents.description), random)
                path.write_bytes(packed(contents.arrays, json.dumps(told)))
                read = partial(_is_kept, path)
            else:
                _renumber(path, random)
        found.attempt(kind, path.name, read)
    return found


def _is(path: Path, model: Model) -> bool:
    """Whether a file is read as this model."""
    loaded = read_model_file(path)
    return loaded.model == model and loaded.origin == ORIGIN and loaded.checked


def _is_kept(path: Path) -> bool:
    """Whether what a file says, which may be another model, is written and read as it is."""
    loaded = read_model_file(path)
    path.write_bytes(model_bytes(loaded.model, loaded.origin))
    return read_model_file(path) == loaded


def _changed(value: Any, random: Random) -> Any:
    """A description with one of its values taken out, put in twice, or another one."""
    if not isinstance(value, dict) or not value or random.random() < 0.1:
        return random.choice(ODD)
    key = random.choice(list(value))
    match random.randrange(4):
        case 0:
            return {each: value[each] for each in value if each != key}
        case 1:
            other = random.choice(list(value))
            return {**value, key: value[other], other: value[key]}
        case 2:
            return {**value, key: random.choice(ODD), "more": random.choice(ODD)}
        case _:
            return {**value, key: _changed(value[key], random)}


def _renumber(path: Path, random: Random) -> None:
    """The same file with a parameter of another type or shape, as another program would save it."""
    with safetensors.safe_open(path, framework="numpy") as file:
        metadata = file.metadata() or {}
        arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no mapping)
    name = random.choice(list(arrays))
    kind = random.choice(("int64", "complex64", "float32", "bool", "uint8", "T", "less", "old"))
    if kind == "T":
        arrays[name] = np.ascontiguousarray(arrays[name].T + 0.0)
    elif kind == "less":
        del arrays[name]
    elif kind == "old":
        metadata["volr.version"] = "1"
    else:
        arrays[name] = arrays[name].astype(kind)
    safetensors.numpy.save_file(arrays, path, metadata)


if __name__ == "__main__":
    sys.exit(main(fuzz, 1000, sys.argv[1:]))
