"""The engine, with other arrays or another schedule than those that were made of the model."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from tests.verification.mutants import OTHERWISE, PARAMETERS, NotPlantedError, one_more

from volr.backends.engine.read_back import read
from volr.engine.cpu.connectors import in_tiles
from volr.engine.simulation import Ready, contents, ready

if TYPE_CHECKING:
    from volr.backends.readback import Readback
    from volr.engine.schedule import Schedule
    from volr.models.model import SpikingModel
    from volr.neurons import NeuronModel


def engine(model: SpikingModel, mutation: str | None) -> Readback:
    return read(model, _changed(ready(model), mutation))


def _changed(whole: Ready, mutation: str | None) -> Ready:
    schedule = whole.schedule
    weights = contents(whole)
    if mutation in PARAMETERS:
        return replace(
            whole, schedule=_with_neuron(schedule, replace(schedule.input_neuron, **_one(mutation)))
        )
    match mutation:
        case None:
            return whole
        case "population":
            lifts = dict(whole.lifts)
            lifts["left"], lifts["last"] = lifts["last"], lifts["left"]
            names = {"left": "last", "last": "left"}
            layers = [
                replace(
                    each,
                    name=names.get(each.name, each.name),
                    terms=tuple(
                        replace(term, source=names.get(term.source, term.source))
                        for term in each.terms
                    ),
                )
                for each in schedule.layers
            ]
            # The sizes go with the names, and so do the currents.
            return replace(whole, schedule=_with(schedule, layers=tuple(layers)), lifts=lifts)
        case "inputs":
            return replace(whole, schedule=_with(schedule, inputs=schedule.inputs[::-1]))
        case "missing projection":
            layers = [
                replace(e, terms=e.terms[1:]) if e.name == "square" else e for e in schedule.layers
            ]
            return replace(whole, schedule=_with(schedule, layers=tuple(layers)))
        case "transposed" | "weight":
            block = weights["left->square.weight"]
            block = block.T.copy() if mutation == "transposed" else one_more(block)
            tiles = in_tiles(schedule, weights | {"left->square.weight": block})
            return replace(whole, tiles=tiles)
        case "bias":
            lift = one_more(whole.lifts["square"])
            return replace(whole, lifts={**whole.lifts, "square": lift})
        case "kind":
            from volr.neurons import IFCondExp

            numbers = schedule.input_neuron.numbers
            return replace(
                whole, schedule=_with_neuron(schedule, IFCondExp(**cast("Any", numbers)))
            )
        case "reset":
            return replace(
                whole,
                schedule=_with_neuron(schedule, replace(schedule.input_neuron, reset="subtract")),
            )
        case "delay":
            layers = [
                replace(e, terms=tuple(replace(t, delay=t.delay + 1) for t in e.terms))
                for e in schedule.layers
            ]
            return replace(whole, schedule=_with(schedule, layers=tuple(layers)))
        case "dt":
            return replace(
                whole, schedule=_with(schedule, dt=2 * schedule.dt, steps=schedule.steps // 2)
            )
        case "precision":
            tiles = in_tiles(
                schedule, {name: each.astype(np.float32) for name, each in weights.items()}
            )
            lifts = {name: each.astype(np.float32) for name, each in whole.lifts.items()}
            return replace(whole, tiles=tiles, lifts=lifts, dtype=np.dtype(np.float32))
        case _:
            raise NotPlantedError("it has no such thing")


def _with_neuron(schedule: Schedule, neuron: NeuronModel) -> Schedule:
    layers = tuple(replace(each, neuron=neuron) for each in schedule.layers)
    return replace(schedule, layers=layers, input_neuron=neuron)


def _with(schedule: Any, **changes: Any) -> Any:
    return replace(schedule, **changes)


def _one(name: str) -> dict[str, float]:
    return {name: OTHERWISE[name]}
