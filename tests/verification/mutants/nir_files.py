"""Files of NIR's, read, changed and written again by NIR's own library."""

from __future__ import annotations

import importlib
import io
import json
from typing import TYPE_CHECKING, Any

import numpy as np
from tests.verification.mutants import OTHERWISE, NotPlantedError, one_more

from volr.backends import document
from volr.backends.nir import NIR
from volr.models.model import SpikingModel

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.verification.mutants import Read

    from volr.backends.base import Files
    from volr.backends.readback import Readback
    from volr.models.model import Model


def nir(model: Model, mutation: str | None) -> Readback:
    """A file of NIR's, read and written again by NIR's own library."""
    return NIR.read_back(
        _changed_graph(NIR.write(model), lambda g: _change_nir(g, model, mutation))
    )


def _changed_graph(files: Files, change: Callable[[Any], None]) -> Files:
    library: Any = importlib.import_module("nir")
    graph = library.read(io.BytesIO(files[".nir"]))
    change(graph)
    body = io.BytesIO()
    library.write(body, graph)
    return {".nir": body.getvalue()}


def _round(nodes: Mapping[str, Any], has: type[np.floating], becomes: type[np.floating]) -> None:
    """Give all numbers of one type another one."""
    for node in nodes.values():
        for name, value in vars(node).items():
            if isinstance(value, np.ndarray) and value.dtype == has:
                setattr(node, name, value.astype(becomes))


def _change_nir(graph: Any, model: Model, mutation: str | None) -> None:
    import nir as library

    nodes, told = graph.nodes, json.loads(graph.metadata["volr"])
    square, linear = nodes["square"], nodes["left_square"]
    match mutation:
        case None:
            pass
        case "population":
            rows = {row[0]: row for row in told["populations"]}
            rows["left"][2], rows["right"][2] = "square", "input"
        case "inputs":
            told["inputs"].reverse()
        case "outputs" if not isinstance(model, SpikingModel):
            raise NotPlantedError("an artificial output is whatever its weights lead to")
        case "outputs":
            graph.edges[:] = [(a, b) for a, b in graph.edges if b != "of_last"] + [
                ("left", "of_last")
            ]
        case "missing projection":
            graph.edges.remove(("left_square", "square"))
        case "transposed":
            linear.weight = linear.weight.T.copy()
        case "weight":
            linear.weight = one_more(linear.weight)
        case "bias" if isinstance(model, SpikingModel):
            square.v_leak = one_more(square.v_leak)
        case "bias":
            linear.bias = one_more(linear.bias)
        case "activation":
            nodes["square"] = library.Scale(np.ones(4))
        case "kind":
            each = np.full(4, 0.015)
            nodes["square"] = library.LIF(
                tau=each, r=each, v_leak=0 * each, v_threshold=each, v_reset=0 * each
            )
        case "precision":
            _round(nodes, np.float64, np.float32)
        case "reset":
            told["reset"] = "subtract"
        case "delay" | "dt":
            told[mutation] = 2 * told[mutation]
            told["duration"], told["delay"] = 30.0, told["delay"] if mutation == "delay" else 1.0
        case "tau_m":
            square.tau_mem = 1.1 * square.tau_mem
        case "tau_syn_E" | "tau_syn_I":
            square.tau_syn = 1.1 * square.tau_syn
        case "cm":
            square.r = 1.1 * square.r
        case "v_thresh":
            square.v_threshold = 1.1 * square.v_threshold
        case "v_reset":
            square.v_reset = 1.5 * square.v_reset
        case _:
            told["numbers"][mutation] = OTHERWISE[mutation]
    graph.metadata["volr"] = json.dumps(told)


def dialect(name: str) -> Read:
    """A file for one importer, read and written again by NIR's own library."""
    target = document(f"nir.{name}")

    def read(model: SpikingModel, mutation: str | None) -> Readback:
        files = target.write(model)
        return target.read_back(_changed_graph(files, lambda g: _change_ring(g, mutation)))

    return read


def _held(nodes: Any, units: slice) -> Any:
    """The rows of the recurrent weights that lead to these units: snnTorch's file has an order."""
    if "recurrent_rows" not in nodes:
        return np.arange(units.start, units.stop)
    return nodes["recurrent_rows"].weight[units].argmax(axis=1)


def _change_ring(graph: Any, mutation: str | None) -> None:
    nodes, told = graph.nodes, json.loads(graph.metadata["volr.ring"])
    cells, recurrent = nodes["cells"], nodes["recurrent"]
    chains = told["chains"]
    rows = slice(chains["square"][0], chains["square"][0] + 4)
    block = np.ix_(_held(nodes, rows), range(chains["left"][-1], chains["left"][-1] + 4))
    match mutation:
        case None:
            pass
        case "population":
            sizes = {row[0]: row for row in told["populations"]}
            sizes["left"][1], sizes["square"][1] = 3, 3
        case "inputs":
            told["inputs"].reverse()
        case "outputs":
            nodes["select"].weight = np.roll(nodes["select"].weight, 1, axis=1)
        case "missing projection":
            told["projections"].remove(["left", "square"])
        case "transposed":
            recurrent.weight[block] = recurrent.weight[block].T
        case "weight":
            recurrent.weight[block] = one_more(recurrent.weight[block])
        case "bias":
            nodes["drive"].bias[rows][1] += 0.1
        case "kind":
            told["neuron"] = "if_cond_exp"
            told["numbers"] |= {"e_rev_E": 0.0, "e_rev_I": -70.0}
        case "reset":
            told["reset"] = "hard" if told["reset"] == "subtract" else "subtract"
        case "delay":
            first, second = chains["left"][:2]
            recurrent.weight[_held(nodes, slice(second, second + 4)), first : first + 4] = 0.0
        case "dt":
            told["dt"] = 2 * told["dt"]
        case "precision":
            _round(nodes, np.float32, np.float16)
        case "tau_m":
            key = "tau" if hasattr(cells, "tau") else "tau_mem"
            setattr(cells, key, 1.1 * getattr(cells, key))
        case "tau_syn_E" | "tau_syn_I":
            node, key = (
                (cells, "tau_syn") if hasattr(cells, "tau_syn") else (nodes["currents"], "tau")
            )
            setattr(node, key, 1.1 * getattr(node, key))
        case "v_thresh":
            cells.v_threshold = 1.1 * cells.v_threshold
        case _:
            told["numbers"][mutation] = OTHERWISE[mutation]
    graph.metadata["volr.ring"] = json.dumps(told)
